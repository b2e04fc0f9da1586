"""`fmau export`: merged = adapted, and a card that says what there is to know."""

import json
import resource
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import Qwen3VLForConditionalGeneration
from typer.testing import CliRunner

from fmau.cli import app
from fmau.core.errors import FmauError, InputError, RecipeError, RunError
from fmau.recipe import LoraBlock
from fmau.runs.manifest import Session
from fmau.train.adapter import add_adapter
from fmau.train.export import export_adapter
from fmau.train.record import TrainingRecord, read_record
from tests.lora import Q0, edit_tensors
from tests.paths import REPO


@pytest.fixture
def run(base: Path, tmp_path: Path) -> Path:
    """A run folder with an adapter and its record."""
    model = add_adapter(
        Qwen3VLForConditionalGeneration.from_pretrained(base, dtype=torch.float32),
        LoraBlock(rank=4, vision=True, merger=True),
    )
    for path, parameter in model.named_parameters():
        if ".lora_B." in path:
            torch.nn.init.normal_(parameter, std=0.1)
    model.save_pretrained(tmp_path / "run" / "adapter")
    TrainingRecord(
        recipe={
            "name": "lora_x",
            "model": {"path": str(base), "revision": None, "dtype": "float32"},
        },
        recipe_hash="0" * 64,
        files={"captions.json": "abc" * 20},
        clips=40,
        examples={"CMAR": 1200, "caption": 7},
        processes=2,
        steps=31,
        best_step=20,
        validation={"closed_accuracy": 61.25},
        session=Session.start("train"),
    ).save(tmp_path / "run" / "adapter")
    return tmp_path / "run"


def test_the_merged_model_computes_what_the_adapted_one_does(run: Path, base: Path) -> None:
    from peft import PeftModel

    done = export_adapter(run / "adapter", merge_to=run / "merged", scores={})
    plain = Qwen3VLForConditionalGeneration.from_pretrained(base, dtype=torch.float32)
    vision = "model.visual.blocks.0.attn.qkv.weight"
    vision_before = plain.state_dict()[vision].clone()
    ids = torch.arange(5, 45)[None]
    with torch.no_grad():
        before = plain(input_ids=ids).logits
        adapted = PeftModel.from_pretrained(plain, str(run / "adapter"))(input_ids=ids).logits
        merged = Qwen3VLForConditionalGeneration.from_pretrained(
            run / "merged", dtype=torch.float32
        )
        torch.testing.assert_close(merged(input_ids=ids).logits, adapted, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(before, adapted, atol=0.1)
    assert done.merged == run / "merged"
    assert "library_name: transformers" in (run / "merged" / "README.md").read_text("utf-8")
    assert not torch.equal(merged.state_dict()[vision], vision_before)


@pytest.mark.parametrize("step", ["merge", "write_card"])
def test_a_merge_that_failed_can_be_started_again(
    run: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(f"fmau.train.export.export.{step}", broken_off)
        with pytest.raises(FmauError, match="the disk is full"):
            export_adapter(run / "adapter", merge_to=run / "merged", scores={})
    assert sorted(path.name for path in run.iterdir()) == ["adapter"]
    done = export_adapter(run / "adapter", merge_to=run / "merged", scores={})
    assert done.merged == run / "merged"
    assert set(done.cards) == {run / "adapter" / "README.md", run / "merged" / "README.md"}
    assert all(card.is_file() for card in done.cards)


def broken_off(*given: Any, **_: Any) -> None:
    """Writes a part of a folder, then fails."""
    folders = [path for path in given if isinstance(path, Path)]
    (folders[-1] / "model.safetensors").write_bytes(b"half")
    raise RunError("the disk is full")


def test_a_full_disk_is_an_error_for_people(run: Path, base: Path, tmp_path: Path) -> None:
    """The limit on file sizes lets the configuration through, and not the weights."""
    command = [sys.executable, "-m", "fmau", "export", str(run / "adapter"), "--merge"]
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (100_000, 100_000))
    ended = subprocess.run(
        command, cwd=REPO, preexec_fn=limit, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "cannot be written: " in ended.stderr
    assert "Traceback" not in ended.stderr
    assert sorted(path.name for path in run.iterdir()) == ["adapter"]


def test_the_card_says_what_it_is_and_from_what(run: Path) -> None:
    result = CliRunner().invoke(app, ["export", str(run / "adapter")])
    assert result.exit_code == 0, result.output
    assert "every tensor fits" in result.output
    card = (run / "adapter" / "README.md").read_text("utf-8")
    assert card.startswith("---\nbase_model: ")
    for words in (
        "# lora_x",
        "1,207 examples about 40 clips",
        "31 optimizer steps on 2\nprocesses",
        "| CMAR | 1,200 |",
        "| closed_accuracy | 61.2 |",
        "after step 20",
        "No run has answered with it yet",
        "name: lora_x",
    ):
        assert words in card, card
    assert "More Information Needed" not in card


def test_an_adapter_from_elsewhere_is_described_without_a_record(run: Path, base: Path) -> None:
    (run / "adapter" / "training.yaml").unlink()
    assert read_record(run / "adapter") is None
    done = export_adapter(run / "adapter", scores={})
    assert done.base == str(base), "as its configuration says"
    assert "trained by other means" in (run / "adapter" / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    "part",
    [
        {"use_dora": True},
        {"modules_to_save": ["lm_head"]},
        {"bias": "all"},
        {"trainable_token_indices": [7, 8]},
    ],
    ids=lambda part: next(iter(part)),
)
def test_what_a_server_cannot_apply_is_merged_as_its_error_advises(
    base: Path, tmp_path: Path, part: dict[str, Any]
) -> None:
    plain = Qwen3VLForConditionalGeneration.from_pretrained(base, dtype=torch.float32)
    config = LoraConfig(r=4, target_modules=["q_proj"], task_type="CAUSAL_LM", **part)
    model = get_peft_model(plain, config).eval()
    for parameter in model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.1)
    model.save_pretrained(tmp_path / "adapter")
    with pytest.raises(RecipeError, match="fmau export --merge"):
        export_adapter(tmp_path / "adapter", base=str(base), scores={})
    export_adapter(tmp_path / "adapter", base=str(base), merge_to=tmp_path / "merged", scores={})
    before, loaded = (
        Qwen3VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
        for folder in (base, tmp_path / "merged")
    )
    ids = torch.arange(5, 45)[None]
    with torch.no_grad():  # stored in bfloat16, as without a record
        expected = model(input_ids=ids).logits
        assert not torch.allclose(before(input_ids=ids).logits, expected, atol=0.5)
        torch.testing.assert_close(loaded(input_ids=ids).logits, expected, rtol=0.05, atol=0.05)


def test_a_tensor_that_peft_would_leave_out_is_not_merged_without_a_word(run: Path) -> None:
    path = run / "adapter" / "adapter_config.json"
    tree = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(tree | {"target_modules": ["q_proj"]}), "utf-8")
    with pytest.raises(InputError, match="would be left out") as error:
        export_adapter(run / "adapter", merge_to=run / "merged", scores={})
    left_out = [problem.where for problem in error.value.problems]
    assert any("k_proj." in where for where in left_out)
    assert not any("q_proj." in where for where in left_out)
    path.write_text(json.dumps(tree), "utf-8")
    edit_tensors(run / "adapter", **{f"{Q0}.lora_{x}.weight": None for x in "AB"})
    with pytest.raises(InputError, match=r"q_proj\..*missing, although"):
        export_adapter(run / "adapter", merge_to=run / "merged", scores={})
    bad = {"base_model.model.lm_head.weight": torch.full((430, 192), torch.nan)}
    edit_tensors(run / "adapter", **bad)
    with pytest.raises(InputError, match=r"lm_head\.weight: holds numbers that are not finite"):
        export_adapter(run / "adapter", merge_to=run / "merged", scores={})
    assert sorted(path.name for path in run.iterdir()) == ["adapter"]


def test_mistakes_are_answered_with_what_to_do(run: Path, tmp_path: Path) -> None:
    with pytest.raises(FmauError, match="give the folder that training wrote"):
        export_adapter(tmp_path, scores={})
    (run / "merged").mkdir()
    (run / "merged" / "mine.txt").write_text("keep", "utf-8")
    with pytest.raises(FmauError, match="the folder is not empty"):
        export_adapter(run / "adapter", merge_to=run / "merged", scores={})
    result = CliRunner().invoke(app, ["export", str(run / "adapter"), "--out", "x"])
    assert result.exit_code == 2
    assert "--out needs --merge" in result.output
    (run / "adapter" / "training.yaml").write_text("recipe: 3\n", "utf-8")
    with pytest.raises(FmauError, match="damaged"):
        export_adapter(run / "adapter", scores={})
