"""Judging a run, or a calibration set: from a folder to its `verdicts.jsonl`."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from fmau.core.files import digest
from fmau.core.taxonomy import OPEN_TASKS
from fmau.dataset.questions import load_questions
from fmau.judge.embedded.run import judge_by_rule
from fmau.judge.engine import JudgeSummary, Progress, judge_calls, remaining
from fmau.judge.estimate import Estimate, estimate
from fmau.judge.items import JudgeItem, items_of
from fmau.judge.judges import EmbeddedJudge, Judge, LlmJudge
from fmau.judge.request import plan_calls
from fmau.judge.rubric import load_rubric
from fmau.judge.verdicts import VerdictFile
from fmau.runs import JudgeNote, read_answers, read_manifest


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a judge's model answers.

    Attributes:
        base_url: of its server.
        api_key: None for a server without one.
        progress: called with (calls done, calls in all).
    """

    base_url: str
    api_key: str | None
    progress: Progress = lambda _done, _total: None


Reach = Callable[[], AbstractContextManager[Endpoint]]
"""Opens the way to a judge's model, for as long as it is asked; starts its server if need be."""


def run_items(folder: Path, limit: int | None = None) -> list[JudgeItem]:
    """The answers of a run that can be judged, in the order of its question file.

    Args:
        limit: so many of them, evenly from both tasks; None for all.

    Raises:
        RunError: no run there.
        InputError: the question file or `answers.jsonl` has defects.
    """
    manifest = read_manifest(folder)
    questions = load_questions(Path(manifest.recipe["data"]["questions"]))
    items = items_of(questions, {row.qid: row for row in read_answers(folder)})
    if limit is None:
        return items
    shares = [limit - limit // 2, limit // 2]
    found = [[item for item in items if item.task is task] for task in OPEN_TASKS]
    return [item for some, share in zip(found, shares, strict=True) for item in some[:share]]


def judge_note(judge: Judge) -> JudgeNote:
    """Who judges, for the manifest.

    Raises:
        RecipeError: the judge's model folder holds no weights, or its rubric is not usable.
    """
    if isinstance(judge, EmbeddedJudge):
        conditions = judge.conditions()
    else:
        conditions = judge.conditions(load_rubric(judge.rubric))
    proxy = isinstance(judge, EmbeddedJudge)
    return JudgeNote(fingerprint=digest(conditions), conditions=conditions, proxy=proxy)


def judge_items(
    items: Sequence[JudgeItem], judge: Judge, note: JudgeNote, verdicts: VerdictFile, reach: Reach
) -> JudgeSummary:
    """Judge every item that has no final verdict in `verdicts`.

    Args:
        reach: used only if there is anything to ask.

    Raises:
        ServerError: the judge's server is not there, or refuses everything.
        RunError: the verdicts cannot be written.
    """
    if isinstance(judge, EmbeddedJudge):
        done = frozenset(verdicts.done)
        return judge_by_rule(items, judge, note.fingerprint, done=done, append=verdicts.append)
    calls = plan_calls(items, judge, note.fingerprint)
    if not remaining(calls, verdicts.done):
        return JudgeSummary(len(calls), len(calls))
    with reach() as endpoint:
        return judge_calls(
            calls,
            judge,
            load_rubric(judge.rubric),
            endpoint.base_url,
            done=verdicts.done,
            append=verdicts.append,
            api_key=endpoint.api_key,
            progress=endpoint.progress,
        )


def estimate_run(items: Sequence[JudgeItem], judge: LlmJudge, note: JudgeNote) -> Estimate:
    """What judging all of `items` would take, whatever has been judged already."""
    calls = plan_calls(items, judge, note.fingerprint)
    return estimate(calls, judge, load_rubric(judge.rubric))
