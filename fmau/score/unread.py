"""Says which replies to closed questions hold no answer that can be read; they count as wrong."""

from collections.abc import Mapping

from fmau.core.records import Answer, AnswerStatus, QuestionFile

SHOWN = 3
"""Number of replies that a note shows."""

_LONGEST = 60


def unread_notes(questions: QuestionFile, answers: Mapping[str, Answer]) -> tuple[str, ...]:
    """For people: how many replies cannot be read, with the first few; empty if all can.

    Control characters in replies are shown as escapes.

    Args:
        answers: qid -> answer row.
    """
    open_qids = {question.qid for question in questions.questions if question.task.is_open}
    closed = [row for qid, row in answers.items() if qid not in open_qids]
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
