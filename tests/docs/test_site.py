"""The site builds without a warning, and every link of its pages leads to a page of it."""

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.links import relative_links
from tests.paths import REPO

pytest.importorskip("material", reason="the docs extra is not installed")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as CI builds it."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=REPO,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr
    return folder


class Html(HTMLParser):
    """The links and anchors of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value and not urlsplit(value).scheme:
                self.links.append(value)
            elif name == "id" and value:
                self.anchors.add(value)


def test_every_link_leads_to_a_page_or_file_of_the_site(site: Path) -> None:
    pages = {path: Html(path) for path in site.rglob("*.html") if path.name != "404.html"}
    followed = 0
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            assert target.is_relative_to(site), f"{path}: {link}"
            assert target.is_file(), f"{path}: {link}"
            if parts.fragment and target in pages:
                assert parts.fragment in pages[target].anchors, f"{path}: {link}"
            followed += 1
    assert followed > 100


def test_files_outside_docs_are_on_the_site_where_pages_link_to_them(site: Path) -> None:
    linked = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in (REPO / "docs").glob("*.md")
        for link in relative_links(page)
    }
    outside = {path for path in linked if path.is_file() and not path.is_relative_to(REPO / "docs")}
    assert REPO / "recipes/README.md" in outside
    for path in outside:
        there = site / "checkout" / path.relative_to(REPO)
        if path.suffix == ".md":
            folder = there.parent if path.stem == "README" else there.with_suffix("")
            assert (folder / "index.html").is_file()
        else:
            assert there.read_bytes() == path.read_bytes()
    assert "checkout/recipes/" in Html(site / "index.html").links
    assert "../../judging/" in Html(site / "checkout/recipes/index.html").links
