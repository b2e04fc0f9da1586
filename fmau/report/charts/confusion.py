"""Charts of confusion: which gold label was answered with which label."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from fmau.core.taxonomy import actions
from fmau.report.charts.figure import NO_ANSWER, plain
from fmau.score.scores import Confusion, LabelConfusion


def confusion_chart(confusion: Confusion) -> dict[str, Any]:
    """CMAR: gold parts as rows, chosen parts as columns, in percent of the row's questions."""
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
    return plain([heatmap], layout)


def recall_chart(confusion: Confusion) -> dict[str, Any]:
    """CMAR: percent of each part's questions that were answered with this part."""
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
    return plain([bars], layout)


def action_confusion_chart(pairs: Sequence[LabelConfusion]) -> dict[str, Any]:
    """FMAR: gold actions as rows, chosen actions as columns; only actions that occur."""
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
    return plain([heatmap], layout)


def _rows(confusion: Confusion) -> list[tuple[tuple[int, ...], int]]:
    return list(zip(confusion.counts, confusion.no_answer, strict=True))
