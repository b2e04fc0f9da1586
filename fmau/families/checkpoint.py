"""Checks that a checkpoint is there and whole, before anything slow is started with it."""

import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from fmau.core.errors import RecipeError
from fmau.core.parsing import parse_json
from fmau.recipe import ModelBlock

_HUB_NAME = re.compile(r"^[\w-][\w.-]*(/[\w-][\w.-]*)?$")
CONFIG = "config.json"
_INDEX = "model.safetensors.index.json"

HUB_WAIT_S = 10.0
"""How long the hub may take to answer; Transformers would try again for more than a minute."""


def check_model(model: ModelBlock) -> None:
    """Check that the model is a whole checkpoint folder, or looks like a name on a model hub.

    Raises:
        RecipeError: the path is empty or does not exist, or a file of the folder is missing or cut
            off.
    """
    if not model.path.strip():
        raise RecipeError("model.path is empty; give the folder of a checkpoint or a hub name")
    folder = Path(model.path)
    if not folder.exists():
        # "runs/x-merged" looks like a hub name; if a folder runs/ exists, it is a path.
        if _HUB_NAME.match(model.path) and not Path(folder.parts[0]).is_dir():
            return
        raise RecipeError(
            f"model.path: there is no folder {folder}{_seen_from(folder)}; give the folder of a "
            "checkpoint"
        )
    if not folder.is_dir():
        raise RecipeError(f"model.path: {folder} is a file; give the folder of a checkpoint")
    if not (folder / CONFIG).is_file():
        hint = ""
        if (folder / "adapter_config.json").is_file():
            hint = " (this is a LoRA adapter, not a model)"
        raise RecipeError(
            f"model.path: {folder} has no config.json{hint}; give the folder of a whole checkpoint"
        )
    if not any(folder.glob("*.safetensors")):
        raise RecipeError(
            f"model.path: {folder} has no weights (*.safetensors); "
            "copy or download the checkpoint completely"
        )
    for defect in _defects(folder):
        raise RecipeError(f"model.path: {defect}; copy or download the checkpoint again")


def check_reachable(path: str, revision: str | None, *, called: str = "model.path") -> None:
    """Check that a model that is not a folder is in the hub's cache, or that the hub answers.

    Args:
        called: what the user calls the model, for error texts.

    Raises:
        RecipeError: the model can come from nowhere.
    """
    if Path(path).exists():
        return
    from huggingface_hub import constants
    from huggingface_hub.errors import HFValidationError

    try:
        cached = cached_config(path, revision)
    except HFValidationError:
        raise RecipeError(f"{called}: there is no folder {path}; correct the path") from None
    if cached is not None:
        return
    reason = "HF_HUB_OFFLINE is set" if constants.HF_HUB_OFFLINE else _no_answer(constants.ENDPOINT)
    if reason:
        raise RecipeError(
            f"{called}: there is no folder {path}, this machine has no copy of a hub model of that "
            f"name, and the hub cannot be asked ({reason}); correct the path, or download the "
            "model where there is a network"
        )


def cached_config(path: str, revision: str | None) -> Path | None:
    """A hub model's config.json in the hub's cache; None if it is not there.

    Raises:
        HFValidationError: this cannot be the name of a hub model.
    """
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(path, CONFIG, revision=revision)
    return Path(found) if isinstance(found, str) else None


def _seen_from(folder: Path) -> str:
    """For people: where a relative path begins."""
    return "" if folder.is_absolute() else f" in {Path.cwd()}"


def _no_answer(hub: str) -> str | None:
    """Why a hub does not answer; None if it answers, whatever it says."""
    try:
        with urllib.request.urlopen(hub, timeout=HUB_WAIT_S):
            return None
    except urllib.error.HTTPError:
        return None
    except OSError as error:
        return str(getattr(error, "reason", error))


def _defects(folder: Path) -> Iterator[str]:
    """What shows that a checkpoint was not copied completely; reads no weights."""
    for name in (CONFIG, _INDEX):
        path = folder / name
        try:
            tree = parse_json(path.read_text("utf-8"))
            weights = tree.get("weight_map", {}) if isinstance(tree, dict) else None
        except FileNotFoundError:
            continue
        except (OSError, ValueError):
            weights = None
        if not isinstance(weights, dict):
            yield f"{path} is not JSON as a checkpoint has it"
            continue
        for shard in sorted({str(file) for file in weights.values()}):
            if not (folder / shard).is_file():
                yield f"{folder} lacks {shard}, which {name} names"
    for path in sorted(folder.glob("*.safetensors")):
        if (there := path.stat().st_size) != (whole := _promised_bytes(path)):
            yield f"{path} is damaged: it has {there:,} bytes" + (
                f", its header promises {whole:,}" if whole else " and no header"
            )


def _promised_bytes(path: Path) -> int | None:
    """The size that the header of a safetensors file gives it; None without a header."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= os.fstat(file.fileno()).st_size:
            return None
        try:
            header = json.loads(file.read(length))
            ends = [entry["data_offsets"][1] for key, entry in header.items() if key[:2] != "__"]
        except (ValueError, TypeError, KeyError, AttributeError, IndexError):
            return None
    return 8 + length + max(ends, default=0)
