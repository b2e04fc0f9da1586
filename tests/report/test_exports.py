"""Exported files hold the same numbers and texts as the run."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from fmau.core.errors import RunError
from fmau.report import write_exports
from fmau.report.exports import latex
from fmau.score.table4 import COLUMNS, PAPER_ROWS, table4
from tests.report.runs import scored
from tests.score.synthetic import gold_answers, ok, question_file, random_answers, verdicts

QUESTIONS = question_file(clips=8)
NAME = "a_b & 50% #1 $x^2$ {y} ~\\"
HOSTILE = 'a "quoted", comma\nand line; </td>\u2028'


def exported(tmp_path: Path) -> Path:
    answers = dict(random_answers(QUESTIONS))
    first = next(q for q in QUESTIONS.questions if q.task.is_open)
    answers[first.qid] = ok(first, HOSTILE)
    rows = verdicts(QUESTIONS, "llm", lambda _, level: None if level == 3 else level)
    run = replace(scored("own", QUESTIONS, answers, rows, {"llm": False}), name=NAME)
    write_exports([run, scored("other", QUESTIONS, random_answers(QUESTIONS, 2))], tmp_path / "out")
    return tmp_path / "out"


def test_the_csv_has_the_papers_numbers_and_the_runs(tmp_path: Path) -> None:
    frame = pd.read_csv(exported(tmp_path) / "table4.csv", index_col="row")
    assert list(frame.index[-2:]) == [NAME, "other"]
    paper = frame.loc[PAPER_ROWS[0].name]
    assert paper["CMAR"] == 32.23
    assert paper["Closed-AVG"] == pytest.approx(46.97, abs=0.005)
    assert len(frame.columns) == len(COLUMNS)
    assert frame.loc["other"].isna().sum() == 7


def test_the_latex_escapes_names_and_has_every_row(tmp_path: Path) -> None:
    text = (exported(tmp_path) / "table4.tex").read_text("utf-8")
    assert r"a\_b \& 50\% \#1 \$x\textasciicircum 2\$ \{y\}" in text
    body = text.partition(r"\midrule")[2].partition(r"\bottomrule")[0]
    lines = [line for line in body.splitlines() if line.strip()]
    assert len(lines) == 6
    assert all(line.rstrip().endswith(r"\\") for line in lines)
    assert all(line.replace(r"\&", "").count("&") == len(COLUMNS) for line in lines)


def test_the_latex_has_intervals_and_the_best_run_in_bold() -> None:
    runs = {
        "worse": scored("worse", QUESTIONS, random_answers(QUESTIONS)).scores,
        "right": scored("right", QUESTIONS, gold_answers(QUESTIONS)).scores,
    }
    text = latex(table4(runs))
    worse, right = (line for line in text.splitlines() if line.startswith(("worse", "right")))
    assert right.count(r"\textbf{100.00} {\scriptsize ") == 7
    assert r"\textbf" not in worse
    assert worse.count(r"{\scriptsize ") == 7
    assert text.count("{") == text.count("}")
    alone = latex(table4({"right": runs["right"]}))
    assert r"\textbf" not in alone  # nothing to compare it with


def test_the_papers_rows_can_be_left_out(tmp_path: Path) -> None:
    run = scored("mine", QUESTIONS, gold_answers(QUESTIONS))
    write_exports([run], tmp_path, paper_rows=False)
    for name in ("table4.md", "table4.csv", "table4.tex"):
        text = (tmp_path / name).read_text("utf-8")
        assert "(paper)" not in text
        assert "mine" in text


def test_the_markdown_has_the_caveat(tmp_path: Path) -> None:
    assert (exported(tmp_path) / "table4.md").read_text("utf-8").startswith("> The paper's rows")


def test_every_answer_is_in_the_parquet_file_with_what_judges_said(tmp_path: Path) -> None:
    frame = pd.read_parquet(exported(tmp_path) / "answers.parquet")
    assert len(frame) == 2 * len(QUESTIONS.questions)
    own = frame[frame["run"] == NAME].set_index("qid")
    assert list(own.index) == [q.qid for q in QUESTIONS.questions]
    assert (own["answer"] == HOSTILE).sum() == 1
    judged = own[own["llm L1"].notna()]
    assert set(judged["task"]) == {"MADU", "MARE"}
    assert set(judged["llm L2"]) == {2.0}
    assert judged["llm L3"].isna().all()
    assert judged["llm reasons"].str.contains("unparsed").all()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(RunError, match="cannot be made"):
        write_exports([scored("x", QUESTIONS, {})], tmp_path / "file" / "out")
