"""fmau as people install it: a wheel, in a folder that is not a checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from fmau.demo.mini.write import write_mini
from tests.answer.stub_server import StubServer
from tests.docs.python_page import MODEL, printed, script
from tests.paths import REPO

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q"]
    subprocess.run([*build, "-w", str(folder), str(REPO)], check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's contents; packages that fmau needs come from this environment."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def python(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in `folder`, with the installed fmau before the checkout's."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(installed), "COLUMNS": "100", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_is_small_and_typed(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert wheel.stat().st_size < 2**20
    assert "fmau/py.typed" in names
    assert not [name for name in names if "tiny/checkpoint" in name or "_tiny" in name]
    assert {name.split("/")[0] for name in names if "dist-info" not in name} == {"fmau"}


def test_everything_is_found_by_name(installed: Path, tmp_path: Path) -> None:
    listed = python(installed, tmp_path, "-m", "fmau", "recipes")
    assert listed.returncode == 0, listed.stderr
    for name in ("zero_shot_qwen3_vl_8b", "qwen3_32b", "zero_shot", "ma_bench", "ddp"):
        assert f" {name} " in listed.stdout
    copy = python(installed, tmp_path, "-m", "fmau", "recipes", "zero2", "--copy-to", "my/z.yaml")
    assert copy.returncode == 0, copy.stderr
    named = (tmp_path / "my" / "z.yaml").read_text("utf-8").split("deepspeed_config_file: ")[1]
    assert Path(named.split("\n")[0]).is_relative_to(installed)
    assert Path(named.split("\n")[0]).is_file()
    code = (
        "import fmau, fmau.judge.judges as j; print(fmau.__file__);"
        "print(fmau.load_prompts('zero_shot').system[:7], fmau.load_judge('qwen3_32b').name)"
    )
    loaded = python(installed, tmp_path, "-c", code)
    assert loaded.stdout.splitlines() == [f"{installed}/fmau/__init__.py", "You are qwen3_32b"]


def test_a_shipped_recipe_is_checked_by_name(installed: Path, tmp_path: Path) -> None:
    asked = ("-m", "fmau", "check", "zero_shot_qwen3_vl_8b")
    missing = python(installed, tmp_path, *asked)
    assert missing.returncode == 1
    assert "data/mabench/mabench_data.json: no such file" in missing.stderr
    write_mini(tmp_path / "mini", clips=7, train_clips=0, seed=0)
    data = ("--set", "data.questions=mini/questions.json", "--set", "data.clips=mini/clips")
    done = python(installed, tmp_path, *asked, *data)
    assert done.returncode == 0, done.stderr
    assert "zero_shot_qwen3_vl_8b: ready" in done.stdout
    assert "84 (7 CMAR, 7 FMAR" in done.stdout


def test_the_page_about_python_runs(installed: Path, tmp_path: Path) -> None:
    write_mini(tmp_path / "mini", clips=7, train_clips=0, seed=0)
    with StubServer(model=MODEL) as server:
        done = python(installed, tmp_path, "-c", script(server.base_url))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == printed()
