"""Every command and fault once; `python -m tests.faults.stages` tries each some times more."""

import subprocess
import sys

import pytest

from tests.faults.stages import BAD_ITEM, COLUMNS, FAULTS, STAGES
from tests.paths import REPO


@pytest.mark.slow
@pytest.mark.parametrize("name", STAGES)
def test_no_file_is_half_written_and_the_next_run_mends_all(name: str) -> None:
    """In a process without threads of its own, because commands run in copies of it."""
    command = [sys.executable, "-m", "tests.faults.stages", name, "--trials", "1"]
    ended = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True)
    rows = [line.strip("| ").split(" | ") for line in ended.stdout.splitlines()[2:]]
    faults = [fault for fault in FAULTS if STAGES[name].bad or fault != BAD_ITEM]
    assert [row[1] for row in rows] == faults
    nothing = ["0"] * (len(COLUMNS) - 1)
    assert [row[2:] for row in rows] == [["1", *nothing]] * len(faults), ended.stderr
