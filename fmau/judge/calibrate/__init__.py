"""Calibration of a judge: does it score by the rubric?

It is asked about altered references, for which the rubric says what score is right.

perturb.py     a reference -> an altered one; each alteration is a pure function of text
items.py       references -> calibration items, each with the scores that the rubric allows
report.py      a judge's scores -> obedience, monotonicity, length bias
run.py         a judge asked about all of them
humans.py      scores that people gave, to compare with a judge's
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
