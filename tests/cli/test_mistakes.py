"""Help everywhere, and every mistake in what is given answered with its place and its remedy."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from fmau.core.taxonomy import Task
from tests.answer.small_run import PROMPTS
from tests.cli.support import fails, run
from tests.paths import ALL_12000
from tests.question_rows import question_rows, write_questions
from tests.serve.support import ANSWERING, CHECKPOINT, fake_server

COMMANDS = [
    *("mini", "check", "frames", "export", "serve", "answer", "ask"),
    *("judge", "score", "report", "compare", "submit", "audit"),
    "recipes",
    "runs",
]


def test_fmau_without_a_command_shows_all_commands(capsys: pytest.CaptureFixture[str]) -> None:
    _, shown, _ = run(capsys, "--help")
    assert sorted(re.findall(r"^│ (\w+) ", shown, re.M)) == sorted(COMMANDS)


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
        ("frames.count=7", "frames: count is 7, not a multiple of 2"),
        ("frames.max_pixels_per_frame=256x256", "frames.max_pixels_per_frame: Input should be"),
        ("answer.request_timeout_s=5 min", "answer.request_timeout_s: Input should be a valid nu"),
        ("frames.size=256", "no key 'size'; known keys: count, policy"),
        ("frame.count=8", "no block 'frame'; known keys: name, runs, model"),
        ("frames.count", "write KEY=VALUE"),
        ("serve.port=true", "serve.port: must not be true or false"),
        ("answer.request_timeout_s=yes", "answer.request_timeout_s: must not be true or false"),
    ],
)
def test_bad_settings(
    recipe: Path, setting: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in fails(capsys, "check", recipe, "--set", setting)


def test_a_setting_in_two_words(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = fails(capsys, "check", recipe, "--set", "serve.port", "8")
    assert "--set serve.port: write KEY=VALUE" in said


def test_the_order_of_what_is_asked(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ((recipe, "why?", "x.mp4"), ("x.mp4", recipe, "why?")):
        code, _, said = run(capsys, "ask", *wrong)
        assert code == 2
        assert "the order is CLIP QUESTION RECIPE" in said


def test_training_is_started_by_accelerate(
    recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = " ".join(fails(capsys, "train", recipe, "--set", "train.epochs=2").split())
    assert f"-m fmau.train {recipe} --set train.epochs=2" in said
    assert "accelerate launch --config_file recipes/accelerate/single.yaml" in said


def test_an_unknown_key_in_the_file_is_named_with_those_that_exist(
    recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe.write_text(recipe.read_text().replace("dtype:", "datatype:"))
    said = fails(capsys, "check", recipe)
    assert f"{recipe}: 2 problem(s):" in said
    assert "model.datatype: unknown key; known keys: path, revision, dtype" in said
    assert "model.dtype: missing" in said


def test_a_recipe_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    said = fails(capsys, "check", "no.yaml")
    assert "no.yaml: no such recipe; those that come with fmau: " in said
    assert "zero_shot_qwen3_vl_8b" in said


def test_a_prompt_without_its_placeholder(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks = dict.fromkeys(Task, "{question}") | {Task.PPR: "Answer Yes or No."}
    bad = PROMPTS.model_copy(update={"tasks": tasks})
    (tmp_path / "prompts.yaml").write_text(yaml.safe_dump(bad.texts.model_dump(mode="json")))
    said = fails(capsys, "check", recipe)
    assert f"{tmp_path / 'prompts.yaml'}: not a usable prompt set" in said
    assert "tasks.PPR: placeholders found: none; exactly one {question} is needed" in said


BAD_ROWS = {
    "an unknown task": ({"task": "XYZ"}, "unknown task 'XYZ'; known tasks: CMAR, FMAR"),
    "a duplicate qid": ({"qid": "FMAR_nod_0"}, "has the same qid as row 2; give each"),
    "a missing field": ({"question": None}, "'question' is missing or empty; fill it in"),
    "a parent folder": ({"video_name": "../nod"}, "the clip name '../nod' is a path; write a"),
    "an absolute path": ({"video_name": "/etc/nod"}, "'/etc/nod' is a path; write a plain file"),
    "no clip": ({"video_name": None}, "no 'video' or 'video_name'; name the clip"),
    "too few options": (
        {"task": "CMAR", "question": "Which?\nA. Head\nB. Body"},
        "CMAR has 7 options, this question has 2; end the question in one option a line",
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
    wave, lean = (tmp_path / f"clips/{clip}.mp4" for clip in ("wave", "lean"))
    assert "2 problems found" in said
    assert f"{wave}, {lean}: no such file (12 questions need it); put the clip there" in said


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


@pytest.mark.skipif(not ALL_12000.exists(), reason="MA-Bench's question file is not here")
@pytest.mark.slow
def test_the_12000_questions_pass(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in {row["video_name"] for row in json.loads(ALL_12000.read_text("utf-8"))}:
        (tmp_path / f"clips/{name}.mp4").symlink_to(tmp_path / "clips/nod.mp4")
    started = time.monotonic()
    settings = (f"data.questions={ALL_12000}", f"model.path={CHECKPOINT}")
    code, shown, said = run(
        capsys, "check", recipe, *(word for setting in settings for word in ("--set", setting))
    )
    print(f"{time.monotonic() - started:.1f} s")
    assert code == 0, said
    assert "12,000 (1,000 CMAR, 1,000 FMAR, 2,000 MAD, 1,000 MADU" in shown
    assert "1,000, 0.67 s on average" in shown
