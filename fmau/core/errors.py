"""What can go wrong, in words for people.

Every error that a user can cause is a `FmauError` whose text says what is wrong, where, and what to
do. The command line prints that text alone; a traceback from `fmau` is a bug in `fmau`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


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

    Attributes:
        problems: every defect found, in file order.
    """

    MAX_SHOWN = 200

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        shown = [f"  {problem}" for problem in self.problems[: self.MAX_SHOWN]]
        hidden = len(self.problems) - len(shown)
        if hidden:
            shown.append(f"  ... and {hidden} more")
        count = f"{len(self.problems)} problem{'s' if len(self.problems) != 1 else ''}"
        super().__init__("\n".join([f"{count} found:", *shown]))


class RecipeError(FmauError):
    """A recipe or prompt set is missing, malformed, or contradicts itself."""


class ClipError(FmauError):
    """A clip cannot be read. The run goes on without it and lists it as failed."""


class ServerError(FmauError):
    """The model server did not start, died, or refused what it was sent."""


class RunError(FmauError):
    """A run folder cannot be used as asked: missing, of another recipe, or locked."""


class TrainingError(FmauError):
    """Training cannot go on; the last complete checkpoint is intact."""


def first_line(error: Exception) -> str:
    """What an error says in its first line; libraries go on with advice about their own ways."""
    return str(error).partition("\n")[0]


def first_problem(error: "ValidationError", whole: str = "") -> str:
    """What pydantic complained of first, with its key.

    Args:
        whole: stands for the key if the whole input is at fault; "" for the complaint alone.
    """
    first = error.errors()[0]
    key = ".".join(map(str, first["loc"])) or whole
    return f"{key}: {first['msg']}" if key else first["msg"]
