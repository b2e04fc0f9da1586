"""Memory does not grow with the number of questions."""

import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from fmau.answer.engine import answer_clips
from fmau.answer.order import ClipQuestions
from fmau.core.taxonomy import QUESTIONS_PER_CLIP, Task
from fmau.frames.reader import ClipReader
from fmau.runs import open_run
from fmau.serve.client import ChatRequest, Endpoint, Reply, ServedModel
from fmau.serve.client.rate_limiter import RateLimiter
from tests.answer.small_run import PROMPTS, question, read_stub, recipe
from tests.answer.stub_server import MODEL


class InstantClient:
    """In the place of the real client: a fitting reply at once, without a network."""

    def __init__(self, base_url: str, **_: Any) -> None:
        self.base_url = base_url
        self.limiter = RateLimiter(1)

    async def ask(
        self, _: str, request: ChatRequest, *, resend: Callable[[], ChatRequest] | None = None
    ) -> Reply:
        choices = request.fields.get("structured_outputs", {}).get("choice", ["It moves."])
        return Reply(choices[0], "stop", 100, 80, 1)

    async def models(self) -> list[ServedModel]:
        return [ServedModel(MODEL, MODEL, None)]

    async def metrics(self, _: str | None = None) -> None:
        return None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


def stream(clips: int) -> Iterator[ClipQuestions]:
    """Questions that are made when they are drawn."""
    for number in range(clips):
        clip = f"clip{number:06}"
        yield ClipQuestions(
            clip,
            tuple(question(clip, task, place) for task in Task for place in range(task.per_clip)),
        )


def peak_bytes(root: Path, clips: int) -> int:
    """Most memory that Python held while so many clips were answered."""
    wanted = recipe(root)
    total = clips * QUESTIONS_PER_CLIP
    with open_run(wanted, PROMPTS) as run:
        tracemalloc.start()
        try:
            summary = answer_clips(
                run,
                wanted,
                PROMPTS,
                stream(clips),
                Endpoint("http://nowhere"),
                total=total,
                progress=False,
                reader=ClipReader(wanted.frames, read=read_stub),
            )
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert summary.complete
    assert summary.statuses == {"ok": total}
    return peak


@pytest.mark.slow
def test_ten_times_the_questions_take_no_more_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fmau.answer.engine.ChatClient", InstantClient)
    few = peak_bytes(tmp_path / "few", 200)
    many = peak_bytes(tmp_path / "many", 2000)
    # A question with its row takes a kilobyte and more: 21,600 more would be 20 MB and up. What is
    # allowed is the interpreter's own table of strings, which pathlib fills and which doubles.
    assert many < few + 10_000_000
