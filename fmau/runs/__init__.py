"""Run folders: what was run, under which conditions, and every row it gave.

    runs/NAME/manifest.json    conditions, resolved recipe, and one entry per session of work
    runs/NAME/answers.jsonl    one row per attempt, only ever appended to
    runs/NAME/verdicts.jsonl   one row per call of a judge, likewise

`open_run` and `reopen_run` are for the one process that writes, `read_answers` and `read_manifest`
for readers.
"""

from fmau.runs.conditions import (
    conditions,
    differences,
    fingerprint,
    folder_digest,
    model_identity,
)
from fmau.runs.folder import FINAL, VERDICTS, Run, open_run, read_answers, read_verdicts, reopen_run
from fmau.runs.manifest import JudgeNote, Manifest, Session, read_manifest
from fmau.runs.rows import RowFile, read_rows

__all__ = [
    "FINAL",
    "VERDICTS",
    "JudgeNote",
    "Manifest",
    "RowFile",
    "Run",
    "Session",
    "conditions",
    "differences",
    "fingerprint",
    "folder_digest",
    "model_identity",
    "open_run",
    "read_answers",
    "read_manifest",
    "read_rows",
    "read_verdicts",
    "reopen_run",
]
