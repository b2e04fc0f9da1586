"""The plan's figures against the sequences that are really trained on, and the real weights."""

import re
from types import SimpleNamespace
from typing import Any

import pytest

from fmau.core.records import Option, Question
from fmau.core.taxonomy import Task
from fmau.dataset.examples.example import Example
from fmau.recipe import FramesBlock, LoraBlock
from fmau.train.adapter import add_adapter
from fmau.train.batches import SequenceDataset
from fmau.train.packing import IGNORED
from fmau.train.plan import measure, parameters, plan_rows
from tests.clips import drawn_frames
from tests.processors import PROMPTS, small_encoder, small_model

FRAMES = drawn_frames()
SPEC = FramesBlock(count=4, min_pixels_per_frame=1024, max_pixels_per_frame=4096)
OPTIONS = (Option("A", "Head"), Option("B", "Body", "A1"))
GROUPS: list[tuple[Example, ...]] = [
    (
        Example("c", "FMAR", Question("q", "c", Task.FMAR, "Which?", OPTIONS), "A"),
        Example("c", "MADU", Question("r", "c", Task.MADU, "Describe it."), "The head nods."),
    ),
    (
        Example("c", "caption", "Describe the movement of the person.", "The body sways."),
        Example("c", "SAD", Question("s", "c", Task.SAD, "Does the head move up?"), "No"),
        Example("c", "MAS", Question("t", "c", Task.MAS, "Does it move first?"), "Yes"),
    ),
    (Example("c", "PPR", Question("u", "c", Task.PPR, "Do they part?"), "Yes"),),
]


@pytest.fixture(scope="module")
def model() -> Any:
    return small_model()


def train_block(**changes: Any) -> Any:
    usual = {
        "batch_size": 2,
        "micro_batch_size": 1,
        "lora": LoraBlock(rank=4, merger=True),
        "gradient_checkpointing": False,
        "steps": lambda sequences: 10 * sequences,
    }
    return SimpleNamespace(**usual | changes)


def test_tokens_are_those_of_the_packed_sequences(model: Any) -> None:
    sizes = measure(GROUPS, small_encoder(), PROMPTS, FRAMES, SPEC)
    dataset = SequenceDataset(
        GROUPS,
        cache={"c": FRAMES},
        encoder=small_encoder(),
        prompts=PROMPTS,
        length_exponent=1.0,
        config=model.config,
    )
    packed = [dataset[index][0] for index in range(len(GROUPS))]
    # Where questions begin alike, their first tokens are shared too.
    assert sizes.mean.tokens == pytest.approx(sum(len(p.ids_L) for p in packed) / 3, rel=0.03)
    prefixes = [int((p.branch_L == 0).sum()) for p in packed[:2]]
    assert sizes.mean.prefix == pytest.approx(min(prefixes), rel=0.05)
    learned = [int((p.labels_L != IGNORED).sum()) for p in packed]
    assert sizes.mean.learned == pytest.approx(sum(learned) / 3)
    assert sizes.sequences == 3
    grid = dataset[0][1]["video_grid_thw"][0].tolist()
    assert (sizes.mean.groups, sizes.mean.patches) == (grid[0], grid[1] * grid[2])


def test_one_question_a_sequence_makes_no_branches() -> None:
    sizes = measure(GROUPS[2:], small_encoder(), PROMPTS, FRAMES, SPEC)
    assert sizes.mean.prefix == 0
    assert sizes.mean.pairs == sizes.mean.tokens**2


def test_numbers_are_counted_without_making_them(model: Any) -> None:
    train = train_block()
    numbers, updates = parameters(model.config, train)
    assert numbers == sum(p.numel() for p in model.parameters())
    adapted = add_adapter(small_model(), train.lora)
    assert updates == sum(p.numel() for p in adapted.parameters() if p.requires_grad)


def test_the_plan_tells_tokens_memory_and_time(model: Any) -> None:
    sizes = measure(GROUPS, small_encoder(), PROMPTS, FRAMES, SPEC)

    def rows(gpus: list[str], **changes: Any) -> dict[str, str]:
        return dict(plan_rows(model.config, train_block(**changes), "float32", sizes, gpus))

    told = rows([])
    assert f"{60 * sizes.mean.tokens / 1e6:,.1f} million in all" in told["tokens"]
    assert "GiB a process" in told["memory"]
    assert re.search(r"about [\d.]+ minutes on one H200 at 40% of the peak$", told["computing"])
    assert "on 2 x NVIDIA A100-SXM4-80GB at 40%" in rows(["NVIDIA A100-SXM4-80GB"] * 2)["computing"]
    assert "progress bar" in rows(["Some Other GPU"])["computing"]
