"""Every fmau command on a page exists, with the options and the names of recipes it is given."""

import re
import shlex

import pytest
import typer

from fmau.cli import app
from fmau.core.shipped import shipped
from tests.docs.links import PAGES
from tests.paths import REPO

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
RECIPES = {one.name for one in shipped("recipe")}
TAKE_A_RECIPE = {"check", "frames", "serve", "answer"}

SPAN = re.compile(r"`(fmau [a-z][^`]*)`")
FENCED = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^    (.*)$", re.MULTILINE)
LINE = re.compile(r"^(fmau [a-z].*)$", re.MULTILINE)


def written(text: str) -> list[str]:
    """The commands on a page: lines of code that start with one, and those within sentences."""
    joined = re.sub(r" *\\\n *", " ", text)
    code = "\n".join([*FENCED.findall(joined), *INDENTED.findall(joined)])
    return [*LINE.findall(code), *SPAN.findall(FENCED.sub("", joined).replace("\n", " "))]


def words_of(command: str) -> list[str]:
    """Its words up to a comment or the next command; none where it is a sentence."""
    command = re.split(r"\s#|\s*[;&]|\s{2,}#", command)[0]
    try:
        return shlex.split(command)
    except ValueError:
        return []


CASES = sorted(
    {
        (page.relative_to(REPO).as_posix(), " ".join(words))
        for page in PAGES
        for command in written(page.read_text("utf-8"))
        if page.name != "CHANGELOG.md" and (words := words_of(command))
    }
)


def test_commands_are_found_at_all() -> None:
    found = {command for _, command in CASES}
    assert "fmau check zero_shot_qwen3_vl_8b" in found
    assert len(found) > 50


@pytest.mark.parametrize(("page", "command"), CASES)
def test_a_command_exists(page: str, command: str) -> None:
    _, name, *words = command.split(" ")
    assert name in COMMANDS, f"{page}: no such command"
    known = {option for param in COMMANDS[name].params for option in param.opts}
    options = {word for word in words if word.startswith("--")}
    assert options <= known | {"--help"}, page
    target = words[0] if words else ""
    if name in TAKE_A_RECIPE and re.fullmatch(r"[a-z0-9_]+", target):
        assert target in RECIPES, page
