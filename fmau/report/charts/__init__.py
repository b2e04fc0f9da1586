"""The report's charts: Plotly figures as plain data that can be embedded as JSON.

Figures have no colours or fonts. The page adds them from its light or dark theme
(templates/charts.js), by the name in the `meta` of each trace.

accuracy.py     accuracy by task, by action, by body part
confusion.py    confusion matrices of body parts and actions
judges.py       the scores of judges, and how many answers have one
reliability.py  accuracy against confidence
training.py     loss and validation score
"""

from fmau.report.charts.accuracy import accuracy_chart, action_chart, part_chart
from fmau.report.charts.confusion import action_confusion_chart, confusion_chart, recall_chart
from fmau.report.charts.judges import coverage_chart, level_chart
from fmau.report.charts.reliability import reliability_chart
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
    "reliability_chart",
    "training_chart",
]
