"""No closed task can be answered from the text: classifiers on the questions stay at chance.

Each of four splits is answered by classifiers trained on the one before. Chance must lie in the
95 % interval of all twelve looks together (Bonferroni), as one of twelve separate intervals would
miss it every other time.
"""

from collections import defaultdict

import numpy as np
import pytest

from fmau.core.taxonomy import CLOSED_TASKS, YES_NO_TASKS, Task, action_by_code
from fmau.demo.mini.cast import CastClip, deal_codes
from fmau.demo.mini.questions import Row
from fmau.demo.mini.questions.choice import fine_options
from tests.demo.mini import blind
from tests.demo.mini.splits import split

CLIPS, SEEDS = 350, (11, 12, 13, 14)


@pytest.mark.slow
@pytest.mark.parametrize("name", blind.MODELS)
@pytest.mark.parametrize("task", CLOSED_TASKS)
def test_text_alone_stays_at_chance(task: Task, name: str) -> None:
    asked = [[row for row in split(CLIPS, seed)[1] if row["task"] == task] for seed in SEEDS]
    right = np.concatenate(
        [blind.hits(blind.MODELS[name], asked[turn - 1], asked[turn]) for turn in range(len(asked))]
    )
    low, high = blind.interval(right, looks=len(CLOSED_TASKS) * len(blind.MODELS))
    assert low <= 1 / (task.option_count or 2) <= high, (
        f"{right.mean():.3f} [{low:.3f}, {high:.3f}]"
    )


@pytest.mark.slow
def test_options_of_many_splits_stay_at_chance() -> None:
    """Options need no motion, so they are tested on many splits: error bars of one point."""
    right = np.concatenate(
        [
            blind.hits(
                blind.MODELS["naive Bayes"], _fine_rows(700, seed), _fine_rows(300, 1000 + seed)
            )
            for seed in range(20)
        ]
    )
    low, high = blind.interval(right)
    assert low <= 0.2 <= high


@pytest.mark.slow
def test_what_is_asked_about_a_clip_hardly_tells_its_group() -> None:
    """All yes/no questions of a clip as one text, its coarse label as the answer.

    Some movements must be asked about where they happen, so a little remains; statements picked
    without regard to the group give 0.3 to 0.5.
    """
    train, test = (_labelled_by_group(*split(CLIPS, seed)) for seed in SEEDS[:2])
    assert blind.hits(blind.MODELS["logistic regression"], train, test).mean() < 0.27


def _fine_rows(clips: int, seed: int) -> list[dict[str, str]]:
    rng = np.random.default_rng(seed)
    drawn = fine_options(deal_codes(clips, rng), rng)
    return [
        {
            "task": "FMAR",
            "question": "\n".join(["?", *map("{}. {}".format, "ABCDE", options)]),
            "answer": letter,
        }
        for options, letter in drawn
    ]


def _labelled_by_group(cast: tuple[CastClip, ...], rows: tuple[Row, ...]) -> list[dict[str, str]]:
    asked: dict[str, str] = defaultdict(str)
    for row in rows:
        if row["task"] in YES_NO_TASKS:
            asked[row["video"]] += f" {row['question']}"
    return [
        {
            "task": "all",
            "question": asked[f"{clip.plan.name}.mp4"],
            "answer": action_by_code()[clip.code].part,
        }
        for clip in cast
    ]
