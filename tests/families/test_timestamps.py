"""The times in the prompt against the times at which the frames shown were really filmed.

Every test frame shows its number, so the truth comes from the pixels that the model gets and from
how the clip was written, not from what any reader says about it.
"""

import re
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fmau.core.records import Question
from fmau.core.taxonomy import Task
from fmau.frames.clip import read_clip
from fmau.prompting.conversation import VIDEO_PART, messages
from fmau.recipe import FramesBlock
from tests.clips import read_number, write_clip
from tests.processors import PROMPTS, small_encoder, small_processor

SPEC = FramesBlock(min_pixels_per_frame=1024, max_pixels_per_frame=8192)
QUESTION = Question("SAD_1", "clip", Task.SAD, "Does the head move?")
_TIME = re.compile(r"<(\d+\.\d) seconds>")


def shown_times(path: Path, spec: FramesBlock) -> tuple[list[float], list[int]]:
    """The times in the prompt's tokens, and the numbers drawn on the frames that go with them."""
    frames = read_clip(path, spec)
    conversation = messages(QUESTION, PROMPTS, VIDEO_PART)
    inputs = small_encoder().encode(conversation, frames)
    text = small_processor().tokenizer.decode(inputs["input_ids"][0])
    numbers = [read_number(pixels_HWC) for pixels_HWC in frames.pixels_THWC()]
    return [float(time) for time in _TIME.findall(text)], numbers


def assert_times_are_true(path: Path, spec: FramesBlock, true_s: list[Fraction]) -> None:
    times, numbers = shown_times(path, spec)
    pairs = np.array([float(true_s[number]) for number in numbers]).reshape(-1, 2)
    assert len(times) == len(pairs)
    # Shown to a tenth of a second; half a millisecond more where times come in milliseconds.
    np.testing.assert_allclose(times, pairs.mean(axis=1), atol=0.05 + 0.0006, rtol=0)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("rate", [30, 25, Fraction(30000, 1001), 15])
def test_constant_rates(rate: Fraction | int, suffix: str, tmp_path: Path) -> None:
    path = write_clip(tmp_path / f"clip{suffix}", 75, rate=rate)
    assert_times_are_true(path, SPEC, [number / Fraction(rate) for number in range(75)])


@pytest.mark.parametrize("policy", ["endpoints", "midpoints", "interior"])
def test_policies(policy: str, tmp_path: Path) -> None:
    spec = SPEC.model_copy(update={"policy": policy})
    path = write_clip(tmp_path / "clip.mp4", 60)
    assert_times_are_true(path, spec, [Fraction(number, 30) for number in range(60)])


@pytest.mark.parametrize("length", [2, 3, 7])
def test_clips_shorter_than_eight_frames(length: int, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", length, rate=2)
    assert_times_are_true(path, SPEC, [Fraction(number, 2) for number in range(length)])


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    gaps_ms=st.lists(st.integers(10, 400), min_size=7, max_size=40),
    suffix=st.sampled_from([".mp4", ".mkv"]),
    start_ms=st.integers(0, 700),
)
def test_variable_rates(tmp_path: Path, gaps_ms: list[int], suffix: str, start_ms: int) -> None:
    times_ms = list(accumulate(gaps_ms, initial=start_ms))
    path = write_clip(tmp_path / f"clip{suffix}", len(times_ms), times_ms=times_ms)
    assert_times_are_true(path, SPEC, [Fraction(ms - start_ms, 1000) for ms in times_ms])
