"""Which layers are adapted, and how fast each learns, against lists made by hand."""

import re
from pathlib import Path
from typing import Any

import pytest

from fmau.core.errors import RecipeError
from fmau.recipe import LoraBlock, TrainBlock, TrainDataBlock
from fmau.train.adapter import add_adapter, count_parameters, parameter_groups, targets
from tests.processors import small_model

DATA = TrainDataBlock(
    captions=Path("c.json"), clips=Path("clips"), cache=Path("cache"), benchmarks=()
)
LANGUAGE = re.compile(
    r"model\.language_model\.layers\.\d+\."
    r"(self_attn\.[qkvo]_proj|mlp\.(gate|up|down)_proj)"
)


@pytest.fixture(scope="module")
def base() -> Any:
    return small_model()


def test_by_default_the_seven_linear_layers_of_every_language_block_are_adapted(base: Any) -> None:
    found = targets(base, LoraBlock())
    layers = base.config.text_config.num_hidden_layers
    assert len(found) == len(set(found)) == 7 * layers
    assert all(LANGUAGE.fullmatch(path) for path in found)


def test_each_switch_adds_its_tower_and_nothing_else(base: Any) -> None:
    vision = targets(base, LoraBlock(language=False, vision=True))
    assert len(vision) == 4 * base.config.vision_config.depth  # qkv, proj, fc1, fc2
    assert all(path.startswith("model.visual.blocks.") for path in vision)
    merger = targets(base, LoraBlock(language=False, merger=True))
    assert len(merger) == 2 * (1 + len(base.config.vision_config.deepstack_visual_indexes))
    everything = targets(base, LoraBlock(vision=True, merger=True))
    assert set(everything) == {*targets(base, LoraBlock()), *vision, *merger}
    assert not [path for path in everything if "patch_embed" in path or "lm_head" in path]


def test_a_model_without_the_tower_is_refused() -> None:
    model = small_model()
    del model.model.visual
    with pytest.raises(RecipeError, match=r"train\.lora\.vision: Qwen3VL.* has no linear layer"):
        targets(model, LoraBlock(language=False, vision=True))


def test_towers_learn_at_their_own_rates() -> None:
    model = small_model()
    train = TrainBlock(
        data=DATA,
        mixture={"caption": 1},
        lora=LoraBlock(rank=2, vision=True, merger=True),
        learning_rate=1e-3,
        merger_learning_rate=5e-4,
    )
    adapted = add_adapter(model, train.lora)
    rates = {group["name"]: group["lr"] for group in parameter_groups(adapted, train)}
    assert rates == {"language": 1e-3, "vision": pytest.approx(1e-4), "merger": 5e-4}
    grouped = [id(p) for group in parameter_groups(adapted, train) for p in group["params"]]  # type: ignore[attr-defined]
    trained = [id(p) for p in adapted.parameters() if p.requires_grad]
    assert sorted(grouped) == sorted(trained)


def test_counts_add_up_to_all_parameters() -> None:
    model = small_model()
    before = sum(parameter.numel() for parameter in model.parameters())
    counts = count_parameters(add_adapter(model, LoraBlock(rank=2)))
    assert sum(count.frozen for count in counts) == before
    by_name = {count.name: count for count in counts}
    assert by_name["language"].trained > 0
    assert by_name["language"].layers == 7 * model.config.text_config.num_hidden_layers
    assert by_name["vision"].trained == by_name["merger"].trained == 0
