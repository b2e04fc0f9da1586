"""Writes the HTML report about one or more runs of the same questions, for `fmau report`.

The file contains everything, the charting library too, so it opens without a network; its content
security policy forbids all requests. Texts of models and question files are escaped, or are JSON
that scripts insert as text, never as markup.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from fmau.core.errors import RunError
from fmau.core.files import write_whole
from fmau.core.records import Verdict
from fmau.core.taxonomy import CLOSED_TASKS, OPEN_TASKS, Task, actions
from fmau.report.browser import browser_data
from fmau.report.charts import (
    accuracy_chart,
    action_chart,
    action_confusion_chart,
    confusion_chart,
    coverage_chart,
    level_chart,
    part_chart,
    recall_chart,
    reliability_chart,
    training_chart,
)
from fmau.report.tables import (
    accuracy_table,
    agreement_table,
    calibration_table,
    comparison_table,
    comparison_title,
    count_table,
    final_remark,
    further_table,
    judge_title,
    level_table,
    span,
)
from fmau.report.thumbnails import StripOf, embedded
from fmau.score.intervals import Interval
from fmau.score.run import ScoredRun, compare_runs
from fmau.score.scores import Scores
from fmau.score.table4 import COLUMNS, caveat, table4, two_decimals


def write_report(
    runs: Sequence[ScoredRun], out: str | Path, strip_of: StripOf | None = None
) -> Path:
    """Write a report about runs to `out`; an older file is replaced.

    Args:
        runs: one or more runs.
        out: the HTML file, 5 MB or more; its folder must exist.
        strip_of: returns the frames of a clip as one picture; None for a report without frames.

    Raises:
        RunError: two runs share a name or answered different question files, or the file cannot
            be written.
    """
    if len({run.name for run in runs}) < len(runs):
        raise RunError(
            "two of these runs have the same name; leave one out, or answer again under another "
            "name (--set name=NAME)"
        )
    for run in runs:
        if run.questions != runs[0].questions:
            raise RunError(
                f"{run.name} and {runs[0].name} answered different questions; "
                "write one report per question file"
            )
    path = Path(out)
    write_whole(path, render(runs, strip_of))
    return path


def run_facts(run: ScoredRun) -> dict[str, str]:
    """The facts shown at the top of a run: model, adapter, prompts, question file, date."""
    manifest, recipe = run.manifest, run.manifest.recipe
    model = recipe["model"]["path"]
    if revision := recipe["model"].get("revision"):
        model += f" @ {revision}"
    facts = {
        "model": model,
        "adapter": manifest.adapter or "none",
        "prompts": recipe["prompt"]["set"],
        "questions": str(run.file or recipe["data"]["questions"]),
        "conditions": manifest.fingerprint[:12],
    }
    if manifest.sessions:
        facts["last worked on"] = manifest.sessions[-1].started
    return facts


def render(runs: Sequence[ScoredRun], strip_of: StripOf | None = None) -> str:
    """The report as HTML text.

    Args:
        runs: at least one; all about the same questions, with distinct names.
        strip_of: returns the frames of a clip as one picture; None for a report without frames.
    """
    clips = dict.fromkeys(question.clip for question in runs[0].questions.questions)
    strips, without = embedded(clips, strip_of) if strip_of else ({}, len(clips))
    environment = Environment(
        loader=PackageLoader("fmau.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    scores = {run.name: run.scores for run in runs}
    return environment.get_template("report.html.jinja").render(
        title=", ".join(scores),
        lede=_lede(runs[0].scores),
        runs=[_run_context(place, run) for place, run in enumerate(runs)],
        contents=_contents(runs),
        comparisons=_comparisons(runs),
        not_asked=_not_asked(runs[0].scores),
        caveat=caveat(scores),
        table4=table4(scores, {run.name for run in runs if run.blind}),
        span=_cell_span,
        average_columns=[place for place, name in enumerate(COLUMNS) if name == "AVG"],
        closed_tasks=CLOSED_TASKS,
        open_tasks=OPEN_TASKS,
        task_chars=max(len(task.task) for task in runs[0].scores.all_tasks),
        plotly_js=Markup(get_plotlyjs()),
        charts=_charts(runs),
        strips=strips,
        clips_without_frames=without if strip_of else 0,
        browser=browser_data(
            runs[0].questions,
            {run.name: run.answers for run in runs},
            {run.name: _judged(run) for run in runs},
        ),
    )


def _contents(runs: Sequence[ScoredRun]) -> dict[str, str]:
    """Anchor -> name of each section that the page has."""
    scores = [run.scores for run in runs]
    there = {
        "table4": ("Table 4", scores[0].has_official),
        "comparison": ("Comparison", len(runs) > 1),
        "accuracy": ("Accuracy", True),
        "confidence": ("Confidence", any(one.calibration for one in scores)),
        "open": ("Open answers", any(one.judgements for one in scores)),
        "parts": ("Body parts", scores[0].cmar_confusion is not None or bool(scores[0].by_part)),
        "actions": ("Actions", bool(scores[0].by_action)),
        "browser": ("Answers", True),
    }
    return {place: name for place, (name, is_there) in there.items() if is_there}


def _comparisons(runs: Sequence[ScoredRun]) -> list[dict[str, Any]]:
    """Each run against the first one."""
    found: list[dict[str, Any]] = []
    for run in runs[1:]:
        try:
            comparison = compare_runs(runs[0], run)
        except RunError as error:
            found.append({"verdict": str(error), "notes": (), "title": run.name, "table": None})
            continue
        found.append(
            {
                "verdict": comparison.verdict,
                "notes": comparison.notes,
                "title": comparison_title(comparison),
                "table": comparison_table(comparison),
            }
        )
    return found


def _not_asked(scores: Scores) -> list[str]:
    """Labels of the actions that no FMAR question is about."""
    asked = {share.name for share in scores.by_action if share.task is Task.FMAR}
    return [action.label for action in actions() if action.label not in asked]


def _cell_span(interval: Interval, column: int) -> str:
    """An interval of Table 4 as text: no decimals for percent, one for levels."""
    return span(interval, digits=0 if column <= len(CLOSED_TASKS) else 1)


def _lede(scores: Scores) -> str:
    source = "MA-Bench" if scores.benchmark == "MA-Bench" else "not MA-Bench"
    gold = f"{scores.with_gold:,} with gold answers" if scores.with_gold else "no gold answers"
    return f"{scores.questions:,} questions about {scores.clips:,} clips ({source}), {gold}."


def _run_context(place: int, run: ScoredRun) -> dict[str, Any]:
    return {
        "place": place,
        "name": run.name,
        "facts": run_facts(run),
        "figures": _figures(run.scores),
        "accuracy": accuracy_table(run.scores),
        "counts": count_table(run.scores),
        "further": further_table(run.scores),
        "judgements": [
            {
                "title": judge_title(found),
                "table": level_table(found),
                "chart": f"levels-{place}-{number}",
            }
            for number, found in enumerate(run.scores.judgements)
        ],
        "agreement": agreement_table(run.scores.agreements),
        "calibration": calibration_table(run.scores),
        "has_confusion": run.scores.cmar_confusion is not None,
    }


def _judged(run: ScoredRun) -> list[Verdict]:
    """The verdicts on a run; "(proxy)" is added to the names of proxy judges."""
    proxies = {found.judge for found in run.scores.judgements if found.proxy}
    return [
        row.model_copy(update={"judge": f"{row.judge} (proxy)"}) if row.judge in proxies else row
        for row in run.verdicts
    ]


def _figures(scores: Scores) -> list[dict[str, str]]:
    """The numbers at the top of a run."""
    tasks = scores.all_tasks
    answered = sum(task.answered for task in tasks)
    failed = sum(task.failed for task in tasks)
    unreadable = sum(task.unparsed + task.truncated for task in tasks)
    average = scores.closed_avg
    means = [
        {
            "name": "Closed-AVG",
            "value": two_decimals(average.percent if average else None),
            "remark": f"95 % {span(average.clustered)}"
            if average
            else "needs gold answers in all six closed tasks",
        },
        {
            "name": "Final",
            "value": two_decimals(scores.final),
            "remark": final_remark(scores),
        },
    ]
    return [
        *(means if scores.has_official else ()),
        {"name": "Answered", "value": f"{answered:,}", "remark": f"of {scores.questions:,}"},
        {
            "name": "Failed",
            "value": f"{failed:,}",
            "remark": f"and {unreadable:,} unparsed or cut off",
        },
    ]


def _charts(runs: Sequence[ScoredRun]) -> dict[str, Any]:
    scores = {run.name: run.scores for run in runs}
    charts: dict[str, Any] = {}
    if sure := {name: one.calibration for name, one in scores.items() if one.calibration}:
        charts["reliability"] = reliability_chart(sure)
    if any(task.accuracy for one in scores.values() for task in one.all_tasks):
        charts["accuracy"] = accuracy_chart(scores)
    if runs[0].scores.by_action:
        charts["actions"] = action_chart(scores)
    if any(one.judgements for one in scores.values()):
        charts["coverage"] = coverage_chart(scores)
    for place, run in enumerate(runs):
        if run.scores.by_part:
            charts[f"parts-{place}"] = part_chart(run.scores.by_part)
        if run.scores.cmar_confusion is not None:
            charts[f"confusion-{place}"] = confusion_chart(run.scores.cmar_confusion)
            charts[f"recall-{place}"] = recall_chart(run.scores.cmar_confusion)
        if run.scores.fmar_confusion:
            charts[f"action-confusion-{place}"] = action_confusion_chart(run.scores.fmar_confusion)
        if run.training:
            charts[f"training-{place}"] = training_chart(run.training)
        for number, found in enumerate(run.scores.judgements):
            charts[f"levels-{place}-{number}"] = level_chart(found)
    return charts
