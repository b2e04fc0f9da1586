"""Estimate the requests, tokens and dollars of answering through an API, without sending anything.

`fmau answer --dry-run` prints it for the questions that are left, `fmau check` for all.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fmau.answer.order import by_clip
from fmau.answer.pending import pending_clips
from fmau.answer.summary import Summary
from fmau.core.errors import RecipeError
from fmau.core.records import Question
from fmau.dataset.clips import clip_path
from fmau.dataset.questions import load_questions
from fmau.frames.clip import ClipFrames
from fmau.frames.images import distinct_frames
from fmau.frames.reader import ClipReader
from fmau.prompting.conversation import messages
from fmau.prompting.prompts import PromptSet, prompts_of
from fmau.prompting.times import TIME
from fmau.recipe import CHARS_PER_TOKEN, Recipe, TokenEstimate, text_tokens
from fmau.runs import view_run

PIXELS_PER_TOKEN = 28
"""Side of the square of pixels that is assumed to be one token of an image. APIs count images in
their own ways, so the estimate prints what it assumes."""

CLOSED_REPLY_TOKENS = 5
"""A letter, Yes or No, and what a model puts around it. A model that thinks writes far more."""

OPEN_REPLY_TOKENS = 200
"""About 150 words, as the benchmark's references have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate(TokenEstimate):
    """The expected amount of work of some questions.

    Attributes:
        requests, clips: number of requests, and of the clips that they are about. The shared tokens
            are those with which an earlier question about the clip begins too.
        images: images in one request.
        image_tokens: tokens of one image; `assumed` tells that the recipe does not give them.
    """

    requests: int
    clips: int
    images: int
    image_tokens: int
    assumed: bool

    def text(self) -> str:
        """The estimate in a few lines, for people."""
        lines = [
            f"{self.requests:,} requests about {self.clips:,} clips, "
            f"about {self.input_tokens:,} tokens in, {self.shared_tokens:,} of them shared with "
            "an earlier question about the clip",
            f"about {self.output_tokens:,} tokens out without thinking, "
            f"{self.most_output_tokens:,} at most ({CHARS_PER_TOKEN:g} characters a token)",
        ]
        if self.images:
            how = ", assumed; api.image_tokens sets it" if self.assumed else ""
            lines.append(f"{self.images} images a request, {self.image_tokens:,} tokens each{how}")
        unknown = ["the price is not known; api.price gives it"]
        return "\n".join([*lines, *(self.price_lines() or unknown)])


def estimate_left(recipe: Recipe) -> Estimate:
    """Estimate the work that `fmau answer` would do now. Nothing is sent, nothing is written.

    Raises:
        RecipeError: unusable prompts, or the recipe's model is not behind an API.
        InputError: the question file or `answers.jsonl` has defects.
        RunError: the run folder belongs to other conditions, or cannot be read.
        ClipError: the first clip cannot be read.
    """
    if recipe.api is None:
        raise RecipeError(
            f"recipe {recipe.name}: --dry-run estimates the price of a model behind an API, and "
            f"this one is served here; fmau check {recipe.name} shows the plan"
        )
    prompts = prompts_of(recipe)
    questions = load_questions(recipe.data.questions).questions
    run = view_run(recipe, prompts)
    left = [
        question
        for asked in pending_clips(run, recipe, by_clip(questions), Summary(len(questions)))
        for question, _ in asked.questions
    ]
    frames = None
    if left and not recipe.answer.blind:
        reader = ClipReader(recipe.frames, recipe.data.cache)
        frames = reader(left[0].clip, clip_path(recipe.data.clips, left[0].file))
    return estimate_questions(recipe, prompts, left, frames)


def estimate_questions(
    recipe: Recipe, prompts: PromptSet, questions: Sequence[Question], frames: ClipFrames | None
) -> Estimate:
    """Estimate the work of asking `questions`.

    Args:
        recipe: a recipe with an `api` block.
        frames: a clip that stands for all others; None to ask without clips.
    """
    assert recipe.api is not None, "the caller checks it"
    images = 0 if frames is None or recipe.answer.blind else len(distinct_frames(frames))
    per_image = recipe.api.image_tokens or (_assumed_tokens(frames) if frames else 0)
    per_clip = images * (per_image + text_tokens(TIME.format(seconds=0)))
    total, shared = _input_tokens(prompts, questions, per_clip)
    likely = sum(
        OPEN_REPLY_TOKENS if question.task.is_open else CLOSED_REPLY_TOKENS
        for question in questions
    )
    most = recipe.answer.max_tokens_open * len(questions)
    return Estimate(
        requests=len(questions),
        clips=len({question.clip for question in questions}),
        images=images,
        image_tokens=per_image,
        assumed=recipe.api.image_tokens is None,
        input_tokens=total,
        shared_tokens=shared,
        output_tokens=min(likely, most),
        most_output_tokens=most,
        price=recipe.api.price,
    )


def _input_tokens(
    prompts: PromptSet, questions: Iterable[Question], per_clip: int
) -> tuple[int, int]:
    """(all tokens in, those that an earlier question about the clip begins with)."""
    total = shared = 0
    begun = set()
    for question in questions:
        system = prompts.system_of(question.task)
        texts = [
            part["text"] for turn in messages(question, prompts, None) for part in turn["content"]
        ]
        total += per_clip + sum(map(text_tokens, texts))
        if (question.clip, system) in begun:
            shared += per_clip + text_tokens(system) + text_tokens(prompts.common)
        begun.add((question.clip, system))
    return total, shared


def _assumed_tokens(frames: ClipFrames) -> int:
    rows = math.ceil(frames.height / PIXELS_PER_TOKEN)
    return rows * math.ceil(frames.width / PIXELS_PER_TOKEN)
