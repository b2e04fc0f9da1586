"""The blocks of docs/python.md as one script, and what it says that they print."""

import re

from tests.paths import REPO

PAGE = REPO / "docs" / "python.md"
SERVER = "http://127.0.0.1:8000"
"""Where the page asks."""

MODEL = "Qwen/Qwen3-VL-8B-Instruct"
"""Of the recipe that the page loads."""

_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PRINTED = re.compile(r"^ *print\(.*\)  # -> (.*)$", re.MULTILINE)


def script(server: str) -> str:
    """All blocks in their order, asking another server."""
    code = "\n".join(_BLOCK.findall(PAGE.read_text("utf-8")))
    assert SERVER in code
    return code.replace(SERVER, server)


def printed() -> list[str]:
    """The lines that the page says are printed."""
    return _PRINTED.findall(script(SERVER))
