"""Read and append `verdicts.jsonl`, and note in the manifest who judged; `session.py` uses it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Self

from fmau.core.errors import RunError
from fmau.core.records import Verdict
from fmau.judge.items import JudgeItem
from fmau.judge.judges import Judge
from fmau.judge.request import call_fingerprint
from fmau.runs import JudgeNote, RowFile, Run, differences, read_rows


class VerdictFile:
    """The verdicts of a folder, open to append new ones; use it as a context manager.

    Attributes:
        done: fingerprint -> latest verdict.

    Raises:
        InputError: the file has malformed rows.
        RunError: the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.done = {row.fingerprint: row for row in read_rows(path, Verdict)}
        self._rows = RowFile(path)

    def append(self, row: Verdict) -> None:
        """Write one verdict.

        Raises:
            RunError: the disk is full or failing; the earlier verdicts are safe.
        """
        self._rows.append(row)
        self.done[row.fingerprint] = row

    def of(self, items: Iterable[JudgeItem], judge: Judge, note: JudgeNote) -> list[Verdict]:
        """The verdicts of one judge about `items`; calls without a verdict are left out."""
        rows = []
        for item in items:
            for levels, sample in judge.opinions:
                found = self.done.get(call_fingerprint(note.fingerprint, item, levels, sample))
                rows += [found] if found else []
        return rows

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._rows.close()


def introduce(run: Run, name: str, note: JudgeNote, verdicts: VerdictFile) -> None:
    """Write into the run's manifest who judges it.

    Args:
        verdicts: the run's verdicts. A name under which no answer got a score may be used again.

    Raises:
        RunError: another judge has judged this run under that name; the differences are listed.
    """
    known = run.manifest.judges.get(name)
    has_judged = any(row.judge == name and row.scores for row in verdicts.done.values())
    if known is not None and has_judged and known.fingerprint != note.fingerprint:
        lines = [f"  {line}" for line in differences(known.conditions, note.conditions)]
        raise RunError(
            "\n".join(
                [
                    f"{run.folder}: another judge with the name {name!r} has judged this run:",
                    *lines,
                    "give the new judge another name (--set name=NAME)",
                ]
            )
        )
    run.manifest.judges[name] = note
    run.note({"judge": name})
