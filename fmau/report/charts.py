"""The report's charts as Plotly figures, in plain data that can be embedded as JSON.

Figures carry no colours and no fonts of their own: the page adds those from its light or dark theme
(templates/charts.js). Names in `meta` say which role a trace plays there.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from fmau.score.scores import Confusion, Judgement, LabelConfusion, Scores
from fmau.taxonomy import CLOSED_TASKS, Task, actions

NO_ANSWER = "no answer"


def accuracy_chart(runs: Mapping[str, Scores]) -> dict[str, Any]:
    """Accuracy of each closed task with its interval over clips; chance and majority as marks.

    Args:
        runs: name -> scores, all of one question file; one group of bars each.
    """
    tasks = [str(task) for task in CLOSED_TASKS]
    bars = [_accuracy_bars(name, scores) for name, scores in runs.items()]
    scored = next(iter(runs.values())).tasks
    chance = go.Scatter(
        name="chance",
        x=tasks,
        y=[scored[task].chance for task in CLOSED_TASKS],
        mode="markers",
        marker={"symbol": "line-ew", "size": 26, "line": {"width": 1.5}},
        hovertemplate="%{x} chance %{y:.1f} %<extra></extra>",
        meta="baseline",
    )
    majorities = [scored[task].majority for task in CLOSED_TASKS]
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
    return _plain([*bars, chance, majority], layout)


def confusion_chart(confusion: Confusion) -> dict[str, Any]:
    """CMAR: gold part down, chosen part across, in percent of the gold part's questions."""
    counts = [[*row, missed] for row, missed in _rows(confusion)]
    percents = [[100 * count / sum(row) if sum(row) else None for count in row] for row in counts]
    heatmap = go.Heatmap(
        x=[*confusion.parts, NO_ANSWER],
        y=list(confusion.parts),
        z=percents,
        text=counts,
        texttemplate="%{text}",
        hovertemplate=(
            "gold %{y}, chosen %{x}<br>%{text} questions, %{z:.1f} % of the part<extra></extra>"
        ),
        zmin=0,
        zmax=100,
        xgap=2,
        ygap=2,
        showscale=False,
        meta="heatmap",
    )
    layout = {
        "xaxis": {"title": {"text": "chosen"}, "fixedrange": True, "tickangle": -45}
        | {"showgrid": False},
        "yaxis": {"title": {"text": "gold"}, "autorange": "reversed", "fixedrange": True}
        | {"showgrid": False},
        "margin": {"t": 10, "r": 8, "b": 90, "l": 92},
        "height": 420,
    }
    return _plain([heatmap], layout)


def recall_chart(confusion: Confusion) -> dict[str, Any]:
    """CMAR: percent of each part's questions that were answered with it."""
    totals = [sum(row) + missed for row, missed in _rows(confusion)]
    bars = go.Bar(
        x=list(confusion.recall),
        y=list(confusion.parts),
        customdata=totals,
        orientation="h",
        text=[
            "no questions" if recall is None else f"{recall:.0f} % of {total}"
            for recall, total in zip(confusion.recall, totals, strict=True)
        ],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:.1f} % of %{customdata} questions<extra></extra>",
        meta="run",
    )
    layout = {
        # Room for the text outside a full bar.
        "xaxis": {"range": [0, 130], "tickvals": [0, 25, 50, 75, 100], "ticksuffix": " %"}
        | {"fixedrange": True},
        "yaxis": {"autorange": "reversed", "fixedrange": True, "showgrid": False},
        "margin": {"t": 10, "r": 8, "b": 40, "l": 92},
        "height": 420,
        "bargap": 0.4,
    }
    return _plain([bars], layout)


def action_chart(runs: Mapping[str, Scores]) -> dict[str, Any]:
    """FMAR per action: percent right of the clips that show it, one group of bars per action.

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
                customdata=[[share.correct, share.total] for share in shares],
                orientation="h",
                hovertemplate=(
                    "%{y}: %{customdata[0]} of %{customdata[1]}, %{x:.0f} %"
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
        "height": 100 + len(names) * (12 + 8 * len(runs)),
    }
    return _plain(bars, layout)


def action_confusion_chart(pairs: Sequence[LabelConfusion]) -> dict[str, Any]:
    """FMAR: gold action down, chosen action across, of the actions that occur; questions."""
    order = [action.label for action in actions()]
    gold = [name for name in order if any(pair.gold == name for pair in pairs)]
    chosen = [name for name in order if any(pair.chosen == name for pair in pairs)]
    counts = {(pair.gold, pair.chosen): pair.count for pair in pairs}
    across: list[str | None] = [*chosen, *([None] if any(p.chosen is None for p in pairs) else [])]
    rows = [[counts.get((down, name), 0) for name in across] for down in gold]
    heatmap = go.Heatmap(
        x=[NO_ANSWER if name is None else name for name in across],
        y=gold,
        z=[[100 * count / max(1, sum(row)) for count in row] for row in rows],
        customdata=rows,
        hovertemplate="gold %{y}, chosen %{x}<br>%{customdata} questions<extra></extra>",
        zmin=0,
        zmax=100,
        xgap=1,
        ygap=1,
        showscale=False,
        meta="heatmap",
    )
    layout = {
        "xaxis": {"fixedrange": True, "tickangle": -60, "dtick": 1, "showgrid": False},
        "yaxis": {"autorange": "reversed", "fixedrange": True, "dtick": 1, "showgrid": False},
        "margin": {"t": 10, "r": 8, "b": 200, "l": 200},
        "height": 230 + 15 * len(gold),
    }
    return _plain([heatmap], layout)


def training_chart(log: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Loss of the training steps, and the score of each validation, by optimizer step.

    Args:
        log: rows of `training.json`.
    """
    losses = [row for row in log if "loss" in row]
    validations = [row for row in log if "eval_score" in row]
    loss = go.Scatter(
        name="loss",
        x=[row["step"] for row in losses],
        y=[row["loss"] for row in losses],
        mode="lines",
        hovertemplate="step %{x}: loss %{y:.3f}<extra></extra>",
        meta="line",
    )
    score = go.Scatter(
        name="validation score, %",
        x=[row["step"] for row in validations],
        y=[row["eval_score"] for row in validations],
        yaxis="y2",
        mode="lines+markers",
        hovertemplate="step %{x}: %{y:.1f} %<extra></extra>",
        meta="line",
    )
    layout = {
        "xaxis": {"title": {"text": "optimizer step"}, "fixedrange": True},
        "yaxis": {"title": {"text": "loss"}, "rangemode": "tozero", "fixedrange": True},
        "yaxis2": {"overlaying": "y", "side": "right", "range": [0, 100], "ticksuffix": " %"}
        | {"showgrid": False, "fixedrange": True},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "margin": {"t": 40, "r": 48, "b": 50, "l": 56},
        "height": 320,
    }
    return _plain([loss, score], layout)


def level_chart(judgement: Judgement) -> dict[str, Any]:
    """How often each score was given at each level; what has no score stands apart.

    Rows are levels, columns scores; shade is the share of the level's questions.
    """
    levels = [(task, level) for task, found in judgement.tasks.items() for level in found]
    counts = [[*level.histogram, level.no_answer, level.unscored] for _, level in levels]
    heatmap = go.Heatmap(
        x=["0", "1", "2", "3", "4", "5", NO_ANSWER, "unscored"],
        y=[f"{task} L{level.level}" for task, level in levels],
        z=[[100 * count / max(1, sum(row)) for count in row] for row in counts],
        text=counts,
        texttemplate="%{text}",
        hovertemplate="%{y}: %{x}<br>%{text} answers, %{z:.1f} %<extra></extra>",
        zmin=0,
        zmax=100,
        xgap=2,
        ygap=2,
        showscale=False,
        meta="heatmap",
    )
    layout = {
        "xaxis": {"type": "category", "fixedrange": True, "showgrid": False},
        "yaxis": {"autorange": "reversed", "fixedrange": True, "showgrid": False},
        "margin": {"t": 10, "r": 8, "b": 40, "l": 80},
        "height": 280,
    }
    return _plain([heatmap], layout)


def _accuracy_bars(name: str, scores: Scores) -> go.Bar:
    found = [scores.tasks[task].accuracy for task in CLOSED_TASKS]
    return go.Bar(
        name=name,
        x=[str(task) for task in CLOSED_TASKS],
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


def _rows(confusion: Confusion) -> list[tuple[tuple[int, ...], int]]:
    return list(zip(confusion.counts, confusion.no_answer, strict=True))


def _plain(traces: list[Any], layout: dict[str, Any]) -> dict[str, Any]:
    figure = go.Figure(traces, layout | {"template": "none"})
    plain: dict[str, Any] = json.loads(figure.to_json())
    return plain
