"""Does a server see clips as we send them? Asked once, before a run trusts it.

Frame times and frame size are part of the question, and a server that was started otherwise gets
them wrong in silence: it falls back to a frame rate of its own, or resizes. What the model is
given can be read back, because vLLM returns the prompt's token ids and turns ids into text.
"""

import base64
import io
import math
import re

from PIL import Image

from fmau.core.errors import ServerError
from fmau.core.interrupt import run_async
from fmau.frames.tokens import token_grid, visual_tokens
from fmau.recipe import PIXEL_FACTOR, FramesBlock
from fmau.serve.client import ChatClient, RequestError

TIMEOUT_S = 120.0
FPS = 10.0
STEP = 8
"""Frames STEP apart at FPS put the pairs at 0.4, 2.0, 3.6 ... s: exact to the one decimal that the
prompt shows, and like nothing that a fallback of 1, 2 or 24 fps gives."""

REMEDY = "restart it with `fmau serve RECIPE`, or let `fmau answer` start its own"


def check_clips(base_url: str, model: str, spec: FramesBlock, api_key: str | None = None) -> None:
    """See that frame times and pixels of the recipe's largest and smallest clips arrive unchanged.

    Raises:
        ServerError: the server refuses frame times, ignores them, or changes the frame size.
    """
    run_async(_check(base_url, model, spec, api_key))


async def _check(base_url: str, model: str, spec: FramesBlock, api_key: str | None) -> None:
    async with ChatClient(base_url, api_key=api_key, timeout_s=TIMEOUT_S) as client:
        for pixels, rounded in (
            (spec.max_pixels_per_frame, math.floor),
            (spec.min_pixels_per_frame, math.ceil),
        ):
            side = PIXEL_FACTOR * max(1, rounded(math.sqrt(pixels) / PIXEL_FACTOR))
            try:
                prompt = await _prompt_as_seen(client, model, spec.count, side)
            except RequestError as error:
                raise ServerError(
                    f"the server at {base_url} does not take a test clip ({error}); {REMEDY}"
                ) from None
            _compare(base_url, prompt, spec.count, side)


def _compare(base_url: str, prompt: str, count: int, side: int) -> None:
    pairs, _, _ = token_grid(count, side, side)
    wanted = [f"{STEP * (2 * pair + 0.5) / FPS:.1f}" for pair in range(pairs)]
    seen = re.findall(r"<(\d+\.\d) seconds>", prompt)
    if seen != wanted:
        raise ServerError(
            f"the server at {base_url} does not use the frame times it is sent: "
            f"wanted {', '.join(wanted)} s, the model sees {', '.join(seen) or 'none'}; {REMEDY}"
        )
    tokens = visual_tokens(count, side, side)
    found = prompt.count("<|video_pad|>")
    if found != tokens:
        raise ServerError(
            f"the server at {base_url} resizes frames: {count} of {side}x{side} pixels give "
            f"{found} tokens instead of {tokens}; {REMEDY}"
        )


async def _prompt_as_seen(client: ChatClient, model: str, count: int, side: int) -> str:
    indices = [STEP * frame for frame in range(count)]
    metadata = {
        "fps": FPS,
        "frames_indices": indices,
        "total_num_frames": indices[-1] + 1,
        "duration": (indices[-1] + 1) / FPS,
        "do_sample_frames": False,
        "num_frames": count,  # vLLM reads 32 frames of a URL unless it is told how many
    }
    clip = "data:video/jpeg;base64," + ",".join([_grey_jpeg(side)] * count)
    content = [{"type": "video_url", "video_url": {"url": clip}}]
    asked = {
        "model": model,
        "messages": [{"role": "user", "content": content}],
        "media_io_kwargs": {"video": metadata},
        "max_tokens": 1,
        "return_token_ids": True,
    }
    reply = await client.post("/v1/chat/completions", asked)
    ids = reply.get("prompt_token_ids")
    return str((await client.post("/detokenize", {"model": model, "tokens": ids})).get("prompt"))


def _grey_jpeg(side: int) -> str:
    file = io.BytesIO()
    Image.new("RGB", (side, side), (128, 128, 128)).save(file, "JPEG")
    return base64.b64encode(file.getvalue()).decode("ascii")
