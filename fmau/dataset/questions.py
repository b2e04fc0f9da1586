"""Reads question files: the official JSON list, checked row by row into `Question` records.

All variants in use are accepted: `video_name` (no extension) or `video` (with extension); an
optional `answer`; the older task names of `fmau.core.taxonomy.TASK_ALIASES`; class codes (" - A1")
on option lines, which are separated from the label and kept beside it. A task that MA-Bench does
not have needs a `type`: choice, yes_no or open. Everything else is an error, and all errors of a
file are reported at once.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fmau.core.errors import InputError, Problem, cut
from fmau.core.files import read_text
from fmau.core.parsing import keys_twice, parse_rows
from fmau.core.records import Question, QuestionFile
from fmau.core.taxonomy import TASK_ALIASES, AnyTask, Kind, OwnTask, Task
from fmau.core.texts import half_fault, whole
from fmau.dataset.clips import clip_name, name_fault
from fmau.dataset.foreign import not_json
from fmau.dataset.question_text import split, text_problems

_KEYS = {"video", "video_name", "task", "type", "qid", "question", "answer"}
_TASK_BY_NAME = {task.value: task for task in Task} | TASK_ALIASES
_OWN_NAME = re.compile(r"[^\W_][\w.-]{0,39}")
_TAKEN = {name.lower() for name in _TASK_BY_NAME} | {
    "avg",
    "closed-avg",
    "open-avg",
    "final",
    "all",
}
"""Names, in lower case, that a task of one's own cannot have: other tasks, and rows of tables."""


@dataclass(frozen=True, slots=True)
class Survey:
    """The content of a question file, with its defects.

    Attributes:
        sound: the questions of all rows without a defect.
        problems: (qid, or "row N" if the row has no qid; the defect), in file order.
        rows: all rows as read.
    """

    sound: QuestionFile
    problems: tuple[tuple[str, Problem], ...]
    rows: tuple[Any, ...]


def load_questions(path: Path) -> QuestionFile:
    """Read a question file.

    Raises:
        InputError: the file is missing or is not a JSON list, or rows are malformed; every defect
            is listed with its row (counted from 1) and qid.
    """
    survey = survey_questions(path)
    if survey.problems:
        raise InputError(problem for _, problem in survey.problems)
    return survey.sound


def survey_questions(path: Path) -> Survey:
    """Read a question file and collect its defects.

    Raises:
        InputError: the file is missing or is not a JSON list.
    """
    rows = _read_list(path)
    problems: list[tuple[str, Problem]] = []
    questions: list[Question] = []
    gold: dict[str, str] = {}
    first_row: dict[str, int] = {}
    file_of: dict[str, str] = {}
    kind_of: dict[str, Kind] = {}
    for number, row in enumerate(rows, start=1):
        found = list(_row_problems(path, number, row))
        if not found and row["qid"] in first_row:
            remedy = "give each question its own qid"
            what = f"has the same qid as row {first_row[row['qid']]}"
            found.append(Problem(_where(path, number, row), what, remedy))
        problems += [(_qid(row) or f"row {number}", problem) for problem in found]
        if found:
            continue
        first_row[row["qid"]] = number
        question = _question(row)
        has_suffix = question.file != question.clip
        other = file_of.setdefault(question.clip, question.file) if has_suffix else question.file
        if other != question.file:
            what = f"names the clip {question.file!r}, other rows name {other!r}"
            problem = Problem(_where(path, number, row), what, "give each clip one name")
            problems.append((question.qid, problem))
            continue
        kind = kind_of.setdefault(str(question.task), question.task.kind)
        if question.task.kind is not kind:
            what = f"{question.task} is {question.task.kind} here, and {kind} in other rows"
            problem = Problem(_where(path, number, row), what, "give each task one type")
            problems.append((question.qid, problem))
            continue
        questions.append(question)
        if row.get("answer") is not None:
            gold[question.qid] = _gold(question, row["answer"])
    # A clip that some rows name with its suffix, and others without, is one clip.
    named = tuple(replace(q, named=file_of.get(q.clip, "")) for q in questions)
    sound = QuestionFile(named, MappingProxyType(gold))
    return Survey(sound, tuple(problems), tuple(rows))


def _read_list(path: Path) -> list[Any]:
    text = read_text(path)
    try:
        rows = parse_rows(text)
    except ValueError as error:
        remedy = "write the question file as a JSON list in UTF-8"
        raise InputError([not_json(path, text, error, remedy)]) from None
    if not isinstance(rows, list) or not rows:
        remedy = 'write a non-empty list of objects, [{"qid": ..., ...}, ...]'
        raise InputError([Problem(str(path), "is not a list of questions", remedy)])
    return rows


def _where(path: Path, number: int, row: Any) -> str:
    qid = _qid(row)
    return f"{path} row {number}" + (f" ({qid})" if qid else "")


def _qid(row: Any) -> str:
    """The qid of a row, as it can be printed; "" if it has none."""
    qid = row.get("qid") if isinstance(row, dict) else None
    return whole(qid) if isinstance(qid, str) else ""


def _row_problems(path: Path, number: int, row: Any) -> Iterator[Problem]:
    """Yield the defects of one row; a row without defects can be turned into a `Question`."""
    where = _where(path, number, row)
    if not isinstance(row, dict):
        yield Problem(where, f"is a {type(row).__name__}", 'write an object, {"qid": ..., ...}')
        return
    for key in sorted(set(row) - _KEYS):
        yield Problem(where, f"unknown field {key!r}", f"fields are {', '.join(sorted(_KEYS))}")
    for key in keys_twice(row):
        yield Problem(where, f"the key {key!r} is given twice", "keep one of them")
    for key in ("qid", "task", "question"):
        value = row.get(key)
        if value is not None and not isinstance(value, str):
            what = f"{key!r} is {cut(repr(value))}, not a text"
            yield Problem(where, what, "write a text, in quotes")
        elif value is None or not value.strip():
            yield Problem(where, f"{key!r} is missing or empty", "fill it in")
    if isinstance(row.get("qid"), str) and (fault := half_fault(row["qid"])):
        yield Problem(where, *fault)  # answers are written and sent in under this name
    yield from _clip_problems(where, row)
    answer = row.get("answer")
    if answer is not None and (not isinstance(answer, str) or not answer.strip()):
        yield Problem(where, f"the answer is {answer!r}", "write text, or leave 'answer' out")
        return
    if isinstance(row.get("task"), str) and row["task"].strip():
        yield from _task_problems(where, row["task"], row.get("type"))
    task = _task(row)
    if task is not None and isinstance(row.get("question"), str) and row["question"].strip():
        yield from text_problems(where, task, row["question"], answer)


def _clip_problems(where: str, row: dict[str, Any]) -> Iterator[Problem]:
    names = [row[key] for key in ("video", "video_name") if row.get(key) is not None]
    if len(names) != 1:
        what = "both 'video' and 'video_name' are given" if names else "no 'video' or 'video_name'"
        yield Problem(where, what, "name the clip in exactly one of them")
        return
    if fault := name_fault(names[0]):
        yield Problem(where, *fault)


def _task(row: Any) -> AnyTask | None:
    """The task of a row; None if its name or type is unusable."""
    name, kind = (row.get(key) if isinstance(row, dict) else None for key in ("task", "type"))
    if not isinstance(name, str):
        return None
    name = name.strip()
    if name in _TASK_BY_NAME:
        return _TASK_BY_NAME[name]
    if kind not in list(Kind) or not _OWN_NAME.fullmatch(name) or name.lower() in _TAKEN:
        return None
    return OwnTask(name, Kind(kind))


def _task_problems(where: str, name: str, kind: Any) -> Iterator[Problem]:
    """Yield what is wrong with the fields "task" and "type" of a row."""
    kinds = ", ".join(Kind)
    official = _TASK_BY_NAME.get(name.strip())
    if official is not None:
        if kind is not None and kind != official.kind:
            remedy = f"leave 'type' out; {official} is of type {official.kind}"
            yield Problem(where, f"{official} is given the type {cut(repr(kind))}", remedy)
    elif kind is None:
        known = ", ".join([*Task, *TASK_ALIASES])
        remedy = f"known tasks: {known}; a task of your own needs 'type', one of {kinds}"
        yield Problem(where, f"unknown task {cut(repr(name))}", remedy)
    elif kind not in list(Kind):
        yield Problem(where, f"unknown type {cut(repr(kind))}", f"types are {kinds}")
    elif name.strip().lower() in _TAKEN:
        remedy = "name your own task otherwise, or write MA-Bench's task as it does, without 'type'"
        yield Problem(where, f"the task name {name!r} has a meaning in fmau", remedy)
    elif not _OWN_NAME.fullmatch(name.strip()):
        remedy = "use at most 40 letters, digits, _, . and -, and begin with a letter or digit"
        yield Problem(where, f"the task name {cut(repr(name))} cannot be used", remedy)


def _question(row: dict[str, Any]) -> Question:
    task = _task(row)
    assert task is not None, "checked by _row_problems"
    named = row.get("video_name") or row["video"]
    text = whole(row["question"])
    stem, options = split(text, task)
    return Question(row["qid"], clip_name(named), task, stem, options, named)


def _gold(question: Question, answer: str) -> str:
    """Closed answers in their canonical spelling: an upper-case letter, or "Yes"/"No"."""
    if question.task.is_choice:
        return answer.strip().upper()
    if question.task.kind is Kind.YES_NO:
        return answer.strip().capitalize()
    return whole(answer.strip())
