"""How far a judge obeys the rubric, on answers whose score is known from it.

perturb.py     a reference -> an altered one, each alteration a pure function of text
items.py       references -> calibration items with the range of scores that obeys
report.py      a judge's scores -> obedience, monotonicity, length bias
agreement.py   two sets of scores (judges, people) -> kappa, alpha
"""

from fmau.judge.calibrate.agreement import (
    JudgeAgreement,
    judge_agreement,
    load_human_scores,
    print_agreement,
)
from fmau.judge.calibrate.items import CalibrationItem, calibration_items
from fmau.judge.calibrate.report import CalibrationReport, calibration_report, print_calibration

__all__ = [
    "CalibrationItem",
    "CalibrationReport",
    "JudgeAgreement",
    "calibration_items",
    "calibration_report",
    "judge_agreement",
    "load_human_scores",
    "print_agreement",
    "print_calibration",
]
