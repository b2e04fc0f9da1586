"""The embedded judge on pairs whose order the rubric fixes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmau.core.taxonomy import OPEN_TASKS, Task
from fmau.judge.embedded import embedded_opinions

MADU = (
    "The dominant action is led by the right hand, which moves upward and leftward in the early "
    "phase and returns downward in the late phase. The head turns to the right, then rests."
)
MARE = (
    "The right hand shows the largest movement: it rises early and touches the ear, then moves "
    "downward. This supports a contact of hand and head and excludes touching face. Therefore "
    "[Body part (coarse-grained)] Head-hand | [Micro-action (fine-grained)] Touching ears"
)


def scores(task: Task, reference: str, answer: str) -> list[int]:
    opinions = embedded_opinions(task, reference, answer)
    assert all(found.rationale.startswith("proxy: ") for found in opinions.values())
    return [opinions[level].score for level in (1, 2, 3)]


@pytest.mark.parametrize(("task", "reference"), [(Task.MADU, MADU), (Task.MARE, MARE)])
def test_the_reference_itself_has_all_and_silence_nothing(task: Task, reference: str) -> None:
    assert scores(task, reference, reference) == [5, 5, 5]
    assert scores(task, reference, "") == [0, 0, 0]
    assert scores(task, reference, " \n ") == [0, 0, 0]


def test_a_key_reversal_costs_at_the_level_it_is_about() -> None:
    flipped = MADU.replace("leftward", "rightward").replace("right hand", "left hand")
    meaning, space, time = scores(Task.MADU, MADU, flipped)
    assert (meaning, time >= 3) == (5, True)
    assert space <= 2
    late_first = MADU.replace("early", "x").replace("late", "early").replace("x", "late")
    meaning, space, time = scores(Task.MADU, MADU, late_first)
    assert (meaning, space) == (5, 5)
    assert time <= 2


def test_a_wrong_part_is_no_meaning_and_a_missing_detail_little() -> None:
    assert scores(Task.MADU, MADU, MADU.replace("right hand", "left foot"))[0] <= 2
    shorter = MADU.replace(" and leftward", "")
    assert scores(Task.MADU, MADU, shorter)[1] in (3, 4)


def test_listing_everything_is_no_way_to_score() -> None:
    everything = " ".join(
        f"The {side} {part} moves {way} in the {phase} phase, repeatedly and once."
        for side in ("left", "right")
        for part in ("hand", "head", "leg", "foot", "arm")
        for way in ("upward", "downward", "leftward", "rightward", "forward", "backward")
        for phase in ("early", "late")
    )
    assert max(scores(Task.MADU, MADU, everything)) <= 2


def test_labels_decide_mare() -> None:
    near = MARE.replace("Touching ears", "Pushing glasses")
    assert scores(Task.MARE, MARE, near)[:2] == [5, 2]
    far = MARE.replace("Head-hand", "Lower limb").replace("Touching ears", "Shaking legs")
    assert scores(Task.MARE, MARE, far)[:2] == [1, 0]
    bare = "[Body part (coarse-grained)] Head-hand | [Micro-action (fine-grained)] Touching ears"
    coarse, fine, chain = scores(Task.MARE, MARE, bare)
    assert (coarse, fine) == (5, 5)
    assert chain <= 2  # a label without reasons is no chain


def test_a_chain_loses_a_point_for_each_missing_link() -> None:
    without_exclusion = MARE.replace(" and excludes touching face", "")
    assert scores(Task.MARE, MARE, without_exclusion)[2] == 4


@pytest.mark.parametrize("task", OPEN_TASKS)
@settings(max_examples=60, deadline=None)
@given(reference=st.text(max_size=200), answer=st.text(max_size=200))
def test_any_two_texts_get_whole_scores_of_0_to_5(task: Task, reference: str, answer: str) -> None:
    found = scores(task, reference, answer)
    assert all(type(score) is int and 0 <= score <= 5 for score in found)
    assert found == scores(task, reference, answer)


@given(st.lists(st.sampled_from(MADU.split(". ")), min_size=1, max_size=4))
def test_saying_it_again_gains_nothing(sentences: list[str]) -> None:
    once = ". ".join(dict.fromkeys(sentences))
    again = ". ".join([*dict.fromkeys(sentences), *sentences])
    assert scores(Task.MADU, MADU, again) == scores(Task.MADU, MADU, once)
