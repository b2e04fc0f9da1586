"""The direction of imports is part of the design, so it is tested: each room knows those below."""

import ast
import re
from pathlib import Path

import pytest

from tests.paths import PACKAGE, REPO, TESTS

FLOORS = (
    "cli",  # every command
    "demo",  # the embedded default: generator, tiny checkpoint
    "train",
    "answer",
    "report",
    "judge",
    "score",
    "serve",
    "families",
    "frames",
    "dataset",
    "runs",
    "prompting",
    "recipe",
    "core",
)
"""The rooms of the package from the roof to the ground; a module imports from its own room and
from those behind it here."""

DOORS = {"__init__", "__main__"}
"""What opens the package from outside, and may open any room."""

NO_TORCH_NO_NETWORK = {"score", "report", "runs", "core"}
HEAVY = {"torch", "transformers", "vllm", "openai", "aiohttp", "httpx", "requests", "socket"}
LAZY = {"core/torchvision_cpu.py"}
"""Mends torchvision where somebody else is about to import it, and imports torch for that alone."""


def imported(path: Path) -> set[str]:
    """Dotted names of all modules that a file imports, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def room(path: Path) -> str:
    """The package or module directly under fmau that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


FILES = sorted(path for path in PACKAGE.rglob("*.py") if "sitecustomize" not in str(path))


def test_every_room_has_its_floor() -> None:
    assert {room(path) for path in FILES} == {*FLOORS, *DOORS}
    assert len([path for path in PACKAGE.iterdir() if path.name != "__pycache__"]) <= 18


def test_the_page_on_architecture_lists_the_rooms_from_the_roof_down() -> None:
    page = (REPO / "docs/architecture.md").read_text("utf-8")
    rooms = page[page.index("| room, from the roof down |") :]
    listed = re.findall(r"^\| `(\w+)/` \|", rooms, re.MULTILINE)
    assert tuple(listed) == FLOORS


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_downwards_only(path: Path) -> None:
    home = room(path)
    if home in DOORS:
        return
    used = {name.split(".")[1] for name in imported(path) if name.startswith("fmau.")}
    above = used & set(FLOORS[: FLOORS.index(home)])
    assert not above, f"{home} stands below {', '.join(sorted(above))}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_scores_and_reports_need_neither_torch_nor_network(path: Path) -> None:
    if room(path) in NO_TORCH_NO_NETWORK and str(path.relative_to(PACKAGE)) not in LAZY:
        assert not {name.split(".")[0] for name in imported(path)} & HEAVY


def test_no_test_module_is_imported() -> None:
    """What several tests use lies in a plain module, so that each test can be moved or dropped."""
    uses = {
        (str(path.relative_to(TESTS)), name)
        for path in TESTS.rglob("*.py")
        for name in imported(path)
    }
    assert ("test_imports.py", "tests.paths") in uses
    assert not [use for use in uses if ".test_" in f".{use[1]}"]


def test_real_servers_are_started_in_one_room_alone() -> None:
    mark = "pytest.mark." + "server"
    rooms = {path.parent.name for path in TESTS.rglob("*.py") if mark in path.read_text("utf-8")}
    assert rooms == {"integration"}
