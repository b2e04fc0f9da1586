"""A recipe, free ports, and stand-ins for vLLM that show one behaviour each."""

import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from fmau.demo.tiny import CHECKPOINT
from fmau.recipe import Recipe, ServeBlock
from fmau.serve import Server


def recipe(**blocks: Any) -> Recipe:
    """A small recipe; `blocks` replace those of the same name."""
    return Recipe.model_validate(
        {
            "name": "test",
            "model": {"path": str(CHECKPOINT), "dtype": "float32"},
            "data": {"questions": "q.json", "clips": "clips"},
            "frames": {"min_pixels_per_frame": 16384, "max_pixels_per_frame": 65536},
            "prompt": {"set": "zero_shot"},
            "answer": {"max_tokens_open": 128},
            **blocks,
        }
    )


def free_port(first: int = 8100) -> int:
    """The first port from `first` on that nobody uses."""
    for port in range(first, first + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")


def fake_server(folder: Path, script: str, timeout_s: float = 20.0) -> Server:
    """Start `script` (Python; PORT and FOLDER are defined) in the place of vLLM."""
    port = free_port(8150)
    path = folder / "fake.py"
    path.write_text(f"PORT = {port}\nFOLDER = {str(folder)!r}\n{script}")
    serve = ServeBlock(port=port, ready_timeout_s=timeout_s)
    return Server([sys.executable, str(path)], dict(os.environ), serve, folder / "server.log")


def gone(pid: int, within_s: float = 10.0) -> bool:
    """Whether process `pid` ends (a zombie has ended) within the time given."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


ANSWERING = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        card = b'{"data": [{"id": "m", "root": "/models/m", "max_model_len": 512}]}'
        self.wfile.write(card if self.path == "/v1/models" else b"")
http.server.HTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
"""

# Three generations, all deaf to SIGTERM; the youngest leaves the process group and its parent.
STUBBORN_FAMILY = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
def note(name):
    with open(os.path.join(FOLDER, name + ".part"), "w") as f:
        f.write(str(os.getpid()))
    os.rename(f.name, os.path.join(FOLDER, name))
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
        note("grandchild.pid")
        time.sleep(600)
    note("child.pid")
    time.sleep(600)
note("server.pid")
signal.signal(signal.SIGTERM, signal.SIG_DFL)
time.sleep(600)
"""


def read_pids(folder: Path) -> list[int]:
    """The process ids that STUBBORN_FAMILY writes, once all are there."""
    deadline = time.monotonic() + 10
    names = ("server.pid", "child.pid", "grandchild.pid")
    while not all((folder / name).exists() for name in names):
        assert time.monotonic() < deadline, "the stand-in did not start"
        time.sleep(0.05)
    return [int((folder / name).read_text()) for name in names]
