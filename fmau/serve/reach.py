"""Find the servers to ask: those given by address, those that run already, or new ones.

`fmau answer`, `ask`, `judge` and `serve` all get their servers here.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from fmau.core.errors import ServerError
from fmau.core.hardware import visible_gpus
from fmau.families.find import known_family
from fmau.recipe import Recipe, ServeBlock
from fmau.serve.client import Endpoint, base_model, read_key, remote_endpoint, server_url
from fmau.serve.clipcheck import check_clips
from fmau.serve.flags import Served
from fmau.serve.fleet import Fleet, neighbours, replicas, start_fleet
from fmau.serve.preflight import check_listener
from fmau.serve.router import start_router
from fmau.serve.server import Progress, local_url

API_KEY = "FMAU_API_KEY"
"""Environment variable for the servers' API key; a secret must not be in a recipe or manifest."""

Waiting = Callable[[], AbstractContextManager[Progress]]
"""Opens a display while servers start, and gives a function that receives their log lines."""


def in_silence() -> AbstractContextManager[Progress]:
    """A display that shows nothing."""
    return nullcontext(lambda _line: None)


def server_key() -> str | None:
    """The servers' API key; None if there is none.

    Raises:
        ServerError: see `read_key`.
    """
    return read_key(API_KEY)


@contextmanager
def reached(
    served: Served,
    folder: Path,
    *,
    given: Sequence[str] = (),
    adapter: Path | None = None,
    waiting: Waiting = in_silence,
) -> Iterator[Endpoint]:
    """Give the endpoint of a model, for the duration of the `with` block.

    Uses the given servers; else servers that run at the ports of `served`; else it starts servers
    and stops them after the block. If `served` gets clips, servers that run already are first
    checked with `check_clips`. A recipe's API is used as it is.

    Args:
        folder: folder for the logs of started programs.
        given: addresses of servers, "http://HOST:PORT".
        adapter: folder of a LoRA adapter that started servers serve beside the model.
        waiting: display to show while servers start.

    Raises:
        ServerError: a given server does not answer, a server changes clips, no server could be
            started, or a server is given for a recipe with an API.
        RecipeError, InputError: a started server would not apply the adapter.
    """
    if isinstance(served, Recipe) and served.api is not None:
        if given:
            raise ServerError(
                f"the recipe's model is behind an API, at {served.api.place}; to ask another one, "
                "leave --server out and give its address with --set api.base_url=URL"
            )
        yield remote_endpoint(served.api)
        return
    running = running_servers(served.serve, given)
    if isinstance(served, Recipe):
        family = known_family(served.model)
        for address, model in running.items():
            as_images = served.answer.as_images
            check_clips(address, model, served.frames, family, server_key(), as_images=as_images)
    if running:
        with _routed(list(running), folder) as url:
            yield _endpoint(url, list(running), folder)
        return
    with (
        started(served, folder, adapter, waiting) as fleet,
        _routed(fleet.base_urls, folder) as url,
    ):
        yield _endpoint(url, fleet.base_urls, folder)


def running_servers(serve: ServeBlock, given: Sequence[str] = ()) -> dict[str, str]:
    """Address -> model name, of the given servers or of those that run at the recipe's ports.

    Raises:
        ServerError: no server answers at a given address, or there is an API key and another
            user's program listens at one of the ports.
    """
    key = server_key()
    if given:
        addresses = [server_url(one) for one in given]
    else:
        count = replicas(serve, len(visible_gpus()))
        served = neighbours(serve, count)
        for one in served if key is not None else ():
            check_listener(one.port)
        addresses = [local_url(one) for one in served]
    models = {address: base_model(address, key) for address in addresses}
    missing = [address for address, model in models.items() if model is None]
    if given and missing:
        raise ServerError(
            f"{', '.join(missing)}: no server answers; start one with fmau serve RECIPE, or omit "
            "this --server"
        )
    return {address: model.name for address, model in models.items() if model is not None}


@contextmanager
def started(
    served: Served, folder: Path, adapter: Path | None = None, waiting: Waiting = in_silence
) -> Iterator[Fleet]:
    """Start servers and wait until they are ready; stop them after the block.

    Arguments and errors as for `reached`.

    Raises:
        RecipeError: the recipe's model is behind an API.
    """
    if isinstance(served, Recipe):
        served.check_weights("fmau serve")
    with start_fleet(served, log_folder=folder, api_key=server_key(), adapter=adapter) as fleet:
        with waiting() as progress:
            fleet.wait_ready(progress)
        yield fleet


def _endpoint(url: str, members: Sequence[str], folder: Path) -> Endpoint:
    logs = (*folder.glob("server.log"), *folder.glob("server-*.log"))
    return Endpoint(url, server_key(), tuple(members), logs)


@contextmanager
def _routed(urls: Sequence[str], folder: Path) -> Iterator[str]:
    """One address for all servers: that of a single server, or of a router in front of several."""
    if len(urls) == 1:
        yield urls[0]
        return
    with start_router(urls, log_path=folder / "router.log") as router:
        router.wait_ready()
        yield router.base_url
