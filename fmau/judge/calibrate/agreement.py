"""Two sets of scores of the same answers: two judges, or a judge and people."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import krippendorff
import numpy as np
from pydantic import BaseModel, ConfigDict
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from sklearn.metrics import cohen_kappa_score

from fmau.errors import FmauError, InputError, Problem
from fmau.judge.calibrate.report import Scores
from fmau.records import LEVEL_MAX, LEVELS

DRAWS = 1000
SEED = 52


class JudgeAgreement(BaseModel):
    """How two sets of scores agree.

    Attributes:
        pairs: scores that both have.
        kappa: quadratic-weighted kappa (J. Cohen, Psychol. Bull. 70 (1968) 213-220) of scores
            rounded down; None if both are constant.
        kappa_low, kappa_high: its 95 % bootstrap interval over answers; None with fewer than two.
        alpha: Krippendorff's alpha for ordinal scores; None if all scores are equal.
        exact, within_one: shares of pairs that are equal, or at most one apart.
        bias: mean of the second's scores minus the first's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pairs: int
    kappa: float | None
    kappa_low: float | None
    kappa_high: float | None
    alpha: float | None
    exact: float
    within_one: float
    bias: float


def judge_agreement(first: Scores, second: Scores) -> JudgeAgreement:
    """Compare the scores that both sets have; all levels together.

    Raises:
        FmauError: they have none in common.
    """
    pairs = [
        (qid, one, other)
        for qid, levels in first.items()
        for level, one in levels.items()
        if one is not None and (other := second.get(qid, {}).get(level)) is not None
    ]
    if not pairs:
        raise FmauError(
            "no answer has scores of both; score the same answers, under the same qids and levels"
        )
    scores_PS = np.array([[one, other] for _, one, other in pairs], dtype=float)
    rounded_PS = np.floor(scores_PS).astype(int)  # the rubric: the lower if in doubt
    low, high = _interval([qid for qid, _, _ in pairs], rounded_PS)
    apart_P = np.abs(scores_PS[:, 1] - scores_PS[:, 0])
    return JudgeAgreement(
        pairs=len(pairs),
        kappa=_kappa(rounded_PS),
        kappa_low=low,
        kappa_high=high,
        alpha=_alpha(scores_PS),
        exact=float((apart_P == 0).mean()),
        within_one=float((apart_P <= 1).mean()),
        bias=float((scores_PS[:, 1] - scores_PS[:, 0]).mean()),
    )


def load_human_scores(path: Path) -> dict[str, dict[int, float | None]]:
    """Read people's scores: a JSON list of {"qid", "level", "score"}.

    Raises:
        InputError: no such file, no JSON list, or rows that do not fit; each is listed.
    """
    try:
        rows = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        problem = Problem(str(path), "no such file", "give a JSON list of scores")
        raise InputError([problem]) from None
    except (OSError, ValueError) as error:
        problem = Problem(str(path), f"cannot be read as JSON ({error})", "mend it")
        raise InputError([problem]) from None
    if not isinstance(rows, list):
        problem = Problem(str(path), "is no list", 'write [{"qid", "level", "score"}, ...]')
        raise InputError([problem])
    scores: dict[str, dict[int, float | None]] = {}
    problems = []
    for number, row in enumerate(rows, start=1):
        if (what := _defect(row, scores)) is not None:
            remedy = 'write {"qid": "MADU_0001", "level": 1, "score": 3}, each level once'
            problems.append(Problem(f"{path} row {number}", what, remedy))
            continue
        scores.setdefault(row["qid"], {})[row["level"]] = float(row["score"])
    if problems:
        raise InputError(problems)
    return scores


def print_agreement(found: JudgeAgreement, console: Console, *, title: str) -> None:
    """Print one comparison as a small table."""
    table = Table(box=SIMPLE_HEAD, title=title, show_header=False)
    span = "" if found.kappa_low is None else f" ({found.kappa_low:.2f}-{found.kappa_high:.2f})"
    for name, value in (
        ("scores in common", f"{found.pairs:,}"),
        ("quadratic-weighted kappa (95 %)", f"{_number(found.kappa)}{span}"),
        ("ordinal alpha", _number(found.alpha)),
        ("equal", f"{100 * found.exact:.0f} %"),
        ("at most one apart", f"{100 * found.within_one:.0f} %"),
        ("second minus first", f"{found.bias:+.2f}"),
    ):
        table.add_row(name, value)
    console.print(table)


def _defect(row: Any, scores: Mapping[str, Mapping[int, float | None]]) -> str | None:
    if not isinstance(row, dict) or set(row) != {"qid", "level", "score"}:
        return "is no object of qid, level and score"
    qid, level, score = row["qid"], row["level"], row["score"]
    if not isinstance(qid, str):
        return f"qid is {qid!r}"
    if type(level) is not int or level not in LEVELS:
        return f"level is {level!r}"
    if type(score) not in (int, float) or not 0 <= score <= LEVEL_MAX:
        return f"score is {score!r}"
    return f"level {level} of {qid} is scored twice" if level in scores.get(qid, {}) else None


def _kappa(scores_PS: np.ndarray) -> float | None:
    if len(np.unique(scores_PS)) < 2:
        return None
    labels = list(range(LEVEL_MAX + 1))
    first, second = scores_PS.T
    return float(cohen_kappa_score(first, second, labels=labels, weights="quadratic"))


def _alpha(scores_PS: np.ndarray) -> float | None:
    if len(np.unique(scores_PS)) < 2:
        return None
    return float(krippendorff.alpha(scores_PS.T, level_of_measurement="ordinal"))


def _interval(qids: list[str], scores_PS: np.ndarray) -> tuple[float | None, float | None]:
    """95 % bootstrap interval of kappa; levels of one answer are drawn together."""
    names, place_P = np.unique(qids, return_inverse=True)
    if len(names) < 2:
        return None, None
    rows = [np.flatnonzero(place_P == number) for number in range(len(names))]
    generator = np.random.default_rng(SEED)
    kappas = []
    for _ in range(DRAWS):
        picked = generator.integers(0, len(names), size=len(names))
        kappa = _kappa(scores_PS[np.concatenate([rows[number] for number in picked])])
        kappas += [] if kappa is None else [kappa]
    if not kappas:
        return None, None
    low, high = np.percentile(kappas, [2.5, 97.5])
    return float(low), float(high)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
