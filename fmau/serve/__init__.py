"""Start, find, check and stop the vLLM servers that answer questions.

adapter.py      an adapter, its tensors checked, as a server is told of it
updates.py      compares an adapter's tensors with the layers of its base model
flags.py        recipe -> command line and environment
preflight.py    checks before anything is started
server.py       one server: start, wait, stop
fleet.py        one server per GPU
reach.py        finds running servers, or starts some
router.py       one address in front of several servers
supervisor.py   ends all processes of vLLM, even if our own process is killed
logcause.py     finds the cause of a failed start in the log
guard.py        lets only requests with the key reach a server, within its process
clipcheck.py    checks that clips reach the model unchanged
client/         the client of chat servers; only this code sends requests
"""

from fmau.serve.clipcheck import check_clips
from fmau.serve.flags import installed_build, server_argv, server_env
from fmau.serve.fleet import Fleet, log_paths, neighbours, replicas, start_fleet
from fmau.serve.router import start_router
from fmau.serve.server import Server, local_url, start_server

__all__ = [
    "Fleet",
    "Server",
    "check_clips",
    "installed_build",
    "local_url",
    "log_paths",
    "neighbours",
    "replicas",
    "server_argv",
    "server_env",
    "start_fleet",
    "start_router",
    "start_server",
]
