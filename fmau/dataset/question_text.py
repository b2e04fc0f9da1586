"""Splits the text of a question into stem and options, and checks it against its task."""

import re
from collections.abc import Iterator
from itertools import pairwise

from fmau.core.errors import Problem
from fmau.core.records import Option
from fmau.core.taxonomy import AnyTask, OwnTask, Task, action_by_code, action_by_label, parts

FEWEST_OPTIONS, MOST_OPTIONS = 2, 10
"""Bounds on the options of a task of one's own."""

_OPTION = re.compile(r"[(\[]?([A-Za-z])[.):\]]+\s*(\S.*)")
_CLASS_CODE = re.compile(r"^(.*\S) - ([A-G]\d{1,2})$")


def split(text: str, task: AnyTask) -> tuple[str, tuple[Option, ...]]:
    """Stem and options of a question's text. The options are its last lines, lettered from A:
    "A. x", "A) x", "(A) x" or "a: x".

    No options if the task has none, or if the last lines are not lettered in order.
    """
    if not task.is_choice:
        return text.strip(), ()
    lines = text.strip().split("\n")
    options: list[Option] = []
    while lines and (match := _OPTION.fullmatch(lines[-1].strip())):
        options.insert(0, _option(match[1].upper(), match[2], task))
        lines.pop()
        if options[0].letter == "A":
            break
    letters = "".join(option.letter for option in options)
    if not options or letters != "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: len(options)]:
        return text.strip(), ()
    return "\n".join(lines).strip(), tuple(options)


def _option(letter: str, text: str, task: AnyTask) -> Option:
    coded = _CLASS_CODE.match(text)
    if coded is None or (isinstance(task, OwnTask) and not _is_label_of(coded[1], coded[2])):
        return Option(letter, text)
    return Option(letter, coded[1], coded[2])


def _is_label_of(label: str, code: str) -> bool:
    """Whether the taxonomy has the label under this code; else " - A1" is part of an own label."""
    action = action_by_code().get(code)
    return action is not None and action.label.lower() == label.lower()


def text_problems(where: str, task: AnyTask, text: str, answer: str | None) -> Iterator[Problem]:
    """Yield the defects of a question's text and answer.

    Args:
        where: the row, for people.
        answer: the gold answer as in the file; None if there is none.
    """
    _, options = split(text, task)
    if not task.is_choice:
        yield from _lettered(where, task, text)
    elif problem := _count_problem(where, task, len(options)):
        yield problem
        return
    else:
        yield from _label_problems(where, task, options)
    if answer is None or task.is_open:
        return
    letters = [option.letter for option in options] if task.is_choice else ["Yes", "No"]
    if answer.strip().lower() not in [letter.lower() for letter in letters]:
        yield Problem(where, f"the answer is {answer!r}", f"write one of {', '.join(letters)}")


def _lettered(where: str, task: AnyTask, text: str) -> Iterator[Problem]:
    """Yield a problem if lines of the text are lettered one after another: such options would be
    read as free text."""
    found = [
        match[1].upper() for line in text.split("\n") if (match := _OPTION.match(line.strip()))
    ]
    if any(ord(after) - ord(before) == 1 for before, after in pairwise(found)):
        yield Problem(
            where,
            f"{task} has no options, but lines of this question are lettered {', '.join(found)}",
            "correct the task or its type, or write the lines without letters",
        )


def _count_problem(where: str, task: AnyTask, count: int) -> Problem | None:
    remedy = 'end the question in one option a line, "A. Label", lettered from A in order'
    if isinstance(task, Task):
        if count == task.option_count:
            return None
        what = f"{task} has {task.option_count} options, this question has {count}"
        other = f'; other numbers need a task name of your own and "type": "{task.kind}"'
        return Problem(where, what, remedy + other)
    if FEWEST_OPTIONS <= count <= MOST_OPTIONS:
        return None
    what = f"a choice has {FEWEST_OPTIONS} to {MOST_OPTIONS} options, this question has {count}"
    return Problem(where, what, remedy)


def _label_problems(where: str, task: AnyTask, options: tuple[Option, ...]) -> Iterator[Problem]:
    if isinstance(task, OwnTask):
        return
    known = action_by_label() if task is Task.FMAR else {part.label.lower() for part in parts()}
    for option in options:
        if option.label.lower() not in known:
            yield Problem(
                where,
                f"option {option.letter} names {option.label!r}, which is not in the taxonomy",
                "use the labels of fmau/core/taxonomy.json, or a task name of your own with "
                f'"type": "{task.kind}"',
            )
