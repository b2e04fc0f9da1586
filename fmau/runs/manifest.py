"""The manifest of a run: what a reader needs to know to trust or repeat its answers."""

import importlib.metadata
import platform
import re
import shutil
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from fmau.core.errors import RunError
from fmau.core.files import read_record, write_whole
from fmau.core.hardware import hardware, output_of
from fmau.core.shipped import PACKAGE

MANIFEST = "manifest.json"


class Session(BaseModel):
    """One stretch of work on a run by one process.

    Attributes:
        stage: which command worked: "answer", "judge".
        started, ended: UTC, ISO 8601; `ended` stays None when the process was killed.
        packages: distribution -> version.
        git: {"revision", "dirty"} of fmau's own checkout, None when fmau is installed.
        hardware: processor, cores, memory, GPUs of the machine that ran the command.
        facts: what the stage measured (counts, server counters, the judge's identity).
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
        """A session of `stage` that begins now, on this machine."""
        return cls(
            stage=stage,
            started=utc_now(),
            packages=package_versions(),
            git=git_state(PACKAGE.parent),
            hardware=hardware(),
        )


class JudgeNote(BaseModel):
    """Who judged a run, in its manifest.

    Attributes:
        fingerprint: hash of `conditions`.
        conditions: everything that can change a verdict: model, revision, rubric, mode, decoding.
        proxy: the embedded rule, not an LLM.
    """

    model_config = ConfigDict(extra="forbid")

    fingerprint: str
    conditions: dict[str, Any]
    proxy: bool


class Manifest(BaseModel):
    """The contents of `manifest.json`.

    Attributes:
        fingerprint: hash of `conditions`.
        conditions: everything that can change an answer (`fmau.runs.conditions`).
        recipe: the resolved recipe, every default written out.
        recipe_hash: SHA-256 of `recipe`.
        prompt_hashes: "system", "common" and each task -> SHA-256 of the text, which itself is
            under `conditions`.
        adapter: path of the LoRA adapter served with the model; its hash is under `conditions`.
        judges: name -> who judged the answers, in the order they first did.
        sessions: oldest first.
    """

    model_config = ConfigDict(extra="forbid")

    fingerprint: str
    conditions: dict[str, Any]
    recipe: dict[str, Any]
    recipe_hash: str
    prompt_hashes: dict[str, str]
    adapter: str | None = None
    judges: dict[str, JudgeNote] = {}
    sessions: list[Session] = []

    def save(self, folder: Path) -> None:
        """Write `manifest.json`, so that a reader sees the old one or the new one, whole.

        Only the process that holds the folder may.

        Raises:
            RunError: the folder cannot be written.
        """
        write_whole(folder / MANIFEST, self.model_dump_json(indent=2) + "\n")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a run folder.

    Raises:
        RunError: there is none, or it is damaged.
    """
    remedy = "restore it from a copy, or move the folder aside and answer again"
    try:
        return read_record(folder / MANIFEST, Manifest, remedy)
    except FileNotFoundError:
        raise RunError(f"{folder}: no run here (no {MANIFEST}); start with fmau answer") from None


def utc_now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@cache
def package_versions() -> dict[str, str]:
    """Installed versions of what fmau requires, in any of its extras, and of fmau itself."""
    requirements = importlib.metadata.requires("fmau") or []
    names = {"fmau"} | {re.split(r"[^A-Za-z0-9._-]", line)[0] for line in requirements}
    found = {}
    for name in sorted(names):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # of an extra that is not installed
    return {"python": platform.python_version(), **found}


def git_state(checkout: Path) -> dict[str, Any] | None:
    """{"revision", "dirty"} of a checkout, None where `checkout` is not the root of one."""
    if not (checkout / ".git").exists() or shutil.which("git") is None:
        return None
    revision = output_of(["git", "-C", str(checkout), "rev-parse", "HEAD"])
    changes = output_of(["git", "-C", str(checkout), "status", "--porcelain"])
    if revision is None or changes is None:
        return None
    return {"revision": revision.strip(), "dirty": bool(changes.strip())}
