"""Start and stop several vLLM servers, one per GPU.

An 8B model fits on one GPU, and splitting it over several does not answer a clip's questions
faster. So each GPU gets its own server, on consecutive ports, with a router in front of them
(`fmau.serve.router`). `fmau serve` and `fmau.serve.reach` use this module.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from fmau.core.errors import ServerError
from fmau.core.hardware import visible_gpus
from fmau.recipe import ServeBlock
from fmau.serve.adapter import read_adapter
from fmau.serve.flags import Served, installed_build
from fmau.serve.server import Progress, Server, start_server

POLL_S = 0.5


def replicas(serve: ServeBlock, gpus: int) -> int:
    """Number of servers: `serve.replicas` if it is set, else one per GPU, or one without GPUs.

    Args:
        gpus: number of GPUs of this machine or of the cluster.
    """
    return serve.replicas or max(1, gpus)


def log_paths(folder: Path, count: int) -> list[Path]:
    """The log files of `count` servers."""
    names = ["server.log"] if count == 1 else [f"server-{place}.log" for place in range(count)]
    return [folder / name for name in names]


def start_fleet(
    recipe: Served, *, log_folder: Path, api_key: str | None = None, adapter: Path | None = None
) -> "Fleet":
    """Start the servers of a recipe on consecutive ports; `Fleet.wait_ready` waits for all.

    Args:
        log_folder: folder for the log files, one per server.
        api_key: as for `start_server`.
        adapter: folder of a LoRA adapter to serve beside the base model.

    Raises:
        ServerError, RecipeError: as for `start_server`; or there are fewer GPUs than servers.
        RecipeError, InputError: the server would not apply the adapter, see `read_adapter`.
    """
    build = installed_build()
    gpus = visible_gpus() if build == "gpu" else []
    count = replicas(recipe.serve, len(gpus))
    if gpus and count > len(gpus):
        raise ServerError(
            f"serve.replicas is {count}, but {len(gpus)} GPUs are visible; lower it, or leave it "
            "out for one server per GPU"
        )
    checked = read_adapter(adapter, recipe.model) if adapter else None
    servers: list[Server] = []
    with ExitStack() as undo:
        for place, log_path in enumerate(log_paths(log_folder, count)):
            server = start_server(
                recipe.model_copy(update={"serve": _neighbour(recipe.serve, place)}),
                log_path=log_path,
                api_key=api_key,
                adapter=checked,
                gpu=gpus[place] if count > 1 and gpus else None,
                share=count,
            )
            undo.callback(server.stop)
            servers.append(server)
        undo.pop_all()  # all started; from now on the fleet stops them
    return Fleet(tuple(servers))


def neighbours(serve: ServeBlock, count: int) -> list[ServeBlock]:
    """The serve blocks of `count` servers: `serve.port` and the ports after it."""
    return [_neighbour(serve, place) for place in range(count)]


class Fleet:
    """The servers of one recipe; use it as a context manager.

    Attributes:
        servers: at least one server.
    """

    def __init__(self, servers: tuple[Server, ...]) -> None:
        self.servers = servers

    @property
    def base_urls(self) -> list[str]:
        """The addresses of the servers."""
        return [server.base_url for server in self.servers]

    def wait_ready(self, progress: Progress | None = None) -> None:
        """Block until all servers answer.

        Raises:
            ServerError: a server could not be started; the `with` block then stops the others.
        """
        for server in self.servers:
            server.wait_ready(progress)

    def wait_ended(self, lost: Callable[[ServerError], None]) -> None:
        """Block while any server runs; never returns normally.

        Args:
            lost: called with the error of each server that ended while others still run.

        Raises:
            ServerError: the last server ended.
        """
        running = list(self.servers)
        while True:
            for server in [server for server in running if not server.alive()]:
                running.remove(server)
                if not running:
                    raise server.failure()
                lost(server.failure())
            time.sleep(POLL_S)

    def stop(self) -> None:
        """End all servers."""
        for server in self.servers:
            server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _neighbour(serve: ServeBlock, place: int) -> ServeBlock:
    return serve.model_copy(update={"port": serve.port + place})
