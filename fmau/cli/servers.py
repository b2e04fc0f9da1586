"""The server that a command asks: a given one, one that runs, or one of our own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from fmau.cli.app import err
from fmau.errors import ServerError
from fmau.recipe import Recipe, TextModel

if TYPE_CHECKING:
    from fmau.serve import Server

API_KEY = "FMAU_API_KEY"
"""Environment variable that holds the server's key: a secret belongs in no recipe or manifest."""


def server_key() -> str | None:
    """The server's key, None without one."""
    return os.environ.get(API_KEY)


def server_log(recipe: Recipe) -> Path:
    """Where a server that was started for a recipe logs to."""
    return recipe.run_folder / "server.log"


@contextmanager
def base_url(recipe: Recipe, given: str | None, adapter: Path | None = None) -> Iterator[str]:
    """The server to ask: the given one, one that runs at the recipe's port, or one of our own.

    A server that others started is asked first whether clips reach its model unchanged.
    """
    from fmau.serve import check_clips, local_url, running_model

    address = url_of(given) if given else local_url(recipe.serve)
    running = running_model(address, server_key())
    if running is not None:
        check_clips(address, running.name, recipe.frames, server_key())
        yield address
    elif given:
        raise ServerError(
            f"{address}: no server answers; start one with fmau serve RECIPE, or leave --server out"
        )
    else:
        with started(recipe, server_log(recipe), adapter) as server:
            yield server.base_url


def url_of(given: str) -> str:
    """The address behind --server, without "/v1".

    Raises:
        typer.BadParameter: it is no URL.
    """
    if not given.startswith(("http://", "https://")):
        raise typer.BadParameter(f"--server {given}: write http://HOST:PORT")
    return given.rstrip("/").removesuffix("/v1")


@contextmanager
def started(
    served: Recipe | TextModel, log: Path, adapter: Path | None = None
) -> "Iterator[Server]":
    """A server of our own, ready; stopped when the block ends.

    Args:
        log: file for what vLLM prints.
        adapter: served beside the model.
    """
    from fmau.serve import start_server

    with start_server(served, log_path=log, api_key=server_key(), adapter=adapter) as server:
        with err.status("starting vLLM") as status:
            server.wait_ready(lambda line: status.update(f"starting vLLM: {escape(line[:90])}"))
        yield server
