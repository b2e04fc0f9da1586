"""The tiny checkpoint behind a server: its recipe, questions, and what it is asked and replies."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import torch

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

ROUNDING = 0.25
"""Two tokens whose log-probabilities are nearer than this may change places in bfloat16."""


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


def log_probabilities(model: Any, inputs: dict[str, Any], reply: Sequence[int]) -> torch.Tensor:
    """What Transformers expects at each place of a reply, in one forward pass over it.

    Args:
        inputs: the encoded prompt.
        reply: token ids.

    Returns:
        Log-probabilities of all tokens, shape [len(reply), vocabulary].
    """
    ids = torch.tensor([reply])
    behind = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    whole = dict(inputs)
    for name, value in inputs.items():
        if value.shape == inputs["input_ids"].shape:  # one value a token
            whole[name] = torch.cat([value, behind.get(name, 0 * ids).to(value.dtype)], dim=1)
    with torch.inference_mode():
        logits = model(**whole).logits[0, -1 - len(reply) : -1]
    return torch.as_tensor(logits).float().log_softmax(-1)


def behind_the_likeliest(model: Any, inputs: dict[str, Any], reply: Sequence[int]) -> float:
    """By how much a token of a reply is less likely in Transformers than the likeliest, at most.

    Zero for the greedy reply. Rounding to bfloat16 may make two tokens change places, and then the
    rest of the reply is another one; so replies themselves cannot be compared.
    """
    expected = log_probabilities(model, inputs, reply)
    said = expected.gather(1, torch.tensor(reply)[:, None])[:, 0]
    return float((expected.max(dim=-1).values - said).max())


def common_prefix(first: Sequence[int], second: Sequence[int]) -> int:
    """How many tokens are equal from the start."""
    pairs = zip(first, second, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))
