"""Judges behind APIs that are not vLLM: each dialect by a stub that is as strict as the API."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from fmau.core.records import VerdictStatus
from fmau.judge.judges import LlmJudge
from fmau.judge.session import judge_run
from fmau.judge.summary import JudgeSummary
from fmau.runs import read_verdicts
from fmau.serve.client import ChatClient, ChatRequest, Reply
from fmau.serve.client.address import api_url, proxy_of
from tests.report.runs import write_run
from tests.score.synthetic import gold_answers, question_file
from tests.stub_api import api, refused
from tests.stub_api import said as replied

QUESTIONS = question_file(clips=3)
SCORES = json.dumps({"rationale": "It says so.", "L1": 3, "L2": 2, "L3": 1})


def said(content: object = SCORES, reason: str | None = "stop", **more: Any) -> web.Response:
    return replied(content, reason, **more)


def judged(folder: Path, base_url: str, remote: dict[str, Any], **knobs: Any) -> JudgeSummary:
    """Judge a run of six open answers, in one call each."""
    run = folder / "base"
    if not run.exists():
        write_run(folder, "base", QUESTIONS, gold_answers(QUESTIONS))
    tree = {
        "name": "api",
        "kind": "llm",
        "mode": "joint",
        "remote": {"base_url": base_url, "model": "m", **remote},
        "retries": 0,
        **knobs,
    }
    return judge_run(run, LlmJudge.model_validate(tree))


SCORED = {"scored": 6}


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("/v1/chat/completions", ""),
        ("/v1/chat/completions", "/v1"),
        ("/v1/chat/completions", "/v1/"),
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/v1beta/openai/chat/completions", "/v1beta/openai/"),
        ("/api/paas/v4/chat/completions", "/api/paas/v4"),
        ("/openai/v1/chat/completions", "/openai/v1"),
    ],
)
def test_the_address_is_taken_as_given(tmp_path: Path, path: str, given: str) -> None:
    with api(path, lambda _request, _body: said()) as address:
        assert judged(tmp_path, address + given, {}).statuses == SCORED


def test_azure_has_its_version_in_the_query_and_its_key_in_another_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FMAU_JUDGE_API_KEY", "secret\r\n")

    def azure(request: web.Request, _: dict[str, Any]) -> web.Response:
        if request.query.get("api-version") != "2024-10-21":
            return refused(404, "Resource not found")
        if request.headers.get("api-key") != "secret" or "Authorization" in request.headers:
            return refused(401, "Access denied")
        return said()

    path = "/openai/deployments/judge"
    with api(f"{path}/chat/completions", azure) as address:
        given = f"{address}{path}?api-version=2024-10-21"
        assert judged(tmp_path, given, {"key_header": "api-key"}).statuses == SCORED


def test_a_field_that_is_null_is_left_out(tmp_path: Path) -> None:
    """As models that reason: no temperature, another name for the limit, no seed, no schema."""

    def strict(_: web.Request, body: dict[str, Any]) -> web.Response:
        unknown = body.keys() - {"model", "messages", "max_completion_tokens"}
        return refused(400, f"Unsupported parameter: {min(unknown)}") if unknown else said()

    with api("/v1/chat/completions", strict) as address:
        remote = {"limit_field": "max_completion_tokens"}
        summary = judged(tmp_path, address, remote)
        assert summary.statuses == {"request_failed": 6}
        assert "    6 x HTTP 400: Unsupported parameter: response_format" in summary.text()
        assert "run the same command again" not in summary.text()
        assert "the server refused 6 calls and would refuse them again" in summary.text()
        fields = {"seed": None, "response_format": None}
        summary = judged(tmp_path, address, remote, temperature=None, fields=fields)
        assert summary.statuses == SCORED


@pytest.mark.parametrize("reason", ["stop", "STOP", "end_turn", "eos", "stop_sequence", None])
def test_any_reason_to_finish_a_complete_reply_will_do(tmp_path: Path, reason: str | None) -> None:
    with api("/v1/chat/completions", lambda _request, _body: said(reason=reason)) as address:
        assert judged(tmp_path, address, {}).statuses == SCORED


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (said(reason="MAX_TOKENS"), VerdictStatus.TRUNCATED),
        (said(reason="length"), VerdictStatus.TRUNCATED),
        (said(None, "content_filter"), VerdictStatus.REFUSED),
        (said(None, "SAFETY"), VerdictStatus.REFUSED),
        (said(None, refusal="I will not judge people."), VerdictStatus.REFUSED),
        (said(None, None, refusal="I will not judge people."), VerdictStatus.REFUSED),
        (said("", None), VerdictStatus.REQUEST_FAILED),
        (said(reason="abort"), VerdictStatus.REQUEST_FAILED),
        (said(reason="error"), VerdictStatus.REQUEST_FAILED),
    ],
)
def test_other_ends_are_told_apart(
    tmp_path: Path, reply: web.Response, status: VerdictStatus
) -> None:
    """The first call ends so; the others are scored."""
    body = reply.body
    calls = iter([body])

    def first(_: web.Request, __: dict[str, Any]) -> web.Response:
        sent = next(calls, None)
        return said() if sent is None else web.Response(body=sent, content_type="application/json")

    with api("/v1/chat/completions", first) as address:
        found = judged(tmp_path, address, {}, concurrency=1).statuses
    assert found == {"scored": 5, status.value: 1}


def test_content_may_come_in_parts(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": SCORES[:9]}, {"type": "text", "text": SCORES[9:]}]
    with api("/v1/chat/completions", lambda _request, _body: said(parts)) as address:
        assert judged(tmp_path, address, {}).statuses == SCORED


def test_one_forbidden_input_fails_alone(tmp_path: Path) -> None:
    calls = iter(range(99))

    def moody(_: web.Request, __: dict[str, Any]) -> web.Response:
        return refused(403, "input flagged by moderation") if next(calls) == 2 else said()

    with api("/v1/chat/completions", moody) as address:
        summary = judged(tmp_path, address, {}, concurrency=1)
    assert summary.statuses == {"scored": 5, "request_failed": 1}
    assert "    1 x HTTP 403: input flagged by moderation" in summary.text()


def test_verdicts_without_scores_can_be_asked_for_again(tmp_path: Path) -> None:
    calls = iter(range(99))

    def unsteady(_: web.Request, __: dict[str, Any]) -> web.Response:
        return said("I like it.") if next(calls) == 0 else said()

    with api("/v1/chat/completions", unsteady) as address:
        summary = judged(tmp_path, address, {}, concurrency=1)
        assert summary.statuses == {"unparsed": 1, "scored": 5}
        assert "    1 x the reply is not JSON: 'I like it.'" in summary.text()
        tree = {"name": "api", "kind": "llm", "mode": "joint", "retries": 0, "concurrency": 1}
        judge = LlmJudge.model_validate(tree | {"remote": {"base_url": address, "model": "m"}})
        assert judge_run(tmp_path / "base", judge).statuses == {}
        assert judge_run(tmp_path / "base", judge, unscored=True).statuses == {"scored": 1}
    rows = [*read_verdicts(tmp_path / "base")]
    assert sum(row.scores is not None for row in rows) == 6


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://h:8000", "http://h:8000/v1/models"),
        ("https://h/v1beta/openai/", "https://h/v1beta/openai/models"),
        ("https://h/api/paas/v4", "https://h/api/paas/v4/models"),
        ("https://h/x?api-version=1&b=2", "https://h/x/models?api-version=1&b=2"),
    ],
)
def test_addresses(given: str, url: str) -> None:
    assert api_url(given, "/models") == url


def test_a_proxy_is_used_for_other_machines_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://proxy:3128")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "inside.example")
    assert proxy_of("https://api.example.com/v1") == "http://proxy:3128"
    assert proxy_of("http://10.0.0.7:8000") == "http://proxy:3128"
    assert proxy_of("https://inside.example/v1") is None
    for here in ("http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"):
        assert proxy_of(here) is None


def test_a_request_goes_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """To a machine that does not exist: only the proxy can have answered."""

    async def ask() -> Reply:
        async with ChatClient("http://nowhere.invalid/v1", retries=0) as client:
            return await client.ask("m", ChatRequest([], 1))

    with api("/v1/chat/completions", lambda _request, _body: said("by proxy")) as address:
        monkeypatch.setenv("http_proxy", address)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert asyncio.run(ask()).text == "by proxy"
