"""Tasks that MA-Bench does not have are scored, judged and compared like its own, beside them."""

from dataclasses import replace
from typing import TypeVar

import pytest

from fmau.core.errors import RunError
from fmau.core.records import Answer, QuestionFile, Verdict
from fmau.core.taxonomy import OPEN_TASKS, OwnTask, Task
from fmau.score import score
from fmau.score.compare import compare
from fmau.score.submission import write_submission
from tests.score.synthetic import question_file, random_answers, verdicts

Row = TypeVar("Row", Answer, Verdict)

OFFICIAL = question_file(clips=12)
ANSWERS = random_answers(OFFICIAL)
VERDICTS = verdicts(OFFICIAL, "llm", lambda q, level: (len(q.clip) + level) % 6)


def own(file: QuestionFile) -> QuestionFile:
    """The same questions, as tasks of one's own."""
    return replace(file, questions=tuple(replace(q, task=renamed(q.task)) for q in file.questions))


def renamed(task: object) -> OwnTask:
    assert isinstance(task, Task)
    return OwnTask(f"My{task}", task.kind)


def rows_of(row: Row) -> Row:
    return row.model_copy(update={"task": f"My{row.task}"})


OWN = own(OFFICIAL)
OWN_ANSWERS = {qid: rows_of(row) for qid, row in ANSWERS.items()}
OWN_VERDICTS = [rows_of(row) for row in VERDICTS]


def test_they_score_what_the_same_questions_score_as_tasks_of_the_benchmark() -> None:
    official = score(OFFICIAL, ANSWERS, VERDICTS, {"llm": False})
    found = score(OWN, OWN_ANSWERS, OWN_VERDICTS, {"llm": False})
    assert {task.task for task in found.own_tasks} == {f"My{task}" for task in Task}
    for task in found.own_tasks:
        same = official.tasks[Task(task.task.removeprefix("My"))]
        assert task.model_dump(exclude={"task"}) == same.model_dump(exclude={"task"})
    (judged,), (expected,) = found.judgements, official.judgements
    for open_task in OPEN_TASKS:
        assert judged.own_tasks[f"My{open_task}"] == expected.tasks[open_task]


def test_they_are_in_no_mean_and_in_no_official_task() -> None:
    found = score(OWN, OWN_ANSWERS, OWN_VERDICTS, {"llm": False})
    assert not found.has_official
    assert (found.closed_avg, found.open_avg, found.final) == (None, None, None)
    assert all(task.asked == 0 for task in found.tasks.values())
    assert found.with_gold == len(OWN.gold)


def test_tasks_of_the_benchmark_score_the_same_beside_them() -> None:
    alone = score(OFFICIAL, ANSWERS, VERDICTS, {"llm": False})
    extra = tuple(replace(q, qid=f"own {q.qid}") for q in OWN.questions if q.task.name == "MySAD")
    gold = {**OFFICIAL.gold, **{q.qid: OFFICIAL.gold[q.qid.removeprefix("own ")] for q in extra}}
    both = QuestionFile((*OFFICIAL.questions, *extra), gold)
    found = score(both, ANSWERS, VERDICTS, {"llm": False})
    assert found.closed_avg == alone.closed_avg
    assert found.final == alone.final
    assert [(task.task, task.asked) for task in found.own_tasks] == [("MySAD", len(extra))]


def test_chance_is_the_mean_over_the_numbers_of_options() -> None:
    cmar, fmar = (
        [
            replace(q, task=OwnTask("Mixed", q.task.kind))
            for q in OFFICIAL.questions
            if q.task is task
        ]
        for task in (Task.CMAR, Task.FMAR)
    )
    file = QuestionFile((*cmar[:3], *fmar[:1]), {})
    (found,) = score(file, {}).own_tasks
    assert found.chance == pytest.approx((3 * 100 / 7 + 100 / 5) / 4)


def test_they_are_compared_under_their_names() -> None:
    other = {qid: rows_of(row) for qid, row in random_answers(OFFICIAL, seed=2).items()}
    official = compare(OFFICIAL, ANSWERS, random_answers(OFFICIAL, seed=2))
    found = compare(OWN, OWN_ANSWERS, other)
    by_name = {item.name: item for item in official.differences}
    assert [item.name for item in found.differences]
    for item in found.differences:
        same = by_name[item.name.removeprefix("My")]
        assert (item.first, item.second, item.p) == (same.first, same.second, same.p)


def test_they_cannot_be_sent_to_the_challenge(tmp_path: object) -> None:
    with pytest.raises(RunError, match="tasks that the challenge does not have"):
        write_submission(OWN.questions, OWN_ANSWERS, None, "team", tmp_path)  # type: ignore[arg-type]
