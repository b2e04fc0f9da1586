"""Requests to the server itself: which model it serves, its constraint, its metrics."""

import asyncio
from collections.abc import Collection, Mapping
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from fmau.answer.thinking import ANSWER_ROOM, OFF, thinking_fields
from fmau.core.errors import ServerError
from fmau.recipe import AnswerBlock
from fmau.serve.client import ChatClient, ChatRequest, Endpoint, RequestError, ServedModel

COUNTERS = (
    "vllm:prefix_cache_queries_total",
    "vllm:prefix_cache_hits_total",
    "vllm:mm_cache_queries_total",
    "vllm:mm_cache_hits_total",
)
"""Counters of vLLM: lookups and hits of the prefix cache (in tokens) and of the media cache (in
items)."""

RUNNING = "vllm:num_requests_running"
"""Metric of vLLM: requests that the server is computing, without those in its queue."""

LOOK_S = 2.0
"""Seconds between two readings of the queue: a few requests long, so the server hardly notices."""

WAIT_SHARE = 0.25
"""Share of the request timeout that a request may spend in the queue."""

_WORD = "fmau-Q7"
"""A reply that no model gives unless the constraint forces it."""


async def choose_model(client: ChatClient, path: str, adapter: str | None) -> str:
    """Return the model name for requests: the server's base model, or an adapter on it.

    Args:
        path: path or hub name of the recipe's model; the server must serve this model.
        adapter: folder of the adapter to ask; None for the base model.

    Raises:
        ServerError: the server serves another model, or does not serve the adapter.
    """
    served = await client.models()
    names = ", ".join(model.name for model in served) or "none"
    bases = [model for model in served if model.parent is None]
    if len(bases) != 1:
        raise ServerError(f"{client.base_url} serves {names}; it must serve one base model")
    if not _is_same(bases[0], path):
        raise ServerError(
            f"{client.base_url} serves {bases[0].root}, but the recipe's model is {path}; stop "
            "that server, or give this recipe another serve.port"
        )
    if adapter is None:
        return bases[0].name
    for model in served:
        if model.parent is not None and _is_same(model, adapter):
            return model.name
    raise ServerError(
        f"{client.base_url} serves {names}, but not the adapter {adapter}; stop that server, "
        "start it with fmau serve RECIPE --adapter, or let another one start beside it: "
        "--set serve.port=NUMBER"
    )


async def check_server(client: ChatClient, model: str, knobs: AnswerBlock) -> None:
    """Check that the server does what a recipe's `answer` block asks for.

    Raises:
        ServerError: it does not.
    """
    if knobs.constrain:
        await check_constraint(client, model)
    if knobs.thinking_tokens:
        await check_thinking(client, model, knobs.thinking_tokens)


async def check_constraint(client: ChatClient, model: str) -> None:
    """Check that the server obeys `structured_outputs`.

    A server that does not know this field ignores it and still returns HTTP 200. Then the first
    token of an unconstrained reply ("A person ...") could be read as an option letter. So one test
    request demands a word that no model says on its own.

    Raises:
        ServerError: the server ignores the constraint, or refuses the request.
    """
    messages = [{"role": "user", "content": "Hello."}]
    fields = {**OFF, "structured_outputs": {"choice": [_WORD]}, "temperature": 0}
    try:
        reply = await client.ask(model, ChatRequest(messages, 16, fields))
    except RequestError as error:
        raise ServerError(
            f"{client.base_url}: a first, text-only request failed: {error}"
        ) from None
    if reply.text.strip() != _WORD:
        raise ServerError(
            f"{client.base_url}: the server ignores structured_outputs (it replied "
            f"{reply.text[:40]!r}); use a current vLLM"
        )


async def check_thinking(client: ChatClient, model: str, budget: int) -> None:
    """Check that the server keeps a model's thinking apart from its answer, and ends it in time.

    Args:
        budget: budget of tokens for the thinking.

    Raises:
        ServerError: the server does not, or refuses the request.
    """
    messages = [{"role": "user", "content": "Hello."}]
    fields = {**thinking_fields(min(budget, 16)), "temperature": 0}
    try:
        reply = await client.ask(model, ChatRequest(messages, 16 + ANSWER_ROOM, fields))
    except RequestError as error:
        raise ServerError(
            f"{client.base_url}: a first request with thinking failed: {error}; restart the "
            "server with fmau serve RECIPE, so that it knows the recipe's answer.thinking_tokens"
        ) from None
    if reply.thinking is None:
        raise ServerError(
            f"{client.base_url}: the server does not keep thinking apart from the answer (it "
            f"replied {reply.text[:40]!r}); restart it with fmau serve RECIPE"
        )


async def keep_queue_short(client: ChatClient, endpoint: Endpoint, timeout_s: float) -> None:
    """Limit the requests in flight, so that none times out in the servers' queue. Never returns.

    A request waits for (length of the queue) / (answers per second) (Little's law). So the queue
    may hold rate x `WAIT_SHARE` x `timeout_s` requests. If the servers report no queue metric,
    nothing is limited.

    Args:
        timeout_s: timeout of one request, in seconds.
    """
    rate = 0.0
    while True:
        before = client.limiter.answers
        await asyncio.sleep(LOOK_S)
        rate = max(rate, (client.limiter.answers - before) / LOOK_S)
        running = (await all_metrics(client, endpoint, {RUNNING})).get(RUNNING)
        if rate and running is not None:
            client.limiter.hold(int(running + rate * WAIT_SHARE * timeout_s))


async def all_metrics(
    client: ChatClient, endpoint: Endpoint, names: Collection[str] = COUNTERS
) -> dict[str, float]:
    """Read the named metrics and sum each over all servers that answer."""
    pages = [await client.metrics(server) for server in endpoint.servers]
    totals: dict[str, float] = {}
    for page in pages:
        for name, value in read_metrics(page, names).items():
            totals[name] = totals.get(name, 0.0) + value
    return totals


def read_metrics(page: str | None, names: Collection[str] = COUNTERS) -> dict[str, float]:
    """Read the named metrics from a Prometheus page; each is summed over the server's engines.

    A page in another format gives an empty dict.
    """
    totals: dict[str, float] = {}
    try:
        for family in text_string_to_metric_families(page or ""):
            for sample in family.samples:
                if sample.name in names:
                    totals[sample.name] = totals.get(sample.name, 0.0) + sample.value
    except ValueError:
        return {}
    return totals


def counted(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """The increase of each counter between two readings."""
    return {name: value - before.get(name, 0.0) for name, value in after.items()}


def _is_same(served: ServedModel, path: str) -> bool:
    if served.root is None or path in {served.root, served.name}:
        return True
    return Path(path).is_dir() and Path(path).resolve() == Path(served.root).resolve()
