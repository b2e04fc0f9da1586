"""The addresses at which a model answers, and first checks of a server, for synchronous code."""

from dataclasses import dataclass, field
from pathlib import Path

from fmau.core.errors import ServerError
from fmau.core.interrupt import run_async
from fmau.recipe import RemoteBlock
from fmau.serve.client.chat import ChatClient
from fmau.serve.client.failures import NoServerError
from fmau.serve.client.key import read_key
from fmau.serve.client.wire import ServedModel

LOOK_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The addresses at which a model answers.

    Attributes:
        base_url: address for requests: a server, or the router in front of several.
        api_key: None for servers without a key.
        key_header: header in which the key is sent.
        members: addresses of the servers behind `base_url`, e.g. "http://127.0.0.1:8000"; each is
            asked for its counters. Empty if `base_url` is the only server.
        logs: log files of the servers, if this machine has them; they count vision tower runs.
    """

    base_url: str
    api_key: str | None = field(default=None, repr=False)
    members: tuple[str, ...] = ()
    logs: tuple[Path, ...] = ()
    key_header: str = "Authorization"

    @property
    def servers(self) -> tuple[str, ...]:
        """Addresses of the servers themselves, not of the router; at least one."""
        return self.members or (self.base_url,)


def remote_endpoint(remote: RemoteBlock, address: str | None = None) -> Endpoint:
    """The endpoint of a model behind an API.

    Args:
        address: another address of the API; default: the block's.

    Raises:
        ServerError: the API key in the environment is unusable, see `read_key`.
    """
    key = read_key(remote.key_variable)
    return Endpoint(address or remote.base_url, key, key_header=remote.key_header)


def is_alive(base_url: str) -> bool:
    """Whether a server at `base_url` (http://HOST:PORT) answers without a server error."""

    async def look() -> bool:
        async with ChatClient(base_url) as client:
            return await client.is_alive()

    return run_async(look())


def base_model(base_url: str, api_key: str | None = None) -> ServedModel | None:
    """The base model that the server at `base_url` serves; None if nothing listens there.

    Raises:
        ServerError: a server listens, but it requires another API key, lists no model, or is not
            OpenAI-compatible.
    """

    async def look() -> list[ServedModel]:
        async with ChatClient(base_url, api_key=api_key, timeout_s=LOOK_TIMEOUT_S) as client:
            return await client.models()

    try:
        served = run_async(look())
    except NoServerError:
        return None
    # The list has adapters too; their `parent` is the model that they belong to.
    found = next((model for model in served if model.parent is None), None)
    if found is None:
        raise ServerError(f"{base_url}: the server lists no model; end it, or choose another port")
    return found
