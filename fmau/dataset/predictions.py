"""Reads the submission format, for `fmau score --predictions` and the check of submission files:

{"prompts": [{"task", "system_prompt"}, ...], "answers": [{"qid", "pred_answer"}, ...]}
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fmau.core.errors import InputError, Problem, cut
from fmau.core.parsing import Doubled, keys_twice, parse_rows
from fmau.core.records import Question
from fmau.core.taxonomy import TASK_ALIASES
from fmau.core.texts import half_fault, whole
from fmau.dataset.foreign import not_json


def prediction_tree(path: Path, text: str) -> Any:
    """Parse the JSON text of a prediction file.

    Raises:
        InputError: the text is not JSON, or has a list of answers twice.
    """
    try:
        tree = parse_rows(text)
    except ValueError as error:
        remedy = "prediction files are JSON, see `fmau submit`"
        raise InputError([not_json(path, text, error, remedy)]) from None
    if isinstance(tree, Doubled):
        what = f"the key {tree.keys_twice[0]!r} is given twice"
        raise InputError([Problem(str(path), what, "keep one of them")])
    return tree


def answer_entries(path: Path, tree: Any) -> list[Any]:
    """The list of answers: the value of "answers", or the whole value if it is a list.

    Raises:
        InputError: there is no list of answers.
    """
    entries = tree.get("answers") if isinstance(tree, dict) else tree
    if not isinstance(entries, list):
        remedy = 'write {"prompts": [...], "answers": [{"qid": ..., "pred_answer": ...}]}'
        raise InputError([Problem(str(path), "has no list of answers", remedy)])
    return entries


def entry_problems(
    path: Path, entries: list[Any], asked: Mapping[str, Question], lines: Sequence[int] = ()
) -> Iterator[Problem]:
    """Yield the problems of the entries, in file order; entries are counted from 1.

    Args:
        lines: number of the line where each entry begins; if empty, lines are not named.
    """
    first: dict[str, int] = {}
    for number, entry in enumerate(entries, start=1):
        where = f"{path} answer {number}" + (f", line {lines[number - 1]}" if lines else "")
        qid = entry.get("qid") if isinstance(entry, dict) else None
        if qid is not None and not isinstance(qid, str):
            what = f"'qid' is {cut(repr(qid))}, not a text"
            yield Problem(where, what, "write it as a text, as in the question file")
            continue
        if qid is None:
            remedy = 'write {"qid": "...", "pred_answer": "..."}'
            yield Problem(where, "is not an object with a text under 'qid'", remedy)
            continue
        where += f" ({whole(qid)})"
        if qid not in asked:
            yield Problem(where, "unknown qid", _qid_remedy(qid, asked))
        for key in keys_twice(entry):
            yield Problem(where, f"the key {key!r} is given twice", "keep one of them")
        if qid in first:
            what = f"has the same qid as answer {first[qid]}"
            yield Problem(where, what, "answer each question once")
        first.setdefault(qid, number)
        if not isinstance(entry.get("pred_answer"), str):
            what = f"'pred_answer' is {entry.get('pred_answer')!r}"
            yield Problem(where, what, "write the answer as a text, in quotes")
        elif fault := half_fault(entry["pred_answer"]):
            yield Problem(where, *fault)


def _qid_remedy(qid: str, asked: Mapping[str, Question]) -> str:
    """The remedy for an unknown qid, which may use an older name of its task ("CMAC_0219")."""
    prefix, _, number = qid.rpartition("_")
    present = f"{TASK_ALIASES.get(prefix)}_{number}"
    return f"write {present}" if present in asked else "use the qids of the question file"
