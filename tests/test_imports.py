"""The direction of imports is part of the design, so it is tested: see the table below."""

import ast
from pathlib import Path

import pytest

from tests.paths import PACKAGE

FOUNDATION = {"errors", "parsing", "records", "taxonomy"}
SETTINGS = FOUNDATION | {"recipe", "prompts", "runs"}
ALLOWED = {
    "errors": set(),
    "parsing": set(),
    "taxonomy": set(),
    "records": {"taxonomy"},
    "recipe": {"errors", "parsing"},
    "prompts": {"errors", "parsing", "taxonomy"},
    "runs": FOUNDATION | {"recipe", "prompts"},
    "torchvision_cpu": set(),
    "dataset": SETTINGS,
    "frames": SETTINGS | {"torchvision_cpu"},
    "extraction": FOUNDATION,
    "chat": {"errors"},
    "interrupt": set(),
    "conversation": SETTINGS,
    "encode": SETTINGS | {"frames", "conversation", "torchvision_cpu"},
    "mini": SETTINGS,
    "tiny": SETTINGS
    | {"mini", "frames", "conversation", "encode", "torchvision_cpu", "dataset"}
    | {"train"},
    "serve": SETTINGS | {"torchvision_cpu"},
    "train": SETTINGS
    | {"dataset", "frames", "conversation", "encode", "extraction", "torchvision_cpu"},
    "answer": SETTINGS | {"chat", "interrupt", "dataset", "frames", "conversation", "extraction"},
    "cluster": SETTINGS | {"answer", "frames", "serve"},
    "judge": SETTINGS | {"chat", "interrupt", "dataset", "extraction"},
    "score": FOUNDATION | {"dataset", "extraction"},
    "audit": FOUNDATION | {"dataset", "score"},
    "submit": SETTINGS | {"dataset", "extraction", "conversation"},
    "report": SETTINGS | {"dataset", "score"},
    "export": SETTINGS | {"train", "serve", "score", "report", "torchvision_cpu"},
    "check": SETTINGS
    | {"dataset", "frames", "conversation", "encode", "serve", "train", "torchvision_cpu"},
}
"""Module or package directly under fmau -> those it may import. The command line may import all."""

NO_TORCH_NO_NETWORK = {"score", "report", "records", "taxonomy", "errors", "runs"}
HEAVY = {"torch", "transformers", "vllm", "openai", "aiohttp", "httpx", "requests", "socket"}


def imported(path: Path) -> set[str]:
    """Dotted names of all modules that a file imports, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def unit(path: Path) -> str:
    """The module or package directly under fmau that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


FILES = sorted(path for path in PACKAGE.rglob("*.py") if "sitecustomize" not in str(path))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_forward_only(path: Path) -> None:
    home = unit(path)
    if home in {"cli", "__main__", "__init__"}:
        return
    units = {unit(found) for found in FILES}
    used = {
        name.split(".")[1] for name in imported(path) if name.startswith("fmau.") and name != "fmau"
    } & units
    assert used <= ALLOWED[home] | {home}, f"{home} must not import {used - ALLOWED[home] - {home}}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_scores_and_reports_need_neither_torch_nor_network(path: Path) -> None:
    if unit(path) in NO_TORCH_NO_NETWORK:
        assert not {name.split(".")[0] for name in imported(path)} & HEAVY
