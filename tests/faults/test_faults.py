"""Every fault once; `python -m tests.faults` does the same hundreds of times."""

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.answer.small_run import questions
from tests.answer.stub_server import StubServer
from tests.faults.__main__ import one
from tests.faults.audit import Finding, audit
from tests.faults.client import here
from tests.faults.trials import CLIPS, TRIALS


@pytest.mark.slow
@pytest.mark.parametrize("name", TRIALS)
def test_nothing_is_lost_doubled_wrong_or_untrue(name: str) -> None:
    counts = Counter[str]()
    one(name, 1, counts)
    assert counts["runs"] == 1
    bad = {"lost": 0, "doubled": 0, "wrong": 0, "untrue": 0}
    assert {name: counts.get(name) for name in bad} == bad  # a name that is not counted is None


def test_the_audit_finds_what_is_wrong(tmp_path: Path) -> None:
    asked = questions(CLIPS)
    with StubServer() as server:
        assert here(tmp_path, server.base_url, CLIPS).complete
    file = tmp_path / "runs" / "run" / "answers.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    good = audit(tmp_path, asked)
    assert good == Finding(*[frozenset()] * 4)

    lost, doubled, other_answer, other_conditions, failed = (row["qid"] for row in rows[:5])
    rows[2]["answer"] = "something else"
    rows[3]["fingerprint"] = "0" * 64
    rows[4] |= {"status": "request_failed", "reason": "no reply"}
    del rows[4]["answer"]
    rows = [*rows[1:], rows[1]]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    bad = audit(tmp_path, asked)
    assert bad.lost == {lost}
    assert bad.doubled == {doubled}
    assert bad.wrong == {other_answer, other_conditions}
    assert bad.failed == {failed}
