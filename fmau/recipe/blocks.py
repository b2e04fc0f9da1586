"""The blocks of a recipe: every key, its unit, its bounds and its default."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from fmau.core.records import Record
from fmau.core.shipped import find_folder


def _takes_bool(annotation: Any) -> bool:
    """Whether a field's type is bool, Any, or has one of them as a part."""
    return annotation in (bool, Any) or any(map(_takes_bool, get_args(annotation)))


class Block(Record):
    """Base of every recipe block: frozen, and an unknown key is an error.

    A number is not true or false: `port: true` would be port 1.
    """

    @field_validator("*", mode="before")
    @classmethod
    def _no_number_from_bool(cls, value: Any, info: ValidationInfo) -> Any:
        field = cls.model_fields[info.field_name] if info.field_name else None
        if isinstance(value, bool) and field is not None and not _takes_bool(field.annotation):
            raise ValueError("must not be true or false")
        return value


class ModelBlock(Block):
    """The model.

    Attributes:
        path: folder of a checkpoint, or name of a model on a hub.
        revision: commit of the hub repository; give it to make a run repeatable.
        dtype: number format of the computation; float32 is for CPUs.
    """

    path: Annotated[str, AfterValidator(find_folder)]
    revision: str | None = None
    dtype: Literal["bfloat16", "float32"]


class DataBlock(Block):
    """The questions and their clips.

    Attributes:
        questions: question file (official JSON format).
        clips: folder that holds every clip as NAME.mp4.
        cache: folder of the frame cache, which `fmau frames` fills; clips that it lacks are
            decoded. None to decode every clip in every run.
    """

    questions: Path
    clips: Path
    cache: Path | None = None


class FramesBlock(Block):
    """How a clip becomes frames; training and answering share it, so that they cannot differ.

    Attributes:
        count: frames per clip; a multiple of `group`.
        policy: how frames are chosen from 0..N-1, see `fmau.frames.sampling`.
        fps: sampling rate in frames per second of video; only for policies "first_n" and "stride".
        min_pixels_per_frame, max_pixels_per_frame: bounds of height x width after resizing; the
            aspect ratio is kept and both sides become multiples of `cell`.
        jpeg_quality: JPEG quality of the frames that are cached and sent, 1-100.
        cell: side of the square of pixels that the model turns into one visual token. It depends on
            the family of the model, as do the next two; docs/families.md has the values.
        group: frames that the model fuses into one group of visual tokens.
        square: stretch frames to squares of `max_pixels_per_frame`, instead of keeping their shape.
    """

    count: Annotated[int, Field(ge=2, le=768)] = 8
    policy: Literal["endpoints", "midpoints", "interior", "first_n", "stride"] = "endpoints"
    fps: Annotated[float, Field(gt=0)] | None = None
    min_pixels_per_frame: Annotated[int, Field(ge=1)]
    max_pixels_per_frame: Annotated[int, Field(ge=1)]
    jpeg_quality: Annotated[int, Field(ge=1, le=100)] = 95
    cell: Annotated[int, Field(ge=8, le=128)] = 32
    group: Literal[1, 2] = 2
    square: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.min_pixels_per_frame > self.max_pixels_per_frame:
            raise ValueError("min_pixels_per_frame is larger than max_pixels_per_frame")
        if self.min_pixels_per_frame < self.cell**2:
            raise ValueError(f"min_pixels_per_frame must be {self.cell**2} or more: one cell")
        if self.count % self.group:
            raise ValueError(
                f"count is {self.count}, not a multiple of {self.group}, the frames of a group"
            )
        if self.square and self.side % self.cell:
            raise ValueError(
                "square needs a max_pixels_per_frame that is the square of a multiple of "
                f"{self.cell}"
            )
        if (self.fps is not None) != (self.policy in ("first_n", "stride")):
            raise ValueError(
                'fps belongs to policy "first_n" or "stride": give both fps and such a policy, '
                "or neither"
            )
        return self

    @property
    def side(self) -> int:
        """Side of a frame, in pixels, if frames are squares."""
        return math.isqrt(self.max_pixels_per_frame)

    def conditions(self) -> dict[str, Any]:
        """The settings for a fingerprint. Keys that came later are left out at their defaults, so
        that older fingerprints stay."""
        later = {"cell", "group", "square"}
        present = self.model_dump(mode="json", exclude=later)
        return present | self.model_dump(mode="json", include=later, exclude_defaults=True)


class PromptBlock(Block):
    """The prompts around the questions.

    Attributes:
        set: name of a prompt set that comes with fmau, or path of a YAML file.
        strip_class_codes: remove codes such as " - A1" from option lines. In part of MA-Bench they
            mark the right option; keep them only to measure the effect of that leak.
    """

    set: str
    strip_class_codes: bool = True


class ServeBlock(Block):
    """How vLLM is started.

    Attributes:
        host: address that the server listens on; an address other than loopback needs an API key.
        port: TCP port of the first server; further servers use the next ports.
        replicas: number of servers; None for one per visible GPU, or one on a CPU build.
        max_model_len: longest prompt plus reply, in tokens.
        max_num_seqs: number of requests that the engine runs at the same time.
        block_size: tokens per KV-cache block; None for vLLM's choice on GPU (16), and 32 on CPU.
        gpu_memory_utilization: share of GPU memory that vLLM may use; ignored on CPU.
        cpu_kv_cache_gib: GiB of memory for the KV cache on a CPU build; ignored on GPU.
        ready_timeout_s: seconds to wait until the server answers.
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
    """A served model that is asked in text only, such as a judge.

    Attributes:
        model: the model.
        serve: how vLLM is started.
    """

    model: ModelBlock
    serve: ServeBlock = ServeBlock()


DECODING: Mapping[str, float | int] = {
    "temperature": 0.0,
    "seed": 0,
    # A checkpoint's generation_config.json may set a penalty, which vLLM applies to greedy decoding
    # too. A value in the request overrides it.
    "repetition_penalty": 1.0,
}
"""The request fields with which every answer is decoded."""


class AnswerBlock(Block):
    """How questions are put to the server. Decoding is greedy, see `DECODING`.

    Attributes:
        blind: ask without the clip, in text only. This baseline shows how much the questions alone
            reveal; compare it with a run of the same model.
        frames_as: send a clip's frames as one video with their times, or as images one by one,
            without times and for about twice the tokens.
        constrain: let the server allow only the options of a closed question. False to let the
            model write freely, up to `max_tokens_open`, and read its answer from the text.
        clips_in_flight: number of clips whose questions are asked at the same time, per server.
        max_tokens_open: longest reply to an open question, or to any if `constrain` is false, in
            tokens.
        option_scores: record the log-probability of each option of a closed question.
        thinking_tokens: budget for thinking before each answer, in tokens; 0 for no thinking.
        request_timeout_s: seconds to wait for the reply to one request.
        retries: number of further attempts before a question is listed as failed.
    """

    blind: bool = False
    frames_as: Literal["video", "images"] = "video"
    constrain: bool = True
    clips_in_flight: Annotated[int, Field(ge=1)] = 8
    max_tokens_open: Annotated[int, Field(ge=1)] = 512
    option_scores: bool = False
    thinking_tokens: Annotated[int, Field(ge=0)] = 0
    request_timeout_s: Annotated[float, Field(gt=0)] = 300
    retries: Annotated[int, Field(ge=0)] = 4

    @model_validator(mode="after")
    def _scores_can_be_asked_for(self) -> Self:
        if self.option_scores and (self.thinking_tokens or not self.constrain):
            raise ValueError(
                "option_scores are those of an answer that is given at once: set constrain to true "
                "and thinking_tokens to 0, or option_scores to false"
            )
        return self

    @property
    def as_images(self) -> bool:
        """Whether frames are sent as images."""
        return self.frames_as == "images"
