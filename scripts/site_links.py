"""A hook of MkDocs: links out of docs/ work on the site as they do in a checkout.

Pages link to recipes, prompts and code by paths relative to themselves, as GitHub and editors read
them. MkDocs knows nothing outside docs/, so this hook brings what pages link to into the site, in
a folder `checkout/` and under its path in the repository: Markdown as a page, whose own links are
followed in turn, anything else as the file it is. A site cannot show a folder, so a link to one
becomes its bare text.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

OUTSIDE = "checkout"
CODE_OR_LINK = re.compile(
    r"^ *(?P<fence>```+|~~~+).*?^ *(?P=fence) *$"  # a code block
    r"|`[^`\n]*`"  # code in a line,
    r"|\[(?P<text>[^\]\[]*)\]\((?P<path>[^)\s#:]+)(?P<anchor>#[^)\s]*)?\)",  # a relative link
    re.MULTILINE | re.DOTALL,
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add every file of the repository that a page links to, directly or by way of others."""
    repo = Path(config.config_file_path).parent
    docs = Path(config.docs_dir)
    waiting = [Path(config.docs_dir, file.src_uri) for file in files.documentation_pages()]
    seen = set(waiting)
    while waiting:
        page = waiting.pop()
        for target in _linked(page.read_text("utf-8"), page):
            if target in seen or not target.is_file() or repo not in target.parents:
                continue
            seen.add(target)
            if docs not in target.parents:
                files.append(_brought_in(target, repo, config))
            if target.suffix == ".md":
                waiting.append(target)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point every relative link of a page at where its target is on the site."""
    repo = Path(config.config_file_path).parent
    docs = Path(config.docs_dir)
    source = Path(page.file.abs_src_path or "")

    def moved(found: re.Match[str]) -> str:
        if not found["path"]:
            return found[0]
        target = _target(found, source)
        if target.is_dir():
            return found["text"]
        if target.is_relative_to(docs):
            uri = target.relative_to(docs).as_posix()
        else:
            uri = f"{OUTSIDE}/{os.path.relpath(target, repo)}"
        there = os.path.relpath(uri, os.path.dirname(page.file.src_uri))
        return f"[{found['text']}]({there}{found['anchor'] or ''})"

    return CODE_OR_LINK.sub(moved, markdown)


def _linked(markdown: str, page: Path) -> Iterator[Path]:
    for found in CODE_OR_LINK.finditer(markdown):
        if found["path"]:
            yield _target(found, page)


def _target(link: re.Match[str], page: Path) -> Path:
    return Path(os.path.normpath(page.parent / link["path"]))


def _brought_in(path: Path, repo: Path, config: MkDocsConfig) -> File:
    uri = f"{OUTSIDE}/{path.relative_to(repo).as_posix()}"
    file = File.generated(config, uri, abs_src_path=str(path))
    file.inclusion = InclusionLevel.NOT_IN_NAV
    return file
