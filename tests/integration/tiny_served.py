"""The tiny checkpoint behind a server: its recipe, questions, and what it is asked and replies."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from fmau.answer.request import ClipParts, build_request
from fmau.core.records import Question
from fmau.dataset.questions import load_questions
from fmau.demo.tiny import CHECKPOINT
from fmau.families.encode import Encoder
from fmau.families.find import of_type
from fmau.frames.clip import ClipFrames
from fmau.prompting.conversation import VIDEO_PART, messages
from fmau.prompting.prompts import load_prompts
from fmau.recipe import Recipe, load_recipe
from fmau.serve import Server
from tests.paths import RECIPES
from tests.question_rows import write_questions

RECIPE = RECIPES / "zero_shot_tiny.yaml"
PROMPTS = load_prompts("brief")
SIZE: dict[str, Any] = {"height": 384, "width": 320}
"""Of the mini benchmark's clips, the size that the tiny checkpoint knows."""

GREEDY_TOKENS = 60


def tiny_recipe(folder: Path, **values: Any) -> Recipe:
    """The shipped recipe with its run folder in `folder` and `values` changed ("a__b" is a.b)."""
    changed = {"runs": folder / "runs", "model__path": CHECKPOINT, "serve__max_num_seqs": 64}
    changed |= {"answer__clips_in_flight": 16} | values
    return load_recipe(RECIPE, [f"{key.replace('__', '.')}={v}" for key, v in changed.items()])


def ask(
    server: Server,
    question: Question,
    frames: ClipFrames,
    recipe: Recipe,
    model: str = str(CHECKPOINT),
) -> dict[str, Any]:
    """The server's choice for fmau's own request, but for free decoding and token ids."""
    request = build_request(
        question, recipe, PROMPTS, ClipParts.of(frames, recipe.frames), by_reference=False
    )
    fields = {key: v for key, v in request.fields.items() if key != "structured_outputs"}
    body = {
        "model": model,
        "messages": request.messages,
        "max_tokens": GREEDY_TOKENS,
        "return_token_ids": True,
        "logprobs": True,
        **fields,
    }
    call = Request(
        f"{server.base_url}/v1/chat/completions",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urlopen(call, timeout=120) as reply:
        completion = json.load(reply)
    return {
        "prompt": completion["prompt_token_ids"],
        "reply": completion["choices"][0]["token_ids"],
        "logprobs": [said["logprob"] for said in completion["choices"][0]["logprobs"]["content"]],
    }


def encoded(processor: Any, question: Question, frames: ClipFrames) -> dict[str, Any]:
    conversation = messages(question, PROMPTS, VIDEO_PART)
    return Encoder(of_type("qwen3_vl", "the test"), processor).encode(conversation, frames)


def questions_about(folder: Path, clips: Sequence[str]) -> tuple[Question, ...]:
    return load_questions(write_questions(folder / "questions.json", clips)).questions


def common_prefix(first: Sequence[int], second: Sequence[int]) -> int:
    """How many tokens are equal from the start."""
    pairs = zip(first, second, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))
