"""How the commands show that servers start."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.markup import escape

from fmau.cli.app import err


@contextmanager
def starting() -> Iterator[Callable[[str], None]]:
    """A status line with the server's last log line."""
    with err.status("starting vLLM") as status:
        yield lambda line: status.update(f"starting vLLM: {escape(line[:90])}")
