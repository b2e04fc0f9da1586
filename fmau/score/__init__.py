"""Scores: accuracies with intervals and baselines, the confusion of parts, and Table 4.

Works on answers and gold alone; knows nothing of run folders, models, frames or servers.
"""

from fmau.score.compute import score
from fmau.score.predictions import load_predictions
from fmau.score.scores import Scores

__all__ = ["Scores", "load_predictions", "score"]
