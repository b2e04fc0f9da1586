"""Writes a report's numbers and answers as files for other programs, for `fmau report --export`.

table4.md, table4.csv, table4.tex    Table 4 with the runs; LaTeX needs the package booktabs. They
                                     are not written if no question is of a task of MA-Bench
own_tasks.csv                        accuracies and levels of tasks that MA-Bench does not have
answers.parquet                      one row per run and question, with answer and judges' scores
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from fmau.core.files import make_folder, whole_file, write_whole
from fmau.core.records import LEVELS
from fmau.core.taxonomy import CLOSED_TASKS, Task
from fmau.report.browser import opinions, verdict
from fmau.report.tables import span
from fmau.score.breakdowns import gold_labels
from fmau.score.run import ScoredRun
from fmau.score.table4 import COLUMNS, NOT_AVAILABLE, Row, caveat, markdown, table4


def write_exports(
    runs: Sequence[ScoredRun], folder: str | Path, *, paper_rows: bool = True
) -> list[Path]:
    """Write all files into `folder`; older ones are replaced.

    Args:
        runs: runs of the same questions, with distinct names.
        paper_rows: begin the tables with the paper's two rows.

    Returns:
        Paths of the files.

    Raises:
        RunError: the folder cannot be written.
    """
    folder = Path(folder)
    scores = {run.name: run.scores for run in runs}
    rows = table4(scores, {run.name for run in runs if run.blind})
    rows = [row for row in rows if paper_rows or row.kind != "paper"]
    make_folder(folder)
    texts = {}
    if rows:
        texts["table4.md"] = markdown(rows, caveat(scores))
        texts["table4.csv"] = table4_frame(rows).to_csv(index_label="row")
        texts["table4.tex"] = latex(rows)
    if runs[0].scores.own_tasks:
        texts["own_tasks.csv"] = own_tasks_frame(runs).to_csv(index=False)
    for name, text in texts.items():
        write_whole(folder / name, text)
    answers = folder / "answers.parquet"
    with whole_file(answers) as file:
        answers_frame(runs).to_parquet(file, index=False)
    return [*(folder / name for name in texts), answers]


def own_tasks_frame(runs: Sequence[ScoredRun]) -> pd.DataFrame:
    """One row per run and task of one's own, or level of an open one.

    Columns: run, task, judge (None for closed tasks), value (percent, or 0 to 5), low and high
    (95 % over clips), questions (with gold), chance, majority (percent).
    """
    records: list[dict[str, Any]] = []
    for run in runs:
        for score in run.scores.own_tasks:
            if (found := score.accuracy) is not None:
                spread = found.clustered
                records.append(
                    {
                        "run": run.name,
                        "task": score.task,
                        "judge": None,
                        "value": found.percent,
                        "low": spread and spread.low,
                        "high": spread and spread.high,
                        "questions": found.total,
                        "chance": score.chance,
                        "majority": score.majority and score.majority.percent,
                    }
                )
        for judgement in run.scores.judgements:
            for task, levels in judgement.own_tasks.items():
                records += [
                    {
                        "run": run.name,
                        "task": f"{task} L{level.level}",
                        "judge": judgement.judge,
                        "value": level.mean,
                        "low": level.clustered and level.clustered.low,
                        "high": level.clustered and level.clustered.high,
                        "questions": level.asked,
                    }
                    for level in levels
                ]
    return pd.DataFrame.from_records(records)


def table4_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Table 4 with full precision; NaN for values that are not available."""
    names = [*COLUMNS]
    names[names.index("AVG")] = "Closed-AVG"
    names[names.index("AVG")] = "Open-AVG"
    frame = pd.DataFrame([row.numbers() for row in rows], columns=names, dtype=float)
    frame.index = pd.Index([row.name for row in rows])
    return frame


def latex(rows: Sequence[Row]) -> str:
    """Table 4 as a booktabs tabular, two decimals as printed in the paper.

    Behind each value of a run stands its 95 % interval, small. The best run of a column is bold.
    """
    columns = table4_frame(rows).columns
    best = [_best([row.numbers()[place] for row in rows if row.kind == "run"])
            for place in range(len(columns))]  # fmt: skip
    frame = pd.DataFrame([_latex_cells(row, best) for row in rows], columns=columns)
    frame.index = pd.Index([row.name for row in rows])
    style = frame.style.format_index(escape="latex").format_index(escape="latex", axis=1)
    tabular: str = style.to_latex(hrules=True, column_format="l" + "r" * len(frame.columns))
    return tabular


def _best(values: Sequence[float | None]) -> float | None:
    """The highest of several runs' values; None if nothing is to be told apart."""
    known = [value for value in values if value is not None]
    return max(known) if len(known) > 1 else None


def _latex_cells(row: Row, best: Sequence[float | None]) -> list[str]:
    cells = []
    for place, (cell, value) in enumerate(zip(row.cells(), row.numbers(), strict=True)):
        text = "--" if cell == NOT_AVAILABLE else cell
        if row.kind == "run" and value is not None and value == best[place]:
            text = rf"\textbf{{{text}}}"
        interval = row.intervals[place] if row.intervals else None
        if interval is not None:
            digits = 0 if place <= len(CLOSED_TASKS) else 1
            text += rf" {{\scriptsize {span(interval, digits=digits).replace(chr(0x2013), '--')}}}"
        cells.append(text)
    return cells


def answers_frame(runs: Sequence[ScoredRun]) -> pd.DataFrame:
    """One row per run and question, in file order.

    Columns: run, qid, clip, task, question, options, gold, action (of the clip), status, answer,
    reply, thinking, option_scores (JSON), result (right, wrong, ...), prompt_tokens,
    completion_tokens, thinking_tokens, thinking_ran_out, seconds; and for every judge "JUDGE L1" to
    "JUDGE L3" and "JUDGE reasons".
    """
    records = []
    for run in runs:
        shown = gold_labels(run.questions, Task.FMAR)
        judged = opinions(run.verdicts)
        for question in run.questions.questions:
            row = run.answers.get(question.qid)
            gold = run.questions.gold.get(question.qid)
            record = {
                "run": run.name,
                "qid": question.qid,
                "clip": question.clip,
                "task": str(question.task),
                "question": question.stem,
                "options": [f"{option.letter}. {option.label}" for option in question.options],
                "gold": gold,
                "action": shown.get(question.clip),
                "status": row and str(row.status),
                "answer": row and row.answer,
                "reply": row and row.reply,
                "thinking": row and row.thinking,
                "option_scores": row and row.option_scores and json.dumps(row.option_scores),
                "result": verdict(question, gold, row),
                "prompt_tokens": row and row.prompt_tokens,
                "completion_tokens": row and row.completion_tokens,
                "thinking_tokens": row and row.thinking_tokens,
                "thinking_ran_out": row and row.thinking_ran_out,
                "seconds": row and row.seconds,
            }
            for judge, scores, reasons in judged.get(question.qid, []):
                record |= {f"{judge} L{n}": s for n, s in zip(LEVELS, scores, strict=True)}
                record[f"{judge} reasons"] = reasons
            records.append(record)
    return pd.DataFrame.from_records(records)
