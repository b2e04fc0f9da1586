"""Start a router in front of several servers; it sends all questions about a clip to one of them.

The router is the package `vllm-router` with consistent hashing: it maps the X-Session-ID of each
request to a server. A clip stays with its server; if a server is lost, only its clips move, and
they spread over the others. vLLM's own data-parallel front end considers only load, so it would
prefill the twelve questions of one clip on several GPUs.

The router forwards the body fields and headers that fmau needs (`media_io_kwargs`,
`video_url: null`, `structured_outputs`, the API key). Its retries are off: a second attempt must
carry the clip's frames, and only the client has them. Anyone who can reach the router can add
servers to it, so it listens only on loopback, on the client's machine.
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
"""So long that the client's own timeout always comes first."""


def start_router(urls: Sequence[str], *, log_path: Path) -> Server:
    """Start a router in front of running servers; `Server.wait_ready` waits for it.

    Args:
        urls: addresses of the servers, e.g. "http://127.0.0.1:8000".
        log_path: log file of the router.

    Raises:
        ServerError: the package vllm-router is not installed.
    """
    if util.find_spec("vllm_router") is None:
        raise ServerError(
            "several servers need the package vllm-router, which is not installed; pip install "
            "'fmau[serve]' (or 'fmau[serve-cpu]'), or use one server: --set serve.replicas=1"
        )
    port, metrics_port = _free_ports(2)
    command = [
        *(sys.executable, "-m", "vllm_router.launch_router"),
        *("--host", "127.0.0.1", "--port", str(port), "--prometheus-port", str(metrics_port)),
        *("--worker-urls", *urls, "--policy", "consistent_hash"),
        *("--request-timeout-secs", str(REQUEST_TIMEOUT_S), "--disable-retries"),
        # After two failures in a row a server gets no requests for five seconds.
        *("--cb-failure-threshold", "2", "--cb-timeout-duration-secs", "5"),
        *("--health-check-interval-secs", "5", "--health-failure-threshold", "2"),
        *("--log-level", "error"),
    ]
    # The router must reach its servers directly, not through a proxy from the environment.
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    serve = ServeBlock(port=port, ready_timeout_s=READY_TIMEOUT_S)
    return Server(command, environment, serve, log_path, name="vllm-router")


def _free_ports(count: int) -> list[int]:
    """Ports that are free now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
