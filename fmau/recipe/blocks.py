"""The blocks of a recipe: every key, its unit, its bounds and its default."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from fmau.core.records import Record

PIXEL_FACTOR = 32
"""Frame sides are multiples of this: patch 16 x spatial merge 2 in the Qwen3-VL vision tower."""

TEMPORAL_PATCH = 2
"""Frames that the Qwen3-VL vision tower fuses into one group of tokens."""


class Block(Record):
    """Base of every recipe block: frozen, and an unknown key is an error."""


class ModelBlock(Block):
    """Which weights.

    Attributes:
        path: folder of a checkpoint, or the name of one on a model hub.
        revision: commit of the hub repository; pin it to make a run repeatable.
        dtype: number format to compute in; float32 is for CPUs.
    """

    path: str
    revision: str | None = None
    dtype: Literal["bfloat16", "float32"]


class DataBlock(Block):
    """What is asked, about which clips.

    Attributes:
        questions: question file (official JSON format).
        clips: folder that holds every clip as NAME.mp4.
        cache: folder for their extracted frames, which `fmau frames` fills; clips that it lacks are
            decoded. None to decode every clip in every run.
    """

    questions: Path
    clips: Path
    cache: Path | None = None


class FramesBlock(Block):
    """How a clip becomes frames; shared by training and answering so that they cannot drift.

    Attributes:
        count: frames per clip; even, because Qwen3-VL fuses frames in pairs.
        policy: how indices 0..N-1 are sampled, see `fmau.frames.sampling`.
        fps: sampling rate, in frames per second of video; needed by policy "first_n" alone.
        min_pixels_per_frame, max_pixels_per_frame: bounds of height x width after resizing; the
            aspect ratio is kept and both sides become multiples of 32.
        jpeg_quality: of the frames as they are cached and sent, 1-100.
    """

    count: Annotated[int, Field(ge=2, le=768, multiple_of=2)] = 8
    policy: Literal["endpoints", "midpoints", "interior", "first_n"] = "endpoints"
    fps: Annotated[float, Field(gt=0)] | None = None
    min_pixels_per_frame: Annotated[int, Field(ge=PIXEL_FACTOR**2)]
    max_pixels_per_frame: Annotated[int, Field(ge=PIXEL_FACTOR**2)]
    jpeg_quality: Annotated[int, Field(ge=1, le=100)] = 95

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.min_pixels_per_frame > self.max_pixels_per_frame:
            raise ValueError("min_pixels_per_frame exceeds max_pixels_per_frame")
        if (self.fps is not None) != (self.policy == "first_n"):
            raise ValueError('fps belongs to policy "first_n": give both or neither')
        return self


class PromptBlock(Block):
    """Which words surround the question.

    Attributes:
        set: the name of a prompt set that comes with fmau, or the path of a YAML file.
        strip_class_codes: drop codes such as " - A1" from option lines. They mark the right
            option in part of MA-Bench; keep them only to measure that leak.
    """

    set: str
    strip_class_codes: bool = True


class ServeBlock(Block):
    """How vLLM is started.

    Attributes:
        host: address to bind; anything but loopback needs an API key.
        port: TCP port; of the first server if there are several, the others take the next ones.
        replicas: servers side by side; None for one per visible GPU, and one on a CPU build.
        max_model_len: longest prompt plus reply, in tokens.
        max_num_seqs: requests the engine runs at once.
        block_size: tokens per KV-cache block; None for vLLM's choice on GPU (16), and 32 on CPU.
        gpu_memory_utilization: share of GPU memory vLLM may take; ignored on CPU.
        cpu_kv_cache_gib: memory for the KV cache on a CPU build; ignored on GPU.
        ready_timeout_s: how long to wait until the server answers.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    replicas: Annotated[int, Field(ge=1)] | None = None
    max_model_len: Annotated[int, Field(ge=256)] = 8192
    max_num_seqs: Annotated[int, Field(ge=1)] = 64
    block_size: Annotated[int, Field(ge=16, multiple_of=16)] | None = None
    gpu_memory_utilization: Annotated[float, Field(gt=0, lt=1)] = 0.9
    cpu_kv_cache_gib: Annotated[int, Field(ge=1)] = 2
    ready_timeout_s: Annotated[float, Field(gt=0)] = 900


class TextModel(Block):
    """A model that is served to be asked in text alone, such as a judge.

    Attributes:
        model: which weights.
        serve: how vLLM is started.
    """

    model: ModelBlock
    serve: ServeBlock = ServeBlock()


DECODING: Mapping[str, float | int] = {
    "temperature": 0.0,
    "seed": 0,
    # A checkpoint's generation_config.json may set a penalty, which vLLM would apply to greedy
    # decoding too; the request states its own so that the checkpoint cannot.
    "repetition_penalty": 1.0,
}
"""How every answer is decoded, as request fields."""


class AnswerBlock(Block):
    """How questions are put to the server. Decoding is greedy, see `DECODING`.

    Attributes:
        blind: ask without the clip, in text alone: what the questions give away by themselves. A
            baseline to hold a run of the same model against.
        clips_in_flight: clips whose questions are being answered at the same time, per server.
        max_tokens_open: longest reply to an open question, in tokens.
        request_timeout_s: patience with one request.
        retries: attempts after the first before a question is listed as failed.
    """

    blind: bool = False
    clips_in_flight: Annotated[int, Field(ge=1)] = 8
    max_tokens_open: Annotated[int, Field(ge=1)] = 512
    request_timeout_s: Annotated[float, Field(gt=0)] = 300
    retries: Annotated[int, Field(ge=0)] = 4
