"""Charts of the scores that judges gave to open answers."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from fmau.report.charts.figure import NO_ANSWER, plain
from fmau.score.levels import Judgement
from fmau.score.scores import Scores


def level_chart(judgement: Judgement) -> dict[str, Any]:
    """How often each score was given at each level.

    Rows are levels. Columns are scores, with two more for questions without an answer and without
    a score. The shade is the share of the level's questions.
    """
    levels = judgement.levels
    counts = [[*level.histogram, level.no_answer, level.unscored] for _, level in levels]
    heatmap = go.Heatmap(
        x=["0", "1", "2", "3", "4", "5", NO_ANSWER, "unscored"],
        y=[name for name, _ in levels],
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
        "height": 40 + 40 * len(levels),
    }
    return plain([heatmap], layout)


def coverage_chart(runs: Mapping[str, Scores]) -> dict[str, Any]:
    """Share of scored, unscored and unanswered open questions, per run and judge.

    Args:
        runs: name -> scores; runs without a judge are left out.
    """
    rows = [
        (
            f"{name} by {found.judge}{' (proxy)' if found.proxy else ''}",
            [level for _, level in found.levels],
        )
        for name, scores in runs.items()
        for found in scores.judgements
    ]
    parts = {
        "scored": [sum(level.scored for level in levels) for _, levels in rows],
        "unscored": [sum(level.unscored for level in levels) for _, levels in rows],
        NO_ANSWER: [sum(level.no_answer for level in levels) for _, levels in rows],
    }
    totals = [sum(counts) for counts in zip(*parts.values(), strict=True)]
    bars = [
        go.Bar(
            name=part,
            x=[100 * count / max(1, total) for count, total in zip(counts, totals, strict=True)],
            y=[name for name, _ in rows],
            customdata=[[count, total] for count, total in zip(counts, totals, strict=True)],
            orientation="h",
            hovertemplate="%{customdata[0]} of %{customdata[1]} scores, %{x:.1f} %"
            "<extra>%{fullData.name}</extra>",
            meta="run",
        )
        for part, counts in parts.items()
    ]
    layout = {
        "barmode": "stack",
        "bargap": 0.4,
        "xaxis": {"range": [0, 100], "ticksuffix": " %", "fixedrange": True},
        "yaxis": {"autorange": "reversed", "fixedrange": True, "showgrid": False, "dtick": 1},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
        | {"traceorder": "normal"},
        "margin": {"t": 40, "r": 16, "b": 30, "l": 200},
        "height": 90 + 44 * len(rows),
    }
    return plain(bars, layout)
