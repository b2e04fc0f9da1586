"""Scores that people gave to answers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fmau.core.errors import InputError, Problem
from fmau.core.files import path_remedy, read_bytes
from fmau.core.parsing import parse_json
from fmau.core.records import LEVEL_MAX, LEVELS
from fmau.core.texts import half_fault


def load_human_scores(path: Path) -> dict[str, dict[int, float | None]]:
    """Read people's scores from a JSON list of {"qid": str, "level": 1 to 3, "score": 0 to 5}.

    Returns:
        qid -> level -> score.

    Raises:
        InputError: the file is missing, is not a JSON list, or has wrong rows; each row is named.
    """
    try:
        rows = parse_json(read_bytes(path).decode("utf-8"))
    except FileNotFoundError:
        problem = Problem(str(path), "no such file", path_remedy(path))
        raise InputError([problem]) from None
    except (OSError, ValueError) as error:
        remedy = "save it as a JSON list in UTF-8, and check that it may be read"
        problem = Problem(str(path), f"cannot be read as JSON ({error})", remedy)
        raise InputError([problem]) from None
    if not isinstance(rows, list):
        problem = Problem(str(path), "is not a list", 'write [{"qid", "level", "score"}, ...]')
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


def _defect(row: Any, scores: Mapping[str, Mapping[int, float | None]]) -> str | None:
    if not isinstance(row, dict) or set(row) != {"qid", "level", "score"}:
        return "is not an object with exactly qid, level and score"
    qid, level, score = row["qid"], row["level"], row["score"]
    if not isinstance(qid, str):
        return f"qid is {qid!r}, not a string"
    if fault := half_fault(qid):
        return fault[0]
    if type(level) is not int or level not in LEVELS:
        return f"level is {level!r}, not 1, 2 or 3"
    if type(score) not in (int, float) or not 0 <= score <= LEVEL_MAX:
        return f"score is {score!r}, not a number from 0 to {LEVEL_MAX}"
    return f"level {level} of {qid} is scored twice" if level in scores.get(qid, {}) else None
