"""What the answers browser says about each answer."""

import pytest

from fmau.records import AnswerStatus, Option, Question, QuestionFile
from fmau.report.browser import browser_data, verdict
from fmau.taxonomy import Task
from tests.score.synthetic import ok, without_answer

FMAR = Question(
    "FMAR_1",
    "clip",
    Task.FMAR,
    "Which?",
    tuple(map(Option, "ABC", ["Nodding", "Head up", "Nodding"])),
)
MADU = Question("MADU_1", "clip", Task.MADU, "Describe.")


@pytest.mark.parametrize(
    ("question", "gold", "answer", "expected"),
    [
        (FMAR, "A", ok(FMAR, "A"), "right"),
        (FMAR, "A", ok(FMAR, "C"), "right label"),
        (FMAR, "A", ok(FMAR, "B"), "wrong"),
        (FMAR, None, ok(FMAR, "B"), "not scored"),
        (FMAR, "A", None, "no answer"),
        (FMAR, "A", without_answer(FMAR, AnswerStatus.CLIP_FAILED), "no answer"),
        (MADU, "It moves.", ok(MADU, "It moves."), "not scored"),
    ],
)
def test_verdicts(question, gold, answer, expected):
    assert verdict(question, gold, answer) == expected


def test_letters_are_spelled_out_and_failures_say_why():
    questions = QuestionFile((FMAR, MADU), {"FMAR_1": "A"})
    answers = {
        "FMAR_1": ok(FMAR, "B"),
        "MADU_1": without_answer(MADU, AnswerStatus.REQUEST_FAILED),
    }
    data = browser_data(questions, {"run": answers, "empty": {}})
    assert data["questions"][0][4:] == [["A. Nodding", "B. Head up", "C. Nodding"], "A. Nodding"]
    assert data["runs"][0]["rows"] == [
        ("wrong", "B. Head up", ""),
        ("no answer", "", "request_failed: no luck"),
    ]
    assert data["runs"][1]["rows"][0] == ("no answer", "", "there is no row for this question")
