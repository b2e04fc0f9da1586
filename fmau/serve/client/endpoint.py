"""Where a model answers, and a first look at what is there; for code that is not asynchronous."""

from dataclasses import dataclass
from pathlib import Path

from fmau.core.errors import ServerError
from fmau.core.interrupt import run_async
from fmau.serve.client.chat import ChatClient, NoServerError
from fmau.serve.client.wire import ServedModel

LOOK_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model answers.

    Attributes:
        base_url: to send requests to: a server, or the router in front of several.
        api_key: None for servers without one.
        members: the servers themselves, e.g. "http://127.0.0.1:8000"; each is asked for counters.
        logs: files that servers log to, from which runs of the vision tower are counted; those at
            hand.
    """

    base_url: str
    api_key: str | None = None
    members: tuple[str, ...] = ()
    logs: tuple[Path, ...] = ()

    @property
    def servers(self) -> tuple[str, ...]:
        """Addresses of the servers that answer in the end; at least one."""
        return self.members or (self.base_url,)


def is_alive(base_url: str) -> bool:
    """Whether a server at `base_url` (http://HOST:PORT) answers and says that it is well."""

    async def look() -> bool:
        async with ChatClient(base_url) as client:
            return await client.is_alive()

    return run_async(look())


def base_model(base_url: str, api_key: str | None = None) -> ServedModel | None:
    """The base model that the server at `base_url` serves, or None if nothing listens there.

    Raises:
        ServerError: something listens that wants another API key, or is not an OpenAI-compatible
            server.
    """

    async def look() -> list[ServedModel]:
        async with ChatClient(base_url, api_key=api_key, timeout_s=LOOK_TIMEOUT_S) as client:
            return await client.models()

    try:
        served = run_async(look())
    except NoServerError:
        return None
    # Adapters are listed too; they name the model they belong to.
    found = next((model for model in served if model.parent is None), None)
    if found is None:
        raise ServerError(f"{base_url}: the server lists no model; end it, or choose another port")
    return found
