"""Makes the tables that the terminal and the HTML report share, as rows of text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fmau.core.taxonomy import CLOSED_TASKS, Task
from fmau.score.comparison import Comparison, p_value
from fmau.score.intervals import Interval
from fmau.score.levels import JudgeAgreement, Judgement
from fmau.score.scores import Accuracy, FmarReadings, Scores, TaskScore
from fmau.score.table4 import NOT_AVAILABLE, two_decimals

ACCURACY_COLUMNS = (
    "right",
    "of",
    "accuracy %",
    "95 % by clip",
    "95 % Wilson",
    "of answered %",
    "chance",
    "majority",
)
LEVEL_COLUMNS = (
    "mean 0-5",
    "95 % by clip",
    "95 % naive",
    "scored",
    "no answer",
    "if unscored = 0",
    "spread",
)
AGREEMENT_COLUMNS = (
    "scores",
    "weighted kappa",
    "95 % by answer",
    "ordinal alpha",
    "equal %",
    "within one %",
    "second - first",
)
COMPARISON_COLUMNS = (
    "change",
    "95 % by clip",
    "better, worse",
    "p",
    "p Holm",
    "smallest",
)
COUNT_COLUMNS = (
    "asked",
    "answered",
    "unparsed",
    "truncated",
    "clip failed",
    "no reply",
    "missing",
    "stale",
    "refusals",
)


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table of text.

    Attributes:
        columns: headings of the cells.
        rows: row name -> its cells.
    """

    columns: tuple[str, ...]
    rows: Mapping[str, tuple[str, ...]]


def accuracy_table(scores: Scores) -> TextTable:
    """Accuracies of the closed tasks with intervals and baselines, FMAR by label, the mean, and
    tasks of one's own.

    There are two intervals: over clips (quote this one), and Wilson's, which treats all questions
    as independent.
    """
    rows = {}
    if scores.has_official:
        rows = _official_rows(scores)
    own = {score.task: _task_row(score) for score in scores.own_tasks if score.chance is not None}
    return TextTable(ACCURACY_COLUMNS, rows | own)


def _official_rows(scores: Scores) -> dict[str, tuple[str, ...]]:
    nothing = NOT_AVAILABLE
    rows = {}
    for task in CLOSED_TASKS:
        rows[str(task)] = _task_row(scores.tasks[task])
        if task is Task.FMAR and scores.fmar is not None:
            rows |= _fmar_rows(scores.fmar)
    average = scores.closed_avg
    rows["Closed-AVG"] = (
        nothing,
        nothing,
        two_decimals(average.percent if average else None),
        span(average.clustered if average else None),
        nothing,
        nothing,
        two_decimals(scores.chance_avg),
        two_decimals(scores.majority_avg),
    )
    return rows


def _fmar_rows(fmar: FmarReadings) -> dict[str, tuple[str, ...]]:
    """Rows for FMAR by label and, if some questions leak, for both accuracies without those."""
    readings = {"FMAR by label": fmar.by_label}
    if fmar.leaking and fmar.strict_clean and fmar.by_label_clean:
        readings["FMAR, no leaks"] = fmar.strict_clean
        readings["by label, no leaks"] = fmar.by_label_clean
    return {
        name: (*_accuracy_cells(found), *(NOT_AVAILABLE,) * 3) for name, found in readings.items()
    }


def further_table(scores: Scores) -> TextTable:
    """Mean accuracy per tier, and MARE scored by the labels that its answers end in."""
    rows = {}
    for tier, average in scores.tiers.items():
        rows[str(tier)] = (two_decimals(average.percent), span(average.clustered), "")
    if (match := scores.mare_labels) is not None:
        for name, found in (("action", match.fine), ("body part", match.coarse)):
            remark = f"{match.unlabelled:,} of {found.total:,} name none"
            cells = (two_decimals(found.percent), span(found.clustered), remark)
            rows[f"MARE, {name} named at the end"] = cells
    return TextTable(("%", "95 % by clip", ""), rows)


CALIBRATION_COLUMNS = (
    *("questions", "ECE %", "Brier"),
    *("sure if right %", "sure if wrong %", "no option %"),
)


def calibration_table(scores: Scores) -> TextTable:
    """How far the confidence in closed answers can be trusted; empty without scores of options."""
    found = scores.calibration
    if found is None:
        return TextTable(CALIBRATION_COLUMNS, {})
    cells = (
        f"{found.questions:,}",
        two_decimals(found.ece),
        f"{found.brier:.3f}",
        two_decimals(found.right),
        two_decimals(found.wrong),
        two_decimals(found.outside),
    )
    return TextTable(CALIBRATION_COLUMNS, {"closed answers": cells})


def level_table(judgement: Judgement) -> TextTable:
    """The levels of the open tasks from one judge, with the number of scored answers."""
    rows = {}
    for name, level in judgement.levels:
        answers = level.scored + level.unscored
        rows[name] = (
            two_decimals(level.mean),
            span(level.clustered, digits=2),
            span(level.naive, digits=2),
            f"{level.scored:,} of {answers:,}",
            f"{level.no_answer:,}",
            two_decimals(level.floor),
            two_decimals(level.spread),
        )
    if f"{Task.MADU} L1" in rows:
        average = (two_decimals(judgement.open_avg), span(judgement.open_avg_clustered, digits=2))
        rows["Open-AVG"] = (*average, *(NOT_AVAILABLE,) * 5)
    return TextTable(LEVEL_COLUMNS, rows)


def comparison_title(found: Comparison) -> str:
    """The heading of a comparison's table."""
    first, second = found.names
    title = f"{first} and {second}; change is {second} - {first}"
    if found.judge is None:
        return title
    proxy = ", an embedded proxy, not an LLM judge" if found.judge_is_proxy else ""
    return f"{title}; levels by {found.judge}{proxy}"


def comparison_table(found: Comparison) -> TextTable:
    """How two runs differ, one row per measure."""
    rows = {
        item.name: (
            two_decimals(item.first),
            two_decimals(item.second),
            f"{item.difference:+.2f}",
            NOT_AVAILABLE
            if item.interval is None
            else f"{item.interval.low:+.2f} to {item.interval.high:+.2f}",
            NOT_AVAILABLE if item.gained is None else f"+{item.gained} -{item.lost}",
            NOT_AVAILABLE if item.p is None else p_value(item.p),
            NOT_AVAILABLE if item.p_holm is None else p_value(item.p_holm),
            two_decimals(item.smallest),
        )
        for item in found.differences
    }
    return TextTable((*found.names, *COMPARISON_COLUMNS), rows)


def agreement_table(found: Sequence[JudgeAgreement]) -> TextTable:
    """The agreement of pairs of judges, one row per pair."""
    return TextTable(
        AGREEMENT_COLUMNS,
        {
            f"{pair.first}, {pair.second}": (
                f"{pair.pairs:,}",
                two_decimals(pair.kappa),
                span(pair.interval, digits=2),
                two_decimals(pair.alpha),
                f"{100 * pair.exact:.0f}",
                f"{100 * pair.within_one:.0f}",
                f"{pair.bias:+.2f}",
            )
            for pair in found
        },
    )


def judge_title(judgement: Judgement) -> str:
    """The heading of a judge's table; it says if the judge is a proxy."""
    who = (
        f"{judgement.judge}: embedded proxy, not an LLM judge"
        if judgement.proxy
        else f"judged by {judgement.judge}"
    )
    return f"{who}; {judgement.coverage}" if judgement.coverage else who


def final_remark(scores: Scores) -> str:
    """Whose verdicts the Final is made of, or why there is none; empty if nothing is to be said."""
    llms = [found for found in scores.judgements if not found.proxy]
    if not llms:
        return "no LLM has judged MADU and MARE"
    official = next((found for found in llms if found.judge == scores.judge), None)
    if official is None:
        return "incomplete: " + "; ".join(f"{one.judge}, {one.coverage}" for one in llms)
    told = [f"by {official.judge}"] if len(llms) > 1 else []
    told += [official.coverage] if official.coverage else []
    told += ["needs gold answers in all six closed tasks"] if scores.final is None else []
    return "; ".join(told)


def count_table(scores: Scores) -> TextTable:
    """Number of questions of each task by status: answered, unparsed, failed, ..."""
    rows = {
        score.task: (
            score.asked,
            score.answered,
            score.unparsed,
            score.truncated,
            score.clip_failed,
            score.request_failed,
            score.unanswered,
            score.stale,
            score.refused,
        )
        for score in scores.all_tasks
    }
    rows["all"] = tuple(sum(column) for column in zip(*rows.values(), strict=True))
    return TextTable(
        COUNT_COLUMNS,
        {name: tuple(f"{count:,}" for count in counts) for name, counts in rows.items()},
    )


def span(interval: Interval | None, digits: int = 1) -> str:
    """ "44.9–49.0", or "–" if there is no interval."""
    if interval is None:
        return NOT_AVAILABLE
    return f"{interval.low:.{digits}f}–{interval.high:.{digits}f}"


def _task_row(score: TaskScore) -> tuple[str, ...]:
    majority = score.majority
    return (
        *(_accuracy_cells(score.accuracy) if score.accuracy else (NOT_AVAILABLE,) * 5),
        two_decimals(score.answered_percent),
        two_decimals(score.chance),
        f"{two_decimals(majority.percent)} ({majority.answer})" if majority else NOT_AVAILABLE,
    )


def _accuracy_cells(accuracy: Accuracy) -> tuple[str, ...]:
    return (
        f"{accuracy.correct:,}",
        f"{accuracy.total:,}",
        two_decimals(accuracy.percent),
        span(accuracy.clustered),
        span(accuracy.wilson),
    )
