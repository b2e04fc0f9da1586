"""Ask a model behind any OpenAI-compatible API: its requests, which carry the frames each time.

An API has no memory of clips, no counters and no constraint on closed answers. So every request
carries all frames, as images with their times between them, and every reply is free text, from
which the answer is read. The questions about a clip still follow one another and begin alike, so
that an API with a prompt cache can find that beginning and charge less for it.
"""

from collections.abc import Mapping
from typing import Any

from fmau.answer.request import ClipParts
from fmau.core.records import Question
from fmau.frames.clip import ClipFrames
from fmau.frames.images import distinct_times, image_parts
from fmau.prompting.conversation import Message, messages, messages_asking
from fmau.prompting.prompts import PromptSet
from fmau.prompting.times import timed_images
from fmau.recipe import ApiBlock, Recipe
from fmau.serve.client import ChatClient, ChatRequest, Reply


class Api:
    """The way to a model behind an API.

    Args:
        client: of the API.
        recipe: a recipe with an `api` block.
    """

    def __init__(self, client: ChatClient, recipe: Recipe, prompts: PromptSet) -> None:
        self._client = client
        self._recipe = recipe
        self._prompts = prompts

    def parts(self, frames: ClipFrames) -> ClipParts:
        """The parts of a request for a clip."""
        assert self._recipe.api is not None, "the caller checks it"
        return api_parts(frames, self._recipe.api)

    async def ask(
        self, question: Question, parts: ClipParts | None, *, by_reference: bool
    ) -> tuple[Reply, Mapping[str, float] | None]:
        """Ask one question; gives the reply, and None for the scores of options.

        Args:
            parts: the clip; None to ask without a clip.
            by_reference: not used, because an API holds no clips.

        Raises:
            RequestError: the API refused the content, or gave no reply after all attempts.
            ServerError: the API refused the key or the model's name.
        """
        request = build_api_request(question, self._recipe, self._prompts, parts)
        return await self._client.ask(self._recipe.model.path, request), None


def api_parts(frames: ClipFrames, api: ApiBlock) -> ClipParts:
    """A clip as content parts for an API: its distinct frames, each after its time.

    Both forms of `ClipParts` are the same here.
    """
    images = image_parts(frames, detail=api.detail)
    parts = timed_images(images, distinct_times(frames))
    return ClipParts(parts, parts, None, frames.clip, visual_tokens=0)


def build_api_request(
    question: Question, recipe: Recipe, prompts: PromptSet, parts: ClipParts | None
) -> ChatRequest:
    """Build the request that asks the model `question`.

    Args:
        parts: the clip; None to ask without a clip.
    """
    clip = None if parts is None else parts.payload
    return _request(messages(question, prompts, clip), recipe)


def build_api_asking(
    instruction: str, recipe: Recipe, prompts: PromptSet, parts: ClipParts
) -> ChatRequest:
    """Like `build_api_request`, with an instruction in free words."""
    return _request(messages_asking(instruction, prompts, parts.payload), recipe)


def _request(conversation: list[Message], recipe: Recipe) -> ChatRequest:
    assert recipe.api is not None, "the caller checks it"
    return ChatRequest(
        _plain_system(conversation),
        recipe.answer.max_tokens_open,
        recipe.api.decoding,
        limit_field=recipe.api.limit_field,
    )


def _plain_system(conversation: list[Message]) -> list[dict[str, Any]]:
    """The conversation with its system prompt as a plain text, because some APIs know it in no
    other form; an empty one is left out."""
    system, user = conversation
    text = "".join(part["text"] for part in system["content"])
    return [{"role": "system", "content": text}, user] if text else [user]
