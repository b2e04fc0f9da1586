"""Code that all charts share."""

import json
from typing import Any

import plotly.graph_objects as go

NO_ANSWER = "no answer"


def plain(traces: list[Any], layout: dict[str, Any]) -> dict[str, Any]:
    """A figure as data that can be written as JSON, without the colours of a template."""
    figure = go.Figure(traces, layout | {"template": "none"})
    plain: dict[str, Any] = json.loads(figure.to_json())
    return plain
