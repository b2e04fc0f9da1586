"""`fmau check`: everything that a recipe needs, looked at before anything long is started.

Prompts, questions and the header of every clip are read. Problems are collected and raised
together; if there are none, the plan says how much there is to do.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

from rich.box import SIMPLE_HEAD
from rich.table import Table

from fmau.conversation import user_text
from fmau.dataset.questions import clip_path, load_questions
from fmau.errors import ClipError, InputError, Problem
from fmau.frames.clip import read_clip
from fmau.frames.decode import Timeline, probe
from fmau.prompts import PromptSet, load_prompts
from fmau.recipe import PIXEL_FACTOR, Recipe
from fmau.records import Question
from fmau.taxonomy import Task

DEFAULT_BLOCK = 32
"""Tokens per KV block where the recipe leaves the choice to us: 16 on GPU, 32 on CPU."""

PROBES_AT_ONCE = 8
"""Headers are small reads; several at once hide the latency of a network disk."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What answering a recipe's questions takes.

    Attributes:
        questions: task -> number of questions.
        clips: number of clips.
        mean_duration_s: of the clips.
        frame_height, frame_width: after resizing, of the first clip.
        vision_tokens: of one clip, timestamps not counted.
        common_tokens: length of the prompt set's common text; None when the tokenizer is not on
            this machine.
        prompt_tokens: sum over all questions of what the model reads; None likewise.
        computed_tokens: the same with every clip's shared prefix counted once, as the server's
            prefix cache should have it; None likewise.
        weights_gib: size of the weight files; None likewise.
    """

    questions: dict[Task, int]
    clips: int
    mean_duration_s: float
    frame_height: int
    frame_width: int
    vision_tokens: int
    common_tokens: int | None = None
    prompt_tokens: int | None = None
    computed_tokens: int | None = None
    weights_gib: float | None = None


def check_recipe(recipe: Recipe) -> Plan:
    """Read all that the recipe names.

    Raises:
        RecipeError: unusable prompts.
        InputError: defects of the question file, or clips that cannot be read, all of them.
    """
    prompts = load_prompts(recipe.prompt.set)
    questions = load_questions(recipe.data.questions).questions
    timelines = _probe_all(recipe, questions)
    first = read_clip(clip_path(recipe.data.clips, questions[0].clip), recipe.frames)
    groups = recipe.frames.count // 2
    vision_tokens = groups * (first.height // PIXEL_FACTOR) * (first.width // PIXEL_FACTOR)
    plan = Plan(
        questions=dict(Counter(question.task for question in questions)),
        clips=len(timelines),
        mean_duration_s=mean(timeline.duration_s for timeline in timelines.values()),
        frame_height=first.height,
        frame_width=first.width,
        vision_tokens=vision_tokens,
    )
    model = Path(recipe.model.path)
    return _with_tokens(plan, recipe, prompts, questions) if model.is_dir() else plan


def plan_table(recipe: Recipe, plan: Plan) -> Table:
    """The plan for people."""
    table = Table(box=SIMPLE_HEAD, show_header=False, title=f"{recipe.name}: ready")
    kinds = ", ".join(f"{count:,} {task}" for task, count in sorted(plan.questions.items()))
    total = sum(plan.questions.values())
    table.add_row("questions", f"{total:,} ({kinds})")
    table.add_row("clips", f"{plan.clips:,}, {plan.mean_duration_s:.2f} s on average")
    size = f"{plan.frame_width} x {plan.frame_height} pixels (as the first clip)"
    table.add_row("frames", f"{recipe.frames.count} a clip, {recipe.frames.policy}, {size}")
    table.add_row("vision tokens", f"{plan.vision_tokens:,} a clip")
    if plan.prompt_tokens is None or plan.computed_tokens is None:
        table.add_row("prompt tokens", "unknown: the tokenizer is not on this machine")
        return table
    share = 100 * plan.computed_tokens / plan.prompt_tokens
    table.add_row(
        "prompt tokens",
        f"{plan.prompt_tokens:,}; {plan.computed_tokens:,} to compute ({share:.0f} %), "
        "each clip's shared prefix once",
    )
    table.add_row("common text", f"{plan.common_tokens} tokens{_common_remark(recipe, plan)}")
    table.add_row("weights", f"{plan.weights_gib:.2f} GiB on disk")
    return table


def _common_remark(recipe: Recipe, plan: Plan) -> str:
    """A warning if question text can fall into the KV block that holds the video's tail."""
    block = recipe.serve.block_size or DEFAULT_BLOCK
    if plan.common_tokens is None or plan.common_tokens >= block:
        return ""
    return (
        f", less than a KV block ({block}): every question would encode its clip again; "
        "write a longer `common` in the prompt set"
    )


def _probe_all(recipe: Recipe, questions: tuple[Question, ...]) -> dict[str, Timeline]:
    clips = dict.fromkeys(question.clip for question in questions)

    def look(clip: str) -> Timeline | ClipError:
        try:
            return probe(clip_path(recipe.data.clips, clip))
        except ClipError as error:
            return error

    with ThreadPoolExecutor(PROBES_AT_ONCE) as pool:
        looks = dict(zip(clips, pool.map(look, clips), strict=True))
    problems = []
    for clip, found in looks.items():
        if isinstance(found, ClipError):
            where, _, rest = str(found).partition(": ")
            what, _, remedy = rest.partition("; ")
            asked = sum(question.clip == clip for question in questions)
            problems.append(Problem(where, f"{what} ({asked} questions need it)", remedy))
    if problems:
        raise InputError(problems)
    return {clip: found for clip, found in looks.items() if isinstance(found, Timeline)}


def _with_tokens(
    plan: Plan, recipe: Recipe, prompts: PromptSet, questions: tuple[Question, ...]
) -> Plan:
    """The plan with counts that need the model's tokenizer."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(recipe.model.path)

    def count(text: str) -> int:
        return len(tokenizer(text, add_special_tokens=False)["input_ids"])

    common = count(prompts.common)
    shared = count(prompts.system) + plan.vision_tokens + common
    own = [
        count(user_text(question, prompts, strip_class_codes=recipe.prompt.strip_class_codes))
        - common
        for question in questions
    ]
    weights = sum(path.stat().st_size for path in Path(recipe.model.path).glob("*.safetensors"))
    return replace(
        plan,
        common_tokens=common,
        prompt_tokens=shared * len(questions) + sum(own),
        computed_tokens=shared * plan.clips + sum(own),
        weights_gib=weights / 2**30,
    )
