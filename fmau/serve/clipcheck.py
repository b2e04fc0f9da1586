"""Check that clips reach the model of a running server unchanged, before a run uses this server.

A server that was started with other flags may replace the frame times with those of a default frame
rate, or resize the frames, and report no error. vLLM can return the token ids of a prompt and turn
ids into text, so the check sends a test clip and reads the prompt that the model saw.
"""

import base64
import io
import math
from typing import Any

from PIL import Image

from fmau.core.errors import ServerError
from fmau.core.interrupt import run_async
from fmau.families.family import Family
from fmau.families.find import FAMILIES
from fmau.frames.tokens import image_tokens, visual_tokens
from fmau.recipe import FramesBlock
from fmau.serve.client import ChatClient, RequestError

TIMEOUT_S = 120.0
FPS = 10.0
STEP = 8
"""Frame indices of the test clip are STEP apart. With FPS, its frame pairs are at 0.4, 2.0, 3.6 ...
s: exact with the one decimal of the prompt, and different from fallbacks of 1, 2 or 24 fps."""

REMEDY = "restart it with `fmau serve RECIPE`, or let `fmau answer` start its own"


def check_clips(
    base_url: str,
    model: str,
    spec: FramesBlock,
    family: Family | None = None,
    api_key: str | None = None,
    *,
    as_images: bool = False,
) -> None:
    """Check that frame times and frame sizes arrive unchanged.

    Sends two test clips: one with the recipe's largest frames, one with its smallest.

    Args:
        model: name of the served model.
        spec: how the run's clips become frames.
        family: the model's family; None to tell it by the prompt that the server makes.
        as_images: send the frames as images, which have no times.

    Raises:
        ServerError: the server refuses or ignores frame times, or changes the frame size.
    """
    run_async(_check(base_url, model, spec, family, api_key, as_images))


async def _check(
    base_url: str,
    model: str,
    spec: FramesBlock,
    family: Family | None,
    api_key: str | None,
    as_images: bool,
) -> None:
    async with ChatClient(base_url, api_key=api_key, timeout_s=TIMEOUT_S) as client:
        for pixels, rounded in (
            (spec.max_pixels_per_frame, math.floor),
            (spec.min_pixels_per_frame, math.ceil),
        ):
            side = spec.cell * max(1, rounded(math.sqrt(pixels) / spec.cell))
            try:
                prompt = await _prompt_as_seen(client, model, spec.count, side, as_images)
            except RequestError as error:
                raise ServerError(
                    f"the server at {base_url} refuses a test clip ({error}); {REMEDY}"
                ) from None
            known = family or _family_of(prompt)
            if not as_images:
                _compare_times(base_url, prompt, spec, known)
            _compare_size(base_url, prompt, spec, side, known, as_images)


def _family_of(prompt: str) -> Family:
    """The first family whose placeholders are in a prompt; the first of all if none is."""
    return next(
        (one for one in FAMILIES if one.video_token in prompt or one.image_token in prompt),
        FAMILIES[0],
    )


def _compare_times(base_url: str, prompt: str, spec: FramesBlock, family: Family) -> None:
    wanted = family.times(_indices(spec.count), FPS)
    seen = family.times_in(prompt)
    if seen != wanted:
        raise ServerError(
            f"the server at {base_url} does not use the frame times that a request gives: "
            f"sent {', '.join(wanted)} s, the model sees {', '.join(seen) or 'none'}; {REMEDY}"
        )


def _compare_size(
    base_url: str, prompt: str, spec: FramesBlock, side: int, family: Family, as_images: bool
) -> None:
    tokens = (image_tokens if as_images else visual_tokens)(spec, spec.count, side, side)
    found = prompt.count(family.image_token if as_images else family.video_token)
    if found != tokens:
        raise ServerError(
            f"the server at {base_url} resizes frames: {spec.count} of {side}x{side} pixels give "
            f"{found} tokens instead of {tokens}; {REMEDY}"
        )


def _indices(count: int) -> list[int]:
    return [STEP * frame for frame in range(count)]


async def _prompt_as_seen(
    client: ChatClient, model: str, count: int, side: int, as_images: bool
) -> str:
    indices = _indices(count)
    metadata = {
        "fps": FPS,
        "frames_indices": indices,
        "total_num_frames": indices[-1] + 1,
        "duration": (indices[-1] + 1) / FPS,
        "do_sample_frames": False,
        "num_frames": count,  # without it, vLLM reads 32 frames
    }
    clip = "data:video/jpeg;base64," + ",".join([_grey_jpeg(side)] * count)
    content = [{"type": "video_url", "video_url": {"url": clip}}]
    asked: dict[str, Any] = {"model": model, "max_tokens": 1, "return_token_ids": True}
    if as_images:
        image = {"url": f"data:image/jpeg;base64,{_grey_jpeg(side)}"}
        content = [{"type": "image_url", "image_url": image}] * count
    else:
        asked["media_io_kwargs"] = {"video": metadata}
    asked["messages"] = [{"role": "user", "content": content}]
    reply = await client.post("/v1/chat/completions", asked)
    ids = reply.get("prompt_token_ids")
    return str((await client.post("/detokenize", {"model": model, "tokens": ids})).get("prompt"))


def _grey_jpeg(side: int) -> str:
    file = io.BytesIO()
    Image.new("RGB", (side, side), (128, 128, 128)).save(file, "JPEG")
    return base64.b64encode(file.getvalue()).decode("ascii")
