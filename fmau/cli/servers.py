"""The display that commands show while servers start."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.markup import escape

from fmau.cli.app import err


@contextmanager
def starting() -> Iterator[Callable[[str], None]]:
    """Show a status line; gives a function that puts a server's last log line into it."""
    with err.status("starting vLLM") as status:
        yield lambda line: status.update(f"starting vLLM: {escape(line[:90])}")
