"""The training data of the tiny model: rendered clips, each with lessons (conversations).

`build_pool` makes them, `samples` draws batches from them. Lessons of kinds named after the
benchmark's tasks are questions of the mini benchmark. Three easier kinds prepare for them: `part`
(name the part that moves most), `label` (name the group and the action in words) and `hint` (a
multiple-choice question whose text tells the answer, so that only its letter must be found).
"""

import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from datasets import Dataset, load_from_disk
from numpy.typing import NDArray
from transformers.video_utils import VideoMetadata

from fmau.core.files import whole_folder
from fmau.core.records import Question
from fmau.core.taxonomy import action_by_code, actions
from fmau.core.workers import worker_pool
from fmau.dataset.questions import load_questions
from fmau.demo.mini import phrases
from fmau.demo.mini.cast import cast_split
from fmau.demo.mini.facts import Facts
from fmau.demo.mini.kinematics import animate
from fmau.demo.mini.plan import BODY_PARTS, FPS, ClipPlan
from fmau.demo.mini.questions import ask
from fmau.demo.mini.render import render_frames
from fmau.frames.clip import ClipFrames, frames_from_pixels
from fmau.frames.sampling import sample_indices
from fmau.prompting.conversation import VIDEO_PART, messages, messages_asking
from fmau.prompting.prompts import PromptSet
from fmau.recipe import FramesBlock

RENDER_HEIGHT, RENDER_WIDTH = 384, 320
"""Size of mini clips in pixels; frames are drawn at this size and then shrunk, as for answering."""

QUESTIONS_PER_DRAW = 520
"""Number of clips in a draw; the answers to the questions of one draw are balanced together."""

OPTION_LINE = re.compile(r"^([A-G])\. (.*)$", re.MULTILINE)
"""An option of a multiple-choice question: its letter and its label."""

POSITION_SCALE_M = 0.3
"""Unit of the position targets in metres, about the length of a forearm."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One conversation: its kind, the messages before the answer, and the right answer."""

    kind: str
    messages: list[dict[str, Any]]
    answer: str

    def mirrored(self) -> "Lesson":
        """The lesson about the mirrored clip: left and right are exchanged."""
        # The text before the first blank line is common to all lessons and stays as it is.
        common, gap, question = self.text.partition("\n\n")
        return self._with(common + gap + _swap_sides(question), _swap_sides(self.answer))

    def right_first(self) -> "Lesson":
        """The lesson with the right option moved to A; the lesson itself if it has no options."""
        labels = dict(OPTION_LINE.findall(self.text))
        if not labels:
            return self
        exchanged = labels | {"A": labels[self.answer], self.answer: labels["A"]}
        return self._with(
            OPTION_LINE.sub(lambda line: f"{line[1]}. {exchanged[line[1]]}", self.text), "A"
        )

    @property
    def text(self) -> str:
        """The user's text after the clip."""
        text: str = self.messages[-1]["content"][-1]["text"]
        return text

    def _with(self, text: str, answer: str) -> "Lesson":
        *before, asking = self.messages
        *parts, said = asking["content"]
        changed = {**asking, "content": [*parts, {**said, "text": text}]}
        return Lesson(self.kind, [*before, changed], answer)


@dataclass(frozen=True, slots=True)
class LessonClip:
    """One rendered clip with all its lessons.

    Attributes:
        positions: float32 (8, 42): x, y, z of the 14 body parts in each frame, in units of
            `POSITION_SCALE_M`.
        action: index of the shown action in the taxonomy.
        is_mirrored: left and right are exchanged in positions, lessons and pixels.
    """

    frames: ClipFrames
    positions: NDArray[np.float32]
    action: int
    lessons: tuple[Lesson, ...]
    is_mirrored: bool = False

    def pixels_THWC(self) -> NDArray[np.uint8]:
        """Decode the frames, mirrored if the clip is."""
        pixels_THWC = self.frames.pixels_THWC()
        return pixels_THWC[:, :, ::-1] if self.is_mirrored else pixels_THWC

    def mirrored(self) -> "LessonClip":
        """The mirror image of the clip, with left and right exchanged in its lessons."""
        positions_TPD = self.positions.reshape(len(self.positions), len(BODY_PARTS), 3)
        swapped = [BODY_PARTS.index(_swap_sides(part)) for part in BODY_PARTS]
        positions_TPD = positions_TPD[:, swapped] * np.array([-1, 1, 1], np.float32)
        return replace(
            self,
            is_mirrored=not self.is_mirrored,
            positions=positions_TPD.reshape(self.positions.shape),
            lessons=tuple(lesson.mirrored() for lesson in self.lessons),
        )

    def metadata(self) -> VideoMetadata:
        """The clip's times in the processor's format."""
        return VideoMetadata(
            total_num_frames=self.frames.total_num_frames,
            fps=self.frames.fps,
            frames_indices=list(self.frames.indices),
        )


class LessonPool:
    """The rendered clips of an Arrow dataset on disk; each is read when it is indexed."""

    def __init__(self, folder: Path) -> None:
        self._rows = load_from_disk(str(folder))

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> LessonClip:
        row = self._rows[index]
        return LessonClip(
            frames=ClipFrames(
                clip=row["clip"],
                jpegs=tuple(row["jpegs"]),
                height=row["height"],
                width=row["width"],
                indices=tuple(row["indices"]),
                fps=float(FPS),
                total_num_frames=row["total_num_frames"],
                duration_s=row["total_num_frames"] / FPS,
            ),
            positions=np.array(row["positions"], np.float32).reshape(len(row["jpegs"]), -1),
            action=row["action"],
            lessons=tuple(
                Lesson(lesson["kind"], json.loads(lesson["messages"]), lesson["answer"])
                for lesson in row["lessons"]
            ),
        )


def build_pool(
    out: Path, *, clips: int, seed: int, prompts: PromptSet, spec: FramesBlock, workers: int
) -> None:
    """Make `clips` rendered clips with their lessons and save them to the folder `out`."""
    draws = [
        (clips_of_draw, seed, draw, prompts, spec)
        for draw, clips_of_draw in enumerate(_chunks(clips, QUESTIONS_PER_DRAW))
    ]

    def rows() -> Iterator[dict[str, Any]]:
        with worker_pool(workers) as pool:
            for made in pool.map(_draw, draws):
                yield from made

    with whole_folder(out) as folder, tempfile.TemporaryDirectory() as cache:
        Dataset.from_generator(rows, cache_dir=cache).save_to_disk(str(folder))


def _swap_sides(text: str) -> str:
    """Exchange "left" and "right" in a text.

    >>> _swap_sides("the left hand moves rightward")
    'the right hand moves leftward'
    """
    other = {"left": "right", "right": "left", "Left": "Right", "Right": "Left"}
    return re.sub("left|right|Left|Right", lambda found: other[found[0]], text)


def _chunks(total: int, size: int) -> list[int]:
    return [size] * (total // size) + ([total % size] if total % size else [])


def _draw(job: tuple[int, int, int, PromptSet, FramesBlock]) -> list[dict[str, Any]]:
    """Make all rows of one draw; the answers to its questions are balanced together."""
    count, seed, draw, prompts, spec = job
    cv2.setNumThreads(1)
    rng = np.random.default_rng([seed, draw])
    cast = [(clip.plan, clip.facts) for clip in cast_split(count, 1, rng)]
    questions = _questions(ask(cast, rng))
    return [_row(plan, facts, questions[plan.name], prompts, spec, rng) for plan, facts in cast]


def _questions(rows: Sequence[dict[str, Any]]) -> dict[str, list[tuple[Question, str]]]:
    """Clip -> its (question, gold answer) pairs, read with the usual question-file loader."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "questions.json"
        path.write_text(json.dumps(rows), "utf-8")
        file = load_questions(path)
    by_clip: dict[str, list[tuple[Question, str]]] = defaultdict(list)
    for question in file.questions:
        by_clip[question.clip].append((question, file.gold[question.qid]))
    return by_clip


def _row(
    plan: ClipPlan,
    facts: Facts,
    questions: list[tuple[Question, str]],
    prompts: PromptSet,
    spec: FramesBlock,
    rng: np.random.Generator,
) -> dict[str, Any]:
    animation = animate(plan)
    indices = sample_indices(plan.frame_count, spec, FPS)
    drawn_THWC = render_frames(plan, animation, indices, height=RENDER_HEIGHT, width=RENDER_WIDTH)
    frames = frames_from_pixels(
        plan.name,
        drawn_THWC,
        indices=indices,
        fps=FPS,
        total_num_frames=plan.frame_count,
        spec=spec,
    )
    codes = [action.code for action in actions()]
    positions_TPD = animation.motion.positions_TPD[list(indices)] / POSITION_SCALE_M
    return {
        "clip": plan.name,
        "jpegs": list(frames.jpegs),
        "height": frames.height,
        "width": frames.width,
        "indices": list(indices),
        "total_num_frames": plan.frame_count,
        "action": codes.index(plan.events[0].code),
        "positions": positions_TPD.astype(np.float32).ravel().tolist(),
        "lessons": [
            {"kind": kind, "messages": json.dumps(conversation), "answer": answer}
            for kind, conversation, answer in _lessons(plan, facts, questions, prompts, rng)
        ],
    }


def _lessons(
    plan: ClipPlan,
    facts: Facts,
    questions: list[tuple[Question, str]],
    prompts: PromptSet,
    rng: np.random.Generator,
) -> Iterator[tuple[str, list[dict[str, Any]], str]]:
    action = action_by_code()[plan.events[0].code]
    for question, answer in questions:
        conversation = messages(question, prompts, VIDEO_PART)
        yield str(question.task), conversation, answer
        if question.task.is_choice:
            yield _hint(question, prompts, rng)
    for kind, instruction, answer in (
        ("part", "Which body part acts?", phrases.leader(facts, plan)),
        ("label", "Name the group and the action.", f"{action.part}: {action.label}"),
    ):
        yield kind, messages_asking(instruction, prompts, VIDEO_PART), answer


def _hint(
    question: Question, prompts: PromptSet, rng: np.random.Generator
) -> tuple[str, list[dict[str, Any]], str]:
    """The same question with a random option told as its answer, so that the video is no help."""
    option = question.options[rng.integers(len(question.options))]
    told = replace(question, stem=f"The person shows: {option.label}. {question.stem}")
    return "hint", messages(told, prompts, VIDEO_PART), option.letter


def corpus(prompts: Sequence[PromptSet], *, clips: int, seed: int) -> Iterator[str]:
    """Yield texts to train the tokenizer on: prompts, taxonomy, and questions about new clips."""
    for prompt_set in prompts:
        yield from (prompt_set.system, prompt_set.common, *prompt_set.tasks.values())
    for action in actions():
        yield f"{action.part}: {action.label}, {action.meaning}."
        yield f"A. {action.label}\nB. {action.part}"
    rng = np.random.default_rng(seed)
    cast = [(clip.plan, clip.facts) for clip in cast_split(clips, 1, rng)]
    for row in ask(cast, rng):
        yield row["question"]
        yield row["answer"]
