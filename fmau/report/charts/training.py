"""The chart of a training run, for the report and for training.html."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from fmau.core.taxonomy import Task
from fmau.report.charts.figure import plain

PAGE_HEIGHT = 560


def training_chart(log: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Training loss, and the score of each validation, by optimizer step.

    The accuracy of each task is hidden until its name in the legend is clicked.

    Args:
        log: rows of `training.json`, as the Trainer logs them: "step" with "loss" or with
            "eval_score" and "eval_accuracy_TASK", in percent.
    """
    loss = go.Scatter(
        name="loss",
        **_points(log, "loss"),
        mode="lines",
        hovertemplate="step %{x}: loss %{y:.3f}<extra></extra>",
        meta="line",
    )
    tasks = [task for task in Task if any(f"eval_accuracy_{task}" in row for row in log)]
    scores = [
        _score(log, "eval_score", "validation score, %"),
        *(_score(log, f"eval_accuracy_{task}", str(task), "legendonly") for task in tasks),
    ]
    layout = {
        "xaxis": {
            "title": {"text": "optimizer step"},
            "fixedrange": True,
            "dtick": _whole_ticks(log),
        },
        "yaxis": {"title": {"text": "loss"}, "rangemode": "tozero", "fixedrange": True},
        "yaxis2": {"overlaying": "y", "side": "right", "range": [0, 100]}
        | {"title": {"text": "validation score, %"}, "tickvals": [0, 25, 50, 75, 100]}
        | {"showgrid": False, "fixedrange": True},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "margin": {"t": 40, "r": 48, "b": 50, "l": 56},
        "height": 320,
    }
    return plain([loss, *scores], layout)


def training_page(log: Sequence[Mapping[str, Any]], title: str) -> str:
    """An HTML page with the chart of one training run; it needs no network."""
    figure = go.Figure(training_chart(log))
    figure.update_traces(visible=True)
    figure.update_layout(
        template="plotly_white", title=title, height=PAGE_HEIGHT, margin={"t": 110}
    )
    page: str = figure.to_html(include_plotlyjs=True, full_html=True)
    return page


def _score(
    log: Sequence[Mapping[str, Any]], key: str, name: str, visible: bool | str = True
) -> go.Scatter:
    return go.Scatter(
        name=name,
        **_points(log, key),
        yaxis="y2",
        mode="lines+markers",
        hovertemplate="step %{x}: %{y:.1f} %<extra></extra>",
        meta="line",
        visible=visible,
    )


def _whole_ticks(log: Sequence[Mapping[str, Any]]) -> int:
    """Distance of the marks of the axis of steps: whole steps, about eight marks."""
    last = max((row["step"] for row in log if "step" in row), default=1)
    return max(1, math.ceil(last / 8))


def _points(log: Sequence[Mapping[str, Any]], key: str) -> dict[str, list[float]]:
    rows = [row for row in log if key in row]
    return {"x": [row["step"] for row in rows], "y": [row[key] for row in rows]}
