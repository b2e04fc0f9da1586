"""The licences of what is installed."""

import subprocess
import sys

from tests.paths import REPO


def test_no_package_that_users_install_has_a_licence_that_does_not_fit() -> None:
    command = [sys.executable, "scripts/licences.py", "--check"]
    ended = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    lines = dict(line.split(": ", 1) for line in ended.stdout.splitlines())
    assert any(line.startswith("numpy ") for line in lines)
    assert len(lines) > 60
