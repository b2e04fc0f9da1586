"""The data of the answers browser: each question once, and per run what became of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from fmau.core.records import LEVELS, Answer, Question, QuestionFile, Verdict
from fmau.core.taxonomy import Task
from fmau.score.breakdowns import gold_labels, same_label
from fmau.score.levels import median_score

RIGHT = "right"
RIGHT_LABEL = "right label"
WRONG = "wrong"
NO_ANSWER = "no answer"
OPEN = "open answer"
UNKNOWN = "no gold"
"""An answer that nothing can be said about: its question has no gold."""


def browser_data(
    questions: QuestionFile,
    runs: Mapping[str, Mapping[str, Answer]],
    judged: Mapping[str, Sequence[Verdict]] | None = None,
) -> dict[str, Any]:
    """What the browser table shows, ready to be embedded as JSON.

    Args:
        questions: the question file that all runs answered.
        runs: run name -> qid -> answer row.
        judged: run name -> verdicts on its answers, under the names that judges are to have.

    Returns:
        `questions`: [qid, task, clip, stem, option lines, gold, action of the clip] each, in file
        order; `runs`: name and rows of [verdict, answer, reply or reason, judgements], one per
        question in the same order, with a judgement [judge, [L1, L2, L3], reasons] per judge.
    """
    gold = questions.gold
    shown = gold_labels(questions, Task.FMAR)
    said = {name: opinions(verdicts) for name, verdicts in (judged or {}).items()}
    return {
        "questions": [
            [
                question.qid,
                str(question.task),
                question.clip,
                question.stem,
                [f"{option.letter}. {option.label}" for option in question.options],
                _spelled_out(question, gold.get(question.qid)),
                shown.get(question.clip, ""),
            ]
            for question in questions.questions
        ],
        "runs": [
            {
                "name": name,
                "rows": [
                    (
                        *_run_row(question, gold.get(question.qid), answers.get(question.qid)),
                        said.get(name, {}).get(question.qid, []),
                    )
                    for question in questions.questions
                ],
            }
            for name, answers in runs.items()
        ],
    }


def verdict(question: Question, gold: str | None, answer: Answer | None) -> str:
    """How one answer stands to its gold answer."""
    if answer is None or answer.answer is None:
        return NO_ANSWER
    if question.task.is_open:
        return OPEN
    if gold is None:
        return UNKNOWN
    if answer.answer == gold:
        return RIGHT
    if question.task is Task.FMAR and same_label(question, answer.answer, gold):
        return RIGHT_LABEL
    return WRONG


def opinions(verdicts: Sequence[Verdict]) -> dict[str, list[tuple[str, list[float | None], str]]]:
    """qid -> per judge: its name, its scores at the three levels (None if unscored), and why."""
    calls: dict[tuple[str, str], list[Verdict]] = {}
    for row in verdicts:
        calls.setdefault((row.qid, row.judge), []).append(row)
    found: dict[str, list[tuple[str, list[float | None], str]]] = {}
    for (qid, judge), rows in calls.items():
        scores = [median_score(rows, level) for level in LEVELS]
        reasons = [_reasons(row) for row in sorted(rows, key=lambda r: (r.levels, r.sample))]
        found.setdefault(qid, []).append((judge, scores, "\n".join(reasons)))
    return found


def _reasons(row: Verdict) -> str:
    """Why a call gave its scores, or none; and what of the answer the judge was not shown."""
    levels = ", ".join(f"L{level}" for level in row.levels)
    said = row.rationale if row.scores else f"{row.status}: {row.reason}"
    # A rationale about all levels names them itself.
    lines = [said or "" if len(row.levels) > 1 else f"{levels}: {said}"]
    lines += [f"not shown to the judge: {passage}" for passage in row.removed]
    return "\n".join(lines)


def _run_row(question: Question, gold: str | None, row: Answer | None) -> tuple[str, str, str]:
    if row is None:
        return NO_ANSWER, "", "there is no row for this question"
    result = verdict(question, gold, row)
    answer = _spelled_out(question, row.answer)
    if row.answer is None:
        reason = f"{row.status}: {row.reason or 'no reason given'}"
        return result, answer, "\n".join(filter(None, [reason, row.reply]))
    # An open answer is its own reply; once is enough.
    return result, answer, "" if row.reply == row.answer else row.reply or ""


def _spelled_out(question: Question, answer: str | None) -> str:
    """ "B. Head" for "B", so that a letter can be read without its options."""
    for option in question.options:
        if option.letter == answer:
            return f"{option.letter}. {option.label}"
    return answer or ""
