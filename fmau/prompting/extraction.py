"""Extract the answer from a model's reply, or give the reason why there is none.

Replies come from two sources:

- fmau decodes closed questions under a constraint, so the reply is always a choice or its
  beginning (`complete_choice`);
- prediction files from elsewhere, and models that write their reasoning, give free text, which
  is read strictly (`claims.py`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fmau.core.records import Answer, AnswerStatus, Question
from fmau.prompting.claims import read_letter, read_yes_no

YES_NO = ("Yes", "No")

_NAMES = "think|thinking|thought|reasoning"
_THINKING = re.compile(rf"<({_NAMES})>.*?</\1>", re.DOTALL)
_START_OF_THINKING = re.compile(rf"<(?:{_NAMES})>")
_END_OF_THINKING = re.compile(rf"</(?:{_NAMES})>")


@dataclass(frozen=True, slots=True)
class Extraction:
    """The result of reading a reply.

    Attributes:
        status: OK, UNPARSED or TRUNCATED.
        answer: letter, "Yes"/"No" or free text; None unless status is OK.
        reason: why there is no answer; None if status is OK.
    """

    status: AnswerStatus
    answer: str | None = None
    reason: str | None = None


def choices(question: Question) -> tuple[str, ...]:
    """The valid answers of a closed question: its letters, or Yes and No; empty for open tasks."""
    if question.task.is_open:
        return ()
    return tuple(option.letter for option in question.options) or YES_NO


def extract(question: Question, reply: str, *, truncated: bool = False) -> Extraction:
    """Extract the answer from a free-text reply.

    Args:
        truncated: True if the reply ended at the token limit. An open answer is then incomplete; a
            closed one counts if the received part contains it.
    """
    text = strip_thinking(reply)
    if text is None:
        return Extraction(AnswerStatus.TRUNCATED, reason="the reply ends within its thinking")
    if not text:
        status = AnswerStatus.TRUNCATED if truncated else AnswerStatus.UNPARSED
        return Extraction(status, reason="the reply is empty")
    if question.task.is_open:
        if truncated:
            return Extraction(AnswerStatus.TRUNCATED, reason="the reply reached the token limit")
        return Extraction(AnswerStatus.OK, text)
    answer = read_letter(text, question.options) if question.options else read_yes_no(text)
    if answer is not None:
        return Extraction(AnswerStatus.OK, answer)
    if truncated:
        return Extraction(AnswerStatus.TRUNCATED, reason="the token limit came before an answer")
    valid = ", ".join(choices(question))
    return Extraction(AnswerStatus.UNPARSED, reason=f"the reply names none, or several, of {valid}")


def complete_choice(reply: str, valid: Sequence[str]) -> str | None:
    """The only choice in `valid` that begins with `reply`; None if there is none or more than one.

    Under the constraint the model can generate only beginnings of choices. If exactly one choice
    begins with the generated text, no other continuation is possible. So one token is enough: "N"
    can only become "No".
    """
    fitting = [choice for choice in valid if reply and choice.startswith(reply)]
    return fitting[0] if len(fitting) == 1 else None


def strip_thinking(reply: str) -> str | None:
    """The reply without `<think>...</think>`; None if the thinking block is not closed.

    Other names of such blocks are `thinking`, `thought` and `reasoning`.

    Chat templates of thinking models put the opening tag into the prompt. So a closing tag without
    an opening one ends a block too.
    """
    text = _THINKING.sub("", reply)
    text = _END_OF_THINKING.split(text)[-1]
    return None if _START_OF_THINKING.search(text) else text.strip()


def visible_answer(row: Answer) -> str | None:
    """The text of an open answer that a judge may read, also if it was truncated; None if empty.

    It is also None if the reply ends within its thinking, or if no reply came.
    """
    if row.status is AnswerStatus.OK:
        return row.answer
    if row.status is AnswerStatus.TRUNCATED and row.reply:
        return strip_thinking(row.reply) or None
    return None


_REFUSAL = re.compile(
    r"(?:i['’]?m sorry|i am sorry|sorry|i apologi[sz]e|unfortunately)\b.{0,80}"
    r"\b(?:can(?:no|['’]?)t|unable|not able)\b"
    r"|i (?:can(?:no|['’]?)t|am unable to|['’]?m unable to|am not able to|won['’]?t)\b"
    r".{0,40}\b(?:assist|help|answer|describe|determine|provide|analy[sz]e|identify|see|view|watch)"
    r"|as an ai\b",
    re.IGNORECASE | re.DOTALL,
)


def is_refusal(text: str) -> bool:
    """Whether a reply refuses to answer, judged by its first words."""
    return _REFUSAL.match(text.lstrip()) is not None
