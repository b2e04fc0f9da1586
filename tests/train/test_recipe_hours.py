"""The times in recipes/README.md against the plan, which is their one source."""

import math
import re

import pytest

from fmau.recipe import load_recipe
from fmau.train.estimate import SequenceShape, Shape, hours, training_flops
from tests.paths import RECIPES
from tests.train.real_models import QWEN3_VL_4B, QWEN3_VL_8B, QWEN3_VL_32B

MODELS = {
    "Qwen/Qwen3-VL-4B-Instruct": QWEN3_VL_4B,
    "Qwen/Qwen3-VL-8B-Instruct": QWEN3_VL_8B,
    "Qwen/Qwen3-VL-32B-Instruct": QWEN3_VL_32B,
}
PAGE = (RECIPES / "README.md").read_text("utf-8")
ROWS = re.findall(
    r"^\| `(\S+)\.yaml` .*\| (\d+) (minutes|hours) of computing on (\d+) x ([\w ]+), plan \|",
    PAGE,
    re.MULTILINE,
)
CLIPS, CLIP_TOKENS = 20_510, 952
TEXT_TOKENS = {"lora_qwen3_vl_8b_captions": 250}
USUAL_TEXT_TOKENS = 450
LEARNED = 250


def planned_hours(name: str, gpus: int, gpu: str) -> float:
    recipe = load_recipe(name)
    train = recipe.train
    assert train is not None
    assert not train.lora.vision
    assert not train.lora.merger
    examples = sum(train.mixture.values())
    a_clip = math.ceil(examples / train.examples_per_sequence)
    sequences = int(CLIPS * (1 - train.data.validation_share)) * a_clip
    text = TEXT_TOKENS.get(name, USUAL_TEXT_TOKENS)
    shape = SequenceShape(
        tokens=CLIP_TOKENS + text,
        learned=LEARNED,
        groups=4,
        patches=CLIP_TOKENS,  # 4 groups of 238 tokens, 4 patches each
        prefix=CLIP_TOKENS if train.examples_per_sequence > 1 else 0,
    )
    flops = (
        train.steps(sequences)
        * train.batch_size
        * training_flops(
            Shape.of(MODELS[recipe.model.path]),
            shape,
            vision_trained=False,
            checkpointing=train.gradient_checkpointing,
        )
    )
    found = hours(flops, gpu, gpus)
    assert found is not None
    return found


def test_every_large_training_recipe_has_its_time() -> None:
    trained = {path.stem for path in RECIPES.glob("*qwen3_vl*.yaml") if load_recipe(path).train}
    assert {row[0] for row in ROWS} == trained
    assert "hours, estimate" not in PAGE


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_times_are_those_of_the_plan(row: tuple[str, ...]) -> None:
    name, number, unit, gpus, gpu = row
    told = float(number) / (60 if unit == "minutes" else 1)
    assert told == pytest.approx(planned_hours(name, int(gpus), gpu), rel=0.1)


def test_the_assumptions_are_those_of_the_page() -> None:
    words = " ".join(PAGE.split())
    assert f"{CLIPS:,} clips of MA-Bench-Train, with {CLIP_TOKENS} tokens a clip" in words
    assert f"{USUAL_TEXT_TOKENS} tokens of text a sequence (250 in the captions recipe)" in words
