"""Scores: accuracies with intervals and baselines, judge levels, comparison, Table 4.

compute.py        all scores of one set of answers
scores.py         the records of these scores; levels.py holds those about judges
tally.py          right and wrong answers, counted per clip
intervals.py      Wilson's interval, and the bootstrap over clips
breakdowns.py     chance, majority class, body parts, actions, leaking rows, labels
judged.py         judge levels from verdicts
agreement.py      agreement between judges, or between judges and people
compare.py        compares two runs; comparison.py holds the records, paired.py the tests
table4.py         the paper's Table 4
joined.py         reads a run's rows with the questions that they answer
run.py            reads and scores a run folder
overview.py       what is in a folder of runs
unread.py         replies that cannot be read, for people
predictions.py    reads prediction files of any origin
submission.py     writes the challenge's submission file
audit/            defects and shortcuts of a question file
"""

from fmau.score.compute import score
from fmau.score.predictions import load_predictions, score_predictions
from fmau.score.run import ScoredRun, compare_runs, score_run, told_apart
from fmau.score.scores import Scores

__all__ = [
    "ScoredRun",
    "Scores",
    "compare_runs",
    "load_predictions",
    "score",
    "score_predictions",
    "score_run",
    "told_apart",
]
