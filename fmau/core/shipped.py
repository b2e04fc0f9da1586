"""Find the files that come with fmau: recipes, judges, prompt sets, rubrics, launch configs.

In a checkout they are in folders at the top, where people read and change them; an installed
package contains them. In both cases users refer to them by name, and to their own files by path.
"""

import os
import re
from dataclasses import dataclass
from difflib import get_close_matches
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
"""Where a wheel has the folders recipes and prompts (pyproject.toml); a checkout lacks it."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """One file that comes with fmau.

    Attributes:
        kind: kind of the file, e.g. "recipe".
        name: its name for users; the file name without ".yaml".
        path: its path on this machine.
    """

    kind: Kind
    name: str
    path: Path

    @property
    def text(self) -> str:
        """Its contents, valid in any folder: references to neighbouring files are absolute."""
        folder = FOLDERS[self.kind]
        return self.path.read_text("utf-8").replace(
            f": {folder}/", f": {self.path.parent.as_posix()}/"
        )

    @property
    def about(self) -> str:
        """The purpose of the file: the first sentence of its first comment."""
        comment = takewhile(lambda line: line.startswith("#"), self.text.splitlines())
        return re.split(r"(?<=[.])\s", " ".join(line.strip("# ") for line in comment))[0]


def shipped(kind: Kind) -> tuple[Shipped, ...]:
    """All files of one kind that come with fmau, sorted by name."""
    top = _INSTALLED if _INSTALLED.is_dir() else PACKAGE.parent
    paths = sorted((top / FOLDERS[kind]).glob("*.yaml"))
    return tuple(Shipped(kind, path.stem, path) for path in paths)


def find_folder(path: str) -> str:
    """The path of a folder that a shipped recipe names, such as fmau/demo/tiny/checkpoint.

    Such a path is relative to the checkout. It is tried there if it does not exist from the
    current folder, so that the recipe works from anywhere; any other path stays as it is.
    """
    there = PACKAGE.parent / path
    names_package = Path(path).parts[:1] == (PACKAGE.name,)
    return str(there) if names_package and not os.path.exists(path) and there.is_dir() else path


def find(kind: Kind, name_or_path: str | Path) -> Path:
    """Find a file by the name of one that comes with fmau, or by path.

    A text that ends in .yaml or .yml, or contains a folder, is a path; any other text is a name.

    Raises:
        RecipeError: there is no such file, or it is a folder; the error names what comes near, or
            the known names.
    """
    given = str(name_or_path)
    is_path = given.endswith((".yaml", ".yml")) or len(Path(given).parts) > 1
    known = {one.name: one.path for one in shipped(kind)}
    if not is_path and given in known:
        return known[given]
    if os.path.isdir(given):  # False, not an error, for a name that cannot be
        raise RecipeError(f"{given}: is a folder; give the YAML file of a {kind} in it")
    if is_path and os.path.exists(given):
        return Path(given)
    near = get_close_matches(Path(given).stem, known, n=3)
    if near:
        raise RecipeError(f"{given}: no such {kind}; did you mean {' or '.join(near)}?")
    names = ", ".join(known) or "none"
    own = "" if is_path else "; for your own file give its path, ending in .yaml"
    raise RecipeError(f"{given}: no such {kind}; those that come with fmau: {names}{own}")
