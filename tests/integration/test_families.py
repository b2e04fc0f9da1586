"""Every family through the real server: the same prompts and greedy tokens as in Transformers.

Each has a small random checkpoint of its real architecture (tests/families/checkpoints.py).
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

from fmau.families.encode import Encoder
from fmau.families.load import load_encoder, load_model
from fmau.frames.clip import ClipFrames, read_clip
from fmau.prompting.conversation import VIDEO_PART, messages
from fmau.recipe import Recipe
from fmau.serve import Server, check_clips, start_server
from tests.clips import write_clip
from tests.families.checkpoints import MAKERS
from tests.integration.tiny_served import (
    PROMPTS,
    ROUNDING,
    SIZE,
    ask,
    behind_the_likeliest,
    common_prefix,
    questions_about,
    tiny_recipe,
)
from tests.serve.support import free_port

pytestmark = [pytest.mark.server, pytest.mark.slow]

RATES: dict[str, Fraction | int] = {"thirty": 30, "pal": 25, "ntsc": Fraction(30000, 1001)}
"""Clip -> frames per second."""


class Served(NamedTuple):
    server: Server
    recipe: Recipe
    encoder: Encoder
    model: Any


@pytest.fixture(scope="module", params=[name for name in MAKERS if name != "qwen3_vl"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp(request.param)
    path = MAKERS[request.param](folder / "model")
    recipe = tiny_recipe(
        folder,
        model__path=path,
        model__dtype="bfloat16" if request.param == "qwen3_5" else "float32",
        serve__port=free_port(8600),
        **FRAMES.get(request.param, {}),
    )
    encoder = load_encoder(recipe.model)
    model = load_model(str(path), None, getattr(torch, recipe.model.dtype)).eval()
    with start_server(recipe, log_path=folder / "server.log") as server:
        server.wait_ready()
        yield Served(server, recipe, encoder, model)


FRAMES: dict[str, dict[str, Any]] = {
    "qwen2_5_vl": {
        "frames__cell": 28,
        "frames__min_pixels_per_frame": 28 * 28 * 30,
        "frames__max_pixels_per_frame": 28 * 28 * 30,
    }
}
"""Frames of families that do not take those of the tiny recipe."""


def test_prompts_and_greedy_replies_are_those_of_transformers(
    served: Served, tmp_path: Path
) -> None:
    equal = total = 0
    gaps = []
    for clip, rate in RATES.items():
        path = write_clip(tmp_path / f"{clip}.mp4", 50, rate=rate, **SIZE)
        frames = read_clip(path, served.recipe.frames)
        for question in questions_about(tmp_path, [clip])[::4]:
            said = ask(served.server, question, frames, served.recipe, served.recipe.model.path)
            inputs = served.encoder.encode(messages(question, PROMPTS, VIDEO_PART), frames)
            prompt = inputs["input_ids"][0].tolist()
            assert said["prompt"] == prompt
            check_times(served.encoder, prompt, frames, rate)
            with torch.inference_mode():
                ids = served.model.generate(**inputs, do_sample=False, max_new_tokens=12)
            own, reply = ids[0, len(prompt) :].tolist(), said["reply"][:12]
            equal += common_prefix(own, reply)
            total += len(own)
            gaps.append(behind_the_likeliest(served.model, inputs, reply))
    print(
        f"{served.encoder.family.name}: {equal} of {total} greedy tokens equal, at most "
        f"{max(gaps):.1e} behind the likeliest"
    )
    if served.recipe.model.dtype == "float32":
        assert equal == total
    else:
        assert max(gaps) <= ROUNDING


def check_times(
    encoder: Encoder, prompt: list[int], frames: ClipFrames, rate: Fraction | int
) -> None:
    """The times in a prompt are those at which the frames were filmed."""
    family = encoder.family
    seen = family.times_in(encoder.processor.tokenizer.decode(prompt))
    assert seen == family.times(frames.indices, frames.fps)
    if seen:
        filmed = [float(index / Fraction(rate)) for index in frames.indices]
        pairs = [sum(pair) / 2 for pair in zip(filmed[::2], filmed[1::2], strict=True)]
        assert [float(time) for time in seen] == pytest.approx(pairs, abs=0.051)


def test_a_running_server_passes_the_check_of_clips(served: Served) -> None:
    check_clips(
        served.server.base_url,
        served.recipe.model.path,
        served.recipe.frames,
        served.encoder.family,
    )
