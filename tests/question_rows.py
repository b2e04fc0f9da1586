"""Question files in the official format, made up: twelve questions a clip, as MA-Bench asks."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fmau.core.taxonomy import Task, actions, parts

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


def question_rows(clip: str, turn: int = 0, *, marked: bool = False) -> list[dict[str, Any]]:
    """The twelve rows about one clip.

    Args:
        turn: rotates the options.
        marked: begin each question with its qid, by which the stub server knows it.
    """
    rows = []
    for task in Task:
        for number in range(task.per_clip):
            qid = f"{task}_{clip}_{number}"
            text = (f"[qid {qid}] " if marked else "") + _text(task, number, turn)
            rows.append({"video_name": clip, "task": task.value, "qid": qid, "question": text})
    return rows


def write_questions(path: Path, clips: Iterable[str], *, marked: bool = False) -> Path:
    """Write the twelve questions about each clip, task by task: a clip's own lie far apart."""
    rows = [
        row for turn, clip in enumerate(clips) for row in question_rows(clip, turn, marked=marked)
    ]
    rows.sort(key=lambda row: row["task"])
    path.write_text(json.dumps(rows), "utf-8")
    return path


def _text(task: Task, number: int, turn: int) -> str:
    stem = STEMS[task].format(turn=("first", "last")[number])
    every = [entry.label for entry in (parts() if task is Task.CMAR else actions())]
    labels = [every[(turn + place) % len(every)] for place in range(task.option_count)]
    lettered = [f"{letter}. {label}" for letter, label in zip("ABCDEFG", labels, strict=False)]
    return "\n".join([stem, *lettered])
