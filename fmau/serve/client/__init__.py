"""The client of OpenAI-compatible chat servers, with retries and a limit of requests in flight.

wire.py           the JSON of requests and replies
chat.py           sends one request: attempts, waits, which failures to retry
rate_limiter.py   adapts the number of requests in flight to the server
endpoint.py       addresses of a model's servers, and a first look at them
watch.py          tells a failed request from a failed server
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
