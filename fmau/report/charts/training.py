"""How a training went."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from fmau.report.charts.figure import plain


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
    return plain([loss, score], layout)
