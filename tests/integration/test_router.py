"""The real router in front of stand-in servers: clips stay together, and survive a lost server."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fmau.answer import answer_questions
from fmau.runs import open_run
from fmau.serve import start_router
from fmau.serve.client import Endpoint
from tests.answer.small_run import PROMPTS, expected, questions, recipe, rows, stub_reader
from tests.answer.stub_server import Asked, StubServer

pytestmark = pytest.mark.slow


@contextmanager
def routed(folder: Path, servers: list[StubServer]) -> Iterator[Endpoint]:
    urls = tuple(server.base_url for server in servers)
    with start_router(urls, log_path=folder / "router.log") as router:
        router.wait_ready()
        yield Endpoint(router.base_url, members=urls)


def clips_of(server: StubServer) -> dict[str, set[str]]:
    """uuid -> qids that the server was asked."""
    found: dict[str, set[str]] = defaultdict(set)
    for asked in server.questions:
        found[asked.uuid].add(asked.qid)
    return found


def test_every_clip_is_asked_about_at_one_server(tmp_path: Path) -> None:
    asked = questions(24)
    with StubServer() as one, StubServer() as two, StubServer() as three:
        servers = [one, two, three]
        with routed(tmp_path, servers) as endpoint, open_run(recipe(tmp_path), PROMPTS) as run:
            summary = answer_questions(
                run,
                recipe(tmp_path),
                PROMPTS,
                asked,
                endpoint,
                progress=False,
                reader=stub_reader(tmp_path),
            )
    assert rows(tmp_path) == expected(asked)
    per_server = [clips_of(server) for server in servers]
    assert sum(map(len, per_server)) == 24
    assert all(len(qids) == 12 for clips in per_server for qids in clips.values())
    assert min(map(len, per_server)) >= 2  # spread over all, if not evenly
    assert (summary.cache_report.uploads, summary.cache_report.decodes) == (24, 24)
    # The counters of all servers, not of the one that the router happens to ask.
    assert summary.counters["vllm:mm_cache_queries_total"] == 24 * 12
    assert summary.counters["vllm:mm_cache_hits_total"] == 24 * 11


def test_a_lost_servers_clips_move_and_nothing_else_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fmau.serve.client.chat.FIRST_WAIT_S", 0.2)
    asked = questions(40)
    with StubServer(delay_s=0.01) as one, StubServer(delay_s=0.01) as two, StubServer() as lost:

        def die(_: Asked) -> None:
            if len(lost.questions) == 30:
                threading.Thread(target=lost.stop).start()

        lost.fault = die
        with (
            routed(tmp_path, [one, two, lost]) as endpoint,
            open_run(recipe(tmp_path), PROMPTS) as run,
        ):
            answer_questions(
                run,
                recipe(tmp_path),
                PROMPTS,
                asked,
                endpoint,
                progress=False,
                reader=stub_reader(tmp_path),
            )
    assert rows(tmp_path) == expected(asked)
    first, second, gone = clips_of(one), clips_of(two), clips_of(lost)
    assert not first.keys() & second.keys()
    assert len(first.keys() | second.keys() | gone.keys()) == 40
    moved = gone.keys() & (first.keys() | second.keys())
    assert len(moved) <= 9  # clips in flight: those being asked about when it died
    for uuid in (first.keys() | second.keys()) - moved:
        assert len(first.get(uuid, second.get(uuid, ()))) == 12
