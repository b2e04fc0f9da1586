"""The pages under docs/, taken apart: marked tables and marked blocks of code.

A mark is an HTML comment on a line of its own, which readers do not see: `<!-- fields: Answer -->`.
It belongs to the table or block that follows.
"""

import re
from dataclasses import dataclass

from tests.paths import REPO

DOCS = REPO / "docs"

_MARK = re.compile(r"<!-- (?P<kind>[\w ]+): (?P<name>[^>]+?) -->")
_FENCE = re.compile(r"\s*```(?P<language>\w*)")


@dataclass(frozen=True, slots=True)
class Marked:
    """What follows a mark.

    Attributes:
        kind, name: of the mark.
        lines: of the table, its heading left out, or of the block, its fences left out.
    """

    kind: str
    name: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines) + "\n"

    @property
    def cells(self) -> list[list[str]]:
        """The cells of a table, row by row, without the marks of code."""
        rows = [re.split(r"(?<!\\)\|", line.strip().strip("|")) for line in self.lines]
        return [[cell.strip().strip("`") for cell in row] for row in rows]


def marked(page: str, kind: str) -> list[Marked]:
    """Everything on a page that stands under a mark of a kind, in order."""
    lines = (DOCS / page).read_text("utf-8").splitlines()
    found = []
    for number, line in enumerate(lines):
        match = _MARK.fullmatch(line.strip())
        if match and match["kind"] == kind:
            found.append(Marked(kind, match["name"], tuple(_following(lines[number + 1 :]))))
    return found


def _following(lines: list[str]) -> list[str]:
    """The block or the table's body at the start of these lines."""
    if _FENCE.match(lines[0]):
        end = next(n for n, line in enumerate(lines[1:], start=1) if line.strip() == "```")
        return lines[1:end]
    body = []
    for line in lines[2:]:
        if not line.startswith("|"):
            break
        body.append(line)
    return body
