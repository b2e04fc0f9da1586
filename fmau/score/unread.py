"""Says which replies to closed questions hold no answer that can be read; they count as wrong."""

from collections.abc import Iterable

from fmau.core.records import Answer, AnswerStatus

SHOWN = 3
"""Number of replies that a note shows."""

_LONGEST = 60


def unread_notes(answers: Iterable[Answer]) -> tuple[str, ...]:
    """For people: how many replies cannot be read, with the first few; empty if all can.

    Control characters in replies are shown as escapes.
    """
    closed = [row for row in answers if not row.task.is_open]
    unread = [
        row for row in closed if row.status in (AnswerStatus.UNPARSED, AnswerStatus.TRUNCATED)
    ]
    if not unread:
        return ()
    shown = ", ".join(f"{row.qid} {_short(row.reply or '')!r}" for row in unread[:SHOWN])
    more = ", ..." if len(unread) > SHOWN else ""
    return (
        f"{len(unread):,} of {len(closed):,} replies to closed questions hold no answer that can "
        f"be read, or were cut off, and count as wrong: {shown}{more}",
    )


def _short(reply: str) -> str:
    text = " ".join(reply.split())
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
