"""What is asked of the server itself, before and after the questions."""

import asyncio
from collections.abc import Collection, Mapping
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from fmau.core.errors import ServerError
from fmau.serve.client import ChatClient, ChatRequest, Endpoint, RequestError, ServedModel

COUNTERS = (
    "vllm:prefix_cache_queries_total",
    "vllm:prefix_cache_hits_total",
    "vllm:mm_cache_queries_total",
    "vllm:mm_cache_hits_total",
)
"""Prompt tokens looked up and found in the prefix cache; media items looked up and found."""

RUNNING = "vllm:num_requests_running"
"""Requests that the server works on, those in its queue not counted."""

LOOK_S = 2.0
"""Seconds between two looks at the queue: some requests' time, and no work for the server."""

WAIT_SHARE = 0.25
"""Of the time that a request may take, the part that it may spend in the queue."""

_WORD = "fmau-Q7"
"""What no model says unless it is made to."""


async def choose_model(client: ChatClient, path: str, adapter: str | None) -> str:
    """The name to put into requests: of the server's base model, or of an adapter on it.

    Args:
        path: of the recipe's model, which the server must serve.
        adapter: folder of the adapter to ask, None for the base model.

    Raises:
        ServerError: the server has other weights, or does not serve the adapter.
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
        f"{client.base_url} serves {names}, but not the adapter {adapter}; stop that server, or "
        "start it with fmau serve RECIPE --adapter"
    )


async def check_constraint(client: ChatClient, model: str) -> None:
    """Make sure that the server decodes under the constraint it is given.

    A server that does not know `structured_outputs` ignores it with HTTP 200, and the first
    token of an unconstrained reply ("A person ...") could pass for an option letter. So one request
    demands a word that no model would say.

    Raises:
        ServerError: it does not, or it refuses the request.
    """
    messages = [{"role": "user", "content": "Hello."}]
    fields = {"structured_outputs": {"choice": [_WORD]}, "temperature": 0}
    try:
        reply = await client.ask(model, ChatRequest(messages, 16, fields))
    except RequestError as error:
        raise ServerError(
            f"{client.base_url}: a first, text-only request failed: {error}"
        ) from None
    if reply.text.strip() != _WORD:
        raise ServerError(
            f"{client.base_url}: the server ignores structured_outputs (it replied "
            f"{reply.text[:40]!r}); use a current vLLM, without a reasoning parser"
        )


async def keep_queue_short(client: ChatClient, endpoint: Endpoint, timeout_s: float) -> None:
    """Send the servers no more than they work on and answer in time; never returns.

    What waits is answered at the rate at which the servers answer (Little's law), so a queue of
    rate x `WAIT_SHARE` x `timeout_s` is one that no request times out in. Servers that tell
    nothing of their queue are left alone.

    Args:
        timeout_s: what a request may take.
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
    """Metrics summed over the servers that answer."""
    pages = [await client.metrics(server) for server in endpoint.servers]
    totals: dict[str, float] = {}
    for page in pages:
        for name, value in read_metrics(page, names).items():
            totals[name] = totals.get(name, 0.0) + value
    return totals


def read_metrics(page: str | None, names: Collection[str] = COUNTERS) -> dict[str, float]:
    """Metrics found on a Prometheus page, each summed over the server's engines; none on a page of
    another kind."""
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
    """What each counter gained between two readings."""
    return {name: value - before.get(name, 0.0) for name, value in after.items()}


def _is_same(served: ServedModel, path: str) -> bool:
    if served.root is None or path in {served.root, served.name}:
        return True
    return Path(path).is_dir() and Path(path).resolve() == Path(served.root).resolve()
