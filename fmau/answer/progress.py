"""What the user sees while questions are answered."""

from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from fmau.records import AnswerStatus


class AnswerProgress:
    """A progress bar on stderr: questions done of all, rate, time left, rows without an answer.

    Args:
        total: questions of the run.
        done: of them answered in an earlier session.
        shown: draw the bar at all.
    """

    def __init__(self, total: int, done: int, *, shown: bool) -> None:
        self._failed = 0
        self._bar = Progress(
            TextColumn("answering"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[failed]} without an answer"),
            console=Console(stderr=True),
            disable=not shown,
        )
        self._task = self._bar.add_task("questions", total=total, completed=done, failed=0)

    def advance(self, status: AnswerStatus) -> None:
        """Count one more row."""
        self._failed += status is not AnswerStatus.OK
        self._bar.update(self._task, advance=1, failed=self._failed)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "-/s")
