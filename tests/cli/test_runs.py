"""From questions to a submission: what goes wrong on the way, and what needs no extra package."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fmau.runs import read_answers
from tests.answer.stub_server import StubServer
from tests.cli.support import fails, run
from tests.clips import cut_off, write_audio_only, write_clip
from tests.paths import REPO
from tests.question_rows import write_questions

OPTIONAL = ("av", "cv2", "decord", "openai", "qwen_vl_utils", "torch", "transformers", "vllm")


@pytest.mark.parametrize("command", ["answer", "ask"])
def test_a_server_that_is_not_there(
    recipe: Path, tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    about = (tmp_path / "clips/nod.mp4", "What moves?") if command == "ask" else ()
    with StubServer() as server:
        address = server.base_url
    said = fails(capsys, command, *about, recipe, "--server", address)
    assert f"{address}: no server answers; start one with fmau serve" in said
    code, _, said = run(capsys, command, *about, recipe, "--server", "localhost:8000")
    assert code == 2
    assert "localhost:8000: write http://HOST:PORT" in said


def test_a_server_that_resizes_clips_is_not_trusted(
    recipe: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tests.answer.stub_server._prompt_as_seen", lambda body: "<0.4 seconds>")
    with StubServer() as server:
        said = fails(capsys, "answer", recipe, "--server", server.base_url)
    assert "does not use the frame times that a request gives" in said
    assert server.questions == []


def test_frames_that_are_extracted_once_are_not_decoded_again(
    recipe: Path, tmp_path: Path, stub: StubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    setting = ("--set", f"data.cache={tmp_path / 'cache'}")
    ask = ("answer", recipe, *setting, "--server", stub.base_url)
    assert "no frame cache" in fails(capsys, *ask)
    assert stub.questions == []
    assert "0 of 1 clips; fmau frames extracts" in run(capsys, "check", recipe, *setting)[1]
    assert "1 clips extracted" in run(capsys, "frames", recipe, *setting)[1]
    assert "1 of 1 clips" in run(capsys, "check", recipe, *setting)[1]
    other = ("--set", "frames.count=4")
    assert "frames.count: 8 -> 4" in fails(capsys, "check", recipe, *setting, *other)
    code, shown, said = run(capsys, *ask)
    assert code == 0, said
    assert "1 clips, 0 decoded and 1 from the frame cache, 1 sent" in shown
    assert "12 ok" in shown
    (tmp_path / "clips/nod.mp4").unlink()
    code, shown, said = run(capsys, "report", tmp_path / "runs/small")
    assert code == 0, said
    page = (tmp_path / "runs/small/report.html").read_text("utf-8")
    assert "stand here without their frames" not in page


def test_answering_scoring_reporting_and_submitting(
    recipe: Path, tmp_path: Path, stub: StubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    code, shown, said = run(capsys, "answer", recipe, "--server", stub.base_url)
    assert code == 0, said
    assert "12 of 12 questions have a row" in shown
    folder = tmp_path / "runs/small"
    assert {row.status for row in read_answers(folder)} == {"ok"}
    # A complete run needs no server any more.
    code, shown, said = run(capsys, "answer", recipe, "--server", "http://127.0.0.1:9")
    assert (code, "12 of 12 questions have a row (12 from before)" in shown) == (0, True), said
    for command in (("score",), ("score", "--json"), ("report",)):
        code, shown, said = run(capsys, *command, folder)
        assert code == 0, said
    assert (folder / "report.html").stat().st_size > 10_000
    code, shown, said = run(capsys, "submit", folder, "--team", "T", "--out", tmp_path)
    assert code == 0, said
    assert len(json.loads((tmp_path / "T_prediction.json").read_text())["answers"]) == 12


def test_asking_in_free_words(
    recipe: Path, tmp_path: Path, stub: StubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = tmp_path / "clips/nod.mp4"
    address = ("--server", stub.base_url)
    code, shown, said = run(capsys, "ask", clip, "[qid Q7] What moves?", recipe, *address)
    assert (code, shown) == (0, "A description of Q7.\n"), said
    said = fails(capsys, "ask", tmp_path / "no.mp4", "What moves?", recipe, *address)
    assert "no.mp4: no such file" in said


def test_bad_clips_stop_no_other_question(
    recipe: Path, tmp_path: Path, stub: StubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = tmp_path / "clips"
    write_clip(clips / "one_frame.mp4", 1)
    write_audio_only(clips / "sound.mp4")
    (clips / "empty.mp4").touch()
    cut_off(write_clip(clips / "cut.mp4", 60, faststart=True), 0.5)
    write_clip(clips / "wave.mp4", 30, rate=25)
    good, bad = {"nod", "wave"}, {"one_frame", "sound", "empty", "cut", "missing"}
    write_questions(tmp_path / "questions.json", sorted(good | bad), marked=True)

    code, shown, _ = run(capsys, "answer", recipe, "--server", stub.base_url)

    assert code == 1
    assert "84 of 84 questions have a row" in shown
    assert "60 clip_failed" in shown
    assert "24 ok" in shown
    assert "not complete: run the same command again to continue" in shown
    rows = read_answers(tmp_path / "runs/small")
    assert {row.clip for row in rows if row.status == "ok"} == good
    failed = [row for row in rows if row.status == "clip_failed"]
    assert {row.clip for row in failed} == bad
    assert all(row.answer is None and row.clip in str(row.reason) for row in failed)

    said = fails(capsys, "submit", tmp_path / "runs/small", "--team", "T", "--out", tmp_path)
    assert "60 problems found" in said
    assert "has no answer (clip_failed: " in said
    assert "run `fmau answer` again" in said
    assert not (tmp_path / "T_prediction.json").exists()

    for clip in bad:  # whoever brings the right files only asks what is missing
        write_clip(clips / f"{clip}.mp4", 25)
    asked_before = len(stub.questions)
    code, shown, _ = run(capsys, "answer", recipe, "--server", stub.base_url)
    assert (code, len(stub.questions) - asked_before) == (0, 60)
    assert "(24 from before)" in shown


def test_runs_that_share_a_name_are_told_apart_by_their_folders(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with StubServer() as server:
        for runs in ("first", "second"):
            settings = ("--set", f"runs={tmp_path / runs}", "--server", server.base_url)
            assert run(capsys, "answer", recipe, *settings)[0] == 0
    folders = (tmp_path / "first/small", tmp_path / "second/small")
    code, _, _ = run(capsys, "report", *folders, "--no-frames")
    assert code == 0
    page = (folders[0] / "report.html").read_text("utf-8")
    for folder in folders:
        assert f"small ({folder})" in page
    assert "the run is given 2 times" in fails(capsys, "report", folders[0], folders[0])


BARE = f"""
import sys
class Missing:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in {OPTIONAL}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing)
from fmau.cli import main
main()
"""
"""Runs a command as if no optional package were installed."""


def bare_install(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", BARE, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPO)


@pytest.mark.slow
def test_missing_packages_are_told_with_the_extra_that_has_them(
    recipe: Path, tmp_path: Path
) -> None:
    clip = tmp_path / "clips/nod.mp4"
    for arguments, extra in (
        (("mini", tmp_path / "out"), "mini"),
        (("check", recipe), "frames"),
        (("answer", recipe), "answer"),
        (("ask", clip, "What moves?", recipe), "answer"),
    ):
        done = bare_install(*arguments)
        assert done.returncode == 1
        assert done.stderr.startswith(f"error: fmau {arguments[0]} needs the package ")
        assert done.stderr.endswith(f"which is not installed; pip install 'fmau[{extra}]'\n")
        assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_what_needs_no_extra_works_without(
    recipe: Path, tmp_path: Path, stub: StubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "answer", recipe, "--server", stub.base_url)[0] == 0
    folder = tmp_path / "runs/small"
    for arguments in (("report", folder), ("submit", folder, "--team", "T", "--out", tmp_path)):
        done = bare_install(*arguments)
        assert done.returncode == 0, done.stderr
