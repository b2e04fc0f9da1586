"""What the answers browser says about each answer."""

import pytest

from fmau.core.records import Answer, AnswerStatus, Option, Question, QuestionFile
from fmau.core.taxonomy import Task
from fmau.report.browser import browser_data, verdict
from tests.score.synthetic import ok, without_answer
from tests.score.synthetic import verdict as verdict_row

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
        (FMAR, None, ok(FMAR, "B"), "no gold"),
        (FMAR, "A", None, "no answer"),
        (FMAR, "A", without_answer(FMAR, AnswerStatus.CLIP_FAILED), "no answer"),
        (MADU, "It moves.", ok(MADU, "It moves."), "open answer"),
    ],
)
def test_verdicts(
    question: Question, gold: str | None, answer: Answer | None, expected: str
) -> None:
    assert verdict(question, gold, answer) == expected


def test_letters_are_spelled_out_and_failures_say_why() -> None:
    questions = QuestionFile((FMAR, MADU), {"FMAR_1": "A"})
    answers = {
        "FMAR_1": ok(FMAR, "B"),
        "MADU_1": without_answer(MADU, AnswerStatus.REQUEST_FAILED),
    }
    data = browser_data(questions, {"run": answers, "empty": {}})
    options = ["A. Nodding", "B. Head up", "C. Nodding"]
    assert data["questions"][0][4:] == [options, "A. Nodding", "Nodding"]
    assert data["runs"][0]["rows"] == [
        ("wrong", "B. Head up", "", None, []),
        ("no answer", "", "request_failed: no luck", None, []),
    ]
    assert data["runs"][1]["rows"][0] == (
        "no answer",
        "",
        "no row answers this question as it is now",
        None,
        [],
    )


def test_a_judges_scores_and_reasons_stand_by_the_answer() -> None:
    questions = QuestionFile((MADU,), {"MADU_1": "It moves."})
    rows = [
        verdict_row(MADU, "llm", level, points) for level, points in ((1, 4), (2, None), (3, 0))
    ]
    rows.append(verdict_row(MADU, "llm", 1, 1, sample=1))
    data = browser_data(questions, {"run": {"MADU_1": ok(MADU, "x")}}, {"run": rows})
    ((judge, scores, reasons),) = data["runs"][0]["rows"][0][4]
    assert (judge, scores) == ("llm", [2.5, None, 0.0])
    assert "L2: unparsed: no JSON" in reasons


def test_thinking_stands_apart_from_the_answer_that_followed_it() -> None:
    thought = {"thinking": " It could be B.\n", "thinking_tokens": 1200, "thinking_ran_out": True}
    row = ok(FMAR, "A").model_copy(update=thought)
    data = browser_data(QuestionFile((FMAR,), {"FMAR_1": "A"}), {"run": {"FMAR_1": row}})
    heading = "thinking, 1,200 tokens, cut by its budget"
    assert data["runs"][0]["rows"] == [
        ("right", "A. Nodding", "", (heading, "It could be B."), []),
    ]
