"""What is read off a server's pages."""

import asyncio

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fmau.answer.server import choose_model, counted, read_metrics
from fmau.core.errors import ServerError
from fmau.serve.client import ChatClient
from tests.answer.stub_server import MODEL, StubServer

PAGE = """\
# HELP vllm:prefix_cache_queries_total Prefix cache queries, in terms of number of queried tokens.
# TYPE vllm:prefix_cache_queries_total counter
vllm:prefix_cache_queries_total{engine="0",model_name="m"} 100.0
vllm:prefix_cache_queries_total{engine="1",model_name="m"} 11.0
# HELP vllm:prefix_cache_hits_total Prefix cache hits, in terms of number of cached tokens.
# TYPE vllm:prefix_cache_hits_total counter
vllm:prefix_cache_hits_total{engine="0",model_name="m"} 60.0
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 3.0
"""


def test_counters_are_summed_over_engines() -> None:
    assert read_metrics(PAGE) == {
        "vllm:prefix_cache_queries_total": 111.0,
        "vllm:prefix_cache_hits_total": 60.0,
    }
    assert read_metrics(PAGE, ["vllm:num_requests_running"]) == {"vllm:num_requests_running": 3.0}
    assert read_metrics(None) == {}


@given(st.text() | st.text('# TYPEabc{}"=,\\\n 0.1e'))
@example("<html>Not found</html>")
def test_another_page_counts_nothing_and_stops_nothing(page: str) -> None:
    assert read_metrics(page) == {}


def test_counted_is_the_gain() -> None:
    assert counted({"a": 1.0}, {"a": 3.5, "b": 2.0}) == {"a": 2.5, "b": 2.0}
    assert counted({"a": 1.0}, {}) == {}


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
def test_an_address_may_end_in_v1_or_not(suffix: str) -> None:
    async def name(base_url: str) -> tuple[str, bool, str | None]:
        async with ChatClient(base_url) as client:
            alive = await client.is_alive()
            return await choose_model(client, MODEL, None), alive, await client.metrics()

    with StubServer() as server:
        model, alive, page = asyncio.run(name(server.base_url + suffix))
    assert (model, alive) == (MODEL, True)
    assert page is not None
    assert "vllm:mm_cache_queries_total" in page


def test_something_else_at_the_address_is_told_apart_from_a_server() -> None:
    async def models(base_url: str) -> object:
        async with ChatClient(base_url) as client:
            return await client.models()

    with StubServer() as server, pytest.raises(ServerError, match="HTTP 404"):
        asyncio.run(models(server.base_url + "/elsewhere"))
