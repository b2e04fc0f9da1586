"""Ask one question in free words about one clip: what `fmau ask` does."""

from fmau.answer.api import api_parts, build_api_asking
from fmau.answer.request import ClipParts
from fmau.answer.server import choose_model
from fmau.answer.thinking import OFF
from fmau.core.errors import ServerError
from fmau.core.interrupt import run_async
from fmau.frames.clip import ClipFrames
from fmau.prompting.conversation import messages_asking
from fmau.prompting.prompts import PromptSet
from fmau.recipe import DECODING, Recipe
from fmau.serve.client import ChatClient, ChatRequest, Endpoint, RequestError


def ask_clip(
    frames: ClipFrames,
    question: str,
    recipe: Recipe,
    prompts: PromptSet,
    endpoint: Endpoint,
) -> str:
    """Ask `question` about a clip's frames; returns the model's reply unchanged.

    Raises:
        ServerError: the server cannot be reached, serves another model, or gave no reply.
    """
    if recipe.api is not None:
        request = build_api_asking(question, recipe, prompts, api_parts(frames, recipe.api))
        return run_async(_ask(request, recipe, endpoint))
    parts = ClipParts.of(frames, recipe.frames, as_images=recipe.answer.as_images)
    request = ChatRequest(
        messages_asking(question, prompts, parts.payload),
        recipe.answer.max_tokens_open,
        {**DECODING, **OFF, **parts.fields},
    )
    return run_async(_ask(request, recipe, endpoint))


async def _ask(request: ChatRequest, recipe: Recipe, endpoint: Endpoint) -> str:
    knobs = recipe.answer
    client = ChatClient(
        endpoint.base_url,
        api_key=endpoint.api_key,
        key_header=endpoint.key_header,
        timeout_s=knobs.request_timeout_s,
        retries=knobs.retries,
    )
    async with client:
        path = recipe.model.path
        model = path if recipe.api else await choose_model(client, path, None)
        try:
            reply = await client.ask(model, request)
            return reply.refusal or reply.text
        except RequestError as error:
            raise ServerError(f"{endpoint.base_url}: {error}") from None
