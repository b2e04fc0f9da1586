"""The reliability diagram: accuracy against confidence, in bins of equally many questions."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from fmau.report.charts.figure import plain
from fmau.score.calibration import Calibration


def reliability_chart(runs: Mapping[str, Calibration]) -> dict[str, Any]:
    """One line a run; on the diagonal, confidence is as high as accuracy.

    Args:
        runs: name -> calibration.
    """
    ideal = go.Scatter(
        name="as sure as right",
        x=[0, 100],
        y=[0, 100],
        mode="lines",
        line={"dash": "dot", "width": 1},
        hoverinfo="skip",
        meta="ideal",
    )
    lines = [
        go.Scatter(
            name=name,
            x=[one.confidence for one in found.bins],
            y=[one.accuracy for one in found.bins],
            customdata=[one.questions for one in found.bins],
            mode="lines+markers",
            hovertemplate=(
                "%{customdata} questions: sure to %{x:.1f} %, right in %{y:.1f} %<extra></extra>"
            ),
            meta="line",
        )
        for name, found in runs.items()
    ]
    axis = {"range": [0, 100], "ticksuffix": " %", "fixedrange": True}
    layout = {
        "xaxis": {**axis, "title": {"text": "confidence"}},
        "yaxis": {**axis, "title": {"text": "accuracy"}},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "margin": {"t": 40, "r": 8, "b": 48, "l": 64},
        "height": 380,
    }
    return plain([*lines, ideal], layout)
