import subprocess
import sys

import pytest
import torch

from fmau.core import torchvision_cpu
from fmau.core.torchvision_cpu import ensure_torchvision, shim_pythonpath
from tests.paths import REPO


def run_python(code: str, python_path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": python_path, "PATH": "", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.slow
def test_a_child_process_can_import_torchvision() -> None:
    code = "import torchvision.transforms.v2.functional as f; print(f.resize.__name__)"
    result = run_python(code, f"{shim_pythonpath()}:{REPO}")
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "resize"


def test_a_child_process_without_torchvision_does_not_pay_for_it() -> None:
    code = "import sys; print('torch' in sys.modules, 'sitecustomize' in sys.modules)"
    assert run_python(code, f"{shim_pythonpath()}:{REPO}").stdout.split() == ["False", "True"]


def test_calling_again_is_harmless() -> None:
    ensure_torchvision()
    torchvision_cpu._ensure.__wrapped__()
    from torchvision.transforms.v2 import functional

    small = functional.resize(torch.ones(1, 8, 8), [4, 4])
    assert torch.equal(small, torch.ones(1, 4, 4))


def test_nothing_is_changed_where_the_library_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.ops, "load_library", lambda path: None)
    monkeypatch.setattr(
        torchvision_cpu, "_define_operator_names", lambda: pytest.fail("names were defined")
    )
    torchvision_cpu._ensure.__wrapped__()


def test_nothing_happens_where_torchvision_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(
        torchvision_cpu, "_define_operator_names", lambda: pytest.fail("names were defined")
    )
    torchvision_cpu._ensure.__wrapped__()


def test_threads_may_call_it_at_once() -> None:
    code = """
import sys, threading
sys.setswitchinterval(1e-6)
import torch
from fmau.core.torchvision_cpu import ensure_torchvision
barrier, failed = threading.Barrier(8), []
def call():
    barrier.wait()
    try:
        ensure_torchvision()
    except RuntimeError as error:
        failed.append(error)
threads = [threading.Thread(target=call) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(failed))
"""
    assert run_python(code, str(REPO)).stdout.strip() == "0"
