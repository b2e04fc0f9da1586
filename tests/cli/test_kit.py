"""`fmau import-kit`: from a kit's folder to a scored run on the command line."""

from pathlib import Path

import pytest

from tests.cli.support import fails, run
from tests.score.kit.folder import MODEL, PROMPTS_PY, replies, rows, write_kit


def test_a_kit_becomes_a_run_that_every_command_goes_on_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kit, out = write_kit(tmp_path / "kit"), tmp_path / "out"
    (kit / "submission_samples").mkdir()
    code, said, noted = run(capsys, "import-kit", kit, "--out", out)
    assert code == 0
    folder = out / "runs" / "kit-Maker-Watcher-9B"
    empty = list(replies(rows()).values()).count("")
    assert f"{kit}/outputs/{MODEL}_results.json: 36 answers, {empty} of them empty" in said
    assert f"-> {folder}" in said
    assert "system prompts for CMAR, FMAR, SAD, MAD, PPR (empty: MAS, MADU, MARE), as the" in said
    assert f"left out: {kit}/submission_samples: made-up answers" in noted
    for command in (("score",), ("judge",), ("report", "--no-frames"), ("runs",)):
        given = out / "runs" if command == ("runs",) else folder
        code, said, _ = run(capsys, command[0], given, *command[1:])
        assert code == 0
        assert "Maker" in said or command == ("judge",)
    assert "let the starter kit answer it" in fails(capsys, "submit", folder, "--team", "team")


def test_prompts_that_would_have_to_be_run_are_an_error_for_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kit = write_kit(tmp_path / "kit")
    (kit / "prompts.py").write_text(PROMPTS_PY + "import os\nos.system('true')\n")
    said = fails(capsys, "import-kit", kit, "--out", tmp_path / "out")
    line = PROMPTS_PY.count("\n") + 2
    assert f"prompts.py line {line}: a statement that would have to be run; write the text" in said
    assert not (tmp_path / "out").exists()
