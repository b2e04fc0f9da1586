"""The manifest of a run: everything that a reader needs to trust or repeat its answers.

The stages that write to a run fill it; score, report and submit read it.
"""

import importlib.metadata
import platform
import re
import shutil
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from fmau.core.errors import RunError, problems_of
from fmau.core.files import read_record, write_whole
from fmau.core.hardware import hardware, output_of
from fmau.core.shipped import PACKAGE
from fmau.recipe import RunName

MANIFEST = "manifest.json"


class Session(BaseModel):
    """One session of work on a run by one process, from its start to its end.

    Attributes:
        stage: name of the command: "answer", "judge" or "train".
        started, ended: UTC, ISO 8601; `ended` stays None if the process was killed.
        packages: package name -> version.
        git: {"revision", "dirty"} of the checkout of fmau; None if fmau is installed as a package.
        hardware: processor, cores, memory, GPUs of the machine that ran the command.
        facts: measurements of the stage (counts, server counters, the judge's identity).
    """

    model_config = ConfigDict(extra="forbid")

    stage: str
    started: str
    ended: str | None = None
    packages: dict[str, str]
    git: dict[str, Any] | None
    hardware: dict[str, Any]
    facts: dict[str, Any] = {}

    @classmethod
    def start(cls, stage: str) -> "Session":
        """Begin a session of `stage` now, on this machine."""
        return cls(
            stage=stage,
            started=utc_now(),
            packages=package_versions(),
            git=git_state(PACKAGE.parent),
            hardware=hardware(),
        )


class JudgeNote(BaseModel):
    """A judge of a run, as the manifest records it.

    Attributes:
        fingerprint: SHA-256 of `conditions`.
        conditions: everything that can change a verdict: model, revision, rubric, mode, decoding.
        proxy: the judge is the embedded rule, not an LLM.
    """

    model_config = ConfigDict(extra="forbid")

    fingerprint: str
    conditions: dict[str, Any]
    proxy: bool


class _Model(BaseModel):
    path: str
    revision: str | None = None


class _Data(BaseModel):
    questions: str


class _Prompt(BaseModel):
    set: str


class _Answer(BaseModel):
    blind: bool = False


class _RecipeRead(BaseModel):
    """What readers of a manifest take from its recipe; the rest may be of another version."""

    name: RunName
    model: _Model
    data: _Data
    prompt: _Prompt
    answer: _Answer


class Manifest(BaseModel):
    """The contents of `manifest.json`.

    Attributes:
        fingerprint: SHA-256 of `conditions`.
        conditions: everything that can change an answer (`fmau.runs.conditions`).
        recipe: the resolved recipe, every default written out. It has at least a name,
            `model.path`, `data.questions`, `prompt.set` and an `answer` block.
        recipe_hash: SHA-256 of `recipe`.
        prompt_hashes: "system", "common" and each task -> SHA-256 of the text; the texts are in
            `conditions`.
        adapter: path of the LoRA adapter served with the model; its hash is in `conditions`.
        judges: name -> judge of the answers, in the order of their first verdicts.
        sessions: all sessions, oldest first.
    """

    model_config = ConfigDict(extra="forbid")

    fingerprint: str
    conditions: dict[str, Any]
    recipe: dict[str, Any]
    recipe_hash: str
    prompt_hashes: dict[str, str]
    adapter: str | None = None
    judges: dict[RunName, JudgeNote] = {}
    sessions: list[Session] = []

    @field_validator("recipe")
    @classmethod
    def _readable(cls, recipe: dict[str, Any]) -> dict[str, Any]:
        try:
            _RecipeRead.model_validate(recipe)
        except ValidationError as error:
            raise ValueError("; ".join(problems_of(error, _RecipeRead))) from None
        return recipe

    def save(self, folder: Path) -> None:
        """Write `manifest.json` atomically: a reader sees either the old or the new file, complete.

        Only the process that has locked the folder may call this.

        Raises:
            RunError: the folder cannot be written.
        """
        write_whole(folder / MANIFEST, self.model_dump_json(indent=2) + "\n")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a run folder.

    Raises:
        RunError: the folder has no manifest, or the manifest is damaged.
    """
    remedy = "restore it from a copy, or move the folder aside and answer again"
    try:
        return read_record(folder / MANIFEST, Manifest, remedy)
    except FileNotFoundError:
        raise RunError(f"{folder}: no run here (no {MANIFEST}); start with fmau answer") from None


def utc_now() -> str:
    """The current time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@cache
def package_versions() -> dict[str, str]:
    """Installed versions of Python, fmau, and all packages that fmau or its extras require."""
    requirements = importlib.metadata.requires("fmau") or []
    names = {"fmau"} | {re.split(r"[^A-Za-z0-9._-]", line)[0] for line in requirements}
    found = {}
    for name in sorted(names):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # it belongs to an extra that is not installed
    return {"python": platform.python_version(), **found}


def git_state(checkout: Path) -> dict[str, Any] | None:
    """{"revision", "dirty"} of a git checkout; None if `checkout` is not the root of one."""
    if not (checkout / ".git").exists() or shutil.which("git") is None:
        return None
    revision = output_of(["git", "-C", str(checkout), "rev-parse", "HEAD"])
    changes = output_of(["git", "-C", str(checkout), "status", "--porcelain"])
    if revision is None or changes is None:
        return None
    return {"revision": revision.strip(), "dirty": bool(changes.strip())}
