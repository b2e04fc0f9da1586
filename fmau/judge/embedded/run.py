"""Judging a run with the embedded judge: all answers in one pass, without a server."""

import time
from collections.abc import Sequence

from fmau.core.records import LEVELS, Verdict, VerdictStatus
from fmau.core.taxonomy import Task
from fmau.judge.candidate import shown
from fmau.judge.embedded import embedded_opinions
from fmau.judge.engine import Append
from fmau.judge.items import JudgeItem
from fmau.judge.judges import EmbeddedJudge
from fmau.judge.request import call_fingerprint
from fmau.judge.summary import JudgeSummary


def judge_by_rule(
    items: Sequence[JudgeItem],
    judge: EmbeddedJudge,
    judge_fingerprint: str,
    *,
    done: frozenset[str],
    append: Append,
) -> JudgeSummary:
    """Judge every item about MADU or MARE that has no verdict yet.

    Args:
        items: to be judged.
        judge: the embedded judge, for its name.
        judge_fingerprint: of the judge; part of each verdict's fingerprint.
        done: fingerprints of the verdicts that exist already.
        append: writes one verdict.

    Returns:
        How many items there were and what became of them.

    Raises:
        RunError: a verdict cannot be written.
    """
    started = time.monotonic()
    ruled = [item for item in items if isinstance(item.task, Task)]
    todo = [
        (item, fingerprint)
        for item in ruled
        if (fingerprint := call_fingerprint(judge_fingerprint, item, LEVELS, 0)) not in done
    ]
    summary = JudgeSummary(len(ruled), len(ruled) - len(todo), without_rule=len(items) - len(ruled))
    for item, fingerprint in todo:
        row = _verdict(item, judge, fingerprint)
        append(row)
        summary.count(row)
    summary.seconds = round(time.monotonic() - started, 3)
    return summary


def _verdict(item: JudgeItem, judge: EmbeddedJudge, fingerprint: str) -> Verdict:
    assert isinstance(item.task, Task), "the others have no rule"
    candidate = shown(item.answer)
    opinions = embedded_opinions(item.task, item.reference, candidate.text)
    return Verdict(
        qid=item.qid,
        clip=item.clip,
        task=str(item.task),
        judge=judge.name,
        fingerprint=fingerprint,
        levels=LEVELS,
        status=VerdictStatus.SCORED,
        scores={level: opinion.score for level, opinion in opinions.items()},
        rationale="\n".join(f"L{level}: {found.rationale}" for level, found in opinions.items()),
        removed=candidate.removed,
    )
