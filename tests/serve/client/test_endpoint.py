"""Recognising a server that is there already."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from fmau.core.errors import ServerError
from fmau.serve.client import ServedModel, base_model, is_alive
from tests.serve.support import free_port

BASE = {"id": "tiny", "root": "/models/tiny", "max_model_len": 512, "parent": None}
ADAPTER = {"id": "lora", "root": "/adapters/lora", "max_model_len": None, "parent": "tiny"}

Serve = Callable[..., AbstractContextManager[str]]


@pytest.fixture
def serve() -> Serve:
    @contextmanager
    def run(body: bytes, key: str | None = None) -> Iterator[str]:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                refused = key is not None and self.headers["Authorization"] != f"Bearer {key}"
                self.send_response(401 if refused else 200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        server.server_close()

    return run


def test_the_base_model_is_found_among_adapters(serve: Serve) -> None:
    with serve(json.dumps({"data": [ADAPTER, BASE]}).encode()) as url:
        assert is_alive(url)
        assert base_model(url) == ServedModel("tiny", "/models/tiny", None)


def test_a_server_with_a_key(serve: Serve) -> None:
    with serve(json.dumps({"data": [BASE]}).encode(), key="s3cret") as url:
        with pytest.raises(ServerError, match="API key"):
            base_model(url)
        found = base_model(url, api_key="s3cret")
        assert found is not None
        assert found.name == "tiny"


def test_nothing_there() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert not is_alive(url)
    assert base_model(url) is None


def test_a_proxy_of_the_environment_is_not_asked(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with serve(json.dumps({"data": [BASE]}).encode()) as url:
        assert base_model(url) is not None


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<html>hello</html>", "not an OpenAI-compatible server"),
        (b"{}", "not an OpenAI-compatible server"),
        (b'{"data": 3}', "not an OpenAI-compatible server"),
        (b'{"data": []}', "lists no model"),
    ],
)
def test_another_programs_server(serve: Serve, body: bytes, what: str) -> None:
    with serve(body) as url, pytest.raises(ServerError, match=what):
        base_model(url)
