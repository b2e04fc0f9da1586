"""Several servers as one: ports, GPUs, logs, and what happens when one ends."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from fmau.core.errors import ServerError
from fmau.core.hardware import visible_gpus
from fmau.recipe import ServeBlock
from fmau.serve import Fleet, log_paths, neighbours, replicas, start_fleet
from fmau.serve import fleet as fleet_module
from tests.serve.support import fake_server, recipe

WAITING = "import time\ntime.sleep(600)\n"
ENDING = "import time, sys\ntime.sleep(0.3)\nprint('RuntimeError: out of luck')\nsys.exit(1)\n"


def test_neighbours_take_the_ports_after_the_first() -> None:
    serve = ServeBlock(port=8000, host="127.0.0.1")
    assert [one.port for one in neighbours(serve, 3)] == [8000, 8001, 8002]


def test_one_server_per_visible_gpu_unless_the_recipe_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5, GPU-abc")
    assert visible_gpus() == ["2", "5", "GPU-abc"]
    assert replicas(ServeBlock(), gpus=3) == 3
    assert replicas(ServeBlock(replicas=2), gpus=3) == 2
    assert replicas(ServeBlock(), gpus=0) == 1
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert visible_gpus() == []


def test_each_server_has_its_port_its_gpu_and_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[dict[str, Any]] = []

    class Recorded:
        def __init__(self, served: Any, **options: Any) -> None:
            started.append({"port": served.serve.port, **options})

        def stop(self) -> None:
            started[-1]["stopped"] = True

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    monkeypatch.setattr(fleet_module, "installed_build", lambda: "gpu")
    monkeypatch.setattr(fleet_module, "start_server", Recorded)
    with start_fleet(recipe(serve={"port": 8200}), log_folder=tmp_path, api_key="k"):
        pass
    assert [(s["port"], s["gpu"], s["share"], s["log_path"].name) for s in started] == [
        (8200, "4", 2, "server-0.log"),
        (8201, "7", 2, "server-1.log"),
    ]
    assert all(s["api_key"] == "k" for s in started)
    with pytest.raises(ServerError, match="replicas is 3, but 2 GPUs are visible"):
        start_fleet(recipe(serve={"replicas": 3}), log_folder=tmp_path)


def test_a_single_server_keeps_its_simple_log_name(tmp_path: Path) -> None:
    assert log_paths(tmp_path, 1) == [tmp_path / "server.log"]


def test_a_lost_server_is_told_and_the_last_ends_the_fleet(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = fake_server(tmp_path / "a", ENDING)
    second = fake_server(tmp_path / "b", WAITING)
    lost: list[ServerError] = []
    with Fleet((first, second)) as fleet:

        def end_the_other() -> None:
            while not lost:
                time.sleep(0.05)
            second.stop()

        threading.Thread(target=end_the_other, daemon=True).start()
        with pytest.raises(ServerError):
            fleet.wait_ended(lost.append)
    assert "out of luck" in str(lost[0])
    assert len(lost) == 1
