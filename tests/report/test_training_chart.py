"""The curves of a training are drawn from what the Trainer logs, resumed or cut short."""

import json
import re

import pytest

from fmau.report.charts.training import training_chart, training_page

LOSSES = [{"step": step, "loss": 2 / step} for step in range(1, 9)]
VALIDATIONS = [
    {"step": step, "eval_score": 40.0 + step, "eval_accuracy_CMAR": 30.0 + 3 * step}
    for step in (4, 8)
]


def test_every_curve_holds_its_own_steps() -> None:
    drawn = {trace["name"]: trace for trace in training_chart(LOSSES + VALIDATIONS)["data"]}
    assert list(drawn) == ["loss", "validation score, %", "CMAR"]
    assert drawn["loss"]["x"] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert drawn["loss"]["y"][:2] == [2, 1]
    assert (drawn["validation score, %"]["x"], drawn["validation score, %"]["y"]) == (
        [4, 8],
        [44, 48],
    )
    assert drawn["CMAR"]["y"] == [42, 54]
    assert {trace.get("yaxis", "y") for trace in drawn.values()} == {"y", "y2"}


@pytest.mark.parametrize("log", [LOSSES + VALIDATIONS, LOSSES, []])
def test_a_page_is_written_of_whatever_there_is(log: list[dict[str, float]]) -> None:
    page = training_page(log, "lora_tiny")
    found = re.search(r"Plotly\.newPlot\(\s*\"[\w-]+\",\s*(\[.*?\}\])", page, re.DOTALL)
    assert found is not None
    traces = json.loads(found[1])
    assert len(traces) == 3 - (not any("eval_score" in row for row in log))
    assert all(trace["visible"] is True for trace in traces)
    assert "lora_tiny" in page
    assert not re.findall(r'<script[^>]+src="http', page), "it needs no network"
