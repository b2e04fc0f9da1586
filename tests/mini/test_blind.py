"""No closed task can be answered from the text: classifiers on the questions stay at chance."""

from collections import defaultdict

import pytest

from fmau.mini.cast import CastClip
from fmau.mini.questions import Row
from fmau.taxonomy import CLOSED_TASKS, YES_NO_TASKS, Task, action_by_code
from tests.mini import blind
from tests.mini.splits import split

TRAIN, TEST = (700, 11), (300, 12)


@pytest.mark.slow
@pytest.mark.parametrize("task", YES_NO_TASKS)
def test_what_is_asked_about_a_clip_does_not_tell_its_group(task: Task) -> None:
    """The two questions of a task together as one text, the clip's coarse label as its answer."""
    train, test = (_labelled_by_group(*split(*size), task) for size in (TRAIN, TEST))
    accuracy, low, _ = blind.accuracy_interval(blind.MODELS["logistic regression"], train, test)
    assert low <= 1 / 7, f"{task}: {accuracy:.3f}"


def _labelled_by_group(
    cast: tuple[CastClip, ...], rows: tuple[Row, ...], task: Task
) -> list[dict[str, str]]:
    asked: dict[str, str] = defaultdict(str)
    for row in rows:
        if row["task"] == task:
            asked[row["video"]] += f" {row['question']}"
    return [
        {
            "task": task,
            "question": asked[f"{clip.plan.name}.mp4"],
            "answer": action_by_code()[clip.code].part,
        }
        for clip in cast
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", blind.MODELS)
@pytest.mark.parametrize("task", CLOSED_TASKS)
def test_text_alone_stays_at_chance(task: Task, name: str) -> None:
    train, test = (
        [row for row in split(*size)[1] if row["task"] == task] for size in (TRAIN, TEST)
    )
    accuracy, low, high = blind.accuracy_interval(blind.MODELS[name], train, test)
    chance = 1 / (task.option_count or 2)
    assert low <= chance <= high, f"{task} {name}: {accuracy:.3f} [{low:.3f}, {high:.3f}]"
