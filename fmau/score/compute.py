"""Computes all scores of one set of answers: `score` is the entry point of every command."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

from fmau.core.errors import InputError, Problem
from fmau.core.records import Answer, AnswerStatus, Question, QuestionFile, Verdict
from fmau.core.taxonomy import CLOSED_TASKS, AnyTask, Task, Tier
from fmau.prompting.extraction import choices, is_refusal
from fmau.score.agreement import agreements
from fmau.score.breakdowns import (
    by_action,
    by_part,
    chance,
    cmar_confusion,
    fmar_columns,
    fmar_confusion,
    fmar_readings,
    label_match,
    majority,
)
from fmau.score.calibration import calibration
from fmau.score.joined import contradictions
from fmau.score.judged import judgement
from fmau.score.levels import Judgement
from fmau.score.scores import Average, Benchmark, Scores, TaskScore
from fmau.score.tally import Tally

MA_BENCH_CLIPS = 1000
MA_BENCH_CLIPS_SHA256 = "3f862efeb6056fe08ce697bbe839df29e41dc936e3c5b2a7b74f72f7a3b1479f"
"""SHA-256 of MA-Bench's clip names, sorted and joined by newlines. It tells MA-Bench from a mini
benchmark with the same number of clips and questions."""


def score(
    questions: QuestionFile,
    answers: Mapping[str, Answer],
    verdicts: Sequence[Verdict] = (),
    judges: Mapping[str, bool] | None = None,
    stale: frozenset[str] = frozenset(),
) -> Scores:
    """Score answers against the gold answers of their question file.

    Every accuracy is over all questions with gold: a missing, failed or unparsed answer is wrong. A
    task without gold has no accuracy (None), and a mean over such a task is None too.

    Args:
        questions: the question file; some or all of its questions have gold.
        answers: qid -> answer row, of a run or from `load_predictions`.
        verdicts: verdicts on the open answers; the latest row of every call of a judge.
        judges: name of each judge -> whether it is a proxy (the embedded rule, not an LLM).
        stale: qids that have no entry in `answers` because their rows are stale (`joined.py`).

    Raises:
        InputError: an answer has no question, contradicts it, or is not a valid answer to it.
    """
    _check(questions, answers)
    own = questions.own_tasks
    closed: tuple[AnyTask, ...] = (*CLOSED_TASKS, *(task for task in own if not task.is_open))
    columns = {str(task): closed_outcomes(questions, answers, task) for task in closed}
    tally = Tally(columns | fmar_columns(questions, answers))
    tasks = {task: _task_score(questions, answers, task, tally, stale) for task in Task}
    own_tasks = [_task_score(questions, answers, task, tally, stale) for task in own]
    closed_avg = tally.average([str(task) for task in CLOSED_TASKS])
    judgements = _judgements(questions, answers, verdicts, judges or {}, tasks)
    official = next((found for found in judgements if found.complete and not found.proxy), None)
    return Scores(
        benchmark=benchmark_of(questions.questions),
        questions=len(questions.questions),
        clips=len({question.clip for question in questions.questions}),
        with_gold=sum(task.with_gold for task in (*tasks.values(), *own_tasks)),
        tasks=tasks,
        cmar_confusion=cmar_confusion(questions.questions, questions.gold, answers),
        closed_avg=closed_avg,
        chance_avg=_mean([value for task in CLOSED_TASKS if (value := chance(task))]),
        majority_avg=_mean(_majorities(tasks)) if closed_avg else None,
        judge=official.judge if official else None,
        open_avg=official.open_avg if official else None,
        final=official.final if official else None,
        fmar=fmar_readings(questions, tally),
        fmar_confusion=fmar_confusion(questions, answers),
        by_action=by_action(questions, answers),
        by_part=by_part(questions, answers),
        tiers=_tiers(tally),
        mare_labels=label_match(questions, answers),
        own_tasks=tuple(own_tasks),
        judgements=judgements,
        agreements=agreements(verdicts, [found.judge for found in judgements]),
        calibration=calibration(questions, answers),
    )


def closed_outcomes(
    questions: QuestionFile, answers: Mapping[str, Answer], task: AnyTask
) -> list[tuple[str, bool]]:
    """(clip, whether the answer is right) for every question of a closed task that has gold."""
    outcomes = []
    for question in questions.questions:
        if question.task == task and question.qid in questions.gold:
            row = answers.get(question.qid)
            is_right = row is not None and row.answer == questions.gold[question.qid]
            outcomes.append((question.clip, is_right))
    return outcomes


def benchmark_of(questions: Sequence[Question]) -> Benchmark:
    """ "MA-Bench" if these are its 1,000 clips with 12 questions each, else "other"."""
    per_task = Counter(question.task for question in questions)
    clips = sorted({question.clip for question in questions})
    names = hashlib.sha256("\n".join(clips).encode()).hexdigest()
    complete = all(per_task[task] == MA_BENCH_CLIPS * task.per_clip for task in Task)
    return "MA-Bench" if complete and names == MA_BENCH_CLIPS_SHA256 else "other"


def _check(questions: QuestionFile, answers: Mapping[str, Answer]) -> None:
    asked = {question.qid: question for question in questions.questions}
    problems = []
    for qid, row in answers.items():
        question = asked.get(qid)
        if question is None:
            remedy = "score these answers with the question file that they answer"
            problems.append(Problem(qid, "the question file has no such question", remedy))
            continue
        problems += contradictions(asked, [row])
        if (row.status is AnswerStatus.OK) != (row.answer is not None):
            remedy = 'a row must have an answer if its status is "ok", and none otherwise'
            problems.append(Problem(qid, f"status {row.status}, answer {row.answer!r}", remedy))
        allowed = choices(question)
        if allowed and row.answer is not None and row.answer not in allowed:
            remedy = f"valid answers are {', '.join(allowed)}"
            problems.append(Problem(qid, f"the answer is {row.answer!r}", remedy))
    if problems:
        raise InputError(problems)


def _judgements(
    questions: QuestionFile,
    answers: Mapping[str, Answer],
    verdicts: Sequence[Verdict],
    judges: Mapping[str, bool],
    tasks: Mapping[Task, TaskScore],
) -> tuple[Judgement, ...]:
    """The summary of each judge: LLM judges first, then proxies, each in the order given."""
    found = [tasks[task].accuracy for task in CLOSED_TASKS]
    percents = [accuracy.percent for accuracy in found if accuracy is not None]
    return tuple(
        judgement(
            questions,
            answers,
            [row for row in verdicts if row.judge == judge],
            judge=judge,
            proxy=judges[judge],
            accuracies=percents if len(percents) == len(CLOSED_TASKS) else None,
        )
        for judge in sorted(judges, key=lambda name: judges[name])
    )


def _task_score(
    questions: QuestionFile,
    answers: Mapping[str, Answer],
    task: AnyTask,
    tally: Tally,
    stale: frozenset[str],
) -> TaskScore:
    asked = [question for question in questions.questions if question.task == task]
    rows = [answers[question.qid] for question in asked if question.qid in answers]
    ended = Counter(row.status for row in rows)
    outdated = sum(question.qid in stale for question in asked)
    accuracy = None if task.is_open else tally.accuracy(str(task))
    answered_with_gold = sum(
        row.qid in questions.gold for row in rows if row.status is AnswerStatus.OK
    )
    return TaskScore(
        task=str(task),
        asked=len(asked),
        with_gold=sum(question.qid in questions.gold for question in asked),
        answered=ended[AnswerStatus.OK],
        unparsed=ended[AnswerStatus.UNPARSED],
        truncated=ended[AnswerStatus.TRUNCATED],
        clip_failed=ended[AnswerStatus.CLIP_FAILED],
        request_failed=ended[AnswerStatus.REQUEST_FAILED],
        unanswered=len(asked) - len(rows) - outdated,
        accuracy=accuracy,
        answered_percent=(
            100 * accuracy.correct / answered_with_gold if accuracy and answered_with_gold else None
        ),
        chance=chance(task, asked),
        majority=majority(task, asked, questions.gold),
        refused=sum(row.reply is not None and is_refusal(row.reply) for row in rows),
        stale=outdated,
    )


def _majorities(tasks: Mapping[Task, TaskScore]) -> list[float]:
    """What the best constant answer scores, in percent, for each closed task with gold."""
    return [base.percent for task in CLOSED_TASKS if (base := tasks[task].majority)]


def _tiers(tally: Tally) -> dict[Tier, Average]:
    """Tier -> mean accuracy of its closed tasks; only tiers whose tasks all have gold."""
    found = {
        tier: tally.average([str(task) for task in CLOSED_TASKS if task.tier is tier])
        for tier in Tier
    }
    return {tier: average for tier, average in found.items() if average is not None}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
