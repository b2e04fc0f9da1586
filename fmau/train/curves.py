"""The curves of a run as a picture: loss, and accuracies on validation clips."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure


def draw_curves(history: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write a picture of a training history.

    Args:
        history: rows as the Trainer logs them; "step" with "loss" or with "eval_score" and
            "eval_accuracy_TASK", in percent.
        path: picture to write; its suffix says the format.
    """
    figure = Figure(figsize=(8, 6), layout="constrained")
    above, below = figure.subplots(2, sharex=True)
    above.plot(*_series(history, "loss"), color="0.25", linewidth=1)
    above.set(ylabel="loss of a step", title=path.parent.name)
    tasks = sorted({name for row in history for name in row if name.startswith("eval_accuracy_")})
    for name in tasks:
        task = name.removeprefix("eval_accuracy_")
        below.plot(*_series(history, name), marker=".", linewidth=1, alpha=0.6, label=task)
    mean = _series(history, "eval_score")
    below.plot(*mean, marker="o", color="black", linewidth=2, label="mean")
    below.set(xlabel="step", ylabel="validation accuracy, %", ylim=(0, 100))
    below.legend(ncols=4, fontsize="small")
    for axes in (above, below):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


def _series(history: Sequence[Mapping[str, Any]], name: str) -> tuple[list[int], list[float]]:
    rows = [row for row in history if name in row]
    return [row["step"] for row in rows], [row[name] for row in rows]
