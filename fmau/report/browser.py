"""The data of the answers browser in the HTML report: every question, with the answers of all runs.

The exports use its verdicts and judges' reasons too.
"""

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
"""The result of an answer whose question has no gold answer."""


def browser_data(
    questions: QuestionFile,
    runs: Mapping[str, Mapping[str, Answer]],
    judged: Mapping[str, Sequence[Verdict]] | None = None,
) -> dict[str, Any]:
    """The rows of the browser's table, ready to be embedded as JSON.

    Args:
        questions: the question file that all runs answered.
        runs: run name -> qid -> answer row.
        judged: run name -> verdicts on its answers; `judge` is the name to show.

    Returns:
        `questions`: one [qid, task, clip, stem, option lines, gold, action of the clip] per
        question, in file order. `runs`: per run its name and rows, one [verdict, answer, reply or
        reason, thought, judgements] per question in the same order; `thought` is the thinking
        before the answer under a heading, or null; `judgements` has one
        [judge, [L1, L2, L3], reasons] per judge.
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
                        _thought(answers.get(question.qid)),
                        said.get(name, {}).get(question.qid, []),
                    )
                    for question in questions.questions
                ],
            }
            for name, answers in runs.items()
        ],
    }


def verdict(question: Question, gold: str | None, answer: Answer | None) -> str:
    """Compare one answer with its gold answer; returns one of the constants above."""
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
    """qid -> for each judge (name, scores at the three levels or None if unscored, reasons)."""
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
    """The judge's reasons, or why there is no score; and passages hidden from the judge."""
    levels = ", ".join(f"L{level}" for level in row.levels)
    said = row.rationale if row.scores else f"{row.status}: {row.reason}"
    # A rationale about several levels names the levels in its text.
    lines = [said or "" if len(row.levels) > 1 else f"{levels}: {said}"]
    lines += [f"not shown to the judge: {passage}" for passage in row.removed]
    return "\n".join(lines)


def _run_row(question: Question, gold: str | None, row: Answer | None) -> tuple[str, str, str]:
    if row is None:
        return NO_ANSWER, "", "no row answers this question as it is now"
    result = verdict(question, gold, row)
    answer = _spelled_out(question, row.answer)
    if row.answer is None:
        reason = f"{row.status}: {row.reason or 'no reason given'}"
        return result, answer, "\n".join(filter(None, [reason, row.reply]))
    # The reply to an open question is the answer; do not show it twice.
    return result, answer, "" if row.reply == row.answer else row.reply or ""


def _thought(row: Answer | None) -> tuple[str, str] | None:
    """What the model thought before its answer, under a heading."""
    if row is None or row.thinking is None:
        return None
    counted = "" if row.thinking_tokens is None else f", {row.thinking_tokens:,} tokens"
    ran_out = ", cut by its budget" if row.thinking_ran_out else ""
    return f"thinking{counted}{ran_out}", row.thinking.strip()


def _spelled_out(question: Question, answer: str | None) -> str:
    """ "B. Head" for "B", so that a letter can be understood without the list of options."""
    for option in question.options:
        if option.letter == answer:
            return f"{option.letter}. {option.label}"
    return answer or ""
