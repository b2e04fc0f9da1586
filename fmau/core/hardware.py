"""Facts about this machine: processor, memory, usable GPUs. For the manifest and for the server."""

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any


def hardware() -> dict[str, Any]:
    """Processor, usable cores, memory in GiB and GPU names of this machine."""
    gpus = output_of(["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"])
    return {
        "cpu": _cpu_name(),
        "cores": usable_cores(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "gpus": gpus.strip().splitlines() if gpus else [],
    }


def usable_cores() -> int:
    """Processor cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):  # Linux; a batch system may allow only some of the cores
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def visible_gpus() -> list[str]:
    """Values for CUDA_VISIBLE_DEVICES, one per usable GPU; empty without an NVIDIA GPU."""
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if listed is not None:
        return [entry.strip() for entry in listed.split(",") if entry.strip()]
    listing = output_of(["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"])
    return listing.split() if listing else []


def output_of(command: list[str]) -> str | None:
    """The output of a small program; None if it is not installed, fails, or takes over 20 s."""
    if shutil.which(command[0]) is None:
        return None
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _cpu_name() -> str:
    try:
        info = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    named = re.search(r"^model name\s*:\s*(.+)$", info, re.MULTILINE)
    return named.group(1) if named else platform.machine()
