"""The Slurm script on three nodes: addresses of this machine, and stand-ins for Slurm and vLLM."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from fmau.runs import read_answers, read_manifest
from tests.cli.support import small_recipe
from tests.clips import write_clip
from tests.paths import REPO
from tests.question_rows import write_questions

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("curl") is None, reason="the script needs curl"),
]

STAND_INS = {
    "scontrol": "printf 'node%s\\n' 1 2 3",
    "hostname": 'echo "$NODE"',
    # node1 is 127.0.0.2 and so on.
    "getent": 'echo "127.0.0.$((${2#node} + 1)) STREAM $2"',
    "srun": """
        while [[ $1 == --* ]]; do shift; done
        trap 'kill $(jobs -p) 2>/dev/null' TERM EXIT
        for node in $(scontrol show hostnames); do NODE=$node "$@" & done
        wait""",
    "fmau": f"""
        if [[ $1 == answer ]]; then exec {sys.executable} -m fmau "$@"; fi
        for setting in "$@"; do
          case $setting in
            serve.host=*) host=${{setting#*=}} ;;
            serve.port=*) port=${{setting#*=}} ;;
          esac
        done
        exec {sys.executable} -m tests.answer.stub_server "$port" 0.01 "$host" """,
}


def test_the_servers_of_three_nodes_answer_together(tmp_path: Path) -> None:
    recipe = small_recipe(tmp_path)
    clips = [f"nod{number}" for number in range(9)]
    for number, clip in enumerate(clips):
        write_clip(tmp_path / f"clips/{clip}.mp4", 20 + number)
    write_questions(tmp_path / "questions.json", clips, marked=True)
    _install_stand_ins(tmp_path)
    port = _free_port()
    done = subprocess.run(
        ["bash", REPO / "scripts/answer.slurm", recipe],
        cwd=tmp_path,
        env=os.environ
        | {
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(REPO),
            "SLURM_JOB_ID": str(port - 20_000),
            "SLURM_JOB_NODELIST": "node[1-3]",
            "SLURM_GPUS_ON_NODE": "1",
        },
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "108 of 108 questions have a row" in done.stdout
    assert "9 clips, 9 decoded, 9 sent" in done.stdout
    folder = tmp_path / "runs/small"
    assert {row.status for row in read_answers(folder)} == {"ok"}
    addresses = [f"http://127.0.0.{last}:{port}" for last in (2, 3, 4)]
    assert read_manifest(folder).sessions[-1].facts["servers"] == addresses
    for last in (2, 3, 4):  # no server outlives the job
        with socket.socket() as client:
            assert client.connect_ex((f"127.0.0.{last}", port)) != 0


def _install_stand_ins(root: Path) -> None:
    (root / "bin").mkdir()
    for name, script in STAND_INS.items():
        path = root / "bin" / name
        path.write_text(f"#!/usr/bin/env bash\n{script}\n")
        path.chmod(0o755)
    (root / ".venv-gpu/bin").mkdir(parents=True)
    (root / ".venv-gpu/bin/activate").touch()


def _free_port() -> int:
    """One that a job number can give: 20,000 to 39,999."""
    for port in range(20_000 + os.getpid() % 10_000, 40_000):
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.2", port)) != 0:
                return port
    raise AssertionError("no port is free")
