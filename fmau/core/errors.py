"""The errors of fmau, with texts for users.

Every error that a user can cause is a `FmauError`. Its text says what is wrong, where, and what to
do. The command line prints only that text; a traceback from `fmau` is a bug in `fmau`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from reprlib import Repr
from typing import TYPE_CHECKING, Any, get_args

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

MAX_NAMED = 5
"""Number of places that one line of an error text names."""

SHOWN_CHARS = 200
"""Length at which a wrong value is cut in an error text."""

_REPR = Repr()
"""Writes no more of a nested value than is shown: YAML aliases can make it grow without bounds."""
_REPR.maxdict = _REPR.maxlist = _REPR.maxtuple = _REPR.maxset = SHOWN_CHARS // 4
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = SHOWN_CHARS + 2


class FmauError(Exception):
    """Base of all errors that fmau raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One defect of an input: `where` it is, `what` is wrong and the `remedy`.

    >>> print(Problem("q.json row 3 (MAS_0001)", "the question is empty", "write one"))
    q.json row 3 (MAS_0001): the question is empty; write one
    """

    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {self.remedy}"


class InputError(FmauError):
    """An input file has one or more problems; all of them are listed at once.

    Equal ones are one line with their count, which names the first few places.

    Attributes:
        problems: every defect found, in file order.
    """

    MAX_SHOWN = 200

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        groups = self._groups()
        shown = [f"  {_joined(group)}" for group in groups[: self.MAX_SHOWN]]
        hidden = sum(len(group) for group in groups[self.MAX_SHOWN :])
        if hidden:
            shown.append(f"  ... and {hidden:,} more")
        count = f"{len(self.problems):,} problem{'s' if len(self.problems) != 1 else ''}"
        super().__init__("\n".join([f"{count} found:", *shown]))

    def _groups(self) -> list[list[Problem]]:
        """The problems, in groups that are shown in one line each, in the order of their first."""
        groups: dict[tuple[str, str], list[Problem]] = {}
        for problem in self.problems:
            groups.setdefault((problem.what, problem.remedy), []).append(problem)
        return list(groups.values())


class RecipeError(FmauError):
    """A recipe, prompt set, judge, rubric or adapter is missing, malformed, or inconsistent."""


class ClipError(FmauError):
    """A clip cannot be read. The run continues without it and lists it as failed."""


class ServerError(FmauError):
    """The model server did not start, died, or refused a request."""


class RunError(FmauError):
    """A run folder or another output cannot be used: missing, of another recipe, locked, or not
    writable."""


class ReadOnlyError(RunError):
    """An output cannot be written, because its folder or file system is read-only."""


class TrainingError(FmauError):
    """Training cannot continue; the last complete checkpoint is intact."""


def _joined(group: list[Problem]) -> str:
    """Equal problems as one text: "A, B, C, D, E and 7 more: what; remedy".

    Rows of one file name it once: "q.json row 3, row 4: what; remedy".
    """
    first, *others = (problem.where for problem in group[:MAX_NAMED])
    file, row, _ = first.partition(" row ")
    named = [first, *(where.removeprefix(f"{file} ") if row else where for where in others)]
    hidden = len(group) - len(named)
    where = ", ".join(named) + (f" and {hidden:,} more" if hidden else "")
    return str(replace(group[0], where=where))


def first_line(error: Exception) -> str:
    """The first line of an error's text; the next lines of a library's error rarely help users."""
    return str(error).partition("\n")[0]


def cut(text: str) -> str:
    """A text of a file as an error shows it: at most `SHOWN_CHARS` characters of it."""
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}..."


def problems_of(
    error: "ValidationError", root: "type[BaseModel]", whole: str = "file"
) -> list[str]:
    """One text per error that pydantic found, each with its key: "serve.prot: unknown key; ...".

    Args:
        root: the class that was validated; the texts list its known keys.
        whole: used in place of a key if the input as a whole is wrong.
    """
    return [_describe(detail, root, whole) for detail in error.errors()]


def inner_model(model: "type[BaseModel]", key: str) -> "type[BaseModel] | None":
    """The record class of a field, also of an optional field (`Record | None`). None if the field
    has another type or does not exist."""
    from pydantic import BaseModel

    field = model.model_fields.get(key)
    annotation = field.annotation if field is not None else None
    for found in (annotation, *get_args(annotation)):
        if isinstance(found, type) and issubclass(found, BaseModel):
            return found
    return None


def known_keys(model: "type[BaseModel]") -> str:
    """The keys of a record, for error texts: "known keys: a, b"."""
    return "known keys: " + ", ".join(model.model_fields)


def _describe(detail: Any, root: "type[BaseModel]", whole: str) -> str:
    key = cut(".".join(str(step) for step in detail["loc"])) or whole
    if detail["type"] == "extra_forbidden":
        model = root
        for step in detail["loc"][:-1]:
            model = inner_model(model, str(step)) or model
        return f"{key}: unknown key; {known_keys(model)}"
    if detail["type"] == "missing":
        return f"{key}: missing"
    message = detail["msg"].removeprefix("Value error, ")
    return f"{key}: {message} (found {cut(_REPR.repr(detail['input']))})"
