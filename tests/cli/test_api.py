"""`fmau answer` through an API of 120 questions with faults: every question, token and cent."""

import base64
import re
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from fmau.frames.clip import read_clip
from fmau.recipe import load_recipe
from fmau.runs import read_answers, read_manifest
from tests.cli.support import fails, run, small_recipe
from tests.clips import write_clip
from tests.stub_api import api, refused, said

CLIPS = [f"c{number}" for number in range(10)]
DECLINED = {"MADU_c3_0", "SAD_c5_1"}
CUT = "MARE_c2_0"
VAGUE = "CMAR_c4_0"
FORBIDDEN = "FMAR_c7_0"
PRICE = {"input": 2.5, "cached_input": 1.25, "output": 10.0}
DOLLARS = {name: Decimal(str(value)) / 10**6 for name, value in PRICE.items()}


@dataclass
class Model:
    """What answers behind the API. Its replies are a function of the question alone.

    Attributes:
        throttles: refuses the first request about every fifth question with 429.
        forbids: refuses `FORBIDDEN` with 403.
        asked: qids in order of arrival.
        bodies: the requests that were answered.
        sent: the token counts of every reply.
        arrivals: qid -> times of its requests, in seconds.
    """

    throttles: bool = False
    forbids: bool = False
    asked: list[str] = field(default_factory=list)
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: list[Counter[str]] = field(default_factory=list)
    arrivals: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    held: set[str] = field(default_factory=set)

    def reply(self, request: web.Request, body: dict[str, Any]) -> web.Response:
        text = body["messages"][-1]["content"][-1]["text"]
        found = re.search(r"\[qid (\w+)\]", text)
        assert found is not None
        qid = found[1]
        self.asked.append(qid)
        self.arrivals[qid].append(time.monotonic())
        assert request.headers["Authorization"] == "Bearer sesame"
        if self.throttles and throttled(qid) and len(self.arrivals[qid]) == 1:
            return refused(429, "Rate limit reached", **{"Retry-After": "1"})
        if self.forbids and qid == FORBIDDEN:
            return refused(403, "input flagged by moderation")
        self.bodies[qid] = body
        clip = qid.split("_")[1]
        usage = Counter(prompt=1400 + len(text), cached=1280 * (clip in self.held))
        self.held.add(clip)
        usage["completion"] = 3 + zlib.crc32(qid.encode()) % 50
        self.sent.append(usage)
        counts = {
            "prompt_tokens": usage["prompt"],
            "prompt_tokens_details": {"cached_tokens": usage["cached"]},
            "completion_tokens": usage["completion"],
        }
        if qid in DECLINED:
            return said(None, refusal="I will not describe people.", usage=counts)
        if qid == CUT:
            return said("The head moves and", "length", usage=counts)
        return said(reply_text(qid), usage=counts)


def throttled(qid: str) -> bool:
    return zlib.crc32(qid.encode()) % 5 == 0


def reply_text(qid: str) -> str:
    if qid == VAGUE:
        return "It is either A or B."
    if qid.startswith(("MADU", "MARE")):
        return f"A description of {qid}."
    odd = zlib.crc32(qid.encode()) % 2
    if qid.startswith(("CMAR", "FMAR")):
        return f"The answer is {'AB'[odd]}."
    return ("Yes.", "No, it does not.")[odd]


def answer_of(qid: str) -> str | None:
    """What a reader takes from the model's reply; None if there is no answer."""
    odd = zlib.crc32(qid.encode()) % 2
    if qid in {*DECLINED, CUT, VAGUE}:
        return None
    if qid.startswith(("MADU", "MARE")):
        return f"A description of {qid}."
    return "AB"[odd] if qid.startswith(("CMAR", "FMAR")) else ("Yes", "No")[odd]


def dollars(sent: list[Counter[str]]) -> Decimal:
    """Reckoned reply by reply, with decimal numbers."""
    return sum(
        (
            (usage["prompt"] - usage["cached"]) * DOLLARS["input"]
            + usage["cached"] * DOLLARS["cached_input"]
            + usage["completion"] * DOLLARS["output"]
            for usage in sent
        ),
        Decimal(),
    )


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A recipe for an API, about ten clips of different lengths."""
    path = small_recipe(tmp_path, CLIPS)
    for number, clip in enumerate(CLIPS):
        write_clip(tmp_path / "clips" / f"{clip}.mp4", 20 + 5 * number, rate=25)
    tree = yaml.safe_load(path.read_text("utf-8"))
    tree["model"]["path"] = "m-2026-11-01"
    tree["api"] = {"base_url": "http://stub", "detail": "low", "concurrency": 6, "price": PRICE}
    tree["answer"] = {"frames_as": "images", "constrain": False, "clips_in_flight": 2}
    path.write_text(yaml.safe_dump(tree), "utf-8")
    return path


@contextmanager
def behind(model: Model, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """The settings that lead to a model."""
    monkeypatch.setenv("FMAU_API_KEY", "sesame")
    monkeypatch.setattr("fmau.recipe.remote.RemoteBlock.place", "stub/v1")  # any port
    with api("/v1/chat/completions", model.reply) as address:
        yield ("--set", f"api.base_url={address}")


def contents(folder: Path) -> dict[str, dict[str, Any]]:
    """qid -> its row, but for what time and the order of requests decide."""
    apart = {"seconds", "cached_tokens"}
    return {row.qid: row.model_dump(exclude=apart) for row in read_answers(folder)}


def test_120_questions_with_faults_are_accounted_for(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused for now, refused for good, declined, cut, vague: two sessions, then nothing left."""
    folder, model = tmp_path / "runs/small", Model(throttles=True, forbids=True)
    with behind(model, monkeypatch) as address:
        code, shown, said_ = run(capsys, "answer", many, *address)
        assert code == 1, said_
        first = len(model.asked)
        assert Counter(row.status.value for row in read_answers(folder)) == {
            "ok": 115,
            "unparsed": 3,
            "truncated": 1,
            "request_failed": 1,
        }
        for line in (
            "120 of 120 questions have a row",
            "1 x HTTP 403: input flagged by moderation",
            "2 x the model declined: 'I will not describe people.'",
            "1 x the reply reached the token limit",
        ):
            assert line in shown
        assert "would refuse these requests again" in shown
        model.forbids = False
        code, shown, said_ = run(capsys, "answer", many, *address)
        assert code == 0, said_
        assert model.asked[first:] == [FORBIDDEN], "only what is left"
        code, shown, _ = run(capsys, "answer", many, *address)
        assert (code, len(model.asked)) == (0, first + 1), "nothing is left"

    waits = [times[1] - times[0] for qid, times in model.arrivals.items() if throttled(qid)]
    assert len(waits) > 15
    assert min(waits) >= 1.0, "Retry-After"
    assert first == 120 + len(waits), "429 and nothing else is asked again"

    facts = [session.facts for session in read_manifest(folder).sessions[:2]]
    for kind in ("prompt", "cached", "completion"):
        counted = sum(fact[f"{kind}_tokens"] for fact in facts)
        assert counted == sum(usage[kind] for usage in model.sent)
    assert len(model.sent) == 120
    spent = [float(dollars(sent)) for sent in (model.sent[:-1], model.sent[-1:])]
    assert [fact["dollars"] for fact in facts] == pytest.approx(spent, abs=1e-6)
    assert "sesame" not in (folder / "manifest.json").read_text("utf-8")

    clean = Model()
    with behind(clean, monkeypatch) as address:
        code, _, said_ = run(capsys, "answer", many, *address, "--set", "name=clean")
    assert (code, len(clean.asked)) == (0, 120), said_
    rows = contents(folder)
    assert rows == contents(tmp_path / "runs/clean")
    assert {qid: row["answer"] for qid, row in rows.items()} == {
        qid: answer_of(qid) for qid in model.bodies
    }
    assert {rows[qid]["reason"] for qid in DECLINED} == {
        "the model declined: 'I will not describe people.'"
    }


def test_the_frames_are_the_same_bytes_as_everywhere_with_their_times(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = Model()
    with behind(model, monkeypatch) as address:
        assert run(capsys, "answer", many, *address)[0] == 0
    spec = load_recipe(many).frames
    for qid, body in model.bodies.items():
        number = int(qid.split("_")[1][1:])
        frames = read_clip(tmp_path / f"clips/c{number}.mp4", spec)
        system, user = body["messages"]
        assert system == {"role": "system", "content": "s"}
        *clip, _ = user["content"]
        times, images = clip[::2], clip[1::2]
        # 20 + 5n frames at 25 a second, eight of them evenly from the first to the last.
        last = 20 + 5 * number - 1
        seconds = [round(last * place / 7) / 25 for place in range(8)]
        assert [part["text"] for part in times] == [f"{one:.1f} seconds" for one in seconds]
        assert [
            base64.b64decode(part["image_url"]["url"].removeprefix("data:image/jpeg;base64,"))
            for part in images
        ] == list(frames.jpegs)
        assert {part["image_url"]["detail"] for part in images} == {"low"}
        assert body.keys() == {"model", "messages", "max_tokens", "temperature", "seed"}
        assert (body["model"], body["max_tokens"]) == ("m-2026-11-01", 512)


def test_a_dry_run_sends_and_writes_nothing(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The estimate of a run against what the API then counts, at its own tokens per image."""
    model = Model(forbids=True)
    with behind(model, monkeypatch) as address:
        setting = (*address, "--set", "api.image_tokens=160")
        code, shown, said_ = run(capsys, "answer", many, *setting, "--dry-run")
        assert (code, model.asked) == (0, []), said_
        assert not (tmp_path / "runs").exists()
        assert "120 requests about 10 clips" in shown
        assert "8 images a request, 160 tokens each\n" in shown
        assert "61,440 at most" in shown
        inputs = int(re.findall(r"([\d,]+) tokens in", shown)[0].replace(",", ""))
        assert 8 * 160 * 120 < inputs < 8 * 260 * 120
        run(capsys, "answer", many, *address)
        shown = run(capsys, "answer", many, *setting, "--dry-run")[1]
        assert "1 requests about 1 clips" in shown, "what is left"
        checked = " ".join(run(capsys, "check", many, *setting)[1].split())
    assert "estimate 120 requests about 10 clips" in checked
    assert "m-2026-11-01, behind the API stub/v1" in checked
    assert "FMAU_API_KEY is set" in checked


def test_what_changes_an_answer_is_a_condition_and_nothing_else(
    many: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = Model()
    with behind(model, monkeypatch) as address:
        assert run(capsys, "answer", many, *address)[0] == 0
        count = len(model.asked)
        for setting, line in (
            ("model.path=other", "model.path: 'm-2026-11-01' -> 'other'"),
            ("api.detail=high", "detail: 'low' -> 'high'"),
            ("api.fields={temperature: 0.7}", "decoding.temperature: 0.0 -> 0.7"),
            ("api.fields={seed: null}", "decoding.seed: 0 -> absent"),
            ("api.fields={reasoning_effort: low}", "decoding.reasoning_effort: absent -> 'low'"),
            ("answer.max_tokens_open=64", "max_tokens_open: 512 -> 64"),
        ):
            assert line in fails(capsys, "answer", many, *address, "--set", setting)
        with monkeypatch.context() as other:
            other.setattr("fmau.recipe.remote.RemoteBlock.place", "elsewhere/v1")
            assert "model.api: 'stub/v1' -> 'elsewhere/v1'" in fails(capsys, "answer", many)
            other.setattr("fmau.recipe.remote.RemoteBlock.place", "stub/v1")
            other.setattr(import_module("fmau.runs.conditions"), "TIME", "at {seconds} s")
            assert "times: '{seconds:.1f} seconds' -> " in fails(capsys, "answer", many)
        same = ("api.concurrency=1", "api.price=null", "api.key_header=x", "model.dtype=float32")
        for setting in same:
            assert run(capsys, "answer", many, *address, "--set", setting)[0] == 0
    assert len(model.asked) == count


def test_what_an_api_cannot_do_is_refused_in_one_line(
    many: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    about = "the model is behind an API, at stub/v1, and has no weights here for"
    for command in (
        ("serve", many),
        ("answer", many, "--adapter", tmp_path),
        ("answer", many, "--ray", "local"),
    ):
        assert about in fails(capsys, *command)
    said_ = fails(capsys, "answer", many, "--server", "http://127.0.0.1:9")
    assert "--set api.base_url=URL" in said_
    said_ = fails(capsys, "answer", many, "--set", "answer.constrain=true")
    assert "set answer.constrain to false" in said_
    said_ = fails(capsys, "answer", many, "--set", "answer.thinking_tokens=64")
    assert "api.fields asks for thinking" in said_
    said_ = fails(capsys, "check", many, "--set", "api.fields={stream: true}")
    assert "api.fields: stream cannot be set here" in said_
    said_ = fails(capsys, "check", many, "--set", "api.base_url=https://me:secret@host/v1")
    assert "without a name and a password" in said_
    assert "--dry-run estimates the price of a model behind an API" in fails(
        capsys, "answer", "zero_shot_tiny", "--dry-run"
    )


def test_one_question_in_free_words(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model, clip = Model(), tmp_path / "clips/c1.mp4"
    with behind(model, monkeypatch) as address:
        code, shown, said_ = run(capsys, "ask", clip, "[qid MADU_c1_0] What moves?", many, *address)
    assert (code, shown) == (0, "A description of MADU_c1_0.\n"), said_
    parts = model.bodies["MADU_c1_0"]["messages"][1]["content"]
    assert Counter(part["type"] for part in parts) == {"image_url": 8, "text": 9}


def test_a_key_that_is_refused_ends_the_run_at_once(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def no_entry(_: web.Request, body: dict[str, Any]) -> web.Response:
        asked.append(body)
        return refused(401, "Incorrect API key provided: sesame")

    monkeypatch.setenv("FMAU_API_KEY", "sesame")
    with api("/v1/chat/completions", no_entry) as address:
        said_ = fails(capsys, "answer", many, "--set", f"api.base_url={address}")
    assert "HTTP 401: Incorrect API key provided: [the key]; check the API key" in said_
    assert len(asked) <= 6
    assert read_answers(tmp_path / "runs/small") == []
