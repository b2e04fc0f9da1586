"""Errors that are found before vLLM is started."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors.numpy import save_file

from fmau.core.errors import ServerError
from fmau.recipe import ServeBlock
from fmau.serve import start_server
from fmau.serve.preflight import check_address, is_loopback
from tests.serve.support import free_port, recipe


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_names_its_owner_and_the_remedy(taken_port: int) -> None:
    with pytest.raises(ServerError) as caught:
        check_address(ServeBlock(port=taken_port), None)
    message = str(caught.value)
    assert f"port {taken_port} is in use" in message
    assert f"(process {os.getpid()})" in message
    assert "--set serve.port=" in message


def test_start_server_stops_at_a_taken_port(taken_port: int, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    save_file({}, tmp_path / "model.safetensors")
    wanted = recipe(model={"path": str(tmp_path), "dtype": "float32"}, serve={"port": taken_port})
    with pytest.raises(ServerError, match="in use"):
        start_server(wanted, log_path=tmp_path / "server.log")
    assert not (tmp_path / "server.log").exists()


def test_an_open_address_needs_a_key() -> None:
    everyone = ServeBlock(host="0.0.0.0", port=free_port())
    with pytest.raises(ServerError, match="API key"):
        check_address(everyone, None)
    with pytest.raises(ServerError, match="API key"):
        check_address(everyone, "")
    check_address(everyone, "s3cret")


def test_a_host_of_another_machine() -> None:
    with pytest.raises(ServerError, match=r"serve\.host 203\.0\.113\.1"):
        check_address(ServeBlock(host="203.0.113.1", port=free_port()), "s3cret")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org"])
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)
