"""One question and one clip as a request, and its reply as a row.

The server keeps a clip under the `uuid` sent beside it. The first request about a clip carries the
frames; the others refer to them by that uuid with `video_url: null`, and must repeat the same
`media_io_kwargs`, which are part of the server's key.

Closed questions are decoded under `structured_outputs: {"choice": [...]}` and stop after one token,
which already settles the choice (`complete_choice`). `allowed_token_ids` would forbid the same
tokens, but needs the tokenizer on this side and labels of one token each. On vLLM 0.32 (CPU, tiny
model, 300 text-only questions twice) it was no faster: 170-197 questions/s against 209-218, and
119-210 with eight tokens, whose completed answers were the same 300 times out of 300.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from fmau.core.records import Answer, AnswerStatus, Question
from fmau.frames.clip import ClipFrames
from fmau.prompting.conversation import messages
from fmau.prompting.extraction import Extraction, choices, complete_choice, extract
from fmau.prompting.prompts import PromptSet
from fmau.recipe import DECODING, Recipe
from fmau.serve.client import ChatRequest, Reply

MAX_TOKENS_CLOSED = 1


@dataclass(frozen=True, slots=True)
class ClipParts:
    """A clip in the two forms in which requests name it.

    Attributes:
        payload: content part with the frames.
        reference: content part that refers to what the server holds.
        media_kwargs: the clip's times and frame indices, the same for both.
        uuid: the name under which the server keeps it.
        visual_tokens: of the clip in a prompt.
    """

    payload: dict[str, Any]
    reference: dict[str, Any]
    media_kwargs: dict[str, Any]
    uuid: str
    visual_tokens: int

    @classmethod
    def of(cls, frames: ClipFrames) -> "ClipParts":
        """The parts of a decoded clip; the uuid is a hash of its frames and times."""
        media_kwargs = frames.media_kwargs()
        content = hashlib.sha256(json.dumps(media_kwargs, sort_keys=True).encode())
        for jpeg in frames.jpegs:
            content.update(len(jpeg).to_bytes(8, "big") + jpeg)
        uuid = content.hexdigest()
        part = {"type": "video_url", "uuid": uuid}
        payload = part | {"video_url": {"url": frames.data_url()}}
        reference = part | {"video_url": None}
        return cls(payload, reference, media_kwargs, uuid, frames.visual_tokens)


def build_request(
    question: Question,
    recipe: Recipe,
    prompts: PromptSet,
    parts: ClipParts | None,
    *,
    by_reference: bool,
) -> ChatRequest:
    """The request that puts `question` to the model.

    Args:
        parts: of the clip; None to ask in text alone.
        by_reference: name the clip by its uuid alone, because the server holds it.
    """
    fields: dict[str, Any] = dict(DECODING)
    video = None
    if parts is not None:
        fields["media_io_kwargs"] = {"video": parts.media_kwargs}
        video = parts.reference if by_reference else parts.payload
    max_tokens = recipe.answer.max_tokens_open
    if valid := choices(question):
        fields["structured_outputs"] = {"choice": list(valid)}
        max_tokens = MAX_TOKENS_CLOSED
    return ChatRequest(
        messages(question, prompts, video),
        max_tokens,
        fields,
        session=parts.uuid if parts else None,
    )


def read_reply(question: Question, reply: Reply) -> Extraction:
    """The answer that a reply to `build_request` holds."""
    valid = choices(question)
    if not valid:
        return extract(question, reply.text, truncated=reply.finish_reason == "length")
    choice = complete_choice(reply.text, valid)
    if choice is not None:
        return Extraction(AnswerStatus.OK, choice)
    reason = f"the reply {reply.text[:40]!r} does not begin one of {', '.join(valid)}"
    return Extraction(AnswerStatus.UNPARSED, reason=reason)


def answer_row(question: Question, fingerprint: str, reply: Reply, seconds: float) -> Answer:
    """The row for a reply that took `seconds` of wall time."""
    read = read_reply(question, reply)
    return Answer(
        qid=question.qid,
        clip=question.clip,
        task=question.task,
        fingerprint=fingerprint,
        status=read.status,
        answer=read.answer,
        reply=reply.text,
        reason=read.reason,
        prompt_tokens=reply.prompt_tokens,
        cached_tokens=reply.cached_tokens,
        completion_tokens=reply.completion_tokens,
        seconds=round(seconds, 3),
    )
