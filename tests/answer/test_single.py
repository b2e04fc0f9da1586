"""One question in free words: what is sent, what comes back."""

from pathlib import Path

import pytest

from fmau.answer.single import ask_clip
from fmau.core.errors import ServerError
from fmau.serve.client import Endpoint
from tests.answer.small_run import PROMPTS, read_stub, recipe
from tests.answer.stub_server import MODEL, Asked, Fault, StubServer


def ask(tmp_path: Path, base_url: str, words: str = "[qid Q1] What does the left hand do?") -> str:
    wanted = recipe(tmp_path, max_tokens_open=77)
    frames = read_stub(Path("clip.mp4"), wanted.frames)
    return ask_clip(frames, words, wanted, PROMPTS, Endpoint(base_url))


@pytest.fixture(autouse=True)
def fast_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fmau.serve.client.chat.FIRST_WAIT_S", 0.02)


def test_the_reply_comes_back_as_it_is(tmp_path: Path) -> None:
    with StubServer() as server:
        assert ask(tmp_path, server.base_url) == "A description of Q1."


def test_the_request_is_that_of_a_benchmark_question_but_for_the_words(tmp_path: Path) -> None:
    with StubServer() as server:
        ask(tmp_path, server.base_url, "[qid Q1] {braces} stay")
    (asked,) = server.questions
    assert asked.has_payload
    assert (asked.body["model"], asked.body["max_tokens"]) == (MODEL, 77)
    assert asked.body["temperature"] == 0
    assert asked.body["media_io_kwargs"]["video"]["frames_indices"] == [0, 1]
    assert "structured_outputs" not in asked.body
    system, user = asked.body["messages"]
    assert system["content"] == [{"type": "text", "text": PROMPTS.system}]
    assert user["content"][1]["text"] == f"{PROMPTS.common}\n\n[qid Q1] {{braces}} stay"


def test_a_passing_fault_is_waited_out(tmp_path: Path) -> None:
    with StubServer(fault=lambda asked: "500" if asked.number == 0 else None) as server:
        assert ask(tmp_path, server.base_url) == "A description of Q1."
    assert len(server.questions) == 2


@pytest.mark.parametrize(("fault", "said"), [("400", "HTTP 400: injected"), ("500", "HTTP 500")])
def test_a_lasting_fault_is_told(tmp_path: Path, fault: Fault, said: str) -> None:
    def fail(asked: Asked) -> Fault:
        return fault

    with StubServer(fault=fail) as server, pytest.raises(ServerError, match=said):
        ask(tmp_path, server.base_url)


def test_another_model_and_no_server_are_told(tmp_path: Path) -> None:
    wanted = recipe(tmp_path).model_copy(
        update={"model": recipe(tmp_path).model.model_copy(update={"path": "another/model"})}
    )
    frames = read_stub(Path("clip.mp4"), wanted.frames)
    with StubServer() as server, pytest.raises(ServerError, match="recipe's model is another"):
        ask_clip(frames, "What?", wanted, PROMPTS, Endpoint(server.base_url))
    with pytest.raises(ServerError, match="no server answers"):
        ask(tmp_path, server.base_url)
