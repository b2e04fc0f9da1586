"""scripts/setup.sh tells at once that it cannot work with a Python."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[1] / "scripts" / "setup.sh"


@pytest.mark.parametrize("version", ["3.10", "3.9", "3.14"])
def test_an_unknown_python_is_named_before_anything_is_installed(
    tmp_path: Path, version: str
) -> None:
    """In a folder with nothing but the script and what it reads first."""
    for name in ("scripts/setup.sh", "scripts/requirements-cpu.lock", "pyproject.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(SETUP.parents[1] / name, tmp_path / name)
    python = tmp_path / "python-of-another-version"
    python.write_text(f"#!/bin/sh\necho {version}\n")
    python.chmod(0o755)
    run = subprocess.run(
        ["bash", str(tmp_path / "scripts" / "setup.sh")],
        env=os.environ | {"PYTHON": str(python)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert f"is Python {version}, fmau needs 3.11, 3.12 or 3.13" in run.stderr
    assert not (tmp_path / ".venv").exists()
