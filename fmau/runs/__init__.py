"""Run folders: the conditions of a run, and every row that it wrote.

    runs/NAME/manifest.json    conditions, resolved recipe, and one entry per session of work
    runs/NAME/answers.jsonl    one row per attempt at a question; rows are only appended
    runs/NAME/verdicts.jsonl   one row per call of a judge; rows are only appended

The one process that writes to a run uses `open_run` or `reopen_run`; readers use `read_answers`,
`read_verdicts` and `read_manifest`.
"""

from fmau.runs.conditions import (
    conditions,
    differences,
    fingerprint,
    folder_digest,
    model_identity,
    row_mark,
    verdict_fingerprint,
)
from fmau.runs.folder import (
    FINAL,
    VERDICTS,
    Run,
    RunView,
    new_run,
    open_run,
    read_answers,
    read_verdicts,
    reopen_run,
    view_run,
)
from fmau.runs.manifest import JudgeNote, Manifest, Session, read_manifest
from fmau.runs.rows import RowFile, read_rows

__all__ = [
    "FINAL",
    "VERDICTS",
    "JudgeNote",
    "Manifest",
    "RowFile",
    "Run",
    "RunView",
    "Session",
    "conditions",
    "differences",
    "fingerprint",
    "folder_digest",
    "model_identity",
    "new_run",
    "open_run",
    "read_answers",
    "read_manifest",
    "read_rows",
    "read_verdicts",
    "reopen_run",
    "row_mark",
    "verdict_fingerprint",
    "view_run",
]
