"""Build the request for one question and one clip, and turn the reply into an answer row.

The server caches a clip under the `uuid` that the request gives it. The first request about a clip
carries the frames. Later requests refer to them by the uuid with `video_url: null`; they must
repeat the same `media_io_kwargs`, because these are part of the server's cache key.

Closed questions are decoded under `structured_outputs: {"choice": [...]}` and stop after one token,
which already determines the choice (`complete_choice`). `allowed_token_ids` allows the same
choices, but the client then needs the tokenizer, and each label must be one token. Measured on vLLM
0.32 (CPU, tiny model, 300 text-only questions, twice): choices with one token 209-218 questions/s,
`allowed_token_ids` 170-197, choices with up to eight tokens 119-210. One and eight tokens gave the
same answer to all 300 questions.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fmau.answer.option_scores import score_fields
from fmau.answer.thinking import ANSWER_ROOM, OFF, answer_pattern, ran_out, thinking_fields
from fmau.core.errors import ClipError
from fmau.core.records import Answer, AnswerStatus, Question, RowMark
from fmau.dataset.clips import clip_path
from fmau.families.family import Family
from fmau.frames.clip import ClipFrames
from fmau.frames.images import image_parts
from fmau.frames.reader import ClipReader
from fmau.frames.tokens import image_tokens
from fmau.prompting.conversation import messages, messages_shared
from fmau.prompting.extraction import Extraction, choices, complete_choice, extract
from fmau.prompting.prompts import PromptSet
from fmau.recipe import DECODING, FramesBlock, Recipe
from fmau.serve.client import ChatRequest, Reply

MAX_TOKENS_CLOSED = 1


@dataclass(frozen=True, slots=True)
class ClipParts:
    """A clip in the two forms that a request can use: with its frames, or by reference.

    Attributes:
        payload: content parts with the frames: one video, or several images.
        reference: the same parts without frames, for a clip that the server holds.
        media_kwargs: the clip's times and frame indices, the same for both forms; None for images.
        uuid: key under which the server caches the clip.
        visual_tokens: number of visual tokens of the clip in a prompt.
    """

    payload: Sequence[dict[str, Any]]
    reference: Sequence[dict[str, Any]]
    media_kwargs: dict[str, Any] | None
    uuid: str
    visual_tokens: int

    @classmethod
    def of(cls, frames: ClipFrames, spec: FramesBlock, *, as_images: bool = False) -> "ClipParts":
        """Build both forms from a decoded clip. The uuid is a hash of its frames and times.

        Args:
            spec: how the clip became frames.
            as_images: send the frames as images, each cached under a uuid of its own.
        """
        media_kwargs = frames.media_kwargs()
        content = hashlib.sha256(json.dumps(media_kwargs, sort_keys=True).encode())
        for jpeg in frames.jpegs:
            content.update(len(jpeg).to_bytes(8, "big") + jpeg)
        uuid = content.hexdigest()
        if as_images:
            payload = image_parts(frames, named=True)
            tokens = image_tokens(spec, len(payload), frames.height, frames.width)
            return cls(payload, image_parts(frames, by_reference=True), None, uuid, tokens)
        part = {"type": "video_url", "uuid": uuid}
        video = part | {"video_url": {"url": frames.data_url()}}
        reference = part | {"video_url": None}
        return cls([video], [reference], media_kwargs, uuid, frames.visual_tokens(spec))

    @property
    def fields(self) -> dict[str, Any]:
        """The request's field that the parts need; empty for images."""
        return (
            {} if self.media_kwargs is None else {"media_io_kwargs": {"video": self.media_kwargs}}
        )


PartsOf = Callable[[ClipFrames], ClipParts]


def read_parts(
    recipe: Recipe, reader: ClipReader, parts_of: PartsOf, clip: str, file: str
) -> ClipParts | ClipError | None:
    """Read a clip's frames; the error if they cannot be read, None if the recipe asks without.

    Args:
        parts_of: makes the parts of a request from the frames.
        file: the name to look the clip's file up by.
    """
    if recipe.answer.blind:
        return None
    try:
        frames = reader(clip, clip_path(recipe.data.clips, file))
    except ClipError as error:
        return error
    return parts_of(frames)


def build_request(
    question: Question,
    recipe: Recipe,
    prompts: PromptSet,
    parts: ClipParts | None,
    *,
    by_reference: bool,
    family: Family | None = None,
    tokens: Sequence[int] = (),
) -> ChatRequest:
    """Build the request that asks the model `question`.

    Args:
        parts: the clip; None to ask without a clip.
        by_reference: send only the clip's uuid, because the server holds the clip.
        family: the model's family; only with thinking must it be known.
        tokens: the first tokens of all answers to a closed question, for scores of options.
    """
    budget = recipe.answer.thinking_tokens
    fields: dict[str, Any] = {**DECODING, **thinking_fields(budget)}
    clip = None
    if parts is not None:
        fields |= parts.fields
        clip = parts.reference if by_reference else parts.payload
    max_tokens = budget + recipe.answer.max_tokens_open
    if (valid := choices(question)) and recipe.answer.constrain:
        if budget:
            assert family is not None, "the engine checks it"
            fields["structured_outputs"] = {"regex": answer_pattern(valid, family)}
            max_tokens = budget + ANSWER_ROOM
        else:
            choice = {"structured_outputs": {"choice": list(valid)}}
            fields |= score_fields(tokens) if tokens else choice
            max_tokens = MAX_TOKENS_CLOSED
    return ChatRequest(
        messages(question, prompts, clip),
        max_tokens,
        fields,
        session=parts.uuid if parts else None,
    )


def build_priming(prompts: PromptSet, parts: ClipParts) -> ChatRequest:
    """Build the request that makes the server compute what all questions about a clip share.

    A hybrid model's server can reuse the state of its linear layers only where a prompt ended, or
    every few hundred tokens. So the shared beginning is sent once as a prompt of its own.
    """
    fields = {
        **DECODING,
        **OFF,
        **parts.fields,
        "add_generation_prompt": False,
        "continue_final_message": True,  # the user's turn stays open
    }
    return ChatRequest(messages_shared(prompts, parts.payload), 1, fields, session=parts.uuid)


def read_reply(question: Question, reply: Reply, *, constrained: bool = True) -> Extraction:
    """Extract the answer from the reply to a request of `build_request`.

    Args:
        constrained: the recipe's `answer.constrain`.
    """
    if reply.refusal is not None:
        reason = f"the model declined: {reply.refusal[:80]!r}"
        return Extraction(AnswerStatus.UNPARSED, reason=reason)
    if reply.finish_reason == "content_filter":  # what came before it may be half an answer
        return Extraction(AnswerStatus.UNPARSED, reason="withheld by a content filter")
    if reply.thinking is not None and not reply.text.strip():
        return Extraction(AnswerStatus.TRUNCATED, reason="the reply ends within its thinking")
    valid = choices(question)
    truncated = reply.finish_reason == "length"
    if not valid:
        return extract(question, reply.text, truncated=truncated)
    if not constrained:
        if truncated:
            # Many templates open the thinking in the prompt, so this may be thinking without a mark
            # of it: a letter in it is no answer.
            reason = "the token limit came before the end of the reply"
            return Extraction(AnswerStatus.TRUNCATED, reason=reason)
        return extract(question, reply.text)
    choice = complete_choice(reply.text.strip(), valid)
    if choice is not None:
        return Extraction(AnswerStatus.OK, choice)
    reason = f"the reply {reply.text[:40]!r} does not begin one of {', '.join(valid)}"
    return Extraction(AnswerStatus.UNPARSED, reason=reason)


def answer_row(
    question: Question,
    mark: RowMark,
    reply: Reply,
    seconds: float,
    *,
    constrained: bool = True,
    scores: Mapping[str, float] | None = None,
) -> Answer:
    """Build the row for a reply that took `seconds` of wall time.

    Args:
        constrained: as in `read_reply`.
        scores: answer -> log-probability, if they were asked for.
    """
    read = read_reply(question, reply, constrained=constrained)
    return Answer.about(
        question,
        mark,
        status=read.status,
        answer=read.answer,
        reply=reply.text,
        reason=read.reason,
        prompt_tokens=reply.prompt_tokens,
        cached_tokens=reply.cached_tokens,
        completion_tokens=reply.completion_tokens,
        seconds=round(seconds, 3),
        thinking=reply.thinking,
        # APIs that keep the thinking to themselves charge its tokens all the same.
        thinking_tokens=reply.thinking_tokens
        if reply.thinking is not None
        else reply.thinking_tokens or None,
        thinking_ran_out=ran_out(reply),
        option_scores={answer: round(score, 6) for answer, score in scores.items()}
        if scores
        else None,
    )
