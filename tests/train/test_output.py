"""What a training prints where its output cannot be taken: words, and never a traceback of ours."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import REPO
from tests.train.workshop import furnish, recipe_file


@pytest.mark.slow
def test_a_full_disk_behind_stdout_and_letters_that_the_terminal_does_not_have(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "gesto – 頷く"
    folder.mkdir()
    recipe = recipe_file(furnish(folder), "small", lora={"rank": 4}, mixture={"CMAR": 1})
    command = [sys.executable, "-m", "fmau.train", str(recipe)]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}

    def said(stdout: object) -> str:
        with Path(str(stdout)).open("w") as file:
            ended = subprocess.run(
                command, cwd=REPO, env=environment, stdout=file, stderr=subprocess.PIPE, check=False
            )
        return ended.stderr.decode("ascii")

    errors = [line for line in said("/dev/full").splitlines() if line.startswith("error: ")]
    assert errors == ["error: stdout: cannot be written: No space left on device"]
    assert "small/adapter" in said(tmp_path / "log").splitlines()[-1]
