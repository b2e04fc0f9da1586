"""The command line: help everywhere, and every mistake answered with its place and its remedy."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from fmau.cli import main
from fmau.runs import read_answers
from fmau.taxonomy import Task
from tests.answer.small_run import PROMPTS
from tests.answer.stub_server import MODEL, StubServer
from tests.clips import cut_off, write_audio_only, write_clip
from tests.question_rows import question_rows, write_questions
from tests.serve.support import ANSWERING, CHECKPOINT, fake_server

REPO = Path(__file__).resolve().parents[1]
ALL_QUESTIONS = REPO.parent / "shared/mabench/mabench_data.json"
COMMANDS = ("mini", "check", "serve", "answer", "ask", "score", "report", "submit")
OPTIONAL = ("av", "cv2", "decord", "openai", "qwen_vl_utils", "torch", "transformers", "vllm")


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


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPO)  # prompt sets are looked up by name from there
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe in a folder of its own, with one clip, twelve questions and a prompt set."""
    (tmp_path / "clips").mkdir()
    write_clip(tmp_path / "clips/nod.mp4", 20)
    write_questions(tmp_path / "questions.json", ["nod"], marked=True)
    (tmp_path / "prompts.yaml").write_text(yaml.safe_dump(PROMPTS.model_dump(mode="json")))
    tree = {
        "name": "small",
        "runs": str(tmp_path / "runs"),
        "model": {"path": MODEL, "dtype": "float32"},
        "data": {
            "questions": str(tmp_path / "questions.json"),
            "clips": str(tmp_path / "clips"),
        },
        "frames": {"min_pixels_per_frame": 4096, "max_pixels_per_frame": 16384},
        "prompt": {"set": str(tmp_path / "prompts.yaml")},
    }
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


def test_fmau_without_a_command_shows_all_commands(capsys: pytest.CaptureFixture[str]) -> None:
    _, shown, _ = run(capsys, "--help")
    assert all(f" {command} " in shown for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_every_command_has_help(
    command: str, flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, shown, _ = run(capsys, command, flag)
    assert code == 0
    assert f" {command} [OPTIONS]" in shown


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("frames.count=seven", "frames.count: Input should be a valid integer"),
        ("frames.count=7", "frames.count: Input should be a multiple of 2"),
        ("frames.max_pixels_per_frame=256x256", "frames.max_pixels_per_frame: Input should be"),
        ("answer.request_timeout_s=5 min", "answer.request_timeout_s: Input should be a valid nu"),
        ("frames.size=256", "no key 'size'; known keys: count, policy"),
        ("frame.count=8", "no block 'frame'; known keys: name, runs, model"),
        ("frames.count", "write KEY=VALUE"),
    ],
)
def test_bad_settings(
    recipe: Path, setting: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in fails(capsys, "check", recipe, "--set", setting)


def test_an_unknown_key_in_the_file_is_named_with_those_that_exist(
    recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe.write_text(recipe.read_text().replace("dtype:", "datatype:"))
    said = fails(capsys, "check", recipe)
    assert f"{recipe}: 2 problem(s):" in said
    assert "model.datatype: unknown key; known keys: path, revision, dtype" in said
    assert "model.dtype: missing" in said


def test_a_recipe_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no.yaml: no such recipe; see recipes/" in fails(capsys, "check", "no.yaml")


def test_a_prompt_without_its_placeholder(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks = dict.fromkeys(Task, "{question}") | {Task.PPR: "Answer Yes or No."}
    bad = PROMPTS.model_copy(update={"tasks": tasks})
    (tmp_path / "prompts.yaml").write_text(yaml.safe_dump(bad.model_dump(mode="json")))
    said = fails(capsys, "check", recipe)
    assert f"{tmp_path / 'prompts.yaml'}: not a usable prompt set" in said
    assert "tasks.PPR: placeholders found: none; exactly one {question} is needed" in said


BAD_ROWS = {
    "an unknown task": ({"task": "XYZ"}, "unknown task 'XYZ'; known tasks: CMAR, FMAR"),
    "a duplicate qid": ({"qid": "FMAR_nod_0"}, "the qid already stands in row 2; give each"),
    "a missing field": ({"question": None}, "'question' is missing or empty; fill it in"),
    "a parent folder": ({"video_name": "../nod"}, "the clip name '../nod' is a path; write a"),
    "an absolute path": ({"video_name": "/etc/nod"}, "'/etc/nod' is a path; write a plain file"),
    "no clip": ({"video_name": None}, "no 'video' or 'video_name'; name the clip"),
    "too few options": (
        {"task": "CMAR", "question": "Which?\nA. Head\nB. Body"},
        "CMAR has 7 options, this question has 2; write one option a line",
    ),
    "an answer that is no option": ({"answer": "Maybe"}, "the answer is 'Maybe'; write one of Ye"),
}


@pytest.mark.parametrize(("change", "said"), BAD_ROWS.values(), ids=BAD_ROWS)
@pytest.mark.parametrize("command", ["check", "answer"])
def test_bad_rows_of_a_question_file(
    recipe: Path,
    tmp_path: Path,
    command: str,
    change: dict[str, Any],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = question_rows("nod")
    rows[2] |= change
    (tmp_path / "questions.json").write_text(json.dumps(rows))
    shown = fails(capsys, command, recipe)
    assert f"{tmp_path / 'questions.json'} row 3 ({rows[2]['qid']}): " in shown
    assert said in shown


def test_all_clips_that_are_missing_are_listed(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_questions(tmp_path / "questions.json", ["nod", "wave", "lean"])
    said = fails(capsys, "check", recipe)
    assert "2 problems found" in said
    for clip in ("wave", "lean"):
        path = tmp_path / f"clips/{clip}.mp4"
        assert f"{path}: no such file (12 questions need it); put the clip there" in said


def test_a_port_in_use_is_told_with_its_owner(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with fake_server(tmp_path, ANSWERING) as other:
        other.wait_ready()
        settings = ("--set", f"serve.port={other.serve.port}", "--set", f"model.path={CHECKPOINT}")
        said = fails(capsys, "serve", recipe, *settings)
    assert f"port {other.serve.port} is in use by python" in said
    assert "choose another port: --set serve.port=NUMBER" in said


def test_serving_without_vllm(
    recipe: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    said = fails(capsys, "serve", recipe)
    assert "vLLM is not installed" in said
    assert "pip install 'fmau[serve]' (NVIDIA GPU) or 'fmau[serve-cpu]' (no GPU)" in said


@pytest.mark.parametrize(
    "arguments", [(), ("--questions", "q.json"), ("runs/x", "--predictions", "p.json")]
)
def test_scoring_neither_a_run_nor_two_files_is_a_usage_error(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, said = run(capsys, "score", *arguments)
    assert code == 2
    assert "give a RUN, or both --questions and --predictions" in said


@pytest.mark.parametrize("command", [("score",), ("report",), ("submit", "--team", "T")])
def test_a_folder_that_is_no_run(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = fails(capsys, *command, tmp_path)
    assert f"{tmp_path}: no run here (no manifest.json); start with fmau answer" in said


def test_runs_that_share_a_name_are_not_reported_as_one(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with StubServer() as server:
        for runs in ("first", "second"):
            settings = ("--set", f"runs={tmp_path / runs}", "--server", server.base_url)
            assert run(capsys, "answer", recipe, *settings)[0] == 0
    folders = (tmp_path / "first/small", tmp_path / "second/small")
    assert "two of these runs have the same name" in fails(capsys, "report", *folders)


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
    assert "--server localhost:8000: write http://HOST:PORT" in said


def test_a_server_that_resizes_clips_is_not_trusted(
    recipe: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tests.answer.stub_server._prompt_as_seen", lambda body: "<0.4 seconds>")
    with StubServer() as server:
        said = fails(capsys, "answer", recipe, "--server", server.base_url)
    assert "does not use the frame times it is sent" in said
    assert server.questions == []


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


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
    assert "not complete: run the same command again to go on" in shown
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


def test_what_needs_no_extra_works_without(
    recipe: Path, tmp_path: Path, stub: StubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "answer", recipe, "--server", stub.base_url)[0] == 0
    folder = tmp_path / "runs/small"
    for arguments in (("report", folder), ("submit", folder, "--team", "T", "--out", tmp_path)):
        done = bare_install(*arguments)
        assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not ALL_QUESTIONS.exists(), reason="MA-Bench's question file is not here")
@pytest.mark.slow
def test_the_12000_questions_pass(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in {row["video_name"] for row in json.loads(ALL_QUESTIONS.read_text("utf-8"))}:
        (tmp_path / f"clips/{name}.mp4").symlink_to(tmp_path / "clips/nod.mp4")
    started = time.monotonic()
    settings = (f"data.questions={ALL_QUESTIONS}", f"model.path={CHECKPOINT}")
    code, shown, said = run(
        capsys, "check", recipe, *(word for setting in settings for word in ("--set", setting))
    )
    print(f"{time.monotonic() - started:.1f} s")
    assert code == 0, said
    assert "12,000 (1,000 CMAR, 1,000 FMAR, 2,000 MAD, 1,000 MADU" in shown
    assert "1,000, 0.67 s on average" in shown
