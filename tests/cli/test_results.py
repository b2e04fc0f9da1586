"""The commands about results, as a user calls them."""

import json
import shutil
from pathlib import Path

import pytest

from fmau.core.records import AnswerStatus
from fmau.runs import RowFile, open_run, read_manifest, row_mark
from tests.cli.support import fails, run
from tests.report.runs import PROMPTS, marked, recipe, write_questions, write_run
from tests.score.synthetic import gold_answers, ok, question_file, random_answers, without_answer

QUESTIONS = question_file(clips=12)

Capture = pytest.CaptureFixture[str]


def test_audit_prints_json_and_nothing_else_on_stdout(tmp_path: Path, capsys: Capture) -> None:
    file = write_questions(tmp_path / "q.json", QUESTIONS)
    code, said, _ = run(capsys, "audit", file, "--json")
    assert code == 0
    assert [check["id"] for check in json.loads(said)["checks"]] == [
        "label-code-suffix",
        "duplicate-option",
        "duplicate-question",
        "class-prior",
        "opposite-pair",
        "label-named",
        "blind-classifier",
        "schema",
    ]
    assert "no such file" in fails(capsys, "audit", tmp_path / "nowhere.json")


def test_compare_says_which_run_is_better(tmp_path: Path, capsys: Capture) -> None:
    worse = write_run(tmp_path, "worse", QUESTIONS, random_answers(QUESTIONS))
    better = write_run(tmp_path, "better", QUESTIONS, gold_answers(QUESTIONS))
    code, said, _ = run(capsys, "compare", worse, better)
    assert code == 0
    assert "better is better than worse: Closed-AVG +" in said
    _, said, _ = run(capsys, "compare", worse, better, "--json")
    found = {item["name"]: item for item in json.loads(said)["differences"]}
    assert found["Closed-AVG"]["second"] == 100.0
    assert found["Closed-AVG"]["p"] < 0.01
    assert "no run here" in fails(capsys, "compare", worse, tmp_path)


def test_a_report_without_clips_says_so_and_exports(tmp_path: Path, capsys: Capture) -> None:
    folder = write_run(tmp_path, "base", QUESTIONS, gold_answers(QUESTIONS))
    out = tmp_path / "tables"
    code, said, _ = run(capsys, "report", folder, "--export", out)
    assert code == 0
    assert {path.name for path in out.iterdir()} == {
        "table4.md",
        "table4.csv",
        "table4.tex",
        "answers.parquet",
    }
    assert "report.html" in said
    page = (folder / "report.html").read_text("utf-8")
    assert "12 clips stand here without their frames" in page  # the folder holds no clips
    run(capsys, "report", folder, "--no-frames")
    assert "stand here without" not in (folder / "report.html").read_text("utf-8")


@pytest.fixture
def moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that was made with relative paths, seen from another folder."""
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    folder = write_run(Path(), "base", QUESTIONS, gold_answers(QUESTIONS)).resolve()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return folder


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("score", []),
        ("report", ["--no-frames"]),
        ("compare", ["{other}"]),
        ("judge", []),
        ("judge", ["--dry-run"]),
        ("submit", ["--team", "T"]),
    ],
)
def test_a_run_seen_from_another_folder_is_told_its_question_file(
    moved: Path, capsys: Capture, command: str, options: list[str]
) -> None:
    other = shutil.copytree(moved, moved.with_name("other"))
    arguments = [command, moved, *(option.format(other=other) for option in options)]
    said = fails(capsys, *arguments)
    assert "base-questions.json: no such file; the recipe of" in said
    assert "--questions FILE" in " ".join(said.split())
    file = moved.parent / "base-questions.json"
    code, said, complained = run(capsys, *arguments, "--questions", file)
    assert (code, "left out" in complained) == (0, False), said + complained


def test_the_named_question_file_is_the_one_that_counts(moved: Path, capsys: Capture) -> None:
    """The run's own file has no answers; a sample of it has."""
    own = moved.parent / "base-questions.json"
    sample = moved.parent / "sample.json"
    rows = json.loads(own.read_text("utf-8"))
    own.write_text(json.dumps([row | {"answer": None} for row in rows]), "utf-8")
    clips = {f"clip-{number:04d}" for number in range(3)}
    sample.write_text(json.dumps([row for row in rows if row["video_name"] in clips]), "utf-8")
    code, said, complained = run(capsys, "score", moved, "--questions", sample, "--json")
    assert code == 0
    scores = json.loads(said)
    assert (scores["questions"], scores["with_gold"]) == (36, 36)
    assert scores["closed_avg"]["percent"] == 100
    assert "left out: 108 rows with a qid that is not in the question file" in complained
    run(capsys, "report", moved, "--no-frames", "--questions", sample)
    assert str(sample) in (moved / "report.html").read_text("utf-8")


def test_a_run_and_a_prediction_file_are_not_scored_together(moved: Path, capsys: Capture) -> None:
    code, _, said = run(capsys, "score", moved, "--predictions", moved / "x.json")
    assert code == 2
    assert "give a RUN, or both --questions and --predictions" in said
    code, _, said = run(capsys, "judge", "--calibrate", "q.json", "--questions", "q.json")
    assert (code, "--questions needs a RUN" in said) == (2, True)


def test_scores_of_another_adapter_are_warned_about(tmp_path: Path, capsys: Capture) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    for folder in (own, other):
        folder.mkdir()
        (folder / "adapter_model.safetensors").write_bytes(folder.name.encode())
    runs: list[object] = []
    for adapter in (own, other, None):
        name = adapter.name if adapter else "none"
        made = recipe(tmp_path / "runs", name, write_questions(tmp_path / "q.json", QUESTIONS))
        first = QUESTIONS.questions[0]
        with open_run(made, PROMPTS, adapter=adapter) as opened:
            mark = opened.row_mark(first, None)
            opened.append(marked(ok(first, QUESTIONS.gold[first.qid]), mark))
            runs += ["--run", opened.folder]
    said = fails(capsys, "export", own, *runs)  # the folder is no adapter that can be exported
    warned = [line.split()[1] for line in said.splitlines() if line.startswith("warning:")]
    assert warned == ["other", "none"]
    assert f"was not answered with {own}" in said
    assert "warning" not in fails(capsys, "export", own)


def test_a_report_says_which_clips_were_replaced(tmp_path: Path, capsys: Capture) -> None:
    folder = write_run(tmp_path, "base", QUESTIONS, {})
    shown, replaced, failed = "clip-0000", "clip-0001", "clip-0002"
    fingerprint = read_manifest(folder).fingerprint
    with RowFile(folder / "answers.jsonl") as rows:
        for question in QUESTIONS.questions:
            size = 5 if question.clip in (shown, replaced) else None
            answer = ok(question, QUESTIONS.gold[question.qid])
            if question.clip == failed:
                answer = without_answer(question, AnswerStatus.CLIP_FAILED)
            rows.append(marked(answer, row_mark(fingerprint, question, size)))
    assert "not those that the model was shown" not in run(capsys, "report", folder)[2]
    for clip, size in ((shown, 5), (replaced, 6), (failed, 6)):
        (tmp_path / f"{clip}.mp4").write_bytes(b"0" * size)
    code, _, said = run(capsys, "report", folder)
    assert code == 0
    assert f"the files of 1 clips are not those that the model was shown ({replaced});" in said
    assert "not those that" not in run(capsys, "report", folder, "--no-frames")[2]
