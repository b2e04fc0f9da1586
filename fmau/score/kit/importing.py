"""Takes over the folder of the challenge's starter kit: prompt sets, and a run for each output.

Everything is read and checked before the first file is written.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from fmau.core.errors import InputError, RunError
from fmau.core.files import digest, make_folder, write_whole
from fmau.core.records import Answer
from fmau.core.taxonomy import Task
from fmau.prompting.prompts import PromptTexts
from fmau.prompting.python_prompts import read_python_prompts
from fmau.recipe import FramesBlock
from fmau.runs import Manifest, fingerprint, new_run
from fmau.runs.conditions import FORMAT_VERSION
from fmau.score.kit.outputs import (
    KitQuestions,
    Output,
    answer_rows,
    questions_of,
    read_output,
    read_questions,
)
from fmau.score.kit.prompts import PRESENT, KitPrompts

STAGE = "import-kit"

FRAMES = FramesBlock(
    policy="stride", fps=3, min_pixels_per_frame=65536, max_pixels_per_frame=262144
)
"""Which frames the kit sends unless it is told otherwise, at a size for the report's pictures. Its
outputs do not say; so this stands in the recipe of an imported run, and not in its conditions."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What `import_kit` wrote.

    Attributes:
        files: the prompt sets.
        runs: the run folders.
        taken: for people: what was taken from where.
        left_out: for people: what was not, and why.
    """

    files: tuple[Path, ...]
    runs: tuple[Path, ...]
    taken: tuple[str, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _NewRun:
    folder: Path
    manifest: Manifest
    rows: Sequence[Answer]
    output: Output


def import_kit(
    folder: Path,
    out: Path,
    *,
    questions: Path | None = None,
    predictions: Path | None = None,
    clips: Path | None = None,
    model: str | None = None,
) -> Imported:
    """Write the prompts of a kit's folder as prompt sets, and each of its outputs as a run folder.

    Args:
        folder: of the kit, with `prompts.py`, `datasets/` and `outputs/`, of which some may lack.
        out: folder to write: `prompts.yaml`, `prompts_as_sent.yaml` where the kit sends other
            prompts than its dict suggests, and `runs/NAME/`.
        questions: the question file that was asked; None to look in `datasets/`.
        predictions: the only output to take; None for all in `outputs/`.
        clips: folder of the clips; None for `datasets/videos/`.
        model: name of the model that answered; None where the output's place tells.

    Raises:
        InputError: `prompts.py`, an output or the question file has defects; each is named.
        RunError: there is nothing to take, it is not known which questions or which model an output
            belongs to, or something that would be written is there already.
    """
    if not folder.is_dir():
        raise RunError(f"{folder}: no such folder; give the folder of the starter kit")
    left_out: list[str] = []
    paths = [predictions] if predictions else _outputs(folder)
    outputs = [read_output(path) for path in paths]
    prompts = _prompts(folder, outputs)
    if prompts is None and not outputs:
        raise RunError(
            f"{folder}: has neither prompts.py nor outputs/*.json; give the kit's folder"
        )
    if questions:
        files = [read_questions(questions)]
        asked = files * len(outputs)
    else:
        files = _question_files(folder, left_out)
        asked = [questions_of(output, files, folder / "datasets") for output in outputs]
    clips = clips or folder / "datasets" / "videos"
    runs = [
        _run(folder, output, file, prompts, out, clips, model or _model(output.path, folder))
        for output, file in zip(outputs, asked, strict=True)
    ]
    taken = [_about(run) for run in runs]
    sets = _sets(prompts, (asked or files)[:1], out) if prompts else {}
    if prompts:
        left_out += prompts.left_out()
        taken += [_about_set(path, texts, prompts) for path, texts in sets.items()]
        left_out += _differing(prompts, outputs)
    if (folder / "submission_samples").is_dir():
        left_out.append(f"{folder / 'submission_samples'}: made-up answers, which show the format")
    _write(sets, runs)
    return Imported(tuple(sets), tuple(run.folder for run in runs), tuple(taken), tuple(left_out))


def _outputs(folder: Path) -> list[Path]:
    """The prediction files of a kit: those in `outputs/`, and those that lie beside `run.py`."""
    return [
        *sorted((folder / "outputs").rglob("*.json")),
        *sorted(folder.glob("*prediction*.json")),
    ]


def _prompts(folder: Path, outputs: Sequence[Output]) -> KitPrompts | None:
    """The prompts of `prompts.py`; without it those of the first output that has some."""
    path = folder / "prompts.py"
    if path.exists():
        texts = read_python_prompts(path)
        return KitPrompts({name: found.text.strip() for name, found in texts.items()}, path)
    return next((output.prompts for output in outputs if output.prompts), None)


def _question_files(folder: Path, left_out: list[str]) -> list[KitQuestions]:
    files = []
    for path in sorted((folder / "datasets").glob("*.json")):
        try:
            files.append(read_questions(path))
        except InputError as error:
            what = error.problems[0].what
            left_out.append(f"{path}: not a question file that can be used ({what})")
    return files


def _named(path: Path, folder: Path) -> str:
    """What the place of an output calls it: the kit writes `outputs/MODEL_results.json`."""
    name = path.stem.removesuffix("_results")
    if path.is_relative_to(folder / "outputs"):
        return (path.relative_to(folder / "outputs").parent / name).as_posix()
    return name


def _model(path: Path, folder: Path) -> str:
    """The model that an output's place names.

    Raises:
        RunError: the place names none.
    """
    if path.is_relative_to(folder / "outputs") and path.stem.endswith("_results"):
        return _named(path, folder)
    raise RunError(
        f"{path}: does not say which model answered; name it, e.g. --model Qwen/Qwen3.5-9B"
    )


def _run(
    folder: Path,
    output: Output,
    questions: KitQuestions,
    prompts: KitPrompts | None,
    out: Path,
    clips: Path,
    model: str,
) -> _NewRun:
    answers = output.answers(questions)
    used = output.prompts or prompts
    conditions: dict[str, Any] = {
        "format": FORMAT_VERSION,
        "origin": "starter kit",
        "model": {"path": model, "revision": None},
        "adapter": None,
        "strip_class_codes": False,
        "answers": digest(list(answers.items())),
    }
    if used:
        sent = used.as_sent(questions.spelled)
        conditions["prompts"] = sent.model_dump(mode="json", exclude_defaults=True)
    name = "kit-" + re.sub(r"[^A-Za-z0-9._-]+", "-", _named(output.path, folder))
    recipe = {
        "name": name,
        "runs": str(out / "runs"),
        "model": {"path": model, "revision": None},
        "data": {"questions": str(questions.path), "clips": str(clips)},
        "frames": FRAMES.model_dump(mode="json"),
        "prompt": {"set": str(used.source) if used else "not known", "strip_class_codes": False},
        "answer": {"blind": False},
    }
    manifest = Manifest(
        fingerprint=fingerprint(conditions),
        conditions=conditions,
        recipe=recipe,
        recipe_hash=digest(recipe),
        prompt_hashes={},
    )
    rows = answer_rows(answers, questions, manifest.fingerprint, clips if clips.is_dir() else None)
    return _NewRun(out / "runs" / name, manifest, rows, output)


def _sets(prompts: KitPrompts, asked: Sequence[KitQuestions], out: Path) -> dict[Path, PromptTexts]:
    """The prompt sets to write: one, or two where the kit sends other prompts than are meant."""
    meant = prompts.as_meant()
    sent = prompts.as_sent(asked[0].spelled if asked else PRESENT)
    sets = {out / "prompts.yaml": meant}
    return sets if sent == meant else sets | {out / "prompts_as_sent.yaml": sent}


def _about(run: _NewRun) -> str:
    count, empty = len(run.rows), sum(row.reply is None for row in run.rows)
    said = f"{run.output.path}: {count:,} answers"
    if empty:
        said += f", {empty:,} of them empty, which are kept as failed requests"
    return f"{said} -> {run.folder}"


def _about_set(path: Path, texts: PromptTexts, prompts: KitPrompts) -> str:
    given = [task for task in Task if texts.systems[task]]
    blank = [task for task in Task if not texts.systems[task]]
    said = f"{prompts.source}: system prompts for {', '.join(given) or 'no task'}"
    if blank:
        said += f" (empty: {', '.join(blank)})"
    if path.stem != "prompts":
        said += ", as the kit looks them up by the names in its question file"
    return f"{said} -> {path}"


def _differing(prompts: KitPrompts, outputs: Sequence[Output]) -> list[str]:
    """For people: the outputs whose own prompts are not those of the sets."""
    lines = []
    for output in outputs:
        own = output.prompts.texts if output.prompts else prompts.texts
        names = dict.fromkeys([*own, *prompts.texts])
        if other := [name for name in names if own.get(name) != prompts.texts.get(name)]:
            lines.append(
                f"{output.path} prompts: differ from {prompts.source} ({', '.join(other)}); the "
                "run keeps its own, the prompt sets do not have them"
            )
    return lines


def _write(sets: dict[Path, PromptTexts], runs: Sequence[_NewRun]) -> None:
    for path in (*sets, *(run.folder for run in runs)):
        if path.exists():
            raise RunError(
                f"{path}: exists already; choose another folder with --out, or delete it"
            )
    for path, texts in sets.items():
        make_folder(path.parent)
        write_whole(path, _yaml(texts))
    for run in runs:
        with new_run(run.folder, run.manifest, STAGE) as written:
            written.note({"imported": str(run.output.path), "sha256": run.output.sha256})
            for row in run.rows:
                written.append(row)


def _yaml(texts: PromptTexts) -> str:
    tree = texts.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=100)
