"""Starting, awaiting and stopping the vLLM server that answers questions.

adapter.py      is this adapter one that vLLM applies in full
flags.py        recipe -> command line and environment
preflight.py    what is checked before anything is started
server.py       the server's life
fleet.py        one server per GPU
router.py       one address in front of several
hardware.py     the GPUs that there are
supervisor.py   ends all of vLLM's processes, whatever happens to ours
logcause.py     the cause of a failed start, out of the log
health.py       is a server there, and with which model
"""

from fmau.core.hardware import visible_gpus
from fmau.serve.clipcheck import check_clips
from fmau.serve.flags import installed_build, server_argv, server_env
from fmau.serve.fleet import Fleet, log_paths, neighbours, replicas, start_fleet
from fmau.serve.health import RunningModel, health, local_url, running_model
from fmau.serve.router import start_router
from fmau.serve.server import Server, start_server

__all__ = [
    "Fleet",
    "RunningModel",
    "Server",
    "check_clips",
    "health",
    "installed_build",
    "local_url",
    "log_paths",
    "neighbours",
    "replicas",
    "running_model",
    "server_argv",
    "server_env",
    "start_fleet",
    "start_router",
    "start_server",
    "visible_gpus",
]
