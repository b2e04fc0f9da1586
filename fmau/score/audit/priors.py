"""Answers that are right more often than others, whatever the clip."""

from collections import Counter
from typing import Any

from scipy import stats
from statsmodels.stats.multitest import multipletests

from fmau.core.records import QuestionFile
from fmau.core.taxonomy import CLOSED_TASKS, Task, parts
from fmau.score.audit.check import Check, check
from fmau.score.breakdowns import chance, label_of, majority
from fmau.score.intervals import wilson

ALPHA = 0.01
"""Level, after Holm's adjustment over the tasks, from which a prior is called skewed."""


def class_prior(questions: QuestionFile) -> Check:
    """Tasks whose gold answers are not uniform, by a chi-square test (letters, Yes/No, CMAR parts).

    FMAR is tested by letter: its options differ from question to question.
    """
    found: dict[Task, dict[str, Any]] = {}
    for task in CLOSED_TASKS:
        counts = _answers(questions, task)
        if not counts:
            continue
        classes = _classes(task)
        p = stats.chisquare([counts[name] for name in classes]).pvalue
        base = majority(task, questions.questions, questions.gold)
        assert base is not None, "there is gold"
        interval = wilson(max(counts.values()), counts.total())
        found[task] = {
            "most_frequent": base.answer,
            "percent": round(base.percent, 1),
            "interval_percent": [round(interval.low, 1), round(interval.high, 1)],
            "chance_percent": round(chance(task) or 0, 1),
            "p": float(p),
        }
    if found:
        adjusted = multipletests([row["p"] for row in found.values()], method="holm")[1]
        for row, p in zip(found.values(), adjusted, strict=True):
            row["p_holm"] = float(p)
    skewed = {task for task, row in found.items() if row["p_holm"] < ALPHA}
    return check(
        "class-prior",
        [q.qid for q in questions.questions if q.task in skewed and q.qid in questions.gold],
        "an answer of this task is right more often than others: guessing it beats chance",
        skewed_tasks=sorted(map(str, skewed)),
        per_task={str(task): row for task, row in found.items()},
    )


def _answers(questions: QuestionFile, task: Task) -> Counter[str]:
    return Counter(
        label_of(question, questions.gold[question.qid])
        if task is Task.CMAR
        else questions.gold[question.qid]
        for question in questions.questions
        if question.task is task and question.qid in questions.gold
    )


def _classes(task: Task) -> list[str]:
    if task is Task.CMAR:
        return [part.label for part in parts()]
    return list("ABCDE") if task is Task.FMAR else ["Yes", "No"]
