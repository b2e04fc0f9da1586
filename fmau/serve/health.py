"""Is a server there, and which model does it serve?"""

import json
from dataclasses import dataclass
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

from fmau.core.errors import ServerError
from fmau.recipe import ServeBlock

TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class RunningModel:
    """What a server says it serves.

    Attributes:
        name: to give as `model` in requests.
        path: the checkpoint folder or hub name that was loaded; None if the server hides it.
        max_model_len: longest prompt plus reply, in tokens; None if the server does not say.
    """

    name: str
    path: str | None
    max_model_len: int | None


def local_url(serve: ServeBlock) -> str:
    """Where this machine reaches a server so configured, e.g. "http://127.0.0.1:8000".

    A server bound to all addresses ("0.0.0.0", "::") is asked on the loopback one.
    """
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(serve.host, serve.host)
    bracketed = f"[{host}]" if ":" in host else host
    return f"http://{bracketed}:{serve.port}"


def health(base_url: str) -> bool:
    """Whether a vLLM server at `base_url` (http://HOST:PORT) answers and its engine is alive."""
    try:
        with opener().open(f"{base_url}/health", timeout=TIMEOUT_S) as reply:
            return bool(reply.status == 200)
    except (OSError, HTTPException):
        return False


def running_model(base_url: str, api_key: str | None = None) -> RunningModel | None:
    """The base model that the server at `base_url` serves, or None if nothing listens there.

    Raises:
        ServerError: something listens that wants another API key or is no OpenAI-style server.
    """
    request = Request(f"{base_url}/v1/models")
    if api_key is not None:
        request.add_header("Authorization", f"Bearer {api_key}")
    try:
        with opener().open(request, timeout=TIMEOUT_S) as reply:
            return _base_model(json.load(reply))
    except HTTPError as error:
        if error.code in (401, 403):
            raise ServerError(
                f"the server at {base_url} refuses our API key; give the one it was started with"
            ) from None
        raise _not_ours(base_url, f"/v1/models gives HTTP {error.code}") from None
    except URLError as error:
        if isinstance(error.reason, ConnectionRefusedError):
            return None
        raise _not_ours(base_url, str(error.reason)) from None
    except (OSError, HTTPException, LookupError, TypeError, ValueError) as error:
        raise _not_ours(base_url, f"its model list cannot be read ({error})") from None


def _base_model(listing: dict[str, list[dict[str, str | int | None]]]) -> RunningModel:
    # Adapters are listed too; they name the model they belong to as `parent`.
    card = [card for card in listing["data"] if card.get("parent") is None][0]  # noqa: RUF015
    path, length = card.get("root"), card.get("max_model_len")
    return RunningModel(
        name=str(card["id"]),
        path=None if path is None else str(path),
        max_model_len=None if length is None else int(length),
    )


def _not_ours(base_url: str, why: str) -> ServerError:
    return ServerError(
        f"{base_url} is not a vLLM server: {why}; end what runs there or choose another port "
        "with --set serve.port=NUMBER"
    )


def opener() -> OpenerDirector:
    """Opens URLs; no proxy of the environment comes between us and our own machine."""
    return build_opener(ProxyHandler({}))
