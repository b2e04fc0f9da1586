from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmau.frames.sampling import sample_indices
from fmau.recipe import FramesBlock
from tests.processors import small_processor

lengths = st.integers(1, 5_000)
counts = st.integers(1, 32).map(lambda half: 2 * half)


def block(policy: str, count: int = 8, fps: float | None = None) -> FramesBlock:
    values: dict[str, Any] = {"policy": policy, "count": count, "fps": fps}
    return FramesBlock(min_pixels_per_frame=1024, max_pixels_per_frame=65536, **values)


@settings(deadline=None)
@given(lengths, counts)
def test_endpoints_are_those_of_qwens_video_processor(length: int, count: int) -> None:
    metadata = SimpleNamespace(total_num_frames=length, fps=30)
    theirs = small_processor().video_processor.sample_frames(metadata, num_frames=count)
    assert list(sample_indices(length, block("endpoints", count), 30)) == theirs.tolist()


@settings(deadline=None)
@given(lengths, counts)
def test_endpoints_are_evenly_spread(length: int, count: int) -> None:
    exact = [Fraction(i * (length - 1), count - 1) for i in range(count)]
    assert list(sample_indices(length, block("endpoints", count), 30)) == [round(x) for x in exact]


@settings(deadline=None)
@given(lengths, counts)
def test_midpoints_are_the_middles_of_equal_segments(length: int, count: int) -> None:
    middles = [Fraction((2 * i + 1) * length, 2 * count) for i in range(count)]
    assert list(sample_indices(length, block("midpoints", count), 30)) == [int(x) for x in middles]


@settings(deadline=None)
@given(lengths, counts)
def test_interior_leaves_out_the_ends(length: int, count: int) -> None:
    indices = sample_indices(length, block("interior", count), 30)
    exact = [Fraction(i * (length - 1), count + 1) for i in range(1, count + 1)]
    assert list(indices) == [round(x) for x in exact]
    if length > count + 2:
        assert 0 not in indices
        assert length - 1 not in indices


@settings(deadline=None)
@given(
    lengths,
    st.sampled_from(["endpoints", "midpoints", "interior", "first_n", "stride"]),
    counts,
    st.sampled_from([15.0, 25.0, 30000 / 1001, 30.0, 60.0]),
)
def test_every_policy_gives_count_indices_of_the_clip_in_order(
    length: int, policy: str, count: int, source_fps: float
) -> None:
    spec = block(policy, count, fps=3.0 if policy in ("first_n", "stride") else None)
    indices = sample_indices(length, spec, source_fps)
    assert len(indices) == count
    assert list(indices) == sorted(indices)
    assert all(0 <= index < length for index in indices)


def test_first_n_steps_through_the_clip_at_the_given_rate() -> None:
    spec = block("first_n", count=4, fps=3.0)
    assert sample_indices(90, spec, 30.0) == (0, 10, 20, 30)
    assert sample_indices(90, spec, 25.0) == (0, 8, 17, 25)
    assert sample_indices(15, spec, 30.0) == (0, 10, 14, 14)


@settings(deadline=None)
@given(lengths, counts, st.sampled_from([10.5, 15.0, 25.0, 30000 / 1001, 30.0, 60.0]))
def test_stride_is_a_walk_in_equal_steps_that_ends_with_the_clip(
    length: int, count: int, source_fps: float
) -> None:
    step = max(1, min(round(source_fps / 3.0), length // count))
    walk: list[int] = []
    at = 0
    while len(walk) < count and at < length:
        walk.append(at)
        at += step
    indices = sample_indices(length, block("stride", count, fps=3.0), source_fps)
    assert list(dict.fromkeys(indices)) == walk


def test_stride_by_hand() -> None:
    spec = block("stride", fps=3.0)
    assert sample_indices(150, spec, 30.0) == (
        0,
        10,
        20,
        30,
        40,
        50,
        60,
        70,
    )  # 5 s: blind from 2.4 s
    assert sample_indices(64, spec, 30.0) == (0, 8, 16, 24, 32, 40, 48, 56)  # 2.1 s
    assert sample_indices(100, spec, 25.0) == (0, 8, 16, 24, 32, 40, 48, 56)
    assert sample_indices(15, spec, 30.0) == (0, 1, 2, 3, 4, 5, 6, 7)
    assert sample_indices(3, spec, 30.0) == (0, 1, 2, 2, 2, 2, 2, 2)


@pytest.mark.parametrize(
    ("length", "expected"),
    [(2, (0, 0, 0, 0, 1, 1, 1, 1)), (3, (0, 0, 1, 1, 1, 1, 2, 2)), (8, tuple(range(8)))],
)
def test_short_clips_repeat_frames_evenly(length: int, expected: tuple[int, ...]) -> None:
    assert sample_indices(length, block("endpoints"), 30) == expected
