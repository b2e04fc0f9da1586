"""What the files of a run say, read without fmau's own readers."""

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmau.core.records import Question
from fmau.runs.conditions import conditions, fingerprint, row_mark
from tests.answer.small_run import PROMPTS, expected, recipe

FINAL = {"ok", "unparsed", "truncated"}


@dataclass(frozen=True)
class Finding:
    """Questions by what happened to them; all but `failed` must be empty.

    Attributes:
        lost: neither answered nor listed as failed with a reason.
        doubled: with more than one final row.
        wrong: with an answer that the server never gave, or under other conditions.
        failed: listed as failed, with a reason.
    """

    lost: frozenset[str]
    doubled: frozenset[str]
    wrong: frozenset[str]
    failed: frozenset[str]


def audit(root: Path, asked: Sequence[Question], spoiled: Collection[str] = ()) -> Finding:
    """Judge the run under `root` by its files.

    Args:
        spoiled: qids that were given another reply than the server's; no answer may come of it.
    """
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    content = (root / "runs" / "run" / "answers.jsonl").read_text("utf-8")
    assert not content or content.endswith("\n"), "the file ends within a row"
    for line in content.splitlines():
        row = json.loads(line)
        rows[row["qid"]].append(row)
    known = {question.qid for question in asked}
    right_answers = {qid: answer for qid, (_, answer) in expected(asked).items()}
    lost: set[str] = set()
    doubled: set[str] = set()
    failed: set[str] = set()
    wrong = set(rows) - known
    run_fingerprint = fingerprint(conditions(recipe(root), PROMPTS))
    for question in asked:
        of_question = rows[question.qid]
        final = [row for row in of_question if row["status"] in FINAL]
        if len(final) > 1:
            doubled.add(question.qid)
        if not final:
            listed = of_question and of_question[-1].get("reason")
            (failed if listed else lost).add(question.qid)
        for row in final:
            right = row["status"] == "ok" and row["answer"] == right_answers[question.qid]
            if question.qid in spoiled:
                right = right or row["status"] != "ok"
            mark = row_mark(run_fingerprint, question, None)
            if not right or row["fingerprint"] != mark.fingerprint:
                wrong.add(question.qid)
    return Finding(*map(frozenset, (lost, doubled, wrong, failed)))
