"""The servers that a command asks: given ones, those that run, or some of our own."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from fmau.cli.app import err
from fmau.core.errors import ServerError
from fmau.recipe import Recipe, ServeBlock, TextModel

if TYPE_CHECKING:
    from fmau.answer import Endpoint
    from fmau.serve import Fleet

API_KEY = "FMAU_API_KEY"
"""Environment variable that holds the servers' key: a secret belongs in no recipe or manifest."""


def server_key() -> str | None:
    """The servers' key, None without one."""
    return os.environ.get(API_KEY)


@contextmanager
def endpoint(
    recipe: Recipe, given: Sequence[str] | None, adapter: Path | None = None
) -> "Iterator[Endpoint]":
    """The servers to ask: the given ones, those at the recipe's ports, or some of our own.

    Servers that others started are asked first whether clips reach their model unchanged.
    """
    from fmau.answer import Endpoint
    from fmau.serve import check_clips

    found = running_servers(recipe.serve, given)
    for address, name in found.items():
        check_clips(address, name, recipe.frames, server_key())
    folder = recipe.run_folder
    with reached(list(found), recipe, folder, adapter) as (url, members):
        logs = (*folder.glob("server.log"), *folder.glob("server-*.log"))
        yield Endpoint(url, server_key(), tuple(members), logs)


def running_servers(serve: ServeBlock, given: Sequence[str] | None) -> dict[str, str]:
    """Address -> name of the model, of the given servers or of those at a recipe's ports.

    Raises:
        ServerError: a given server does not answer.
    """
    from fmau.serve import local_url, neighbours, running_model, visible_gpus

    if given:
        addresses = [url_of(one) for one in given]
    else:
        count = serve.replicas or max(1, len(visible_gpus()))
        addresses = [local_url(one) for one in neighbours(serve, count)]
    models = {address: running_model(address, server_key()) for address in addresses}
    missing = [address for address, model in models.items() if model is None]
    if given and missing:
        raise ServerError(
            f"{', '.join(missing)}: no server answers; start one with fmau serve RECIPE, or leave "
            "this --server out"
        )
    return {address: model.name for address, model in models.items() if model is not None}


@contextmanager
def reached(
    running: Sequence[str], served: Recipe | TextModel, folder: Path, adapter: Path | None = None
) -> Iterator[tuple[str, Sequence[str]]]:
    """One address to ask, and those of the servers behind it.

    Args:
        running: servers that answer; if there are none, some are started for the block.
        folder: gets the logs.
    """
    if running:
        with _routed(running, folder) as url:
            yield url, running
    else:
        with started(served, folder, adapter) as fleet, _routed(fleet.base_urls, folder) as url:
            yield url, fleet.base_urls


@contextmanager
def started(
    served: Recipe | TextModel, folder: Path, adapter: Path | None = None
) -> "Iterator[Fleet]":
    """Servers of our own, ready; stopped when the block ends.

    Args:
        folder: for the logs of vLLM.
        adapter: served beside the model.
    """
    from fmau.serve import start_fleet

    with (
        start_fleet(served, log_folder=folder, api_key=server_key(), adapter=adapter) as fleet,
        err.status("starting vLLM") as status,
    ):
        fleet.wait_ready(lambda line: status.update(f"starting vLLM: {escape(line[:90])}"))
        status.stop()
        yield fleet


def url_of(given: str) -> str:
    """The address behind --server, without "/v1".

    Raises:
        typer.BadParameter: it is no URL.
    """
    if not given.startswith(("http://", "https://")):
        raise typer.BadParameter(f"--server {given}: write http://HOST:PORT")
    return given.rstrip("/").removesuffix("/v1")


@contextmanager
def _routed(urls: Sequence[str], folder: Path) -> Iterator[str]:
    """One address for one or more servers."""
    from fmau.serve import start_router

    if len(urls) == 1:
        yield urls[0]
        return
    with start_router(urls, log_path=folder / "router.log") as router:
        router.wait_ready()
        yield router.base_url
