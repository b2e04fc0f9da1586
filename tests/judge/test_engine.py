"""Calls against a stand-in server: bounded, resumable, accounted, prefix-friendly."""

from itertools import pairwise
from typing import Any

import pytest

from fmau.core.errors import ServerError
from fmau.core.records import Verdict, VerdictStatus
from fmau.judge.engine import judge_calls
from fmau.judge.estimate import estimate
from fmau.judge.judges import LlmJudge
from fmau.judge.request import plan_calls
from fmau.judge.rubric import load_rubric
from fmau.judge.summary import JudgeSummary
from fmau.serve.client import Endpoint
from tests.judge.cases import StubJudge, honest_reply, items, judge

RUBRIC = load_rubric("ma_bench")


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fmau.serve.client.chat.FIRST_WAIT_S", 0.01)


def run(
    who: LlmJudge, server: StubJudge, count: int = 5, done: dict[str, Verdict] | None = None
) -> tuple[dict[str, Verdict], JudgeSummary]:
    """Judge `count` answers of each task; returns all verdicts by fingerprint."""
    known = dict(done or {})
    summary = judge_calls(
        plan_calls(items(count), who, "f"),
        who,
        RUBRIC,
        Endpoint(server.base_url),
        done=dict(known),
        append=lambda row: known.update({row.fingerprint: row}),
    )
    return known, summary


def test_every_level_is_asked_about_once_and_the_account_adds_up() -> None:
    who = judge(price={"input": 10, "cached_input": 1, "output": 100})
    with StubJudge(delay_s=0.01) as server:
        rows, summary = run(who, server)
    assert summary.complete
    assert summary.statuses == {"scored": 30}
    assert sorted((row.qid, row.levels) for row in rows.values()) == sorted(
        (item.qid, (level,)) for item in items(5) for level in (1, 2, 3)
    )
    assert 1 < server.most_in_flight <= who.concurrency
    assert (summary.input_tokens, summary.cached_tokens, summary.output_tokens) == (3000, 1800, 300)
    assert summary.dollars == pytest.approx((1200 * 10 + 1800 * 1 + 300 * 100) / 1e6)


def test_calls_with_the_same_rubric_text_follow_one_another() -> None:
    with StubJudge() as server:
        run(judge(concurrency=1), server)
    systems = [body["messages"][0]["content"] for body in server.asked]
    changes = sum(one != other for one, other in pairwise(systems))
    assert changes == 5  # two tasks x three levels: each text begins once
    assert all(body["temperature"] == 0 for body in server.asked)


def test_joint_mode_asks_once_and_samples_ask_again_under_another_seed() -> None:
    with StubJudge() as server:
        rows, _ = run(judge(mode="joint", samples=3, temperature=0.7), server, count=2)
    assert len(rows) == 2 * 2 * 3
    assert all(row.scores is not None and set(row.scores) == {1, 2, 3} for row in rows.values())
    assert {body["seed"] for body in server.asked} == {0, 1, 2}


def test_a_resumed_judge_asks_only_what_is_missing_and_ends_with_the_same_verdicts() -> None:
    with StubJudge() as server:
        whole, _ = run(judge(), server)
        part = dict(list(whole.items())[:13])
        server.asked.clear()
        resumed, summary = run(judge(), server, done=part)
    assert len(server.asked) == 17
    assert (summary.done_before, summary.complete) == (13, True)
    assert {key: row.scores for key, row in resumed.items()} == {
        key: row.scores for key, row in whole.items()
    }


def test_a_failure_is_unscored_with_its_reason_and_a_failed_request_is_asked_again() -> None:
    def faulty(body: dict[str, Any]) -> str | int:
        case = body["messages"][1]["content"]
        if "moves 1 times" in case:
            return "5 out of 5"
        return 400 if "moves 2 times" in case else honest_reply(body)

    with StubJudge(faulty) as server:
        rows, summary = run(judge(), server)
        assert summary.statuses == {"scored": 18, "unparsed": 6, "request_failed": 6}
        assert not summary.complete
        assert all((row.scores is None) == bool(row.reason) for row in rows.values())
        server.reply = honest_reply
        server.asked.clear()
        rows, summary = run(judge(), server, done=rows)
    assert summary.complete
    assert len(server.asked) == 6  # an unparsed reply would only be repeated
    assert sum(row.status is VerdictStatus.UNPARSED for row in rows.values()) == 6


def test_a_server_that_refuses_everything_ends_the_work() -> None:
    with StubJudge(lambda _: 400) as server, pytest.raises(ServerError, match="requests failed"):
        run(judge(), server, count=30)


def test_no_server_is_no_verdict() -> None:
    with StubJudge() as server:
        pass
    with pytest.raises(ServerError, match="no server answers"):
        run(judge(retries=0), server)


def test_the_estimate_counts_calls_and_knows_what_is_shared() -> None:
    who = judge(price={"input": 1, "output": 1})
    calls = plan_calls(items(1000), who, "f")
    found = estimate(calls, who, RUBRIC)
    assert found.calls == 6000  # 2,000 answers x 3 levels
    system = [len(RUBRIC.instructions(task, (n,))) for task in RUBRIC.tasks for n in (1, 2, 3)]
    assert found.shared_tokens == pytest.approx(999 * sum(system) / 4, rel=0.01)
    assert found.dollars == pytest.approx((found.input_tokens + found.output_tokens) / 1e6)
    assert found.dollars < found.most_dollars
