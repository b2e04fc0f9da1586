"""The progress bar that the engine shows while it answers questions."""

from typing import Self

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

from fmau.answer.summary import Summary
from fmau.core.output import SafeConsole
from fmau.core.records import AnswerStatus


class AnswerProgress:
    """A progress bar on stderr: questions done and in total, questions/s, time left, failed rows.

    Args:
        summary: the counts to show; the engine updates them.
        shown: draw the bar; False draws nothing.
    """

    def __init__(self, summary: Summary, *, shown: bool) -> None:
        self._summary = summary
        self._failed = 0
        self._bar = Progress(
            TextColumn("answering"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[failed]} without an answer"),
            console=SafeConsole(stderr=True),
            disable=not shown,
        )
        self._task = self._bar.add_task("questions", total=summary.total, failed=0)

    def advance(self, status: AnswerStatus) -> None:
        """Show that one more row was written."""
        self._failed += status is not AnswerStatus.OK
        done = self._summary.total - self._summary.remaining
        self._bar.update(self._task, completed=done, failed=self._failed)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "-/s")
