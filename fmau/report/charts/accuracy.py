"""Charts of accuracies: by task, by action, by body part."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from fmau.core.taxonomy import CLOSED_TASKS, Task
from fmau.report.charts.figure import plain
from fmau.score.scores import Scores, Share


def accuracy_chart(runs: Mapping[str, Scores]) -> dict[str, Any]:
    """Accuracy of each closed task with its interval over clips; markers show chance and majority.

    Args:
        runs: name -> scores, all of one question file; each run has its own bars.
    """
    bars = [_accuracy_bars(name, scores) for name, scores in runs.items()]
    scored = next(iter(runs.values())).closed_tasks
    tasks = [score.task for score in scored]
    chance = go.Scatter(
        name="chance",
        x=tasks,
        y=[score.chance for score in scored],
        mode="markers",
        marker={"symbol": "line-ew", "size": 26, "line": {"width": 1.5}},
        hovertemplate="%{x} chance %{y:.1f} %<extra></extra>",
        meta="baseline",
    )
    majorities = [score.majority for score in scored]
    majority = go.Scatter(
        name="majority class",
        x=tasks,
        y=[base and base.percent for base in majorities],
        customdata=[base and base.answer for base in majorities],
        mode="markers",
        marker={"symbol": "diamond", "size": 9, "line": {"width": 1.5}},
        hovertemplate="%{x} always “%{customdata}” %{y:.1f} %<extra></extra>",
        meta="baseline",
    )
    layout = {
        "barmode": "group",
        "bargap": 0.45,
        "yaxis": {"range": [0, 100], "ticksuffix": " %", "fixedrange": True},
        "xaxis": {"fixedrange": True, "showgrid": False},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "margin": {"t": 40, "r": 8, "b": 30, "l": 48},
        "height": 380,
    }
    return plain([*bars, chance, majority], layout)


def action_chart(runs: Mapping[str, Scores]) -> dict[str, Any]:
    """FMAR accuracy per action of the clip, one group of bars per action.

    Args:
        runs: name -> scores, all of one question file.
    """
    bars = []
    names: list[str] = []
    for name, scores in runs.items():
        shares = [share for share in scores.by_action if share.task is Task.FMAR]
        names = [share.name for share in shares]
        bars.append(
            go.Bar(
                name=name,
                x=[share.percent for share in shares],
                y=names,
                customdata=[
                    [share.correct, share.total, share.wilson.low, share.wilson.high]
                    for share in shares
                ],
                text=[f"{share.correct} of {share.total}" for share in shares],
                textposition="inside",
                insidetextanchor="start",
                error_x={
                    "array": [share.wilson.high - share.percent for share in shares],
                    "arrayminus": [share.percent - share.wilson.low for share in shares],
                    "thickness": 1,
                    "width": 2,
                },
                orientation="h",
                hovertemplate=(
                    "%{y}: %{customdata[0]} of %{customdata[1]}, %{x:.0f} %, "
                    "95 % Wilson %{customdata[2]:.0f}–%{customdata[3]:.0f} %"
                    "<extra>%{fullData.name}</extra>"
                ),
                meta="run",
            )
        )
    layout = {
        "barmode": "group",
        "bargap": 0.3,
        "xaxis": {"range": [0, 100], "ticksuffix": " %", "fixedrange": True, "side": "top"},
        "yaxis": {"autorange": "reversed", "fixedrange": True, "showgrid": False, "dtick": 1},
        "legend": {"orientation": "h", "y": 1.03, "yanchor": "bottom", "x": 0},
        "margin": {"t": 60, "r": 8, "b": 10, "l": 200},
        "height": 100 + len(names) * (8 + 16 * len(runs)),
    }
    return plain(bars, layout)


def part_chart(shares: Sequence[Share]) -> dict[str, Any]:
    """Accuracy per body part of the clip (rows) and closed task (columns)."""
    found = {(share.name, share.task): share for share in shares}
    names = list(dict.fromkeys(share.name for share in shares))
    rows = [[found.get((name, task)) for task in CLOSED_TASKS] for name in names]
    heatmap = go.Heatmap(
        x=[str(task) for task in CLOSED_TASKS],
        y=names,
        z=[[share and share.percent for share in row] for row in rows],
        text=[
            ["" if s is None else f"{s.percent:.0f} % of {s.total:,}" for s in row] for row in rows
        ],
        customdata=[
            [s and [s.correct, s.total, s.wilson.low, s.wilson.high] for s in row] for row in rows
        ],
        texttemplate="%{text}",
        hovertemplate=(
            "%{y}, %{x}: %{customdata[0]} of %{customdata[1]} right<br>"
            "95 % Wilson %{customdata[2]:.0f}–%{customdata[3]:.0f} %<extra></extra>"
        ),
        zmin=0,
        zmax=100,
        xgap=2,
        ygap=2,
        showscale=False,
        meta="heatmap",
    )
    layout = {
        "xaxis": {"fixedrange": True, "showgrid": False, "side": "top"},
        "yaxis": {"autorange": "reversed", "fixedrange": True, "showgrid": False},
        "margin": {"t": 30, "r": 8, "b": 10, "l": 92},
        "height": 60 + 36 * len(names),
    }
    return plain([heatmap], layout)


def _accuracy_bars(name: str, scores: Scores) -> go.Bar:
    found = [score.accuracy for score in scores.closed_tasks]
    return go.Bar(
        name=name,
        x=[score.task for score in scores.closed_tasks],
        y=[accuracy and accuracy.percent for accuracy in found],
        error_y={
            "array": [a and a.clustered and a.clustered.high - a.percent for a in found],
            "arrayminus": [a and a.clustered and a.percent - a.clustered.low for a in found],
            "thickness": 2,
            "width": 4,
        },
        hovertemplate="%{x} %{y:.2f} %<extra>%{fullData.name}</extra>",
        meta="run",
    )
