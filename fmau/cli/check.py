"""`fmau check`: check everything that a recipe needs before a long run is started.

It reads prompts, questions and the header of every clip. All problems of a file or of the clips are
raised together. If there are none, a plan shows the amount of work.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from fmau.cli.api_rows import api_rows, estimate_text
from fmau.cli.clip_headers import probe_clips
from fmau.cli.prompt_tokens import count_prompts
from fmau.core.taxonomy import AnyTask, Task
from fmau.dataset.clips import clip_path
from fmau.dataset.questions import load_questions
from fmau.dataset.training import TrainingData, load_training_data
from fmau.families.checkpoint import check_model
from fmau.families.family import Family
from fmau.families.find import known_family
from fmau.families.load import load_config, load_encoder
from fmau.frames.clip import ClipFrames, read_clip
from fmau.frames.images import distinct_frames
from fmau.frames.tokens import image_tokens
from fmau.prompting.prompts import PromptSet, prompts_of
from fmau.recipe import Recipe, TrainBlock
from fmau.serve.flags import CPU_BLOCK_SIZE
from fmau.serve.preflight import check_context

if TYPE_CHECKING:
    from fmau.families.encode import Encoder

DEFAULT_BLOCK = CPU_BLOCK_SIZE
"""Tokens per KV block if the recipe does not set it: the larger of the CPU and GPU defaults."""

FEW_STEPS = 50
"""Fewer optimizer steps hardly move an adapter: in many of them the rate is still rising."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The amount of work of a recipe.

    `common_tokens`, `longest_prompt`, `prompt_tokens`, `computed_tokens` and `weights_gib` are None
    if the model's folder or `transformers` is not on this machine; `ahead` is then empty.

    Attributes:
        questions: task -> number of questions.
        clips: number of clips.
        mean_duration_s: mean duration of the clips.
        frame_height, frame_width: frame size of the first clip after resizing, in pixels.
        vision_tokens: visual tokens of one clip, without timestamps.
        extracted: clips whose frames are in `data.cache`; None without a cache.
        unused: templates of the prompt set for tasks of one's own that no question has.
        estimate: requests, tokens and price, if the model is behind an API.
        systems: different system prompts that the questions have; 0 if the set gives one for all.
        common_tokens: tokens of the prompt set's common text.
        longest_prompt: tokens of the longest prompt.
        prompt_tokens: tokens of all prompts together.
        computed_tokens: the same, but each clip's shared prefix is counted once, as with the
            server's prefix cache.
        weights_gib: size of the weight files.
        training: the training data; None for a recipe without training.
        ahead: the amount of work of training, as (label, text) rows.
    """

    questions: dict[AnyTask, int]
    clips: int
    mean_duration_s: float
    frame_height: int
    frame_width: int
    vision_tokens: int
    extracted: int | None = None
    unused: tuple[str, ...] = ()
    estimate: str | None = None
    systems: int = 0
    common_tokens: int | None = None
    longest_prompt: int | None = None
    prompt_tokens: int | None = None
    computed_tokens: int | None = None
    weights_gib: float | None = None
    training: TrainingData | None = None
    ahead: tuple[tuple[str, str], ...] = ()


def check_recipe(recipe: Recipe) -> Plan:
    """Read and check all files that the recipe names.

    Raises:
        RecipeError: the prompts are not usable, the model's path has no whole checkpoint, or the
            context is too short for the longest prompt.
        RunError: `data.cache` is not a frame cache, or has frames of other settings.
        InputError: the question or training files have defects, or clips cannot be read; all are
            listed.
    """
    prompts = prompts_of(recipe)
    family = None if recipe.api else _checked_family(recipe)
    questions = load_questions(recipe.data.questions).questions
    timelines = probe_clips(recipe.data.clips, questions)
    first = read_clip(clip_path(recipe.data.clips, questions[0].file), recipe.frames)
    plan = Plan(
        questions=dict(Counter(question.task for question in questions)),
        clips=len(timelines),
        mean_duration_s=mean(timeline.duration_s for timeline in timelines.values()),
        frame_height=first.height,
        frame_width=first.width,
        vision_tokens=_vision_tokens(recipe, first),
        extracted=_extracted(recipe, timelines),
        systems=len({prompts.system_of(q.task) for q in questions}) if prompts.systems else 0,
        estimate=estimate_text(recipe, prompts, questions, first),
        unused=tuple(sorted(prompts.own.keys() - {str(question.task) for question in questions})),
    )
    if recipe.train is not None:
        plan = replace(plan, training=load_training_data(recipe.train))
    if not Path(recipe.model.path).is_dir() or find_spec("transformers") is None:
        return plan
    if recipe.answer.as_images:  # the prompts are counted as those of videos
        return plan
    config = load_config(recipe.model.path, recipe.model.revision)
    encoder = load_encoder(recipe.model, family)
    counts = count_prompts(encoder, prompts, questions, first)
    check_context(recipe, counts.longest)
    weights = sum(path.stat().st_size for path in Path(recipe.model.path).glob("*.safetensors"))
    plan = replace(
        plan,
        common_tokens=counts.common,
        longest_prompt=counts.longest,
        prompt_tokens=counts.total,
        computed_tokens=counts.computed,
        weights_gib=weights / 2**30,
    )
    if recipe.train is None or plan.training is None:
        return plan
    ahead = _ahead(recipe, recipe.train, plan.training, config, encoder, prompts, first)
    return replace(plan, ahead=tuple(ahead))


def _checked_family(recipe: Recipe) -> Family | None:
    """The family of the recipe's model, which must take the recipe's settings; None if unknown."""
    check_model(recipe.model)
    family = known_family(recipe.model)
    if family is not None:
        family.check(recipe)
    return family


def _ahead(
    recipe: Recipe,
    train: TrainBlock,
    data: TrainingData,
    config: Any,
    encoder: "Encoder",
    prompts: PromptSet,
    frames: ClipFrames,
) -> Iterator[tuple[str, str]]:
    """The amount of work of training, estimated with a test clip in place of training clips."""
    from fmau.train.plan import measure, plan_rows  # brings torch

    groups = data.sequences(train.examples_per_sequence)
    sizes = measure(groups, encoder, prompts, frames, recipe.frames)
    return plan_rows(config, train, recipe.model.dtype, sizes, gpus=())


def plan_table(recipe: Recipe, plan: Plan) -> Table:
    """The plan as a table for the terminal."""
    table = Table(box=SIMPLE_HEAD, show_header=False, title=f"{recipe.name}: ready")
    counted = sorted(plan.questions.items(), key=lambda item: str(item[0]))
    kinds = ", ".join(f"{count:,} {task}" for task, count in counted)
    total = sum(plan.questions.values())
    table.add_row("questions", f"{total:,} ({kinds})")
    if plan.unused:
        names = ", ".join(f"own.{name}" for name in plan.unused)
        table.add_row("unused prompts", f"{names}: no question has that task; check its name")
    table.add_row("clips", f"{plan.clips:,}, {plan.mean_duration_s:.2f} s on average")
    size = f"{plan.frame_width} x {plan.frame_height} pixels (as the first clip)"
    sent = ", sent as images" if recipe.answer.as_images else ""
    table.add_row("frames", f"{recipe.frames.count} a clip, {recipe.frames.policy}, {size}{sent}")
    if plan.extracted is not None:
        rest = "" if plan.extracted == plan.clips else "; fmau frames extracts the others"
        table.add_row("frame cache", f"{plan.extracted:,} of {plan.clips:,} clips{rest}")
    if recipe.api is not None:
        for label, text in api_rows(recipe.api, recipe.model.path, plan.estimate):
            table.add_row(label, text)
        return table
    table.add_row("vision tokens", f"{plan.vision_tokens:,} a clip")
    if recipe.train is not None and plan.training is not None:
        for label, text in _training_rows(recipe.train, plan.training):
            table.add_row(label, text)
        for label, text in plan.ahead:
            table.add_row(label, text)
    if plan.prompt_tokens is None or plan.computed_tokens is None:
        why = "no checkpoint folder or no transformers here"
        why = "they are not counted for frames sent as images" if sent else why
        table.add_row("prompt tokens", f"unknown: {why}")
        return table
    share = 100 * plan.computed_tokens / plan.prompt_tokens
    table.add_row(
        "prompt tokens",
        f"{plan.prompt_tokens:,}; {plan.computed_tokens:,} to compute ({share:.0f} %), "
        "each clip's shared prefix once",
    )
    table.add_row("longest prompt", f"{plan.longest_prompt:,} tokens")
    if plan.systems:
        table.add_row(
            "system prompts", f"{plan.systems}; only questions with the same one share their clip"
        )
    else:
        table.add_row("common text", f"{plan.common_tokens} tokens{_common_remark(recipe, plan)}")
    table.add_row("weights", f"{plan.weights_gib:.2f} GiB on disk")
    return table


def _training_rows(train: TrainBlock, data: TrainingData) -> Iterator[tuple[str, str]]:
    """Rows about the training data: examples, missing examples, sequences, steps, validation."""
    views = ", ".join(f"{count:,} {view}" for view, count in data.counts().items())
    about = f"{len(data.train):,} examples about {len(data.clips()):,} clips"
    yield "training", f"{about} ({views})"
    missed = ", ".join(f"{count:,} {view}" for view, count in data.skipped.items() if count > 0)
    if missed:
        yield "not derived", f"{missed}: the captions say too little for the requested number"
    sequences = len(data.sequences(train.examples_per_sequence))
    each = len(data.train) / max(1, sequences)
    yield "sequences", f"{sequences:,}, {each:.1f} examples about one clip in each"
    steps = train.steps(sequences)
    few = (
        f"; so few steps teach little: lower train.batch_size, or raise train.epochs to "
        f"{math.ceil(train.epochs * FEW_STEPS / steps)}"
        if steps < FEW_STEPS
        else ""
    )
    yield "steps", f"{steps:,} of {train.batch_size} sequences{few}"
    replies = sum(example.view == Task.MARE for example in data.validation)
    yield (
        "validation",
        f"{len(data.validation) - replies:,} closed questions about other participants, at most "
        f"{train.validation_examples:,} asked each time; and {replies:,} questions whose reply "
        f"ends in a label, at most {train.validation_replies:,} asked each time",
    )


def _common_remark(recipe: Recipe, plan: Plan) -> str:
    """A warning if question text can fall into the KV block that holds the video's tail."""
    block = recipe.serve.block_size or DEFAULT_BLOCK
    if plan.common_tokens is None or plan.common_tokens >= block:
        return ""
    return (
        f", less than a KV block ({block}): every question would encode its clip again; "
        "write a longer `common` in the prompt set"
    )


def _vision_tokens(recipe: Recipe, frames: ClipFrames) -> int:
    if not recipe.answer.as_images:
        return frames.visual_tokens(recipe.frames)
    spec = recipe.frames
    return image_tokens(spec, len(distinct_frames(frames)), frames.height, frames.width)


def _extracted(recipe: Recipe, clips: Collection[str]) -> int | None:
    folder = recipe.data.cache
    if folder is None:
        return None
    if not folder.exists():
        return 0  # normal: users run `fmau frames` after `fmau check`
    from fmau.frames.cache import FrameCache  # brings pyarrow

    cache = FrameCache(folder)
    cache.check_spec(recipe.frames)
    return len(clips) - len(cache.missing(clips))
