"""What fmau must know of a family of models: one subclass a family, each in a module of its own.

Everything else is the same for all families, or comes from the checkpoint's own files through
Transformers' auto classes. docs/extending.md adds a family as an example.
"""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from fmau.core.errors import RecipeError
from fmau.frames.tokens import most_visual_tokens
from fmau.recipe import FramesBlock, Recipe

TIME_IS_UP = "Time is up."
"""What is put at the end of thinking that uses up its budget."""


class Family(ABC):
    """A family of models that share an architecture, a processor and a chat template.

    Attributes:
        name: for people.
        types: the values of `model_type` in its checkpoints' config.json.
        cell: side of the square of pixels that becomes one visual token.
        group: number of frames that become one group of visual tokens.
        square: frames must be squares of this side, in pixels; None for any sides.
        most_tokens: most visual tokens of a group; None for no limit.
        video_token: the placeholder of one visual token in a prompt.
        image_token: the same where the frames are sent as images.
        video_end: the token after a clip's last visual token.
        end_of_turn: the token that ends the model's answer.
        towers: "language", "vision", "merger" -> prefixes of the paths of its modules. The names
            are those of the switches in `train.lora`.
        vision_parts: paths of the model's parts that see, which QLoRA leaves as they are.
        served_towers: the towers whose updates vLLM applies.
        unmergeable: those of `types` whose weights Transformers writes in another form than the
            published one, in which vLLM cannot load them.
        hybrid: some layers are linear attention. vLLM reuses their state in whole blocks only.
        thinks: the template can open with thinking, and does so unless it is told not to.
        reasoning_parser: vLLM's parser that takes the thinking out of a reply.
        after_thinking: what the template writes between thinking and answer.
        end_of_thinking: the mark that ends the thinking.
    """

    name: ClassVar[str]
    types: ClassVar[frozenset[str]]
    cell: ClassVar[int] = 32
    group: ClassVar[int] = 2
    square: ClassVar[int | None] = None
    most_tokens: ClassVar[int | None] = None
    video_token: ClassVar[str] = "<|video_pad|>"
    image_token: ClassVar[str] = "<|image_pad|>"
    video_end: ClassVar[str] = "<|vision_end|>"
    end_of_turn: ClassVar[str] = "<|im_end|>"
    towers: ClassVar[Mapping[str, tuple[str, ...]]]
    vision_parts: ClassVar[tuple[str, ...]] = ("model.visual",)
    served_towers: ClassVar[frozenset[str]] = frozenset({"language"})
    unmergeable: ClassVar[frozenset[str]] = frozenset()
    hybrid: ClassVar[bool] = False
    thinks: ClassVar[bool] = False
    reasoning_parser: ClassVar[str] = ""
    end_of_thinking: ClassVar[str] = "</think>"
    after_thinking: ClassVar[str] = "\n\n"

    @abstractmethod
    def times(self, indices: Sequence[int], fps: float) -> list[str]:
        """The times that a prompt shows for frames `indices[i] / fps` seconds after the clip's
        start, in order; empty for a family that shows none."""

    @abstractmethod
    def times_in(self, prompt: str) -> list[str]:
        """The times that are written in a prompt, in the form of `times`."""

    @abstractmethod
    def processor_settings(self, spec: FramesBlock) -> dict[str, Any]:
        """vLLM's `--mm-processor-kwargs`: with them, no frame of these settings is resized."""

    def image_settings(self, spec: FramesBlock) -> dict[str, Any]:
        """Like `processor_settings`, for frames that are sent as images.

        Raises:
            RecipeError: fmau does not know how this family takes images.
        """
        raise RecipeError(
            f'answer.frames_as is "images", which fmau does not know of {self.name}; leave it out'
        )

    @property
    def encoding(self) -> dict[str, Any]:
        """Arguments of Transformers' processor, so that no frame is resized or left out."""
        return {"do_sample_frames": False, "do_resize": False}

    @property
    def media_limits(self) -> dict[str, int]:
        """vLLM's `--limit-mm-per-prompt`. For images, of which none is sent, vLLM would reserve
        memory."""
        return {"video": 1, "image": 0}

    def template_settings(self, *, thinking: bool) -> dict[str, Any]:
        """Arguments of the chat template that turn thinking on or off."""
        return {"enable_thinking": thinking} if self.thinks else {}

    def tower(self, path: str) -> str | None:
        """The tower of a module or parameter of the base model; None if it belongs to none."""
        return next((name for name, starts in self.towers.items() if path.startswith(starts)), None)

    def check(self, recipe: Recipe) -> None:
        """Check that this family can do what a recipe asks for.

        Raises:
            RecipeError: it cannot; the text names the key and what fits.
        """
        self.check_frames(recipe.frames)
        self.check_thinking(recipe.answer.thinking_tokens)
        if recipe.answer.as_images:
            self.image_settings(recipe.frames)  # refuses what it does not know

    def check_thinking(self, budget: int) -> None:
        """Check that the family can think with a budget of tokens; any can with none.

        Raises:
            RecipeError: it cannot.
        """
        if budget and not self.reasoning_parser:
            raise RecipeError(
                f"answer.thinking_tokens is {budget}, but fmau knows no thinking of {self.name} "
                "that it could turn on; set it to 0"
            )

    def check_frames(self, spec: FramesBlock) -> None:
        """Check that the recipe makes frames that this family takes as they are.

        Raises:
            RecipeError: it does not; the text names the key and the value that fits.
        """
        for key, here, wanted in (
            ("cell", spec.cell, self.cell),
            ("group", spec.group, self.group),
            ("square", spec.square, self.square is not None),
        ):
            if here != wanted:
                raise RecipeError(
                    f"frames.{key} is {_yaml(here)}, but {self.name} needs {_yaml(wanted)}; set it "
                    f"to {_yaml(wanted)}"
                )
        if self.square is not None and spec.max_pixels_per_frame != self.square**2:
            raise RecipeError(
                f"frames.max_pixels_per_frame is {spec.max_pixels_per_frame}, but {self.name} "
                f"takes squares of {self.square} x {self.square} pixels; set it to {self.square**2}"
            )
        groups = spec.count // spec.group
        if self.most_tokens and most_visual_tokens(spec) > groups * self.most_tokens:
            most = self.most_tokens * self.cell**2
            raise RecipeError(
                f"frames.max_pixels_per_frame is {spec.max_pixels_per_frame}, but {self.name} sees "
                f"at most {self.most_tokens} cells of {self.cell} x {self.cell} pixels in a frame; "
                f"set it to {most} or less"
            )


def pixel_bounds(spec: FramesBlock) -> tuple[int, int]:
    """Least and most pixels of a resized frame, however it is rounded.

    Sides are multiples of a cell, and this rounding may exceed the recipe's bounds. So the lower
    limit is the smallest possible frame, one cell. The upper limit is a frame of the largest area
    S x S and of aspect ratio 4:1 (2S x S/2), with both sides rounded up by one cell:
    (2S + cell)(S/2 + cell).
    """
    side = math.isqrt(spec.max_pixels_per_frame) + 1
    return spec.cell**2, (2 * side + spec.cell) * (side // 2 + 1 + spec.cell)


def pair_times(indices: Sequence[int], fps: float) -> list[float]:
    """The mean time of each pair of frames, in seconds."""
    pairs = zip(indices[::2], indices[1::2], strict=True)
    return [(first + second) / 2 / fps for first, second in pairs]


def found(pattern: str, prompt: str) -> list[str]:
    """All first groups of `pattern` in a prompt."""
    return [match.group(1) for match in re.finditer(pattern, prompt)]


def _yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
