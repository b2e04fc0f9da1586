"""Extract the answer from a model's reply, or give the reason why there is none.

Replies come from two sources:

- fmau decodes closed questions under a constraint, so the reply is always a choice or its
  beginning (`complete_choice`);
- prediction files from elsewhere, and models that write their reasoning, give free text
  (`read_letter`, `read_yes_no`).

Free text is read strictly. A *claim* is a place in the reply that gives an answer, in one of the
forms below. The reply has an answer only if all of its claims agree and, for letters, it mentions
no other option's letter:

    letter   "B", "b", "B.", "(B)", "**B**", "B. Head", "B. <any sentence>", "Answer: B",
             "The correct option is (B).", "\\boxed{B}", or the whole reply is one option's label
    yes/no   "Yes", "no.", "**No**", "Yes, <any sentence>", "Answer: no", "\\boxed{Yes}"

"A person nods" and "No contact is seen" claim nothing: a letter or "No" at the start counts only
with punctuation after it. "B or C" names two letters. "B. Body" contradicts itself if B is Head.
All of these are unparsed, because a guess would be counted as data.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fmau.core.records import Answer, AnswerStatus, Option, Question

YES_NO = ("Yes", "No")


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

    Chat templates of thinking models put the opening tag into the prompt. So a closing tag without
    an opening one ends a block too.
    """
    text = re.sub(r"<think>.*?</think>", "", reply, flags=re.DOTALL)
    text = text.rpartition("</think>")[2]
    return None if "<think>" in text else text.strip()


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


_ANSWER_IS = (
    r"(?<!wrong )(?<!incorrect )\b(?:answer|(?:correct|right|best) (?:option|choice))"
    r"(?:\s+is\s*:?|\s*[:=])\s*"
)
_CLOSING = r"(?=\s*(?:[.,:;!)]|\n|$))"
_LETTER_CLAIMS = (
    # Alone on a line, or at its start: "B", "(B)", "B. Head", "B: because ...".
    re.compile(r"^\s*\(?([A-Z])\)?" + _CLOSING, re.MULTILINE),
    re.compile(r"(?i:" + _ANSWER_IS + r")\(?([A-Z])\)?" + _CLOSING),
    re.compile(r"\\boxed\{\(?([A-Z])\)?\}"),
)
# "A hand" does not mention option A: there "A" is an article.
_LETTER_MENTION = re.compile(r"(?<![\w'’])(?!A [a-z])([A-Z])(?![\w'’])")
_YES_NO_CLAIMS = (
    # At the start of a sentence and followed by punctuation: "No contact is seen" is not a "No".
    re.compile(r"(?i)(?:^|[.,:;!?\n])\s*(yes|no)" + _CLOSING),
    re.compile(r"(?i)" + _ANSWER_IS + r"(yes|no)" + _CLOSING),
    re.compile(r"(?i)\\boxed\{(yes|no)\}"),
)
_LONE_LETTER = re.compile(r"\(?([A-Za-z])[).:]*")


def read_letter(text: str, options: Sequence[Option]) -> str | None:
    """The option letter that a free text claims; None if it claims none or several.

    A label after a claimed letter must be the label of that option.
    """
    text = _plain(text)
    letters = {option.letter for option in options}
    if lone := _LONE_LETTER.fullmatch(text):
        return lone[1].upper() if lone[1].upper() in letters else None
    claims = _labelled(text, options)
    for pattern in _LETTER_CLAIMS:
        for match in pattern.finditer(text):
            line = text[match.end() :].partition("\n")[0]
            named = _labelled(line, options)
            claims |= {match[1]} if match[1] in named else {match[1], *named}
    others = (set(_LETTER_MENTION.findall(text)) & letters) - claims
    return claims.pop() if len(claims) == 1 and claims <= letters and not others else None


def read_yes_no(text: str) -> str | None:
    """The "Yes" or "No" that a free text claims; None if it claims none or both."""
    plain = _plain(text)
    claimed = {match[1].capitalize() for p in _YES_NO_CLAIMS for match in p.finditer(plain)}
    return claimed.pop() if len(claimed) == 1 else None


def _plain(text: str) -> str:
    """The text without Markdown emphasis, code marks and quotation marks."""
    return re.sub(r"[*_`\"“”]+", "", text).strip()


def _labelled(text: str, options: Sequence[Option]) -> set[str]:
    """Letters of the options whose label equals the whole text, apart from punctuation."""
    label = text.strip(" .,:;!)").casefold()
    return {option.letter for option in options if option.label.casefold() == label}
