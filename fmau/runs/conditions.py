"""The conditions of a run: everything that can change an answer, and nothing else.

Left out on purpose: the run's name, ports, time-outs, retries and concurrency (they decide when an
answer comes, not which), and the place of the weights and clips on the disk. Batch size,
hardware and package versions can flip a near-tie through rounding; they are recorded in the
manifest, not fingerprinted, because a run must be able to go on after a move to another machine.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from fmau.core.errors import RecipeError
from fmau.core.files import digest, file_digest
from fmau.core.records import Question
from fmau.prompting.prompts import PromptSet
from fmau.recipe import DECODING, ModelBlock, Recipe

FORMAT_VERSION = 2
"""Raise it when fmau comes to put questions, take frames or read replies differently under an equal
recipe."""

_WEIGHT_FILES = {".bin", ".gguf", ".jinja", ".json", ".model", ".safetensors", ".txt"}
"""What a checkpoint folder holds that a server reads: weights, configuration, tokenizer."""

_ABSENT = object()


def conditions(recipe: Recipe, prompts: PromptSet, adapter: Path | None = None) -> dict[str, Any]:
    """Everything that can change an answer, as a JSON-able tree.

    Args:
        adapter: folder of a LoRA adapter served on top of the recipe's model.

    Raises:
        RecipeError: the adapter, or a local model, is a folder without any weight file.
    """
    return {
        "format": FORMAT_VERSION,
        "model": model_identity(recipe.model),
        "adapter": None if adapter is None else folder_digest(adapter),
        "dtype": recipe.model.dtype,
        "frames": recipe.frames.model_dump(mode="json"),
        "prompts": prompts.texts.model_dump(mode="json"),
        "strip_class_codes": prompts.strip_class_codes,
        "blind": recipe.answer.blind,
        "max_tokens_open": recipe.answer.max_tokens_open,
        "decoding": dict(DECODING),
    }


def fingerprint(conditions: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of the `conditions` of a run."""
    return digest(conditions)


def row_fingerprint(run_fingerprint: str, question: Question, clip_bytes: int | None) -> str:
    """SHA-256 (hex) of the run's conditions with one question and its clip.

    Args:
        clip_bytes: size of the clip's file, None if there is none. It stands for the content: a
            clip that was replaced or re-encoded is asked about again, without reading
            gigabytes of video at every start.
    """
    options = [[option.letter, option.label, option.class_code] for option in question.options]
    asked = [question.clip, question.task.value, question.stem, options]
    return digest([run_fingerprint, asked, clip_bytes])


def folder_digest(folder: Path) -> str:
    """SHA-256 (hex) over names and contents of the weight, configuration and tokenizer files.

    An 8B checkpoint (17.5 GB) takes some ten seconds when its files are in the page cache, where
    a server on the same machine has just put them.

    Raises:
        RecipeError: `folder` is missing, holds no such file, or one cannot be read.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix in _WEIGHT_FILES)
        if not any(path.suffix in {".safetensors", ".bin", ".gguf"} for path in files):
            raise RecipeError(
                f"{folder}: no weight file (*.safetensors) in this folder; name that of a "
                "checkpoint, or of an adapter (RUN/adapter)"
            )
        with ThreadPoolExecutor(max_workers=4) as pool:  # hashing lets go of the GIL
            sums = list(pool.map(file_digest, files))
    except FileNotFoundError:
        raise RecipeError(
            f"{folder}: no such folder; name that of a checkpoint, or of an adapter (RUN/adapter)"
        ) from None
    except OSError as error:
        raise RecipeError(f"{folder}: cannot be read: {error.strerror}") from error
    return digest([[path.name, total] for path, total in zip(files, sums, strict=True)])


def model_identity(model: ModelBlock) -> dict[str, Any]:
    """What says which model it is: the digest of a local folder, or hub name and revision.

    Raises:
        RecipeError: a local folder without any weight file.
    """
    folder = Path(model.path)
    if folder.is_dir():  # its contents say what it is, wherever it lies
        return {"weights": folder_digest(folder)}
    return {"path": model.path, "revision": model.revision}


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """One line per condition that differs, e.g. "frames.count: 8 -> 16", in key order."""
    flat_old, flat_new = dict(_leaves(old)), dict(_leaves(new))
    lines = []
    for key in sorted(flat_old.keys() | flat_new.keys()):
        before, after = flat_old.get(key, _ABSENT), flat_new.get(key, _ABSENT)
        if before != after:
            lines.append(f"{key}: {_short(before)} -> {_short(after)}")
    return lines


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _short(value: object) -> str:
    if value is _ABSENT:
        return "absent"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:60]}... ({digest(value)[:12]})"
