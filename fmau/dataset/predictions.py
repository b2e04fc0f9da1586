"""The submission format, which is also how predictions made elsewhere arrive:

{"prompts": [{"task", "system_prompt"}, ...], "answers": [{"qid", "pred_answer"}, ...]}
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fmau.core.errors import InputError, Problem
from fmau.core.parsing import parse_json
from fmau.core.records import Question
from fmau.core.taxonomy import TASK_ALIASES


def prediction_tree(path: Path, text: str) -> Any:
    """The value that `text` encodes.

    Raises:
        InputError: it is not JSON.
    """
    try:
        return parse_json(text)
    except ValueError as error:
        remedy = "prediction files are JSON, see `fmau submit`"
        raise InputError([Problem(str(path), f"not JSON ({error})", remedy)]) from None


def answer_entries(path: Path, tree: Any) -> list[Any]:
    """The list of answers in either accepted shape.

    Raises:
        InputError: it is neither shape.
    """
    entries = tree.get("answers") if isinstance(tree, dict) else tree
    if not isinstance(entries, list):
        remedy = 'write {"prompts": [...], "answers": [{"qid": ..., "pred_answer": ...}]}'
        raise InputError([Problem(str(path), "no list of answers", remedy)])
    return entries


def entry_problems(
    path: Path, entries: list[Any], asked: Mapping[str, Question]
) -> Iterator[Problem]:
    """Entries that cannot be a prediction, in file order; entries are counted from 1."""
    first: dict[str, int] = {}
    for number, entry in enumerate(entries, start=1):
        where = f"{path} answer {number}"
        qid = entry.get("qid") if isinstance(entry, dict) else None
        if not isinstance(qid, str):
            remedy = 'write {"qid": "...", "pred_answer": "..."}'
            yield Problem(where, "no object with a text 'qid'", remedy)
            continue
        where += f" ({qid})"
        if qid not in asked:
            yield Problem(where, "unknown qid", _qid_remedy(qid, asked))
        if qid in first:
            what = f"the qid already stands in answer {first[qid]}"
            yield Problem(where, what, "answer each question once")
        first.setdefault(qid, number)
        if not isinstance(entry.get("pred_answer"), str):
            what = f"'pred_answer' is {entry.get('pred_answer')!r}"
            yield Problem(where, what, "write the answer as text")


def _qid_remedy(qid: str, asked: Mapping[str, Question]) -> str:
    """Earlier releases named some tasks, and so their qids, differently ("CMAC_0219")."""
    prefix, _, number = qid.rpartition("_")
    present = f"{TASK_ALIASES.get(prefix)}_{number}"
    return f"write {present}" if present in asked else "use the qids of the question file"
