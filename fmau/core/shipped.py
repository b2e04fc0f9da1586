"""What comes with fmau as files: recipes, judges, prompt sets, rubrics.

In a checkout they lie at its top, where people read and change them; an installed package carries
them inside. Either way each has a name. Files of one's own are named by their path.
"""

import re
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Literal

from fmau.core.errors import RecipeError

Kind = Literal["recipe", "judge", "prompt set", "rubric", "launch config"]

FOLDERS: dict[Kind, str] = {
    "recipe": "recipes",
    "judge": "recipes/judges",
    "prompt set": "prompts",
    "rubric": "prompts/rubrics",
    "launch config": "recipes/accelerate",
}

PACKAGE = Path(__file__).resolve().parents[1]
_INSTALLED = PACKAGE / "shipped"
"""Where a wheel puts both folders (pyproject.toml); a checkout has no such folder."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """One file that comes with fmau.

    Attributes:
        kind: what it is.
        name: under which it is found.
        path: where it lies.
    """

    kind: Kind
    name: str
    path: Path

    @property
    def text(self) -> str:
        """Its contents, to be written anywhere: a file beside it is named by its whole path."""
        folder = FOLDERS[self.kind]
        return self.path.read_text("utf-8").replace(
            f": {folder}/", f": {self.path.parent.as_posix()}/"
        )

    @property
    def about(self) -> str:
        """What it is for: the first sentence of its first comment."""
        comment = takewhile(lambda line: line.startswith("#"), self.text.splitlines())
        return re.split(r"(?<=[.])\s", " ".join(line.strip("# ") for line in comment))[0]


def shipped(kind: Kind) -> tuple[Shipped, ...]:
    """Everything of a kind that comes with fmau, by name."""
    top = _INSTALLED if _INSTALLED.is_dir() else PACKAGE.parent
    paths = sorted((top / FOLDERS[kind]).glob("*.yaml"))
    return tuple(Shipped(kind, path.stem, path) for path in paths)


def find(kind: Kind, name_or_path: str | Path) -> Path:
    """The file behind a name that comes with fmau, or behind a path.

    What ends in .yaml or .yml, or has a folder in it, is a path; anything else is a name.

    Raises:
        RecipeError: there is no such file; the names that there are, are listed.
    """
    given = str(name_or_path)
    is_path = given.endswith((".yaml", ".yml")) or len(Path(given).parts) > 1
    known = {one.name: one.path for one in shipped(kind)}
    if not is_path and given in known:
        return known[given]
    if is_path and Path(given).exists():
        return Path(given)
    names = ", ".join(known) or "none"
    own = "" if is_path else "; name a file of your own by its path, ending in .yaml"
    raise RecipeError(f"{given}: no such {kind}; those that come with fmau: {names}{own}")
