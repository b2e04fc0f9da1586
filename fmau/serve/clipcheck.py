"""Does a server see clips as we send them? Asked once, before a run trusts it.

Frame times and frame size are part of the question, and a server that was started otherwise gets
them wrong in silence: it falls back to a frame rate of its own, or resizes. What the model is
given can be read back, because vLLM returns the prompt's token ids and turns ids into text.
"""

import base64
import io
import json
import math
import re
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request

from PIL import Image

from fmau.core.errors import ServerError
from fmau.recipe import PIXEL_FACTOR, TEMPORAL_PATCH, FramesBlock
from fmau.serve.health import opener

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
    for pixels, rounded in (
        (spec.max_pixels_per_frame, math.floor),
        (spec.min_pixels_per_frame, math.ceil),
    ):
        side = PIXEL_FACTOR * max(1, rounded(math.sqrt(pixels) / PIXEL_FACTOR))
        prompt = _prompt_as_seen(base_url, model, spec.count, side, api_key)
        _compare(base_url, prompt, spec.count, side)


def _compare(base_url: str, prompt: str, count: int, side: int) -> None:
    pairs = count // TEMPORAL_PATCH
    wanted = [f"{STEP * (2 * pair + 0.5) / FPS:.1f}" for pair in range(pairs)]
    seen = re.findall(r"<(\d+\.\d) seconds>", prompt)
    if seen != wanted:
        raise ServerError(
            f"the server at {base_url} does not use the frame times it is sent: "
            f"wanted {', '.join(wanted)} s, the model sees {', '.join(seen) or 'none'}; {REMEDY}"
        )
    tokens = pairs * (side // PIXEL_FACTOR) ** 2
    found = prompt.count("<|video_pad|>")
    if found != tokens:
        raise ServerError(
            f"the server at {base_url} resizes frames: {count} of {side}x{side} pixels give "
            f"{found} tokens instead of {tokens}; {REMEDY}"
        )


def _prompt_as_seen(base_url: str, model: str, count: int, side: int, key: str | None) -> str:
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
    reply = _post(
        f"{base_url}/v1/chat/completions",
        {
            "model": model,
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "video_url", "video_url": {"url": clip}}],
                }
            ],
            "media_io_kwargs": {"video": metadata},
            "max_tokens": 1,
            "return_token_ids": True,
        },
        key,
    )
    ids = reply["prompt_token_ids"]
    return str(_post(f"{base_url}/detokenize", {"model": model, "tokens": ids}, key)["prompt"])


def _post(url: str, body: dict[str, Any], api_key: str | None) -> dict[str, Any]:
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    if api_key is not None:
        request.add_header("Authorization", f"Bearer {api_key}")
    try:
        with opener().open(request, timeout=TIMEOUT_S) as reply:
            return dict(json.load(reply))
    except HTTPError as error:
        said = error.read().decode("utf-8", errors="replace")[:300]
        raise ServerError(
            f"{url} refused a test clip (HTTP {error.code}: {said}); {REMEDY}"
        ) from None
    except (OSError, ValueError) as error:
        raise ServerError(f"{url} gave no answer to a test clip ({error}); {REMEDY}") from None


def _grey_jpeg(side: int) -> str:
    file = io.BytesIO()
    Image.new("RGB", (side, side), (128, 128, 128)).save(file, "JPEG")
    return base64.b64encode(file.getvalue()).decode("ascii")
