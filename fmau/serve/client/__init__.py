"""The client of OpenAI-compatible chat servers, with retries and a limit of requests in flight.

wire.py           the JSON of requests and replies
chat.py           sends one request: attempts, waits, which failures to retry
address.py        addresses of servers and APIs, and the proxy on the way
failures.py       ways in which a request fails
key.py            reads an API key
rate_limiter.py   adapts the number of requests in flight to the server
endpoint.py       addresses of a model's servers, and a first look at them
watch.py          tells a failed request from a failed server
"""

from fmau.serve.client.address import server_url
from fmau.serve.client.chat import ChatClient
from fmau.serve.client.endpoint import Endpoint, base_model, is_alive, remote_endpoint
from fmau.serve.client.failures import NoServerError, RequestError
from fmau.serve.client.key import read_key
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
    "read_key",
    "remote_endpoint",
    "server_url",
]
