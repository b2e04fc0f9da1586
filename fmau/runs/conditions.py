"""The conditions of a run: everything that can change an answer, and nothing else.

A run uses them to refuse answers given under other conditions, and to find which questions are
already answered. Some things are left out on purpose. Name, ports, time-outs, retries, concurrency,
and the folders of weights and clips do not change an answer. Batch size, hardware and package
versions can change an answer through rounding, if two tokens are almost equally likely. The
manifest records them, but they are not conditions, because a run may continue on another machine.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from fmau.core.errors import RecipeError
from fmau.core.files import digest, file_digest
from fmau.core.records import Question, RowMark
from fmau.core.taxonomy import OwnTask
from fmau.prompting.prompts import PromptSet
from fmau.prompting.times import TIME
from fmau.recipe import DECODING, ModelBlock, Recipe

FORMAT_VERSION = 3
"""Increase it when a new version of fmau asks questions, samples frames or reads replies
differently with the same recipe."""

_WEIGHT_FILES = {".bin", ".gguf", ".jinja", ".json", ".model", ".safetensors", ".txt"}
"""Suffixes of the files that a server reads: weights, configuration, tokenizer."""

_ABSENT = object()


def conditions(recipe: Recipe, prompts: PromptSet, adapter: Path | None = None) -> dict[str, Any]:
    """The conditions of a run, as a tree that can be written as JSON.

    Args:
        adapter: folder of a LoRA adapter that is served with the recipe's model; None without.

    Raises:
        RecipeError: the folder of the adapter, or of a local model, has no weight file.
    """
    present = {
        "format": FORMAT_VERSION,
        "adapter": None if adapter is None else folder_digest(adapter),
        "frames": recipe.frames.conditions(),
        "prompts": prompts.texts.model_dump(mode="json", exclude_defaults=True),
        "strip_class_codes": prompts.strip_class_codes,
        "blind": recipe.answer.blind,
        "max_tokens_open": recipe.answer.max_tokens_open,
        **_model(recipe),
    }
    # Later keys are conditions where they are not at their default, so that older runs can go on.
    later = recipe.answer.model_dump(
        include={"frames_as", "constrain", "thinking_tokens", "option_scores"},
        exclude_defaults=True,
    )
    return present | later


def _model(recipe: Recipe) -> dict[str, Any]:
    """Which model is asked, and how it decodes. The API of a model is a part of its identity."""
    model, api = recipe.model, recipe.api
    if api is None:
        return {
            "model": model_identity(model),
            "dtype": model.dtype,
            "decoding": dict(DECODING),
        }
    return {
        "model": {"path": model.path, "revision": model.revision, "api": api.place},
        "detail": api.detail,
        "times": TIME,
        "decoding": dict(api.decoding),
    }


def fingerprint(conditions: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of a run's conditions."""
    return digest(conditions)


def row_mark(run_fingerprint: str, question: Question, clip_bytes: int | None) -> RowMark:
    """SHA-256 (hex) of the run's conditions together with one question, with and without its clip.

    Args:
        run_fingerprint: the `fingerprint` of the run's conditions.
        clip_bytes: size of the clip's file; None if there is no file. The size stands for the
            content. So questions about a replaced or re-encoded clip are asked again, and no
            start has to read gigabytes of video.
    """
    options = [[option.letter, option.label, option.class_code] for option in question.options]
    asked = [question.clip, str(question.task), question.stem, options]
    if isinstance(question.task, OwnTask):  # its name alone does not say how it is answered
        asked.append(str(question.task.kind))
    return RowMark(digest([run_fingerprint, asked, clip_bytes]), digest([run_fingerprint, asked]))


def verdict_fingerprint(
    judge_fingerprint: str, case: Sequence[str], levels: Sequence[int], sample: int
) -> str:
    """SHA-256 (hex) of everything that can change a verdict.

    Args:
        judge_fingerprint: the `fingerprint` of the judge's conditions.
        case: qid, task, question, reference and answer.
    """
    return digest([judge_fingerprint, list(case), list(levels), sample])


def folder_digest(folder: Path) -> str:
    """SHA-256 (hex) of the names and contents of the weight, configuration and tokenizer files.

    It takes about ten seconds for an 8B checkpoint (17.5 GB) in the page cache, where it is after
    a server on the same machine has loaded it.

    Raises:
        RecipeError: `folder` is missing, has no weight file, or a file cannot be read.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix in _WEIGHT_FILES)
        if not any(path.suffix in {".safetensors", ".bin", ".gguf"} for path in files):
            raise RecipeError(
                f"{folder}: no weight file (*.safetensors) in this folder; give the folder of a "
                "checkpoint or of an adapter (RUN/adapter)"
            )
        with ThreadPoolExecutor(max_workers=4) as pool:  # hashing releases the GIL
            sums = list(pool.map(file_digest, files))
    except FileNotFoundError:
        raise RecipeError(
            f"{folder}: no such folder; give the folder of a checkpoint or adapter (RUN/adapter)"
        ) from None
    except OSError as error:
        raise RecipeError(f"{folder}: cannot be read: {error.strerror}") from error
    return digest([[path.name, total] for path, total in zip(files, sums, strict=True)])


def model_identity(model: ModelBlock) -> dict[str, Any]:
    """The identity of a model: the digest of a local folder, or hub name and revision.

    Raises:
        RecipeError: the local folder has no weight file.
    """
    folder = Path(model.path)
    if folder.is_dir():  # identified by its contents, so that the folder may be moved
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
