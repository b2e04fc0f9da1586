"""What is read of a reply: thinking and log-probabilities, and what others put in their places."""

import json
from typing import Any

import pytest

from fmau.serve.client.wire import Reply, read_reply


def reply(message: dict[str, Any], usage: Any = None, **choice: Any) -> Reply:
    body = {"choices": [{"message": message, "finish_reason": "stop", **choice}], "usage": usage}
    return read_reply(json.dumps(body).encode())


@pytest.mark.parametrize(
    ("message", "thinking"),
    [
        ({"content": "A"}, None),
        ({"content": "A", "reasoning": "It nods."}, "It nods."),
        ({"content": "A", "reasoning_content": "It nods."}, "It nods."),
        ({"content": "A", "reasoning": ""}, None),
        ({"content": "A", "reasoning": None, "reasoning_content": "It nods."}, "It nods."),
        ({"content": "A", "reasoning": {"summary": "x"}}, None),
        ({"content": "A", "reasoning": ["x"]}, None),
    ],
)
def test_thinking_is_what_servers_keep_out_of_the_text(
    message: dict[str, Any], thinking: str | None
) -> None:
    read = reply(message)
    assert (read.text, read.thinking) == ("A", thinking)


def test_tokens_of_thinking_are_counted_where_the_server_tells() -> None:
    usage = {"completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 7}}
    read = reply({"content": "A", "reasoning": "x"}, usage)
    assert (read.completion_tokens, read.thinking_tokens) == (9, 7)
    assert reply({"content": "A"}, {"completion_tokens": 9}).thinking_tokens is None


@pytest.mark.parametrize(
    ("usage", "generated"),
    [
        ({"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}, 5),
        ({"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 85}, 65),  # thinking
        ({"prompt_tokens": 20, "completion_tokens": 0, "total_tokens": 80}, 60),
        ({"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 20}, 5),
        ({"completion_tokens": 5, "total_tokens": 85}, 5),
        ({"prompt_tokens": 20, "total_tokens": 85}, None),
    ],
)
def test_generated_tokens_that_only_the_total_holds(usage: Any, generated: int | None) -> None:
    assert reply({"content": "A"}, usage).completion_tokens == generated


AS_TEXT = [{"token": "A", "logprob": -1}]
TOP = [{"token": "token_id:32", "logprob": -0.5}, {"token": "token_id:7", "logprob": -2.0}]


@pytest.mark.parametrize(
    ("logprobs", "read"),
    [
        ({"content": [{"token": "A", "logprob": -0.5, "top_logprobs": TOP}]}, {32: -0.5, 7: -2.0}),
        ({"content": [{"token": "A", "logprob": -0.5}]}, {}),
        ({"content": [{"token": "A", "logprob": -1, "top_logprobs": AS_TEXT}]}, {}),
        ({"content": []}, None),
        ({"content": None}, None),
        ({"tokens": ["A"]}, None),
        ([], None),
        (None, None),
    ],
)
def test_log_probabilities_are_read_in_one_form_only(logprobs: Any, read: Any) -> None:
    assert reply({"content": "A"}, logprobs=logprobs).logprobs == read
