r"""Finds what a free-text reply claims as its answer. `extraction.py` uses it.

A *claim* is a place that gives an answer, in one of the forms below. A reply has an answer only if
all its claims agree and no other option's letter is mentioned.

    letter   "B", "b", "(B)", "B. Head", "B - Head", "B. <any sentence>", "Option B",
             "B is correct", "I choose B", "Answer: B", "The correct option is (B).",
             "Answer: Head", or the whole reply is one option's label
    yes/no   "Yes", "no.", "Yes the head moves", "No, <any sentence>", "Answer: no"

A reply may *state* its answer: in a mark (`<answer>B</answer>`, `\boxed{B}`, `{"answer": "B"}`),
with "The answer is B." at the end of a line, or with a first line "B" or "B. Head". Then the rest
is reasoning, and may mention or list other options; but it must not claim another one.

"A person nods" and "No contact is seen" claim nothing: a letter, or "No", at the start counts only
if what follows cannot belong to it. "B or C" names two letters. "A. is wrong" denies A. "B. Body"
contradicts itself if B is Head. "No. I mean yes." takes itself back. None of these is an answer,
because a guess would be counted as data. "B, not A" and "A is wrong, so B" rule A out and claim B.
"""

import re
from collections.abc import Sequence

from fmau.core.records import Option
from fmau.core.texts import normalized
from fmau.prompting.phrases import (
    ABOUT_IT,
    ABOUT_THE_WORD,
    AFTER_STOP,
    CLAUSE_END,
    DENIED,
    DOUBT,
    ENDING_LINE,
    EXAMPLE,
    FIRST_SMALL_LETTER,
    LABELLED_LETTER,
    LETTER_MENTION,
    LINE_LETTER,
    LONE_LETTER,
    LONE_YES_NO,
    MARK_IS_NONE,
    MENTION,
    NEXT_LETTER,
    RULED_OUT,
    SAID_LABEL,
    SAID_LETTER,
    TAKEN_BACK,
    YES_NO_SAID,
    YES_NO_START,
    YES_OR_NO,
)
from fmau.prompting.reply import marked

UNREADABLE = "?"
"""Stands for what a reply marks as its answer, if it cannot be read."""

_OPPOSITE = {"Yes": "No", "No": "Yes"}
_ENDS = " .,:;!()[]{}<>'\"’-\t"


def read_letter(reply: str, options: Sequence[Option]) -> str | None:
    """The option letter that a free text claims; None if it claims none or several.

    A label after a claimed letter must be the label of that option.
    """
    marks, text = marked(reply)
    ruled_out, text = _without_ruled_out(text)
    lines = _lines(text, options)
    said, stated = _said_letters(text, options, lines)
    for mark in marks:
        stated |= _letters(mark, options) or {UNREADABLE}
    if marks and MARK_IS_NONE.search(text):
        return None
    letters = {option.letter for option in options}
    if len({*map(frozenset, lines)}) == 1:  # "B" or "B. Head", and on the next lines why
        stated |= _whole(text.partition("\n")[0], options)
    if stated:
        claims = said | stated
        if len(lines) == 1:  # several list the options
            claims |= lines[0]
    else:
        claims = said.union(*lines) | _whole(text, options)
        if ({*LETTER_MENTION.findall(text)} & letters) - claims:
            return None
    if TAKEN_BACK.search(text) or len(claims) != 1 or not claims <= letters:
        return None
    return None if claims & ruled_out else claims.pop()


def _without_ruled_out(text: str) -> tuple[set[str], str]:
    """The letters that a text rules out beside its answer ("B, not A"), and the text without."""
    letters: set[str] = set()

    def rule_out(match: re.Match[str]) -> str:
        letters.update(re.findall("[A-Z]", match["out"]))
        return ""

    for pattern in RULED_OUT:
        text = pattern.sub(rule_out, text)
    return letters, text


def _letters(mark: str, options: Sequence[Option]) -> set[str]:
    """What the content of a mark claims, however it is written."""
    ruled_out, text = _without_ruled_out(mark)
    lines = _lines(text, options)
    said, _ = _said_letters(text, options, lines)
    claims = said.union(*lines) | _whole(text, options)
    return set() if claims & ruled_out else claims


def _said_letters(
    text: str, options: Sequence[Option], lines: Sequence[set[str]]
) -> tuple[set[str], set[str]]:
    """Letters that a sentence says are the answer, and those of them that end a line so.

    Args:
        lines: what the lines claim. If several do, or are labels, they list the options, and a
            heading such as "The correct answer:" before them does not say that the first is right.
    """
    said: set[str] = set()
    stated: set[str] = set()
    for pattern in SAID_LETTER:
        for match in pattern.finditer(text):
            if "\n" in match[0].strip() and len(lines) > 1:
                continue
            if _doubted(text[: match.start()]):
                continue
            after = text[match.end() :].partition("\n")[0]
            named = _named(match[1].upper(), after, options)
            said |= named
            if not after.strip(_ENDS) or _labelled(after, options):
                stated |= named
    for match in ENDING_LINE.finditer(text):
        if match[1].upper() in _labelled(match[2], options):
            stated |= set() if _doubted(text[: match.start()]) else {match[1].upper()}
    labels = [line for line in text.splitlines() if _labelled(line, options)]
    for match in SAID_LABEL.finditer(text):
        listed = "\n" in match[0].strip() and len(labels) > 1
        if not listed and not _doubted(text[: match.start()]):
            stated |= _labelled(match[1], options)
    return said, stated


def _doubted(before: str) -> bool:
    """Whether the words before a claim, in its sentence, say that it is none, or an example."""
    sentence = re.split(r"(?<!e\.g)[.!?;\n](?:\s|$)", before)[-1]
    clause = CLAUSE_END.split(sentence)[-1]
    return bool(DOUBT.search(clause) or EXAMPLE.search(sentence))


def _lines(text: str, options: Sequence[Option]) -> list[set[str]]:
    """What each line claims that begins with a letter which is no word of a sentence."""
    found = []
    for line in text.splitlines():
        letters = set()
        if match := LINE_LETTER.match(line):
            letters = _named(match[1], line[match.end() :], options)
        if match := LABELLED_LETTER.match(line):
            letters |= {match[1].upper()} & _labelled(match[2], options)
        if letters:
            found.append(letters)
    return found


def _whole(text: str, options: Sequence[Option]) -> set[str]:
    """The letters that the text as a whole can mean: one letter alone, or one option's label."""
    if alone := LONE_LETTER.fullmatch(text) or FIRST_SMALL_LETTER.match(text):
        return {alone[1].upper()}
    if (labelled := LABELLED_LETTER.fullmatch(text)) and (
        labelled[1].upper() in _labelled(labelled[2], options)
    ):
        return {labelled[1].upper()}
    return _labelled(text, options)


def _named(letter: str, after: str, options: Sequence[Option]) -> set[str]:
    """The letters that a letter and the rest of its line name; none if the letter is denied."""
    if labels := _labelled(after, options):
        return {letter} if letter in labels else {letter, *labels}
    if ABOUT_IT.match(after) or DENIED.match(after):
        return set()
    another = NEXT_LETTER.match(after)
    return {letter, another[1].upper()} if another else {letter}


def _labelled(text: str, options: Sequence[Option]) -> set[str]:
    """Letters of the options whose label is the whole text, apart from punctuation.

    The label may be followed by its class code or its letter.
    """
    said = _key(text)
    return {option.letter for option in options if said in _names(option)}


def _names(option: Option) -> set[str]:
    """The ways to write an option's label: alone, with its class code, with its letter."""
    ends = ("", option.class_code or "", f"({option.class_code})", f"({option.letter})")
    return {_key(f"{option.label} {end}") for end in ends}


def _key(text: str) -> str:
    """A label in the form in which labels are compared."""
    text = re.sub(r"\s*-\s*", "-", normalized(text).casefold())
    return " ".join(text.strip(_ENDS).split())


def read_yes_no(reply: str) -> str | None:
    """The "Yes" or "No" that a free text claims; None if it claims none or both."""
    marks, text = marked(reply)
    text = YES_OR_NO.sub(" ", text)
    claims = _said_words(text).union(*(_said_words(mark) or {UNREADABLE} for mark in marks))
    if len(claims) != 1 or not claims <= {*_OPPOSITE} or TAKEN_BACK.search(text):
        return None
    if marks and MARK_IS_NONE.search(text):
        return None
    answer = claims.pop()
    denied = not marks and MENTION[_OPPOSITE[answer]].search(text)
    return None if denied else answer


def _said_words(text: str) -> set[str]:
    """Each "Yes" and "No" that is said as an answer."""
    if alone := LONE_YES_NO.fullmatch(text):
        return {"Yes" if alone[1].casefold().startswith("y") else "No"}
    start = YES_NO_START.match(text)
    found = [start] if start else []
    found += AFTER_STOP.finditer(text)
    for pattern in YES_NO_SAID:
        found += [one for one in pattern.finditer(text) if not _doubted(text[: one.start()])]
    return {match[1].capitalize() for match in found if not ABOUT_THE_WORD.match(text, match.end())}
