"""The paper's rows reproduce the paper's means, and a run's row sits in the same columns."""

import pytest

from fmau.core.records import AnswerStatus, QuestionFile
from fmau.score import score
from fmau.score.table4 import (
    COLUMNS,
    NOT_COMPARABLE,
    PAPER_ROWS,
    PARTIAL_GOLD,
    Row,
    caveat,
    markdown,
    run_rows,
    table4,
    two_decimals,
)
from tests.score.synthetic import gold_answers, question_file, verdicts, without_answer


@pytest.mark.parametrize(
    ("row", "closed_avg", "open_avg"),
    [(PAPER_ROWS[0], "46.97", "0.75"), (PAPER_ROWS[1], "50.68", "1.69")],
)
def test_the_papers_numbers_reproduce_its_averages(
    row: Row, closed_avg: str, open_avg: str
) -> None:
    cells = dict(zip(range(len(COLUMNS)), row.cells(), strict=True))
    assert COLUMNS[6] == COLUMNS[13] == "AVG"
    assert (cells[6], cells[13]) == (closed_avg, open_avg)


def test_a_run_that_is_not_judged_has_dashes_for_levels() -> None:
    questions = question_file(clips=3)
    (row,) = run_rows("mine", score(questions, gold_answers(questions)))
    cells = row.cells()
    assert cells == ["100.00"] * 7 + ["–"] * 7


def test_a_judged_run_shows_its_levels_and_a_proxy_never_stands_in_the_table() -> None:
    questions = question_file(clips=3)
    answers = gold_answers(questions)
    rows = verdicts(questions, "llm", lambda _, level: level)
    judged = score(questions, answers, rows, {"llm": False})
    (row,) = run_rows("mine", judged)
    assert row.cells()[7:] == ["1.00", "2.00", "3.00", "1.00", "2.00", "3.00", "2.00"]
    proxied = score(questions, answers, verdicts(questions, "rule", lambda *_: 5), {"rule": True})
    (row,) = run_rows("mine", proxied)
    assert row.cells()[7:] == ["–"] * 7
    assert (proxied.open_avg, proxied.final) == (None, None)


def test_two_llm_judges_make_two_rows() -> None:
    questions = question_file(clips=3)
    rows = [
        *verdicts(questions, "strict", lambda *_: 1),
        *verdicts(questions, "mild", lambda *_: 4),
    ]
    scores = score(questions, gold_answers(questions), rows, {"strict": False, "mild": False})
    found = {row.name: row.cells()[13] for row in run_rows("mine", scores)}
    assert found == {"mine, judged by strict": "1.00", "mine, judged by mild": "4.00"}
    assert scores.open_avg == 1.0  # of the judge who came first


def test_a_run_without_video_stands_with_the_baselines() -> None:
    questions = question_file(clips=3)
    scores = score(questions, gold_answers(questions))
    rows = table4({"seeing": scores, "blindfold": scores}, blind={"blindfold"})
    assert [row.name for row in rows[4:]] == ["blindfold (blind: no video)", "seeing"]
    assert rows[4].kind == "blind"


def test_rows_come_in_the_order_paper_baselines_runs() -> None:
    questions = question_file(clips=3)
    scores = score(questions, gold_answers(questions))
    rows = table4({"one": scores, "two": scores})
    assert [row.kind for row in rows] == ["paper"] * 2 + ["baseline"] * 2 + ["run"] * 2
    chance = rows[2].cells()
    assert chance[:7] == ["14.29", "20.00", "50.00", "50.00", "50.00", "50.00", "39.05"]


def test_says_when_rows_are_about_different_questions() -> None:
    questions = question_file(clips=3)
    mini = score(questions, gold_answers(questions))
    assert caveat({"a": mini}) == NOT_COMPARABLE
    official = mini.model_copy(update={"benchmark": "MA-Bench"})
    assert caveat({"a": official}) is None
    assert caveat({"a": official, "b": mini}) == NOT_COMPARABLE
    some = QuestionFile(questions.questions, dict(list(questions.gold.items())[:20]))
    partial = score(some, gold_answers(questions)).model_copy(update={"benchmark": "MA-Bench"})
    assert caveat({"a": partial}) == PARTIAL_GOLD


def test_says_how_many_questions_have_no_answer() -> None:
    questions = question_file(clips=3)
    answers = dict(list(gold_answers(questions).items())[6:])
    missing = sum(not question.task.is_open for question in questions.questions[:6])
    official = score(questions, answers).model_copy(update={"benchmark": "MA-Bench"})
    assert caveat({"a": official}) == (
        f"{missing} of 30 closed questions have no answer (unreadable clip, no reply, or not asked "
        "yet) and count as not right."
    )


def test_markdown_has_one_cell_per_column() -> None:
    questions = question_file(clips=3)
    scores = score(questions, gold_answers(questions))
    text = markdown(table4({"a|b": scores}), caveat({"a": scores}))
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 5
    assert {line.replace(r"\|", "").count("|") for line in lines} == {len(COLUMNS) + 2}
    assert text.startswith("> The paper's rows")


def test_halves_are_rounded_up_and_nothing_is_a_dash() -> None:
    assert two_decimals(50.675) == "50.68"
    assert two_decimals(0.125) == "0.13"
    assert two_decimals(2 / 3) == "0.67"
    assert two_decimals(None) == "–"


def test_says_how_many_replies_cannot_be_read() -> None:
    questions = question_file(clips=3)
    answers = {
        q.qid: without_answer(q, AnswerStatus.UNPARSED)
        for q in questions.questions
        if not q.task.is_open
    }
    official = score(questions, answers).model_copy(update={"benchmark": "MA-Bench"})
    assert caveat({"a": official}) == (
        "30 of 30 replies to closed questions hold no answer that can be read, or were cut off; "
        "they count as wrong."
    )


def test_a_row_says_how_many_answers_its_levels_are_of() -> None:
    questions = question_file(clips=6)
    few = verdicts(questions, "llm", lambda *_: 5)[:12]
    scores = score(questions, gold_answers(questions), few, {"llm": False})
    (row,) = [row for row in table4({"mine": scores}) if row.kind == "run"]
    assert row.name.startswith("mine (")
    assert row.name.endswith(" of 12 answers scored)")
