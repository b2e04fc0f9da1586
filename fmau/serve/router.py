"""One address in front of several servers, which keeps all questions about a clip at one of them.

The program is the `vllm-router` package, hashing the X-Session-ID that every request carries onto a
ring of servers: a clip stays where it is while its server lives, a lost server's clips spread over
the others, and nothing else moves. vLLM's own data-parallel front end looks at load alone, so the
twelve questions of a clip would be prefilled on several GPUs.

It passes on the body fields and headers that fmau relies on (`media_io_kwargs`, `video_url: null`,
`structured_outputs`, the API key). Its retries are switched off: after a failure the next attempt
has to bring the clip's frames along, and only the client has them. It lets anyone who can reach it
add servers, so it listens on loopback alone, beside the client that asks.
"""

import os
import socket
import sys
from collections.abc import Sequence
from importlib import util
from pathlib import Path

from fmau.core.errors import ServerError
from fmau.recipe import ServeBlock
from fmau.serve.server import Server

READY_TIMEOUT_S = 60.0
REQUEST_TIMEOUT_S = 24 * 3600
"""The client's patience comes first, whatever it is."""


def start_router(urls: Sequence[str], *, log_path: Path) -> Server:
    """Start a router in front of servers that answer; `Server.wait_ready` waits for it.

    Args:
        urls: of the servers, e.g. "http://127.0.0.1:8000".
        log_path: file that the router logs to.

    Raises:
        ServerError: the package is not installed.
    """
    if util.find_spec("vllm_router") is None:
        raise ServerError(
            "several servers need the package vllm-router in front of them; pip install "
            "'fmau[serve]' (or 'fmau[serve-cpu]'), or use one server: --set serve.replicas=1"
        )
    port, metrics_port = _free_ports(2)
    command = [
        *(sys.executable, "-m", "vllm_router.launch_router"),
        *("--host", "127.0.0.1", "--port", str(port), "--prometheus-port", str(metrics_port)),
        *("--worker-urls", *urls, "--policy", "consistent_hash"),
        *("--request-timeout-secs", str(REQUEST_TIMEOUT_S), "--disable-retries"),
        # Two failures in a row take a server off the ring; five seconds later it is tried again.
        *("--cb-failure-threshold", "2", "--cb-timeout-duration-secs", "5"),
        *("--health-check-interval-secs", "5", "--health-failure-threshold", "2"),
        *("--log-level", "error"),
    ]
    # A proxy of the environment must not come between the router and its servers.
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    serve = ServeBlock(port=port, ready_timeout_s=READY_TIMEOUT_S)
    return Server(command, environment, serve, log_path, name="vllm-router")


def _free_ports(count: int) -> list[int]:
    """Ports that nobody uses now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
