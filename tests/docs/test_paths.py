"""Every file of the project that a page names is there."""

import re
from pathlib import Path

import pytest

from tests.docs.links import PAGES
from tests.paths import PACKAGE, RECIPES, REPO

NAMED = re.compile(r"`(?P<path>[a-z_]+(?:/[a-z0-9_]+)*(?:/|\.(?:py|sh|slurm|lock|json|jinja)))`")
"""A path in code marks: a Python file, script or data file, or a folder, which ends in a slash."""

OF_USERS = re.compile(
    r"(?:data|demo|runs|my_\w+|make_dialogues|scores|adapter|manifest|training|cache|judge)\b"
)
"""What people name or fmau writes; CACHE/cache.json and the like are not the project's files."""

CASES = sorted(
    {
        (page.relative_to(REPO).as_posix(), match["path"])
        for page in PAGES
        for match in NAMED.finditer(page.read_text("utf-8"))
        if page.name not in ("CHANGELOG.md", "formats.md") and not OF_USERS.match(match["path"])
    }
)


def places(path: str) -> list[Path]:
    """Where a path of a page may lead: pages name modules from the package on, too."""
    return [root / path for root in (REPO, PACKAGE, RECIPES, REPO / "docs")]


def test_paths_are_found_at_all() -> None:
    assert ("docs/architecture.md", "prompting/conversation.py") in CASES
    assert ("docs/architecture.md", "cli/") in CASES


@pytest.mark.parametrize(("page", "path"), CASES, ids=[f"{page}:{path}" for page, path in CASES])
def test_a_named_file_is_there(page: str, path: str) -> None:
    assert any(place.exists() for place in places(path))
