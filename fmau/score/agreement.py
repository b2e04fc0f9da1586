"""Agreement of two sets of scores on the same answers: two judges, or a judge and people.

`fmau score` compares all judges of a run with it, `fmau judge --calibrate` a judge with people.

Axis suffixes: P pairs of scores, S the two sets.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np
from sklearn.metrics import cohen_kappa_score

from fmau.core.errors import FmauError
from fmau.core.records import LEVEL_MAX, Verdict
from fmau.score.intervals import SEED, Interval, percentile_interval
from fmau.score.levels import JudgeAgreement, JudgeScores, scores_of

DRAWS = 1000


def agreements(verdicts: Iterable[Verdict], judges: Sequence[str]) -> tuple[JudgeAgreement, ...]:
    """The agreement of every pair of judges that share at least one scored answer and level."""
    rows: dict[str, list[Verdict]] = {name: [] for name in judges}
    for row in verdicts:
        if row.judge in rows:
            rows[row.judge].append(row)
    scores = {name: scores_of(found) for name, found in rows.items()}
    return tuple(
        judge_agreement(first, scores[first], second, scores[second])
        for first, second in combinations(judges, 2)
        if _pairs(scores[first], scores[second])
    )


def judge_agreement(
    first: str, first_scores: JudgeScores, second: str, second_scores: JudgeScores
) -> JudgeAgreement:
    """Compare the scores that both sets have, all levels together.

    Args:
        first, second: names of the judges, or of a judge and a file of human scores.

    Raises:
        FmauError: the sets have no answer and level in common.
    """
    pairs = _pairs(first_scores, second_scores)
    if not pairs:
        raise FmauError(
            f"{first} and {second} have no scored answer in common; both must score the same "
            "qids at the same levels"
        )
    scores_PS = np.array([[one, other] for _, one, other in pairs], dtype=float)
    rounded_PS = np.floor(scores_PS).astype(int)  # the rubric says: if unsure, the lower score
    apart_P = scores_PS[:, 1] - scores_PS[:, 0]
    return JudgeAgreement(
        first=first,
        second=second,
        pairs=len(pairs),
        kappa=_kappa(rounded_PS),
        interval=_interval([qid for qid, _, _ in pairs], rounded_PS),
        alpha=_alpha(scores_PS),
        exact=float((apart_P == 0).mean()),
        within_one=float((np.abs(apart_P) <= 1).mean()),
        bias=float(apart_P.mean()),
    )


def _pairs(first: JudgeScores, second: JudgeScores) -> list[tuple[str, float, float]]:
    """(qid, first's score, second's score) for every answer and level that both scored."""
    return [
        (qid, one, other)
        for qid, levels in first.items()
        for level, one in levels.items()
        if one is not None and (other := second.get(qid, {}).get(level)) is not None
    ]


def _kappa(scores_PS: np.ndarray) -> float | None:
    if len(np.unique(scores_PS)) < 2:
        return None
    labels = list(range(LEVEL_MAX + 1))
    first, second = scores_PS.T
    return float(cohen_kappa_score(first, second, labels=labels, weights="quadratic"))


def _alpha(scores_PS: np.ndarray) -> float | None:
    if len(np.unique(scores_PS)) < 2:
        return None
    return ordinal_alpha(scores_PS)


def ordinal_alpha(scores_PS: np.ndarray) -> float:
    """Krippendorff's alpha of two raters of the same items, for ordinal scores, not all equal.

    Source: K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section E: values
    are as far apart as the number of scores between their ranks, squared. It is not taken from a
    library, because the known one is under the GPL, which does not fit Apache-2.0.
    """
    values, place_PS = np.unique(scores_PS, return_inverse=True)
    place_PS = place_PS.reshape(scores_PS.shape)
    counts_V = np.bincount(place_PS.ravel(), minlength=len(values))
    rank_V = np.cumsum(counts_V) - counts_V / 2  # middle of the ranks that a value takes up
    apart_VV = (rank_V[:, None] - rank_V[None, :]) ** 2
    total = counts_V.sum()
    observed = apart_VV[place_PS[:, 0], place_PS[:, 1]].mean()
    expected = (np.outer(counts_V, counts_V) * apart_VV).sum() / (total * (total - 1))
    return float(1 - observed / expected)


def _interval(qids: list[str], scores_PS: np.ndarray) -> Interval | None:
    """95 % bootstrap interval of kappa; a draw takes all levels of an answer together."""
    names, place_P = np.unique(qids, return_inverse=True)
    if len(names) < 2:
        return None
    rows = [np.flatnonzero(place_P == number) for number in range(len(names))]
    generator = np.random.default_rng(SEED)
    kappas = []
    for _ in range(DRAWS):
        picked = generator.integers(0, len(names), size=len(names))
        kappa = _kappa(scores_PS[np.concatenate([rows[number] for number in picked])])
        kappas += [] if kappa is None else [kappa]
    return percentile_interval(np.array(kappas)) if kappas else None
