"""Scores: accuracies with intervals and baselines, judge levels, comparison, Table 4.

compute.py        everything scored about one set of answers
scores.py         its records; levels.py those about judges
tally.py          right and wrong per clip
intervals.py      Wilson's interval, and the bootstrap over clips
breakdowns.py     chance, majority, parts, actions, leaks, labels
judged.py         from verdicts to levels
agreement.py      how judges, or judges and people, agree
compare.py        paired tests of two runs
table4.py         the paper's table
run.py            a run folder, read and scored
predictions.py    prediction files of any origin
submission.py     the challenge's file
audit/            what a question file gives away
"""

from fmau.score.compute import score
from fmau.score.predictions import load_predictions, score_predictions
from fmau.score.run import ScoredRun, compare_runs, score_run
from fmau.score.scores import Scores

__all__ = [
    "ScoredRun",
    "Scores",
    "compare_runs",
    "load_predictions",
    "score",
    "score_predictions",
    "score_run",
]
