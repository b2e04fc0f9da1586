"""Every relative link of README, docs and recipes leads somewhere, its anchor too."""

from pathlib import Path

import pytest

from tests.docs import links
from tests.paths import REPO

LINKS = [(page, link) for page in links.PAGES for link in links.relative_links(page)]


def test_the_pages_that_matter_are_read_and_have_links() -> None:
    linking = {page.relative_to(REPO).as_posix() for page, _ in LINKS}
    assert {"README.md", "CONTRIBUTING.md", "docs/index.md", "recipes/README.md"} <= linking


@pytest.mark.parametrize(
    ("page", "link"), LINKS, ids=[f"{page.relative_to(REPO)}:{link}" for page, link in LINKS]
)
def test_a_link_leads_somewhere(page: Path, link: str) -> None:
    assert links.why_broken(link, page) is None


PAGE = """
# What `fmau check` says: all of it

## Twice
## Twice

[a](other.md) [`b`](other.md#there "title") ![c](missing.png) [d](#twice-1)
[e](#what-fmau-check-says-all-of-it) [f](https://example.org/x.md) [g](other.md#nowhere) [h][ref]
`[no](link.md)`

```
[no](link.md)
# no heading
```

[ref]: ../../outside.md
"""


def test_broken_links_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "REPO", tmp_path)
    page = tmp_path / "page.md"
    page.write_text(PAGE, "utf-8")
    (tmp_path / "other.md").write_text("# There\n", "utf-8")

    assert {link: links.why_broken(link, page) for link in links.relative_links(page)} == {
        "other.md": None,
        "other.md#there": None,
        "missing.png": "there is no missing.png",
        "#twice-1": None,
        "#what-fmau-check-says-all-of-it": None,
        "other.md#nowhere": "other.md has no heading #nowhere",
        "../../outside.md": "leads out of the repository",
    }
    assert "no-heading" not in links.anchors(page)
