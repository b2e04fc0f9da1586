"""Training questions cannot be answered from their text: classifiers on it stay at chance.

A classifier is trained on the questions about one half of the clips and asked about the other half,
built by itself: across the halves no question is the counterpart of another.
"""

from functools import cache

import numpy as np
import pytest

from fmau.core.records import Question
from fmau.core.taxonomy import CLOSED_TASKS, Task
from fmau.dataset.examples import build_examples
from fmau.prompting.conversation import question_text
from tests.dataset.examples.support import HALF, SEEDS, mini_clips
from tests.demo.mini import blind


@cache
def rows(task: Task, seed: int) -> list[dict[str, str]]:
    """All questions of a task that one half yields, two for each clip."""
    clips, _ = mini_clips(HALF, seed)
    return [
        {
            "task": task.value,
            "question": question_text(example.ask, strip_class_codes=False),
            "answer": example.answer,
        }
        for example in build_examples(clips, {task: 2.0}, seed).examples
        if isinstance(example.ask, Question)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", blind.MODELS)
@pytest.mark.parametrize("task", CLOSED_TASKS)
def test_text_alone_stays_at_chance(task: Task, name: str) -> None:
    one, two = (rows(task, seed) for seed in SEEDS)
    assert min(len(one), len(two)) > 100
    right = np.concatenate(
        [blind.hits(blind.MODELS[name], one, two), blind.hits(blind.MODELS[name], two, one)]
    )
    low, high = blind.interval(right, looks=len(CLOSED_TASKS) * len(blind.MODELS))
    assert low <= 1 / (task.option_count or 2) <= high, (
        f"{right.mean():.3f} [{low:.3f}, {high:.3f}]"
    )
