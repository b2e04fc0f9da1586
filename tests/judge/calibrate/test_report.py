"""What calibration says of judges whose faults are known."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from fmau.core.errors import FmauError, InputError
from fmau.core.records import Question, QuestionFile
from fmau.core.taxonomy import Task, actions
from fmau.dataset.questions import load_questions
from fmau.judge.calibrate import (
    calibration_items,
    calibration_report,
    load_human_scores,
    print_calibration,
)
from fmau.judge.embedded import embedded_opinions
from tests.paths import SAMPLE_60

MOVEMENTS = {
    "Body": ("torso", "leftward", "backward"),
    "Head": ("head", "downward", "rightward"),
    "Upper limb": ("left arm", "outward", "downward"),
    "Lower limb": ("right leg", "upward", "forward"),
    "Body-hand": ("left hand", "inward", "leftward"),
    "Head-hand": ("right hand", "upward", "rightward"),
    "Leg-hand": ("right hand", "downward", "leftward"),
}
"""Group -> what moves, and where to, early and late."""


def question_file() -> QuestionFile:
    """References of both tasks about one clip per action."""
    questions, gold = [], {}
    for number, action in enumerate(actions()):
        for task in (Task.MADU, Task.MARE):
            qid = f"{task}_{number:04}"
            questions.append(Question(qid, f"clip-{number}", task, "Describe it."))
            part, early, late = MOVEMENTS[action.part]
            gold[qid] = (
                f"The dominant movement is led by the {part}, which moves {early} early and "
                f"{late} late, {number} times."
            )
            if task is Task.MARE:
                gold[qid] += (
                    f" This supports it, so [Body part (coarse-grained)] {action.part} | "
                    f"[Micro-action (fine-grained)] {action.label}"
                )
    return QuestionFile(tuple(questions), gold)


FILE = question_file()
ITEMS = calibration_items(FILE, count=20, seed=1)


def test_items_are_seeded_distinct_and_altered() -> None:
    assert calibration_items(FILE, count=20, seed=1) == ITEMS
    assert len({item.item.qid for item in ITEMS}) == len(ITEMS)
    for item in ITEMS:
        same = item.item.answer == item.item.reference
        assert same == (item.kind == "identical")
    assert {item.kind for item in ITEMS} == {
        "identical",
        "padded",
        "flipped",
        "reversed",
        "other part",
        "neighbour label",
        "another clip",
        "generic",
        "empty",
    }


def test_an_obedient_judge_obeys_everywhere() -> None:
    scores = {i.item.qid: {k: float(r[0]) for k, r in i.expected.items()} for i in ITEMS}
    report = calibration_report(ITEMS, scores)
    assert (report.obedience, report.unscored, report.monotone) == (1.0, 0, 1.0)
    assert all(kind.obeyed == 1.0 for kind in report.kinds)


def test_a_judge_that_always_says_five_is_found_out() -> None:
    report = calibration_report(ITEMS, {i.item.qid: {1: 5, 2: 5, 3: 5} for i in ITEMS})
    reachable = sum(high == 5 for i in ITEMS for _, high in i.expected.values())
    total = sum(len(i.expected) for i in ITEMS)
    assert report.obedience == pytest.approx(reachable / total)
    assert report.monotone == 0.0
    assert report.length_bias == 0.0


def test_a_judge_that_likes_length_is_found_out() -> None:
    scores = {i.item.qid: dict.fromkeys((1, 2, 3), 3 + (i.kind == "padded")) for i in ITEMS}
    assert calibration_report(ITEMS, scores).length_bias == 1.0


def test_unscored_answers_are_counted_and_never_obedient_or_not() -> None:
    scores = {i.item.qid: {1: None, 2: float(i.expected.get(2, (0, 0))[0])} for i in ITEMS}
    report = calibration_report(ITEMS, scores)
    assert report.obedience == 1.0
    assert report.scored + report.unscored == sum(len(i.expected) for i in ITEMS)
    assert report.unscored == sum(level != 2 for i in ITEMS for level in i.expected)


def _embedded(questions: QuestionFile) -> float:
    items = calibration_items(questions, count=60, seed=0)
    scores = {
        i.item.qid: {
            level: float(opinion.score)
            for level, opinion in embedded_opinions(
                Task(str(i.item.task)), i.item.reference, i.item.answer
            ).items()
        }
        for i in items
    }
    report = calibration_report(items, scores)
    for name in ("identical", "empty"):
        obeyed = [kind.obeyed for kind in report.kinds if kind.kind == name]
        assert len(obeyed) == 2 * 3, "each open task at each level"
        assert set(obeyed) == {1.0}, name
    assert report.monotone is not None
    assert report.monotone >= 0.95
    assert report.obedience is not None
    return report.obedience


def test_the_embedded_judge_obeys_on_made_up_references() -> None:
    assert _embedded(FILE) >= 0.95


@pytest.mark.skipif(not SAMPLE_60.exists(), reason="needs the MA-Bench sample")
def test_the_embedded_judge_obeys_on_real_references() -> None:
    assert _embedded(load_questions(SAMPLE_60)) >= 0.95


def test_a_file_without_references_is_refused() -> None:
    with pytest.raises(FmauError, match="no answers of MADU or MARE"):
        calibration_items(QuestionFile(FILE.questions), count=5, seed=0)


def test_human_scores_are_read_strictly(tmp_path: Path) -> None:
    file = tmp_path / "humans.json"
    file.write_text(json.dumps([{"qid": "a", "level": 1, "score": 3}]), "utf-8")
    assert load_human_scores(file) == {"a": {1: 3.0}}
    rows = [
        {"qid": "a", "level": 4, "score": 3},
        {"qid": "a", "level": 1, "score": 6},
        {"qid": "a", "level": 1, "score": True},
        {"qid": 1, "level": 1, "score": 1},
        {"qid": "a\ud83d", "level": 1, "score": 1},
        {"qid": "a", "level": 2, "score": 1},
        {"qid": "a", "level": 2, "score": 1},
        [],
    ]
    file.write_text(json.dumps(rows), "utf-8")
    with pytest.raises(InputError) as caught:
        load_human_scores(file)
    assert [problem.where.split()[-1] for problem in caught.value.problems] == [
        "1",
        "2",
        "3",
        "4",
        "5",
        "7",
        "8",
    ]
    with pytest.raises(InputError, match="no such file"):
        load_human_scores(tmp_path / "nowhere.json")


def test_reports_fit_100_columns() -> None:
    console = Console(width=100, record=True)
    print_calibration(calibration_report(ITEMS, {}), console)
    assert all(len(line.rstrip()) <= 100 for line in console.export_text().splitlines())
