"""Asking OpenAI-compatible chat servers, through their bad moments.

wire.py           requests and replies as they travel
chat.py           one request: attempts, waits, what is worth another attempt
rate_limiter.py   how many requests a server takes at once, found out by asking it
endpoint.py       where a model answers, and what is there
watch.py          a request that failed, or a server that did
"""

from fmau.serve.client.chat import ChatClient, NoServerError, RequestError
from fmau.serve.client.endpoint import Endpoint, base_model, is_alive
from fmau.serve.client.watch import MAX_FAILURES_IN_A_ROW, FailureWatch
from fmau.serve.client.wire import ChatRequest, Reply, ServedModel

__all__ = [
    "MAX_FAILURES_IN_A_ROW",
    "ChatClient",
    "ChatRequest",
    "Endpoint",
    "FailureWatch",
    "NoServerError",
    "Reply",
    "RequestError",
    "ServedModel",
    "base_model",
    "is_alive",
]
