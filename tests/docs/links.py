"""Reading links and headings of Markdown files, as GitHub shows them."""

import re
from pathlib import Path

from tests.paths import REPO

PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "recipes/**/*.md", "prompts/**/*.md", ".github/*.md")
    for path in REPO.glob(pattern)
)
CODE = re.compile(r"^ *(```|~~~).*?^ *\1|``.+?``|`[^`\n]+`", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+[\"'][^)]*)?\)")
DEFINED = re.compile(r"^ {0,3}\[[^\]]+\]:\s+(\S+)", re.MULTILINE)
ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def relative_links(page: Path) -> list[str]:
    """What a page links to without a scheme, in its order; links within code are not links."""
    # A code span may be a link's text, so code loses its content and keeps its place.
    text = CODE.sub("code", page.read_text("utf-8"))
    found = INLINE.findall(text) + DEFINED.findall(text)
    return [link for link in found if not ABSOLUTE.match(link)]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings: lower case, spaces to hyphens, no punctuation, counted."""
    text = re.sub(r"^ *(```|~~~).*?^ *\1", "", page.read_text("utf-8"), flags=re.M | re.S)
    seen: dict[str, int] = {}
    names = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", text, re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        names.add(f"{name}-{seen[name]}" if name in seen else name)
        seen[name] = seen.get(name, 0) + 1
    return names


def why_broken(link: str, page: Path) -> str | None:
    """What is wrong with a relative link of a page; None if it leads somewhere."""
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if path.startswith("/") or not target.is_relative_to(REPO):
        return "leads out of the repository"
    if not target.exists():
        return f"there is no {target.relative_to(REPO)}"
    if anchor and (target.suffix != ".md" or anchor not in anchors(target)):
        return f"{target.relative_to(REPO)} has no heading #{anchor}"
    return None
