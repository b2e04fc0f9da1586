"""The engine against the stub server: what is sent, what is written, what survives."""

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from fmau.answer import answer_questions
from fmau.core.errors import InputError, RunError, ServerError
from fmau.core.records import Answer, AnswerStatus
from fmau.core.taxonomy import Task
from fmau.frames.cache import build_cache
from fmau.frames.clip import ClipFrames
from fmau.recipe import FramesBlock
from fmau.runs import open_run, read_answers, read_manifest, row_mark
from fmau.serve.client import MAX_FAILURES_IN_A_ROW, Endpoint
from tests.answer.small_run import (
    PROMPTS,
    answer,
    expected,
    model_folder,
    question,
    questions,
    read_stub,
    recipe,
    rows,
    stub_reader,
)
from tests.answer.stub_server import Asked, Fault, StubServer


@pytest.fixture(autouse=True)
def fast_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fmau.serve.client.chat.FIRST_WAIT_S", 0.02)


def once(fault: Fault, qid: str) -> Callable[[Asked], Fault | None]:
    """Fails the first request about one question."""
    return lambda asked: fault if asked.qid == qid and asked.number == 0 else None


def test_every_question_gets_its_own_answer(tmp_path: Path) -> None:
    asked = questions(5)
    with StubServer() as server:
        summary = answer(recipe(tmp_path), asked, server.base_url)
    assert rows(tmp_path) == expected(asked)
    assert summary.statuses == {"ok": 60}
    assert (summary.cache_report.decodes, summary.remaining, summary.stopped) == (5, 0, False)
    assert (summary.prompt_tokens, summary.cached_tokens) == (6000, 55 * 80)
    assert summary.complete
    assert summary.text().splitlines()[:2] == ["60 of 60 questions have a row", "  60 ok"]


def test_rows_can_be_checked_with_and_without_their_clips(tmp_path: Path) -> None:
    """Answered, failed and unreadable: every row has both fingerprints of its question."""
    asked = [*questions(2), question("broken", Task.SAD, 0)]
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips/clip00.mp4").write_bytes(b"12345")
    bad = "MARE_clip01_0"
    with StubServer(fault=lambda a: "400" if a.qid == bad else None) as server:
        answer(recipe(tmp_path), asked, server.base_url)
    run = read_manifest(tmp_path / "runs/run").fingerprint
    found = {row.qid: row for row in read_answers(tmp_path / "runs/run")}
    assert {row.status for row in found.values()} == {"ok", "request_failed", "clip_failed"}
    for one in asked:
        row = found[one.qid]
        mark = row_mark(run, one, 5 if one.clip == "clip00" else None)
        assert (row.fingerprint, row.fingerprint_without_clip) == mark


def test_hybrid_models_get_the_shared_beginning_of_a_clip_first(tmp_path: Path) -> None:
    asked = questions(4)
    model = str(model_folder(tmp_path / "m", "qwen3_5"))
    small = recipe(tmp_path)
    hybrid = small.model_copy(update={"model": small.model.model_copy(update={"path": model})})
    with StubServer(model=model) as server:
        summary = answer(hybrid, asked, server.base_url)
    assert rows(tmp_path) == expected(asked)
    primings = [a for a in server.asked if a.uuid and not a.qid]
    assert len(primings) == len({a.uuid for a in primings}) == 4
    for one in primings:
        assert one.has_payload
        assert one.body["max_tokens"] == 1
        assert one.body["continue_final_message"]
        assert not one.body["add_generation_prompt"]
        text = one.body["messages"][-1]["content"][-1]["text"]
        assert text == PROMPTS.common
    assert not any(a.has_payload for a in server.questions)
    report = summary.cache_report
    assert (report.clips, report.uploads, report.followers) == (4, 4, 48)


def test_a_priming_that_fails_leaves_the_questions_to_be_asked_as_usual(tmp_path: Path) -> None:
    asked = questions(2)
    model = str(model_folder(tmp_path / "m", "qwen3_5"))
    small = recipe(tmp_path)
    hybrid = small.model_copy(update={"model": small.model.model_copy(update={"path": model})})
    with StubServer(model=model, fault=lambda a: "400" if a.uuid and not a.qid else None) as server:
        answer(hybrid, asked, server.base_url)
    assert rows(tmp_path) == expected(asked)
    assert sum(a.has_payload for a in server.questions) == 2


def test_frames_travel_once_and_first(tmp_path: Path) -> None:
    with StubServer(delay_s=0.01) as server:
        answer(recipe(tmp_path), questions(6), server.base_url)
    by_clip = defaultdict(list)
    for asked in server.questions:
        by_clip[asked.uuid].append(asked)
    assert len(by_clip) == 6
    for requests in by_clip.values():
        assert [asked.has_payload for asked in requests] == [True] + [False] * 11
        assert len({json.dumps(a.body["media_io_kwargs"]) for a in requests}) == 1
        assert requests[0].body["media_io_kwargs"]["video"]["frames_indices"] == [0, 1]


def test_a_blind_run_sees_no_clip_and_is_a_run_of_its_own(tmp_path: Path) -> None:
    asked = questions(3)
    unread = recipe(tmp_path, blind=True)
    with StubServer() as server:
        summary = answer(unread, asked, server.base_url, read=_no_clip_is_read)
        sent = [request.body for request in server.questions]
        assert {part["type"] for body in sent for part in _parts(body)} == {"text"}
        assert not any("media_io_kwargs" in body for body in sent)
        with pytest.raises(RunError, match="blind: True -> False"):
            answer(recipe(tmp_path), asked, server.base_url)
    assert rows(tmp_path) == expected(asked)
    assert summary.cache_report.decodes == 0


def _no_clip_is_read(path: Path, spec: FramesBlock) -> ClipFrames:
    raise AssertionError(f"{path} was decoded")


def _parts(body: dict) -> list[dict]:
    return [part for message in body["messages"] for part in message["content"]]


def test_questions_go_clip_by_clip_and_side_by_side(tmp_path: Path) -> None:
    with StubServer(delay_s=0.02) as server:
        answer(recipe(tmp_path, clips_in_flight=2), questions(6), server.base_url)
    seen = [asked.uuid for asked in server.questions]
    first = {uuid: seen.index(uuid) for uuid in seen}
    last = {uuid: len(seen) - 1 - seen[::-1].index(uuid) for uuid in seen}
    for at in range(len(seen)):  # never more than two clips under way
        assert sum(first[uuid] <= at <= last[uuid] for uuid in first) <= 2
    assert 11 <= server.most_in_flight <= 22


def test_decoding_is_greedy_and_closed_answers_are_constrained(tmp_path: Path) -> None:
    with StubServer() as server:
        answer(recipe(tmp_path, max_tokens_open=77), questions(1), server.base_url)
    for asked in server.questions:
        body = asked.body
        assert (body["temperature"], body["seed"], body["repetition_penalty"]) == (0.0, 0, 1.0)
        if asked.qid.startswith(("MADU", "MARE")):
            assert "structured_outputs" not in body
            assert body["max_tokens"] == 77
            continue
        letters = {"CMAR": [*"ABCDEFG"], "FMAR": [*"ABCDE"]}
        valid = letters.get(asked.qid.partition("_")[0], ["Yes", "No"])
        assert body["structured_outputs"] == {"choice": valid}
        assert body["max_tokens"] == 1


def test_a_dropped_clip_is_sent_again(tmp_path: Path) -> None:
    """A cache of one clip under three in flight: most references miss."""
    asked = questions(6)
    with StubServer(capacity=1, delay_s=0.01) as server:
        answer(recipe(tmp_path), asked, server.base_url)
    assert rows(tmp_path) == expected(asked)
    assert sum(a.has_payload for a in server.questions) > 6


def test_sending_a_dropped_clip_again_is_no_retry(tmp_path: Path) -> None:
    asked = questions(4)
    with StubServer(capacity=1, delay_s=0.01) as server:
        answer(recipe(tmp_path, retries=0), asked, server.base_url)
    assert rows(tmp_path) == expected(asked)


@pytest.mark.parametrize("fault", ["429", "500", "garbage", "wrong shape", "abort", "reset"])
@pytest.mark.parametrize("qid", ["CMAR_clip01_0", "MAS_clip01_1"])
def test_a_passing_fault_is_waited_out(tmp_path: Path, fault: Fault, qid: str) -> None:
    asked = questions(2)
    with StubServer(fault=once(fault, qid)) as server:
        answer(recipe(tmp_path), asked, server.base_url)
    assert rows(tmp_path) == expected(asked)
    first, second = [a for a in server.questions if a.qid == qid]
    assert second.has_payload  # the server may have lost the clip together with the request
    assert first.body["messages"][-1]["content"][1] == second.body["messages"][-1]["content"][1]


def test_a_request_without_an_answer_in_time_is_tried_again(tmp_path: Path) -> None:
    asked = questions(1)
    with StubServer(fault=once("hang", "SAD_clip00_0")) as server:
        answer(recipe(tmp_path, request_timeout_s=0.3), asked, server.base_url)
    assert rows(tmp_path) == expected(asked)


def test_a_lasting_fault_fails_its_question_alone_until_the_next_start(tmp_path: Path) -> None:
    asked = questions(2)
    bad = "CMAR_clip00_0"  # the one that should have brought the payload
    with StubServer(fault=lambda a: "500" if a.qid == bad else None) as server:
        summary = answer(recipe(tmp_path), asked, server.base_url)
        assert sum(a.qid == bad for a in server.questions) == 3
    assert summary.statuses == {"ok": 23, "request_failed": 1}
    assert not summary.complete
    assert summary.text().endswith("not complete: run the same command again to continue")
    failed = next(row for row in read_answers(tmp_path / "runs" / "run") if row.qid == bad)
    assert failed.reason is not None
    assert "HTTP 500: injected 500" in failed.reason
    with StubServer() as server:
        summary = answer(recipe(tmp_path), asked, server.base_url)
        assert [a.qid for a in server.questions] == [bad]
    assert summary.done_before == 23
    assert rows(tmp_path) == expected(asked)


def test_a_refused_request_is_not_repeated(tmp_path: Path) -> None:
    bad = "MARE_clip00_0"
    with StubServer(fault=lambda a: "400" if a.qid == bad else None) as server:
        summary = answer(recipe(tmp_path), questions(1), server.base_url)
    assert summary.statuses == {"ok": 11, "request_failed": 1}
    assert sum(a.qid == bad for a in server.questions) == 1


def test_a_clip_that_cannot_be_read_stops_nothing_else(tmp_path: Path) -> None:
    asked = [*questions(2), question("broken", Task.SAD, 0), question("broken", Task.CMAR, 0)]
    with StubServer() as server:
        summary = answer(recipe(tmp_path), asked, server.base_url)
    assert summary.statuses == {"ok": 24, "clip_failed": 2}
    row = next(r for r in read_answers(tmp_path / "runs" / "run") if r.clip == "broken")
    assert row.reason == f"{tmp_path}/clips/broken.mp4: cannot be opened; copy it again"


def test_a_finished_run_asks_nothing(tmp_path: Path) -> None:
    with StubServer() as server:
        answer(recipe(tmp_path), questions(1), server.base_url)
    summary = answer(recipe(tmp_path), questions(1), server.base_url)  # the server is gone
    assert (summary.done_before, summary.cache_report.decodes) == (12, 0)


def test_a_changed_question_is_asked_again(tmp_path: Path) -> None:
    before = question("clip00", Task.SAD, 0)
    after = type(before)(before.qid, before.clip, before.task, before.stem + " Really?")
    with StubServer() as server:
        answer(recipe(tmp_path), [before], server.base_url)
        answer(recipe(tmp_path), [after], server.base_url)
        assert len(server.questions) == 2


def test_a_replaced_clip_is_asked_about_again(tmp_path: Path) -> None:
    asked = [question("clip00", Task.SAD, 0)]
    clip = tmp_path / "clips" / "clip00.mp4"
    clip.parent.mkdir()
    with StubServer() as server:
        for content in (b"first", b"second", b"second"):
            clip.write_bytes(content)
            answer(recipe(tmp_path), asked, server.base_url)
        assert len(server.questions) == 2


def test_a_server_that_is_gone_ends_the_run_without_failed_rows(tmp_path: Path) -> None:
    with StubServer(delay_s=0.01) as server:

        def stop_after_20(asked: Asked) -> None:
            if len(server.questions) == 20:
                threading.Thread(target=server.stop).start()

        server.fault = stop_after_20
        with pytest.raises(ServerError, match="the server is gone"):
            answer(recipe(tmp_path), questions(20), server.base_url)
    assert {status for status, _ in rows(tmp_path).values()} == {AnswerStatus.OK}
    with StubServer() as server:
        answer(recipe(tmp_path), questions(20), server.base_url)
    assert rows(tmp_path) == expected(questions(20))


def test_a_server_that_is_ill_counts_as_gone(tmp_path: Path) -> None:
    with (
        StubServer(fault=lambda a: "500" if a.qid else None, healthy=False) as server,
        pytest.raises(ServerError, match="the server is gone"),
    ):
        answer(recipe(tmp_path), questions(3), server.base_url)
    assert rows(tmp_path) == {}


def test_a_server_that_refuses_everything_is_not_asked_12000_times(tmp_path: Path) -> None:
    with (
        StubServer(fault=lambda a: "400" if a.qid else None) as server,
        pytest.raises(ServerError, match=r"requests failed, the latest .* injected 400"),
    ):
        answer(recipe(tmp_path), questions(20), server.base_url)
    in_flight = 3
    assert MAX_FAILURES_IN_A_ROW <= len(rows(tmp_path)) < MAX_FAILURES_IN_A_ROW + in_flight


def test_a_wrong_key_ends_the_run_at_once(tmp_path: Path) -> None:
    with (
        StubServer(fault=lambda a: "401" if a.qid else None) as server,
        pytest.raises(ServerError, match=r"HTTP 401.*check the API key"),
    ):
        answer(recipe(tmp_path), questions(3), server.base_url)
    assert rows(tmp_path) == {}


def test_no_server_is_said_at_once(tmp_path: Path) -> None:
    with StubServer() as server:
        base_url = server.base_url
    with pytest.raises(ServerError, match=r"no server answers .*start one with fmau serve"):
        answer(recipe(tmp_path), questions(1), base_url)


def test_a_server_of_another_model_is_refused(tmp_path: Path) -> None:
    other = recipe(tmp_path).model_copy(
        update={"model": recipe(tmp_path).model.model_copy(update={"path": "another/model"})}
    )
    with (
        StubServer() as server,
        pytest.raises(ServerError, match=r"serves stub/model, but .* is another/model"),
    ):
        answer(other, questions(1), server.base_url)


def test_the_adapter_of_a_run_is_asked_and_nothing_else(tmp_path: Path) -> None:
    wanted, another = tmp_path / "wanted", tmp_path / "another"
    for folder in (wanted, another):
        folder.mkdir()
        (folder / "adapter_model.safetensors").write_bytes(folder.name.encode())
    with StubServer(adapters={"first": str(another)}) as server:
        with pytest.raises(ServerError, match=r"serves stub/model, first, but not the adapter"):
            answer(recipe(tmp_path), questions(1), server.base_url, adapter=wanted)
        server.adapters = {"first": str(another), "second": str(wanted)}
        answer(recipe(tmp_path), questions(1), server.base_url, adapter=wanted)
        assert {asked.body["model"] for asked in server.questions} == {"second"}
        with pytest.raises(RunError, match="adapter: "):
            answer(recipe(tmp_path), questions(1), server.base_url)


def test_a_server_that_ignores_the_constraint_is_refused(tmp_path: Path) -> None:
    with (
        StubServer(constrained=False) as server,
        pytest.raises(ServerError, match="ignores structured_outputs"),
    ):
        answer(recipe(tmp_path), questions(1), server.base_url)
    assert server.questions == []


def test_payloads_in_memory_are_bounded(tmp_path: Path) -> None:
    """Decoding is much faster than answering, yet it never runs far ahead."""
    decoded = Counter[str]()
    ahead = []

    def read(path: Path, spec: FramesBlock) -> ClipFrames:
        decoded[path.stem] += 1
        ahead.append(len(decoded) - len({asked.uuid for asked in server.questions}))
        return read_stub(path, spec)

    with StubServer(delay_s=0.01) as server:
        answer(recipe(tmp_path, clips_in_flight=2), questions(30), server.base_url, read=read)
    assert set(decoded.values()) == {1}
    look_ahead = 2  # decoding threads, at most as many as clips in flight
    assert max(ahead) <= 2 + 2 * look_ahead + 1


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.slow
def test_no_request_ages_in_the_queue_until_time_runs_out(
    tmp_path: Path, held: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """40 answers a second, 120 questions at once: the last would wait for three seconds."""
    monkeypatch.setattr("fmau.answer.server.LOOK_S", 0.1 if held else 60)
    wanted = recipe(tmp_path, clips_in_flight=10, request_timeout_s=1.5)
    with StubServer(delay_s=0.05, slots=2) as server:
        try:
            complete = answer(wanted, questions(10), server.base_url).complete
        except ServerError:  # so many in a row that the server is given up
            complete = False
    repeated = len(server.questions) - 120
    assert (complete, repeated == 0) == (held, held)


def test_a_disk_that_fills_up_ends_the_run_with_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(row: Answer) -> None:
        raise RunError("answers.jsonl: cannot be written: No space left on device")

    with StubServer() as server, open_run(recipe(tmp_path), PROMPTS) as run:
        monkeypatch.setattr(run, "append", full)
        with pytest.raises(RunError, match="No space left on device"):
            answer_questions(
                run,
                recipe(tmp_path),
                PROMPTS,
                questions(3),
                Endpoint(server.base_url),
                progress=False,
                reader=stub_reader(tmp_path),
            )


def test_damaged_frames_end_the_run_by_name(tmp_path: Path) -> None:
    wanted = recipe(tmp_path)
    cache = tmp_path / "cache"
    clips = {f"clip{number:02}": tmp_path / f"clip{number:02}.mp4" for number in range(2)}
    build_cache(cache, clips, wanted.frames, workers=1, read=read_stub)
    (shard,) = cache.glob("shard-*.arrow")
    shard.write_bytes(shard.read_bytes().replace(b"clip01clip01", b"clip01clap01"))
    wanted = wanted.model_copy(update={"data": wanted.data.model_copy(update={"cache": cache})})
    damaged = pytest.raises(InputError, match=r"clip clip01.*checksum .*run fmau frames")
    with StubServer() as server, damaged:
        answer(wanted, questions(2), server.base_url)
    assert {row.clip for row in read_answers(wanted.run_folder)} <= {"clip00"}


def test_the_manifest_tells_what_the_caches_did(tmp_path: Path) -> None:
    with StubServer() as server:
        answer(recipe(tmp_path), questions(4), server.base_url)
    facts = read_manifest(tmp_path / "runs" / "run").sessions[0].facts
    assert (facts["reuse"]["decodes"], facts["reuse"]["uploads"]) == (4, 4)
    assert facts["statuses"] == {"ok": 48}
    assert facts["counters"] == {
        "vllm:mm_cache_queries_total": 48.0,
        "vllm:mm_cache_hits_total": 44.0,
    }


def test_a_run_under_another_recipe_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    with StubServer() as server:
        answer(recipe(tmp_path), questions(1), server.base_url)
        count = len(server.asked)
        with pytest.raises(RunError, match="max_tokens_open: 512 -> 64"):
            answer(recipe(tmp_path, max_tokens_open=64), questions(1), server.base_url)
        assert len(server.asked) == count
