"""The real vLLM with a key: nothing but what fmau asks for, and nothing without the key."""

from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from fmau.core.interrupt import run_async
from fmau.serve import check_clips, start_server
from fmau.serve.client import base_model
from tests.integration.tiny_served import tiny_recipe
from tests.serve.support import free_port

pytestmark = [pytest.mark.server, pytest.mark.slow]

KEY = "sesame-3f9c"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("vllm")
    log = folder / "server.log"
    recipe = tiny_recipe(folder, serve__port=free_port(8300))
    with start_server(recipe, log_path=log, api_key=KEY) as server:
        server.wait_ready()
        yield server.base_url, log


def status(url: str, path: str, key: str | None, body: object = None) -> tuple[int, str]:
    """Status and text of a request: POST if there is a body."""

    async def ask() -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with aiohttp.ClientSession(headers=headers) as session:
            method = "GET" if body is None else "POST"
            async with session.request(method, url + path, json=body) as response:
                return response.status, await response.text()

    return run_async(ask())


def test_fmau_itself_gets_what_it_asks_for(served: tuple[str, Path], tmp_path: Path) -> None:
    url, log = served
    model = base_model(url, KEY)
    assert model is not None
    recipe = tiny_recipe(tmp_path, serve__port=free_port(8300))
    check_clips(url, model.name, recipe.frames, api_key=KEY)
    assert status(url, "/metrics", KEY)[0] == 200
    assert KEY not in log.read_text("utf-8", "replace")


@pytest.mark.parametrize(
    "path", ["/v1/models", "/v1/chat/completions", "/metrics", "/tokenize", "/invocations", "/docs"]
)
def test_nothing_answers_without_the_key(served: tuple[str, Path], path: str) -> None:
    for key in (None, "wrong"):
        assert status(served[0], path, key, {} if path.count("/") > 1 else None)[0] == 401


@pytest.mark.parametrize("path", ["/invocations", "/docs", "/openapi.json"])
def test_what_fmau_does_not_use_is_not_there(served: tuple[str, Path], path: str) -> None:
    assert status(served[0], path, KEY)[0] == 404


def test_the_server_fetches_no_address(served: tuple[str, Path]) -> None:
    url, _ = served
    model = base_model(url, KEY)
    assert model is not None
    part = {"type": "video_url", "video_url": {"url": f"{url}/health"}}
    body = {"model": model.name, "messages": [{"role": "user", "content": [part]}], "max_tokens": 1}
    code, text = status(url, "/v1/chat/completions", KEY, body)
    assert code == 400
    assert "allowed domains" in text
