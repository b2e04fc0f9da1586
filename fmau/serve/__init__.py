"""Starting, awaiting and stopping the vLLM server that answers questions.

adapter.py      is this adapter one that vLLM applies in full
flags.py        recipe -> command line and environment
preflight.py    what is checked before anything is started
server.py       the server's life
fleet.py        one server per GPU
reach.py        given servers, those that run, or some of our own
router.py       one address in front of several
supervisor.py   ends all of vLLM's processes, whatever happens to ours
logcause.py     the cause of a failed start, out of the log
clipcheck.py    do clips reach the model as we send them
client/         asks any chat server; the only code that does
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
