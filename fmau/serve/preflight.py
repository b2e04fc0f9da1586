"""Checks of context length, port and its listener before vLLM is started, which takes a minute."""

import errno
import ipaddress
import os
import socket
from typing import Any

import psutil

from fmau.core.errors import RecipeError, ServerError
from fmau.recipe import Recipe, ServeBlock


def check_context(recipe: Recipe, prompt_tokens: int) -> None:
    """Check that a prompt with its clip and the longest reply fit into the server's context.

    Args:
        prompt_tokens: length of the longest prompt, or a lower bound of it.

    Raises:
        RecipeError: they do not fit.
    """
    context, reply = recipe.serve.max_model_len, recipe.answer.max_tokens_open
    if prompt_tokens + reply > context:
        raise RecipeError(
            f"serve.max_model_len is {context} tokens, but a question with its clip takes "
            f"{prompt_tokens} and a reply may take {reply}; raise serve.max_model_len to "
            f"{prompt_tokens + reply} or more, or lower frames.max_pixels_per_frame, "
            "frames.count or answer.max_tokens_open"
        )


def check_address(serve: ServeBlock, api_key: str | None) -> None:
    """Check that the port can be bound, and that a server others can reach has an API key.

    Raises:
        ServerError: the port is in use (the error names the program if the system tells) or not
            allowed; the host is not an address of this machine; or other machines can reach it
            and there is no API key.
    """
    if not is_loopback(serve.host) and not api_key:
        raise ServerError(
            f"serve.host {serve.host} can be reached from other machines and has no API key: "
            "set an API key (FMAU_API_KEY), or use 127.0.0.1"
        )
    family = socket.AF_INET6 if ":" in serve.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # vLLM does the same: a port whose last connections are still closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((serve.host, serve.port))
        except OSError as error:
            raise _bind_error(serve, error) from None


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bind_error(serve: ServeBlock, error: OSError) -> ServerError:
    if error.errno == errno.EADDRINUSE:
        return ServerError(
            f"port {serve.port} is in use{_port_owner(serve.port)}; "
            "end that program or choose another port: --set serve.port=NUMBER"
        )
    if error.errno == errno.EACCES:
        return ServerError(
            f"port {serve.port} needs special rights; choose one above 1023: "
            "--set serve.port=NUMBER"
        )
    return ServerError(
        f"cannot listen on serve.host {serve.host}, port {serve.port} ({error.strerror}); "
        "use 127.0.0.1 or an address of this machine"
    )


def check_listener(port: int) -> None:
    """Check that what listens at a port of this machine is this user's, before it is sent a key.

    Raises:
        ServerError: it is another user's program, or the system does not tell whose it is.
    """
    try:
        pids = {connection.pid for connection in _listening(port)}
        own = {pid is not None and psutil.Process(pid).uids().real == os.getuid() for pid in pids}
    except psutil.Error:
        own = {False}
    if False in own:
        raise ServerError(
            f"port {port} is in use{_port_owner(port) or ' by an unknown program'}, so the API key "
            f"is not sent to it; if it is your server, name it: --server http://127.0.0.1:{port}; "
            "else choose another port: --set serve.port=NUMBER"
        )


def _listening(port: int) -> list[Any]:
    return [
        connection
        for connection in psutil.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
    ]


def _port_owner(port: int) -> str:
    """ " by NAME (process 123)"; "" if the system does not tell."""
    try:
        for connection in _listening(port):
            if connection.pid is None:
                return " by another user's program"
            name = psutil.Process(connection.pid).name()
            return f" by {name} (process {connection.pid})"
    except psutil.Error:
        return ""
    return ""
