"""The report's charts as Plotly figures, in plain data that can be embedded as JSON.

Figures carry no colours and no fonts of their own: the page adds those from its light or dark theme
(templates/charts.js). Names in `meta` say which role a trace plays there.

accuracy.py     accuracy by task, by action, by body part
confusion.py    which part or action is taken for which
judges.py       the scores that judges gave, and what they covered
training.py     loss and validation score
"""

from fmau.report.charts.accuracy import accuracy_chart, action_chart, part_chart
from fmau.report.charts.confusion import action_confusion_chart, confusion_chart, recall_chart
from fmau.report.charts.judges import coverage_chart, level_chart
from fmau.report.charts.training import training_chart

__all__ = [
    "accuracy_chart",
    "action_chart",
    "action_confusion_chart",
    "confusion_chart",
    "coverage_chart",
    "level_chart",
    "part_chart",
    "recall_chart",
    "training_chart",
]
