"""Models behind APIs: each dialect by a stub that is as strict as the API, and odd replies."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from fmau.answer import Summary
from fmau.answer.api import api_parts, build_api_request
from fmau.core.errors import ServerError
from fmau.core.records import AnswerStatus
from fmau.core.taxonomy import Task
from fmau.frames.clip import ClipFrames
from fmau.prompting.prompts import PromptSet
from fmau.recipe import ApiBlock, Recipe
from fmau.runs import read_answers, read_manifest
from fmau.serve.client import MAX_FAILURES_IN_A_ROW, remote_endpoint
from tests.answer.small_run import PROMPTS, answer, question, questions, recipe
from tests.stub_api import api, refused, said

COUNTS = {"prompt_tokens": 100, "completion_tokens": 7}
OPEN = question("clip00", Task.MADU, 0)


def asking(root: Path, base_url: str, **knobs: Any) -> Recipe:
    """The small recipe, asked through an API."""
    wanted = recipe(root, frames_as="images", constrain=False, retries=0)
    tree = wanted.model_dump() | {"api": {"base_url": base_url, **knobs}}
    return Recipe.model_validate(tree)


def asked(wanted: Recipe, monkeypatch: pytest.MonkeyPatch, clips: int = 2) -> Summary:
    """Answer the questions about some clips; the key is in the environment."""
    assert wanted.api is not None
    monkeypatch.setenv("FMAU_API_KEY", "secret\r\n")
    endpoint = remote_endpoint(wanted.api)
    return answer(
        wanted,
        questions(clips),
        endpoint.base_url,
        api_key=endpoint.api_key,
        key_header=endpoint.key_header,
    )


def fault_of(body: dict[str, Any], known: set[str]) -> str | None:
    """What a strict API says of a field that it does not know."""
    unknown = body.keys() - {"model", "messages"} - known
    return f"Unsupported parameter: {min(unknown)}" if unknown else None


def reply(body: dict[str, Any]) -> str:
    text = body["messages"][-1]["content"][-1]["text"]
    return "Yes" if "[qid SAD" in text or "[qid M" in text or "[qid P" in text else "A."


def test_openai_with_a_model_that_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No temperature, no seed, another name for the limit; reasoning is counted, not shown."""

    def openai(request: web.Request, body: dict[str, Any]) -> web.Response:
        if request.headers.get("Authorization") != "Bearer secret":
            return refused(401, "Incorrect API key provided")
        if fault := fault_of(body, {"max_completion_tokens", "reasoning_effort"}):
            return refused(400, fault)
        details = {"completion_tokens_details": {"reasoning_tokens": 5}}
        return said(reply(body), usage=COUNTS | details)

    with api("/v1/chat/completions", openai) as address:
        name = {"limit_field": "max_completion_tokens"}
        with pytest.raises(ServerError, match="HTTP 400: Unsupported parameter: seed"):
            asked(asking(tmp_path, address, **name), monkeypatch)
        fields = {"temperature": None, "seed": None, "reasoning_effort": "low"}
        wanted = asking(tmp_path / "two", address, fields=fields, **name)
        summary = asked(wanted, monkeypatch)
    assert summary.statuses == {"ok": 24}
    assert (summary.completion_tokens, summary.thinking_tokens) == (24 * 7, 24 * 5)
    assert {row.thinking for row in read_answers(wanted.run_folder)} == {None}


def test_google_counts_thinking_in_the_total_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path of its own, content in parts, other words for the end."""

    def google(request: web.Request, body: dict[str, Any]) -> web.Response:
        if request.headers.get("Authorization") != "Bearer secret":
            return refused(400, "API key not valid")
        if fault := fault_of(body, {"max_tokens", "temperature"}):
            return refused(400, fault)
        parts = [{"type": "text", "text": one} for one in (reply(body)[:1], reply(body)[1:])]
        return said(parts, "STOP", usage=COUNTS | {"total_tokens": 150})

    with api("/v1beta/openai/chat/completions", google) as address:
        price = {"input": 1.0, "output": 10.0}
        wanted = asking(tmp_path, f"{address}/v1beta/openai/", fields={"seed": None}, price=price)
        summary = asked(wanted, monkeypatch)
    assert summary.statuses == {"ok": 24}
    assert summary.completion_tokens == 24 * 50
    assert summary.dollars == pytest.approx(24 * (100 * 1 + 50 * 10) / 1e6)


def test_azure_has_a_version_a_key_header_and_a_content_filter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The filter refuses one input with 400, and holds one reply back."""
    path = "/openai/deployments/eyes"

    def azure(request: web.Request, body: dict[str, Any]) -> web.Response:
        if request.query.get("api-version") != "2024-10-21":
            return refused(404, "Resource not found")
        if request.headers.get("api-key") != "secret" or "Authorization" in request.headers:
            return refused(401, "Access denied")
        text = body["messages"][-1]["content"][-1]["text"]
        if "[qid MADU_clip00_0]" in text:
            return refused(400, "The prompt triggered the content management policy")
        if "[qid MADU_clip01_0]" in text:
            return said("A person mov", "content_filter", usage=COUNTS)
        return said(reply(body), usage=COUNTS)

    with api(f"{path}/chat/completions", azure) as address:
        given = f"{address}{path}?api-version=2024-10-21"
        wanted = asking(tmp_path, given, key_header="api-key")
        summary = asked(wanted, monkeypatch)
    assert summary.statuses == {"ok": 22, "unparsed": 1, "request_failed": 1}
    held = {row.qid: row for row in read_answers(wanted.run_folder)}["MADU_clip01_0"]
    assert (held.answer, held.reason) == (None, "withheld by a content filter")


@pytest.mark.parametrize(
    ("text", "reason", "status", "answer"),
    [
        ("B", "stop", "ok", "B"),
        ("**B.** Head", "stop", "ok", "B"),
        ("<think>A looks right.</think>The answer is B.", "stop", "ok", "B"),
        ("<think>A looks right. The answer is B", "length", "truncated", None),
        ("A", "length", "truncated", None),
        ("It could be A or B.", "stop", "unparsed", None),
        ("I cannot tell.", "stop", "unparsed", None),
        ("", "stop", "unparsed", None),
    ],
)
def test_closed_answers_are_read_and_never_guessed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    reason: str,
    status: str,
    answer: str | None,
) -> None:
    with api("/v1/chat/completions", lambda _request, _body: said(text, reason)) as address:
        wanted = asking(tmp_path, address)
        asked(wanted, monkeypatch, clips=1)
    row = next(row for row in read_answers(wanted.run_folder) if row.task == "CMAR")
    assert (row.status, row.answer) == (AnswerStatus(status), answer)


def test_replies_without_counts_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with api("/v1/chat/completions", lambda _request, body: said(reply(body))) as address:
        wanted = asking(tmp_path, address, price={"input": 1.0, "output": 2.0})
        summary = asked(wanted, monkeypatch)
    assert (summary.uncounted, summary.dollars) == (24, 0.0)
    assert "without 24 replies whose tokens were not reported" in summary.text()
    facts = read_manifest(wanted.run_folder).sessions[0].facts
    assert (facts["uncounted"], facts["servers"]) == (24, [address])


def test_the_first_question_about_a_clip_is_answered_before_the_others_are_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that an API's prompt cache can serve the others; and never more at once than allowed."""
    in_flight = 0
    at_once = []

    async def slow(_: web.Request, body: dict[str, Any]) -> web.Response:
        nonlocal in_flight
        in_flight += 1
        at_once.append(in_flight)
        await asyncio.sleep(0.05)
        in_flight -= 1
        return said(reply(body))

    with api("/v1/chat/completions", slow) as address:
        asked(asking(tmp_path, address, concurrency=5), monkeypatch, clips=1)
    assert (at_once[:2], max(at_once)) == ([1, 1], 5)


def test_an_api_that_refuses_everything_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def never(_: web.Request, __: dict[str, Any]) -> web.Response:
        calls.append(1)
        return refused(400, "no images here")

    with (
        api("/v1/chat/completions", never) as address,
        pytest.raises(ServerError, match=r"the last 24 requests failed.*no images here"),
    ):
        asked(asking(tmp_path, address, concurrency=1), monkeypatch, clips=9)
    assert MAX_FAILURES_IN_A_ROW <= len(calls) <= MAX_FAILURES_IN_A_ROW + 1  # one on its way


def test_repeated_frames_of_a_short_clip_are_sent_once() -> None:
    frames = ClipFrames("c", (b"x", b"x", b"y"), 32, 32, (0, 0, 3), 10.0, 4, 0.4)
    parts = api_parts(frames, ApiBlock(base_url="http://h"))
    texts = [part.get("text") for part in parts.payload]
    assert texts == ["0.0 seconds", None, "0.3 seconds", None]
    assert "detail" not in parts.payload[1]["image_url"]


def test_without_a_clip_and_without_a_system_prompt(tmp_path: Path) -> None:
    wanted = asking(tmp_path, "http://h")
    empty = PromptSet.model_validate(PROMPTS.model_dump() | {"system": ""})
    request = build_api_request(OPEN, wanted, empty, None)
    (user,) = request.messages
    assert [part["type"] for part in user["content"]] == ["text"]
    assert request.session is None
