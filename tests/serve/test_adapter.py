"""Which adapters vLLM is given, and how; adapters it would ignore in part are refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from fmau.core.errors import FmauError, InputError, RecipeError
from fmau.families.find import of_type
from fmau.recipe import ModelBlock
from fmau.serve.adapter import adapter_flags, read_adapter
from fmau.serve.adapter_config import AdapterConfig, read_config
from fmau.serve.flags import server_argv
from fmau.serve.fleet import start_fleet
from tests.lora import Q0, edit_config, edit_tensors, save_adapter, save_base
from tests.serve.support import recipe

FAMILY = of_type("qwen3_vl", "the tests")
TOWER_FLAG = "--enable-tower-connector-lora"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelBlock:
    return ModelBlock(path=str(save_base(tmp_path_factory.mktemp("base"))), dtype="float32")


@pytest.fixture
def adapter(model: ModelBlock, tmp_path: Path) -> Path:
    """An adapter on the language model, as training writes it."""
    return save_adapter(tmp_path / "a", Path(model.path))


def resize(adapter: Path, rank: int) -> None:
    """Give the first adapted layer another rank."""
    edit_tensors(
        adapter,
        **{
            f"{Q0}.lora_A.weight": torch.ones(rank, 192),
            f"{Q0}.lora_B.weight": torch.ones(192, rank),
        },
    )


def test_base_and_adapter_are_served_at_once(model: ModelBlock, adapter: Path) -> None:
    argv = server_argv(recipe(), "gpu", FAMILY, read_adapter(adapter, model))
    assert "--enable-lora" in argv
    assert argv[argv.index("--lora-modules") + 1] == f"adapter={adapter}"
    assert argv[argv.index("--max-lora-rank") + 1] == "8"
    assert TOWER_FLAG not in argv
    assert "--enable-lora" not in server_argv(recipe(), "gpu", FAMILY)


@pytest.mark.parametrize(("rank", "allowed"), [(1, 8), (16, 16), (24, 32), (64, 64), (512, 512)])
def test_the_server_allows_the_largest_rank_of_any_layer(
    model: ModelBlock, adapter: Path, rank: int, allowed: int
) -> None:
    edit_config(adapter, rank_pattern={"layers.0.self_attn.q_proj": rank})
    resize(adapter, rank)
    assert read_adapter(adapter, model).max_rank == allowed


@pytest.mark.parametrize("tower", ["vision", "merger"])
@pytest.mark.parametrize("language", [True, False])
def test_updates_outside_the_language_model_are_not_dropped(
    model: ModelBlock, tmp_path: Path, tower: str, language: bool
) -> None:
    """PEFT shortens long lists of target_modules to suffixes, which do not tell the tower."""
    folder = save_adapter(tmp_path / "a", Path(model.path), **{tower: True, "language": language})
    named = json.loads((folder / "adapter_config.json").read_text("utf-8"))["target_modules"]
    edit_config(folder, target_modules=sorted({path.rsplit(".")[-1] for path in named}))
    assert TOWER_FLAG in adapter_flags(read_adapter(folder, model))


def test_names_of_modules_that_no_tensor_adapts_mean_nothing(
    model: ModelBlock, adapter: Path
) -> None:
    edit_config(adapter, target_modules=["q_proj", "model.visual.blocks.0.attn.qkv"])
    assert TOWER_FLAG not in adapter_flags(read_adapter(adapter, model))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"use_dora": True}, "DoRA"),
        ({"lora_bias": True}, "biases of the updates"),
        ({"bias": "all"}, "trained biases"),
        ({"modules_to_save": ["lm_head"]}, "modules trained in full"),
        ({"trainable_token_indices": [1, 2]}, "trained tokens"),
        ({"init_lora_weights": "pissa"}, r"changed base weights \(pissa\)"),
        ({"alora_invocation_tokens": [5]}, "aLoRA"),
        ({"layer_replication": [[0, 2], [1, 2]]}, "replicated layers"),
        ({"peft_type": "IA3"}, "peft_type is 'IA3'"),
        ({"peft_type": None}, "peft_type is None"),
        ({"r": 1000}, r"rank 1000 \(its limit is 512\)"),
        ({"use_dora": True, "bias": "all"}, "DoRA and trained biases"),
    ],
)
def test_what_vllm_cannot_apply_is_refused(
    model: ModelBlock, adapter: Path, changes: dict[str, Any], said: str
) -> None:
    edit_config(adapter, **changes)
    with pytest.raises(RecipeError, match=said):
        read_adapter(adapter, model)


@pytest.mark.parametrize("start", [True, False, None, "gaussian", "eva", "orthogonal"])
def test_how_updates_start_does_not_matter_if_the_base_stays(
    model: ModelBlock, adapter: Path, start: Any
) -> None:
    edit_config(adapter, init_lora_weights=start)
    assert read_adapter(adapter, model).max_rank == 8


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"target_modules": None}, "target_modules"),
        ({"target_modules": [1]}, "target_modules"),
        ({"target_modules": {"q_proj": 1}}, "target_modules"),
        ({"r": None}, "r: Input should be a valid integer"),
        ({"r": "16"}, "r: Input should be a valid integer"),
        ({"r": True}, "r: Input should be a valid integer"),
        ({"r": 0}, "r: Input should be greater than or equal to 1"),
        ({"lora_alpha": None}, "lora_alpha"),
        ({"lora_alpha": float("nan")}, "lora_alpha"),
        ({"rank_pattern": ["q_proj"]}, "rank_pattern"),
        ({"rank_pattern": {"q_proj": None}}, "rank_pattern.q_proj"),
        ({"rank_pattern": {"q_proj(": 8}}, "is not a pattern"),
        ({"alpha_pattern": {"*": 8}}, "is not a pattern"),
        ({"bias": 3}, "bias"),
        ({"init_lora_weights": []}, "init_lora_weights"),
        ({"base_model_name_or_path": 7}, "base_model_name_or_path"),
    ],
)
def test_a_damaged_configuration_is_an_error_with_the_key(
    model: ModelBlock, adapter: Path, changes: dict[str, Any], said: str
) -> None:
    edit_config(adapter, **changes)
    with pytest.raises(RecipeError, match=rf"adapter_config\.json: .*{said}.*copy the adapter"):
        read_adapter(adapter, model)


@pytest.mark.parametrize("key", ["r", "lora_alpha", "target_modules"])
def test_a_key_that_must_be_there_is_named(model: ModelBlock, adapter: Path, key: str) -> None:
    path = adapter / "adapter_config.json"
    kept = {k: v for k, v in json.loads(path.read_text("utf-8")).items() if k != key}
    path.write_text(json.dumps(kept), "utf-8")
    with pytest.raises(RecipeError, match=f"{key}: missing"):
        read_adapter(adapter, model)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"null", b"3", b'"LORA"', b'{"r": 8', b"[" * 100_000, b"\xff\xfe\x00"]
)
def test_a_configuration_that_is_not_a_tree_of_keys_is_an_error(
    model: ModelBlock, adapter: Path, content: bytes
) -> None:
    (adapter / "adapter_config.json").write_bytes(content)
    with pytest.raises(RecipeError, match=r"adapter_config\.json: "):
        read_adapter(adapter, model)


def test_null_patterns_are_no_patterns(model: ModelBlock, adapter: Path) -> None:
    edit_config(adapter, rank_pattern=None, alpha_pattern=None)
    assert read_adapter(adapter, model).max_rank == 8


def test_ranks_of_layers_are_those_that_peft_gives_them() -> None:
    from peft.utils.other import get_pattern_key

    patterns = {"layers.1.self_attn.q_proj": 2, r"layers\.[0-9]+\.mlp\..*": 3, "q_proj": 5}
    config = AdapterConfig(r=7, lora_alpha=1, target_modules="all-linear", rank_pattern=patterns)
    layers = "model.language_model.layers"
    for path in (
        f"{layers}.1.self_attn.q_proj",
        f"{layers}.11.self_attn.q_proj",
        f"{layers}.0.mlp.up_proj",
        f"{layers}.0.self_attn.k_proj",
        "q_proj",
        "xq_proj",
    ):
        assert config.rank_of(path) == patterns.get(get_pattern_key(patterns, path), 7)


def test_a_folder_without_an_adapter_is_refused(
    model: ModelBlock, adapter: Path, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match="this is not an adapter"):
        read_adapter(tmp_path, model)
    (adapter / "adapter_model.safetensors").unlink()
    with pytest.raises(RecipeError, match=r"no adapter_model\.safetensors"):
        read_adapter(adapter, model)
    with pytest.raises(RecipeError, match="there is no folder"):
        read_adapter(adapter, ModelBlock(path=str(tmp_path / "gone"), dtype="float32"))


@pytest.mark.parametrize("harm", ["names", "rank", "zero", "cut"])
def test_no_server_starts_with_an_adapter_that_it_would_not_apply(
    model: ModelBlock, adapter: Path, tmp_path: Path, harm: str
) -> None:
    path = adapter / "adapter_model.safetensors"
    if harm == "names":  # as PEFT names them for a bare language model; vLLM ignores them
        bare = Q0.replace(".language_model", "")
        moved = {f"{bare}.lora_A.weight": torch.ones(4, 192)}
        edit_tensors(adapter, **moved, **{f"{bare}.lora_B.weight": torch.ones(192, 4)})
    elif harm == "rank":
        edit_config(adapter, r=8)
    elif harm == "zero":
        stored = load_file(path).items()
        edit_tensors(adapter, **{n: 0 * tensor for n, tensor in stored if ".lora_B." in n})
    else:
        path.write_bytes(path.read_bytes()[:-100])
    assert read_config(adapter).r
    wanted = recipe(model=model.model_dump())
    with pytest.raises(FmauError) as caught:
        start_fleet(wanted, log_folder=tmp_path / "logs", adapter=adapter)
    assert isinstance(caught.value, InputError)
    assert str(path) in str(caught.value)
    assert not (tmp_path / "logs").exists()
