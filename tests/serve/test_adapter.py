"""Which adapters vLLM is given, and how; adapters it would ignore in part are refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from fmau.core.errors import RecipeError
from fmau.serve.adapter import adapter_flags, read_adapter
from fmau.serve.flags import server_argv
from tests.serve.support import recipe

LANGUAGE = "model.language_model.layers.0.self_attn.q_proj"
VISION = "model.visual.blocks.0.attn.qkv"


def write_adapter(folder: Path, **changes: Any) -> Path:
    config = {"peft_type": "LORA", "r": 16, "bias": "none", "target_modules": [LANGUAGE]}
    folder.mkdir(exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps(config | changes), "utf-8")
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    return folder


def test_base_and_adapter_are_served_at_once(tmp_path: Path) -> None:
    adapter = read_adapter(write_adapter(tmp_path / "a"))
    argv = server_argv(recipe(), "gpu", adapter)
    assert "--enable-lora" in argv
    assert argv[argv.index("--lora-modules") + 1] == f"adapter={tmp_path / 'a'}"
    assert argv[argv.index("--max-lora-rank") + 1] == "16"
    assert "--enable-tower-connector-lora" not in argv
    assert "--enable-lora" not in server_argv(recipe(), "gpu")


@pytest.mark.parametrize(("rank", "allowed"), [(1, 1), (2, 8), (16, 16), (24, 32), (64, 64)])
def test_the_server_allows_the_rank(tmp_path: Path, rank: int, allowed: int) -> None:
    assert read_adapter(write_adapter(tmp_path / "a", r=rank)).max_rank == allowed


def test_the_largest_rank_of_any_layer_counts(tmp_path: Path) -> None:
    folder = write_adapter(tmp_path / "a", rank_pattern={LANGUAGE: 100})
    assert read_adapter(folder).max_rank == 128


def test_updates_of_the_vision_tower_are_not_dropped(tmp_path: Path) -> None:
    adapter = read_adapter(write_adapter(tmp_path / "a", target_modules=[LANGUAGE, VISION]))
    assert "--enable-tower-connector-lora" in adapter_flags(adapter)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"use_dora": True}, "DoRA"),
        ({"bias": "all"}, "trained biases"),
        ({"modules_to_save": ["lm_head"]}, "modules trained in full"),
        ({"peft_type": "IA3"}, "type IA3"),
        ({"r": 1000}, "rank 1000, but vLLM's limit is 512"),
    ],
)
def test_what_vllm_cannot_apply_is_refused(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(RecipeError, match=said):
        read_adapter(write_adapter(tmp_path / "a", **changes))


def test_a_folder_without_an_adapter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="this is not an adapter"):
        read_adapter(tmp_path)
    folder = write_adapter(tmp_path / "a")
    (folder / "adapter_model.safetensors").unlink()
    with pytest.raises(RecipeError, match=r"no adapter_model\.safetensors"):
        read_adapter(folder)
