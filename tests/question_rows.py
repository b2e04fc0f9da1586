"""Question files in the official format, made up: twelve questions a clip, as MA-Bench asks."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fmau.taxonomy import Task, actions, parts

STEMS = {
    Task.CMAR: "Which body part performs the micro-action?",
    Task.FMAR: "Which micro-action does the clip show?",
    Task.SAD: "Does the right hand move upward in the {turn} half of the clip?",
    Task.MAD: "Do the head and the left hand move together in the {turn} half?",
    Task.MAS: "Does the torso begin to move before the right foot, {turn} of all?",
    Task.PPR: "Does the distance between hand and face shrink in the {turn} half?",
    Task.MADU: "Describe the movement of the person in this clip.",
    Task.MARE: "Which micro-action is shown, and what is the evidence for it?",
}


def question_rows(clip: str, turn: int = 0) -> list[dict[str, Any]]:
    """The twelve rows about one clip; `turn` rotates the options."""
    return [
        {
            "video_name": clip,
            "task": task.value,
            "qid": f"{task}_{clip}_{number}",
            "question": _text(task, number, turn),
        }
        for task in Task
        for number in range(task.per_clip)
    ]


def write_questions(path: Path, clips: Iterable[str]) -> Path:
    """Write the twelve questions about each clip, task by task: a clip's own lie far apart."""
    rows = [row for turn, clip in enumerate(clips) for row in question_rows(clip, turn)]
    rows.sort(key=lambda row: row["task"])
    path.write_text(json.dumps(rows), "utf-8")
    return path


def _text(task: Task, number: int, turn: int) -> str:
    stem = STEMS[task].format(turn=("first", "last")[number])
    labels = [part.label for part in parts()] if task is Task.CMAR else []
    if task is Task.FMAR:
        labels = [action.label for action in actions()[turn % 40 :][: task.option_count]]
    labels = labels[turn % 7 :] + labels[: turn % 7] if task is Task.CMAR else labels
    lettered = [f"{letter}. {label}" for letter, label in zip("ABCDEFG", labels, strict=False)]
    return "\n".join([stem, *lettered])
