"""docs/python.md: every block runs, and prints what it says."""

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

import fmau
from fmau.demo.mini.write import write_mini
from tests.answer.stub_server import StubServer
from tests.docs.python_page import MODEL, PAGE, printed, script


@pytest.mark.slow
def test_the_blocks_run_and_print_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_mini(tmp_path / "mini", clips=7, train_clips=0, seed=0)
    monkeypatch.chdir(tmp_path)
    out = StringIO()
    with StubServer(model=MODEL) as server, redirect_stdout(out):
        exec(compile(script(server.base_url), str(PAGE), "exec"), {})
    assert out.getvalue().splitlines() == printed()
    assert len(printed()) >= 12


def test_every_name_is_there_and_documented() -> None:
    page = PAGE.read_text("utf-8")
    for name in fmau.__all__:
        found = getattr(fmau, name)
        assert name == "__version__" or found.__doc__, name
        if callable(found) and not isinstance(found, type):
            assert f"`{name}" in page, f"{name} is missing on the page"
    assert set(fmau.__all__) == set(dir(fmau))
    with pytest.raises(AttributeError, match="no attribute 'anwser'"):
        _ = fmau.anwser


def test_importing_fmau_loads_nothing_heavy() -> None:
    import subprocess
    import sys

    code = "import sys, fmau; print(sorted({m.split('.')[0] for m in sys.modules} & set(sys.argv)))"
    heavy = ["torch", "transformers", "pandas", "numpy", "scipy", "aiohttp", "pydantic"]
    done = subprocess.run(
        [sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
