"""Running one command of the command line within a test."""

import sys
from typing import Any

import pytest

from fmau.cli import main


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of one command; a traceback would escape as an exception."""
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(sys, "argv", ["fmau", *map(str, arguments)])
    try:
        main()
        code: Any = 0
    except SystemExit as ended:
        code = ended.code
    finally:
        monkeypatch.undo()
    captured = capsys.readouterr()
    return int(code or 0), captured.out, captured.err


def fails(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What a command that must end with exit code 1 says on stderr."""
    code, _, said = run(capsys, *arguments)
    assert code == 1, said
    assert "error: " in said
    return said
