"""The confusion of parts against a count by hand, and the baselines."""

import pytest

from fmau.core.records import Answer, AnswerStatus, Option, Question, QuestionFile
from fmau.core.taxonomy import Task, parts
from fmau.score.breakdowns import chance, cmar_confusion, majority
from tests.score.synthetic import gold_answers, ok, question_file, without_answer

LABELS = [part.label for part in parts()]


def cmar(number: int, shift: int) -> Question:
    """A question whose letter A is the part `shift` places down the taxonomy, and so on round."""
    labels = LABELS[shift:] + LABELS[:shift]
    options = tuple(map(Option, "ABCDEFG", labels))
    return Question(f"CMAR_{number}", f"clip-{number}", Task.CMAR, "Which part?", options)


def test_counts_are_by_part_whatever_the_letter() -> None:
    questions = [cmar(1, 0), cmar(2, 3), cmar(3, 1), cmar(4, 0), cmar(5, 0)]
    # Gold: Body, Lower limb, Head, Head, Head.
    gold = {"CMAR_1": "A", "CMAR_2": "A", "CMAR_3": "A", "CMAR_4": "B", "CMAR_5": "B"}
    answers: dict[str, Answer] = {
        "CMAR_1": ok(questions[0], "B"),  # Head for Body
        "CMAR_2": ok(questions[1], "A"),  # Lower limb, right
        "CMAR_3": ok(questions[2], "G"),  # Body for Head
        "CMAR_4": ok(questions[3], "B"),  # Head, right
        "CMAR_5": without_answer(questions[4], AnswerStatus.CLIP_FAILED),
    }
    found = cmar_confusion(questions, gold, answers)
    body, head, lower = LABELS.index("Body"), LABELS.index("Head"), LABELS.index("Lower limb")
    cells = {
        (i, j): count for i, row in enumerate(found.counts) for j, count in enumerate(row) if count
    }
    assert cells == {(body, head): 1, (lower, lower): 1, (head, body): 1, (head, head): 1}
    assert found.no_answer[head] == 1
    assert sum(found.no_answer) == 1
    assert found.recall[body] == 0
    assert found.recall[lower] == 100
    assert found.recall[head] == pytest.approx(100 / 3)  # the failed clip counts
    assert found.recall[LABELS.index("Leg-hand")] is None


def test_only_failures_still_give_a_matrix() -> None:
    question = cmar(1, 0)
    found = cmar_confusion([question], {"CMAR_1": "A"}, {})
    assert {count for row in found.counts for count in row} == {0}
    assert found.recall[0] == 0


def test_gold_answers_lie_on_the_diagonal() -> None:
    questions = question_file(clips=50)
    found = cmar_confusion(questions.questions, questions.gold, gold_answers(questions))
    assert sum(row[i] for i, row in enumerate(found.counts)) == 50
    assert set(found.recall) <= {100.0, None}


def test_chance_follows_the_number_of_options() -> None:
    assert chance(Task.CMAR) == pytest.approx(14.2857, abs=1e-4)
    assert chance(Task.FMAR) == 20
    assert chance(Task.PPR) == 50
    assert chance(Task.MADU) is None


def test_majority_is_by_part_for_cmar_and_by_answer_elsewhere() -> None:
    questions = [cmar(1, 0), cmar(2, 1), cmar(3, 0)]
    gold = {"CMAR_1": "B", "CMAR_2": "A", "CMAR_3": "A"}  # Head, Head, Body
    found = majority(Task.CMAR, questions, gold)
    assert (found.answer, found.percent) == ("Head", pytest.approx(200 / 3))
    sad = [Question(f"SAD_{i}", "clip", Task.SAD, "?") for i in range(4)]
    answers = dict(zip([q.qid for q in sad], ["No", "Yes", "No", "No"], strict=True))
    file = QuestionFile(tuple(sad), answers)
    assert majority(Task.SAD, file.questions, file.gold).percent == 75
    assert majority(Task.MAD, file.questions, file.gold) is None
