"""How far a judge obeys the rubric, on answers whose score is known from it.

perturb.py     a reference -> an altered one, each alteration a pure function of text
items.py       references -> calibration items with the range of scores that obeys
report.py      a judge's scores -> obedience, monotonicity, length bias
run.py         a judge asked about all of them
humans.py      scores that people gave, to hold a judge's against
"""

from fmau.judge.calibrate.humans import load_human_scores
from fmau.judge.calibrate.items import CalibrationItem, calibration_items
from fmau.judge.calibrate.report import CalibrationReport, calibration_report, print_calibration
from fmau.judge.calibrate.run import calibrate_judge

__all__ = [
    "CalibrationItem",
    "CalibrationReport",
    "calibrate_judge",
    "calibration_items",
    "calibration_report",
    "load_human_scores",
    "print_calibration",
]
