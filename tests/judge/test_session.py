"""Judging a run folder by the command; what a user meets on the way."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import mean

import pytest

from fmau.core.records import QuestionFile
from fmau.core.taxonomy import OPEN_TASKS, OwnTask
from fmau.judge.session import run_items
from fmau.runs import read_manifest, read_verdicts
from fmau.score import score_run
from fmau.score.joined import read_joined
from tests.cli.support import run as run_command
from tests.judge.cases import StubJudge, judge_file
from tests.report.runs import write_run
from tests.score.synthetic import gold_answers, question_file

Fmau = Callable[..., str]

QUESTIONS = question_file(clips=20)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run whose 40 open answers are all there."""
    return write_run(tmp_path, "base", QUESTIONS, gold_answers(QUESTIONS))


@pytest.fixture
def fmau(capsys: pytest.CaptureFixture[str]) -> Fmau:
    """Runs `fmau judge` in this process and gives all it said, white space made single."""

    def judge(*arguments: object, code: int = 0) -> str:
        ended, said, complained = run_command(capsys, "judge", *arguments)
        assert ended == code, said + complained
        return " ".join((said + complained).split())

    return judge


def test_the_default_judge_is_a_proxy_and_says_so(run: Path, fmau: Fmau) -> None:
    said = fmau(run)
    assert "40 of 40 calls have a verdict" in said
    assert "a proxy: it is not an LLM judge" in said
    scores = score_run(run).scores
    assert [found.proxy for found in scores.judgements] == [True]
    assert scores.judgements[0].open_avg is not None
    assert (scores.open_avg, scores.final) == (None, None)
    assert "(40 from before)" in fmau(run)
    assert len(read_verdicts(run)) == 40


def test_answers_to_questions_of_ones_own_are_judged_by_their_three_levels(
    tmp_path: Path, fmau: Fmau
) -> None:
    task = OwnTask("Summary", OPEN_TASKS[0].kind)
    asked = tuple(replace(q, task=task) for q in QUESTIONS.questions if q.task is OPEN_TASKS[0])
    gold = {question.qid: QUESTIONS.gold[question.qid] for question in asked}
    own = replace(QUESTIONS, questions=asked, gold=gold)
    run = write_run(tmp_path, "own", own, gold_answers(own))
    with StubJudge() as server:
        said = fmau(run, "--judge", judge_file(tmp_path, server.base_url))
    calls = 3 * len(asked)
    assert f"{calls} of {calls} calls have a verdict" in said
    assert len(server.asked) == calls
    sent = json.dumps([body["messages"] for body in server.asked])
    assert all(json.dumps(answer)[1:-1] in sent for answer in gold.values())
    (found,) = score_run(run).scores.judgements
    assert not found.proxy
    for number, level in enumerate(found.own_tasks["Summary"], start=1):
        rows = [row for row in read_verdicts(run) if row.levels == (number,)]
        given = [score for row in rows for score in (row.scores or {}).values()]
        assert len(given) == len(asked)
        assert level.mean == pytest.approx(mean(given))


def test_the_manifest_pins_the_judge_and_another_one_needs_another_name(
    run: Path, fmau: Fmau
) -> None:
    with StubJudge() as server:
        file = judge_file(run.parent, server.base_url)
        fmau(run, "--judge", file)
        note = read_manifest(run).judges["stub"]
        assert note.conditions["model"]["model"] == "m"
        assert "MADU" in json.dumps(note.conditions["rubric"])
        assert not note.proxy
        said = fmau(run, "--judge", file, "--set", "temperature=0.5", code=1)
        assert "temperature: 0.0 -> 0.5" in said
        assert "--set name=NAME" in said
        said = fmau(run, "--judge", file, "--set", "temperature=0.5", "--set", "name=warm")
        assert "how its judges agree" in said
        assert "stub, warm" in said
    assert [found.judge for found in score_run(run).scores.judgements] == ["stub", "warm"]


def test_a_judge_that_never_got_a_word_in_leaves_no_trace_in_scores(run: Path, fmau: Fmau) -> None:
    file = judge_file(run.parent, retries=0)
    assert "no server answers" in fmau(run, "--judge", file, code=1)
    assert score_run(run).scores.judgements == ()
    with StubJudge() as server:  # the same name, now with the right address
        fmau(run, "--judge", judge_file(run.parent, server.base_url))
    assert score_run(run).scores.open_avg is not None


def test_a_judge_that_never_scored_gives_its_name_back(run: Path, fmau: Fmau) -> None:
    """Another judge, complete, has the Final meanwhile."""
    with StubJudge(reply=lambda _: "I like it.") as server:
        said = fmau(run, "--judge", judge_file(run.parent, server.base_url), code=1)
    assert "the judge stub: none of 24 replies holds scores, for example (unparsed): the" in said
    assert "the reply is not JSON: 'I like it.'" in said
    found = score_run(run)
    assert found.scores.judgements == ()
    (note,) = [note for note in found.notes if "judge" in note]
    assert re.search(r"the judge stub, which scored no answer \(2\d unparsed\)", note)
    with StubJudge() as server:
        fmau(run, "--judge", judge_file(run.parent, server.base_url, name="other"))
        assert score_run(run).scores.judge == "other"
        fmau(run, "--judge", judge_file(run.parent, server.base_url, temperature=0.5))
    assert [one.judge for one in score_run(run).scores.judgements] == ["stub", "other"]


def test_limit_and_dry_run_spend_no_more_than_they_say(run: Path, fmau: Fmau) -> None:
    with StubJudge() as server:
        file = judge_file(run.parent, server.base_url, price={"input": 1, "output": 2})
        said = fmau(run, "--judge", file, "--dry-run")
        assert "40 answers to judge 120 calls" in said
        assert "US dollars" in said
        assert not server.asked
        fmau(run, "--judge", file, "--limit", 5)
        assert len(server.asked) == 15
    items = run_items(read_joined(run), 5)
    assert [sum(item.task is task for item in items) for task in OPEN_TASKS] == [3, 2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give a RUN, or --calibrate"),
        (["nowhere"], "no run here"),
        (["{run}", "--judge", "nowhere.yaml"], "no such judge"),
        (["{run}", "--judge", "{file}", "--set", "kind=human"], "kind"),
        (["{run}", "--judge", "{file}", "--set", "modes=joint"], "known keys"),
        (["{run}", "--judge", "{file}", "--set", "rubric=nothing"], "no such rubric"),
        (["{run}", "--humans", "nowhere.json"], "no such file"),
        (["{run}", "--judge", "{file}"], "no server answers"),
    ],
)
def test_mistakes_are_answered_with_what_to_do(
    arguments: list[str], said: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = judge_file(run.parent, retries=0)
    filled = [text.format(run=run, file=file) for text in arguments]
    code, _, complaint = run_command(capsys, "judge", *filled)
    assert code != 0
    assert said in " ".join(complaint.split())


def test_a_run_without_references_has_nothing_to_judge(tmp_path: Path, fmau: Fmau) -> None:
    run = write_run(tmp_path, "blind", QuestionFile(QUESTIONS.questions), gold_answers(QUESTIONS))
    assert "nothing to judge" in fmau(run, code=1)
