"""Tables on the terminal: they fit, and they say what they must."""

import io
from collections.abc import Mapping
from dataclasses import replace

import pytest
from rich.console import Console

from fmau.core.records import Answer, QuestionFile
from fmau.core.taxonomy import Task
from fmau.report import print_scores
from fmau.report.tables import accuracy_table, count_table, final_remark, span
from fmau.score import score
from fmau.score.intervals import Interval
from fmau.score.table4 import NOT_COMPARABLE
from tests.score.synthetic import gold_answers, question_file, random_answers, verdicts

QUESTIONS = question_file(clips=20)
LONG = "a-run-with-a-name-so-long-that-it-cannot-stand-in-one-column"


def printed(answers: Mapping[str, Answer], width: int = 120) -> str:
    text = io.StringIO()
    console = Console(file=text, width=width)
    print_scores({"base": score(QUESTIONS, answers), LONG: score(QUESTIONS, answers)}, console)
    return text.getvalue()


def test_everything_fits_120_columns_and_no_number_is_cut() -> None:
    text = printed(gold_answers(QUESTIONS))
    assert max(len(line) for line in text.splitlines()) <= 120
    assert "…" not in text
    assert text.count("100.00") >= 2 * 7
    assert "32.23" in text
    assert "1.69" in text


def test_eighty_columns_get_table_4_in_two_pieces_with_every_number() -> None:
    text = printed(gold_answers(QUESTIONS), width=80)
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "…" not in text
    head, tail = text.split("open tasks, 0-5")
    for number in ("32.23", "37.11", "56.10", "53.69", "47.94", "54.74", "46.97"):
        assert number in head
    for number in ("0.50", "0.51", "0.47", "1.18", "1.00", "0.84", "0.75"):
        assert number in tail


def test_says_that_the_rows_are_not_comparable() -> None:
    assert NOT_COMPARABLE[:60] in printed(gold_answers(QUESTIONS))


def test_a_task_without_questions_leaves_no_average_and_says_why() -> None:
    asked = tuple(q for q in QUESTIONS.questions if q.task is not Task.PPR)
    five = replace(QUESTIONS, questions=asked)
    answers = gold_answers(five)
    full = [*verdicts(five, "llm", lambda *_: 5)]
    scores = score(five, answers, full, {"llm": False})
    assert (scores.closed_avg, scores.final) == (None, None)
    assert final_remark(scores) == "needs gold answers in all six closed tasks"
    assert final_remark(score(QUESTIONS, gold_answers(QUESTIONS), full, {"llm": False})) == ""


def test_a_name_with_markup_is_printed_as_it_is() -> None:
    text = io.StringIO()
    print_scores({"[red]x[/red]": score(QUESTIONS, {})}, Console(file=text, width=120))
    assert "[red]x[/red]" in text.getvalue()


def test_counts_of_all_tasks_add_up() -> None:
    scores = score(QUESTIONS, random_answers(QUESTIONS))
    table = count_table(scores)
    total = [int(cell) for cell in table.rows["all"]]
    assert total[0] == len(QUESTIONS.questions) == sum(total[1:])


def test_accuracy_table_has_dashes_without_gold() -> None:
    table = accuracy_table(score(QuestionFile(QUESTIONS.questions), gold_answers(QUESTIONS)))
    assert table.rows["SAD"] == ("–",) * 6 + ("50.00", "–")
    assert "FMAR by label" not in table.rows


@pytest.mark.parametrize(
    ("interval", "text"), [(Interval(low=1, high=2.25), "1.0–2.2"), (None, "–")]
)
def test_span(interval: Interval | None, text: str) -> None:
    assert span(interval) == text
