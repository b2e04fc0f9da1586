"""Run folders: one writer, one set of conditions, the latest row counts."""

import json
import multiprocessing
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from fmau.core.errors import InputError, RunError
from fmau.core.records import Answer, AnswerStatus, Question
from fmau.core.taxonomy import Task
from fmau.prompting.prompts import PromptSet
from fmau.recipe import Recipe
from fmau.runs import open_run, read_answers, read_manifest, read_verdicts, reopen_run
from fmau.runs.manifest import git_state

PROMPTS = PromptSet(system="s", common="c", tasks=dict.fromkeys(Task, "{question}"))
QUESTION = Question("SAD_1", "clip", Task.SAD, "Does the head move?")


def recipe(runs: Path, count: int = 8) -> Recipe:
    return Recipe.model_validate(
        {
            "name": "run",
            "runs": runs,
            "model": {"path": "some/model", "dtype": "float32"},
            "data": {"questions": "q.json", "clips": "clips"},
            "frames": {
                "count": count,
                "min_pixels_per_frame": 4096,
                "max_pixels_per_frame": 65536,
            },
            "prompt": {"set": "zero_shot"},
        }
    )


def row(status: AnswerStatus, fingerprint: str = "f", qid: str = "SAD_1") -> Answer:
    answer = "Yes" if status is AnswerStatus.OK else None
    return Answer(
        qid=qid,
        clip="clip",
        task=Task.SAD,
        fingerprint=fingerprint,
        status=status,
        answer=answer,
    )


def test_the_manifest_says_what_was_run_where_and_when(tmp_path: Path) -> None:
    with open_run(recipe(tmp_path), PROMPTS) as run:
        run.note({"decodes": 3})
        running = read_manifest(run.folder).sessions[0]
        assert running.ended is None  # what a killed session leaves behind
    manifest = read_manifest(tmp_path / "run")
    assert manifest.recipe == recipe(tmp_path).model_dump(mode="json")
    assert manifest.conditions["prompts"]["system"] == "s"
    assert set(manifest.prompt_hashes) == {"system", "common", *(task.value for task in Task)}
    (session,) = manifest.sessions
    assert session.facts == {"decodes": 3}
    assert session.packages["pydantic"]
    assert session.hardware["cores"] >= 1
    started, ended = (datetime.fromisoformat(t) for t in (session.started, session.ended or ""))
    assert started.utcoffset() == timedelta(0)
    assert started <= ended


def test_every_session_has_its_own_entry(tmp_path: Path) -> None:
    for _ in range(2):
        open_run(recipe(tmp_path), PROMPTS).close()
    reopen_run(tmp_path / "run", "judge").close()
    stages = [session.stage for session in read_manifest(tmp_path / "run").sessions]
    assert stages == ["answer", "answer", "judge"]


def test_a_changed_recipe_is_refused_by_key(tmp_path: Path) -> None:
    open_run(recipe(tmp_path), PROMPTS).close()
    with pytest.raises(RunError, match=r"frames\.count: 8 -> 16\ngive this run another name"):
        open_run(recipe(tmp_path, count=16), PROMPTS)
    open_run(recipe(tmp_path), PROMPTS).close()  # the refusal left no lock behind


def hold(folder: Path, opened: "multiprocessing.synchronize.Event") -> None:
    """Open the run and keep it open, in a process of its own."""
    with open_run(recipe(folder), PROMPTS):
        opened.set()
        multiprocessing.Event().wait()


def test_a_second_writer_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    opened = context.Event()
    other = context.Process(target=hold, args=(tmp_path, opened))
    other.start()
    try:
        assert opened.wait(20)
        with pytest.raises(RunError, match="another process is writing to this run"):
            open_run(recipe(tmp_path), PROMPTS)
    finally:
        other.kill()
        other.join()
    open_run(recipe(tmp_path), PROMPTS).close()  # the kernel released a dead process's lock


@pytest.mark.parametrize(
    ("status", "done"),
    [
        (AnswerStatus.OK, True),
        (AnswerStatus.UNPARSED, True),
        (AnswerStatus.TRUNCATED, True),
        (AnswerStatus.CLIP_FAILED, False),
        (AnswerStatus.REQUEST_FAILED, False),
    ],
)
def test_greedy_outcomes_are_final_and_faults_are_not(
    tmp_path: Path, status: AnswerStatus, done: bool
) -> None:
    with open_run(recipe(tmp_path), PROMPTS) as run:
        fingerprint = run.row_mark(QUESTION, 10).fingerprint
        run.append(row(status, fingerprint))
    with open_run(recipe(tmp_path), PROMPTS) as run:
        assert run.is_done(QUESTION.qid, fingerprint) is done
        assert not run.is_done(QUESTION.qid, run.row_mark(QUESTION, 11).fingerprint)
        assert not run.is_done("SAD_2", fingerprint)


def test_the_latest_row_of_a_question_counts(tmp_path: Path) -> None:
    with open_run(recipe(tmp_path), PROMPTS) as run:
        run.append(row(AnswerStatus.REQUEST_FAILED))
        run.append(row(AnswerStatus.OK, qid="SAD_2"))
        run.append(row(AnswerStatus.OK))
    answers = read_answers(tmp_path / "run")
    assert [(a.qid, a.status) for a in answers] == [("SAD_1", "ok"), ("SAD_2", "ok")]
    assert len((tmp_path / "run" / "answers.jsonl").read_text("utf-8").splitlines()) == 3


VERDICT = {
    "qid": "MADU_1",
    "clip": "clip",
    "task": "MADU",
    "judge": "stub",
    "fingerprint": "f",
    "levels": [1, 2],
    "status": "scored",
    "scores": {"1": 0, "2": 5},
}


@pytest.mark.parametrize(
    ("status", "answer"), [("ok", None), ("unparsed", "Yes"), ("request_failed", "Yes")]
)
def test_an_answer_that_does_not_fit_its_status_is_refused_with_its_line(
    tmp_path: Path, status: str, answer: str | None
) -> None:
    good = json.loads(row(AnswerStatus.OK).model_dump_json())
    lines = [
        json.dumps(tree) + "\n" for tree in (good, good | {"status": status, "answer": answer})
    ]
    (tmp_path / "answers.jsonl").write_text("".join(lines), "utf-8")
    with pytest.raises(InputError, match=r'line 2: .*must have an answer if its status is "ok"'):
        read_answers(tmp_path)


def test_verdicts_on_the_scale_are_read(tmp_path: Path) -> None:
    (tmp_path / "verdicts.jsonl").write_text(json.dumps(VERDICT) + "\n", "utf-8")
    assert [row.scores for row in read_verdicts(tmp_path)] == [{1: 0, 2: 5}]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scores": {"1": 0, "2": 7}}, r"scores\.2: .*less than or equal to 5 \(found 7\)"),
        ({"scores": {"1": -3, "2": 5}}, r"scores\.1: .*greater than or equal to 0 \(found -3\)"),
        ({"scores": {"1": True, "2": 5}}, r"scores\.1: .*integer \(found True\)"),
        ({"scores": {"1": 4.0, "2": 5}}, r"scores\.1: .*integer \(found 4\.0\)"),
        ({"scores": {"1": 4}}, "one score for each of its levels"),
        ({"scores": {"1": 4, "2": 5, "3": 5}}, "one score for each of its levels"),
        ({"scores": None}, 'must have scores if its status is "scored"'),
        ({"status": "unparsed"}, "and none otherwise"),
        ({"levels": [4], "scores": {"4": 5}}, "levels must be some of 1, 2, 3"),
        ({"levels": [], "scores": {}}, "levels must be some of 1, 2, 3"),
    ],
)
def test_a_verdict_off_the_scale_is_refused_with_its_line(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    lines = [json.dumps(row) + "\n" for row in (VERDICT, VERDICT | change)]
    (tmp_path / "verdicts.jsonl").write_text("".join(lines), "utf-8")
    with pytest.raises(InputError, match=f"verdicts.jsonl line 2: .*{said}"):
        read_verdicts(tmp_path)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no run here \(no manifest.json\)"):
        reopen_run(tmp_path, "judge")
    assert list(tmp_path.iterdir()) == []
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "answers.jsonl").write_text("", "utf-8")
    with pytest.raises(RunError, match=r"has answers.jsonl but no manifest.json"):
        open_run(recipe(tmp_path), PROMPTS)


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    open_run(recipe(tmp_path), PROMPTS).close()
    path = tmp_path / "run" / "manifest.json"
    tree = json.loads(path.read_text("utf-8"))
    del tree["conditions"]
    path.write_text(json.dumps(tree), "utf-8")
    with pytest.raises(RunError, match=r"manifest.json: damaged, or .* \(conditions: missing\)"):
        open_run(recipe(tmp_path), PROMPTS)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(RunError, match="cannot be made"):
        open_run(recipe(tmp_path / "file"), PROMPTS)


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_git_state_is_of_this_checkout_only(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        command = ["git", "-C", str(tmp_path), *who, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "-m", "first")
    assert git_state(tmp_path) == {"revision": git("rev-parse", "HEAD"), "dirty": False}
    (tmp_path / "file").write_text("two")
    assert git_state(tmp_path) == {"revision": git("rev-parse", "HEAD"), "dirty": True}
    (tmp_path / "inside").mkdir()
    assert git_state(tmp_path / "inside") is None
