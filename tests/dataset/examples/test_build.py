"""The mixture as a whole: numbers, determinism, and the form of what comes out."""

import re
from collections import Counter

import numpy as np
import pytest

from fmau.core.errors import RecipeError
from fmau.core.records import Question
from fmau.core.taxonomy import YES_NO_TASKS, Task
from fmau.dataset.examples import VIEWS, build_examples
from fmau.dataset.examples.example import Example
from fmau.prompting.conversation import question_text
from tests.dataset.examples.support import clip, mini_clips

EVERYTHING = dict.fromkeys(VIEWS, 1.0)


def text(example: Example) -> str:
    if isinstance(example.ask, str):
        return example.ask
    return question_text(example.ask, strip_class_codes=False)


def test_the_same_seed_gives_the_same_examples_in_any_order_of_clips() -> None:
    clips, _ = mini_clips(16, 3)
    built = build_examples(clips, EVERYTHING, 1)
    assert built.examples == build_examples(clips[::-1], EVERYTHING, 1).examples
    assert built.examples != build_examples(clips, EVERYTHING, 2).examples


def test_a_view_does_not_depend_on_the_others() -> None:
    clips, _ = mini_clips(16, 3)
    together = build_examples(clips, EVERYTHING, 1).examples
    for view in VIEWS:
        alone = build_examples(clips, {view: 1.0}, 1).examples
        assert alone == tuple(example for example in together if example.view == view)


def test_every_example_is_whole() -> None:
    clips, _ = mini_clips(16, 3)
    names = {clip.clip for clip in clips}
    examples = build_examples(clips, EVERYTHING, 1).examples
    assert {example.view for example in examples} == set(VIEWS)
    qids = [example.ask.qid for example in examples if isinstance(example.ask, Question)]
    assert len(set(qids)) == len(qids)
    for example in examples:
        assert example.clip in names
        assert example.answer == example.answer.strip() != ""
        assert not re.search(r"[{}<>]|  ", text(example))
        if isinstance(example.ask, Question):
            assert example.ask.clip == example.clip
            assert example.ask.qid.startswith(f"train_{example.view}_")
            assert example.ask.task == example.view
        if example.view in YES_NO_TASKS:
            assert example.answer in ("Yes", "No")


def test_yes_and_no_are_balanced_in_every_text() -> None:
    clips, _ = mini_clips(16, 3)
    for task in YES_NO_TASKS:
        examples = build_examples(clips, {task: 2.0}, 0).examples
        assert examples
        answers: dict[str, Counter[str]] = {}
        for example in examples:
            answers.setdefault(text(example), Counter())[example.answer] += 1
        assert all(found["Yes"] == found["No"] for found in answers.values())


@pytest.mark.parametrize(("mean", "number"), [(0.5, 8), (1, 16), (2.25, 36)])
def test_the_mixture_says_how_many(mean: float, number: int) -> None:
    clips, _ = mini_clips(16, 3)
    built = build_examples(clips, {"field": mean, "CMAR": mean}, 0)
    assert Counter(example.view for example in built.examples) == {"field": number, "CMAR": number}
    assert dict(built.skipped) == {"field": 0, "CMAR": 0}


def test_what_the_clips_do_not_yield_is_counted() -> None:
    clips = [clip(f"c{number}", None) for number in range(4)]
    built = build_examples(clips, EVERYTHING, 0)
    assert {example.view for example in built.examples} == {"caption", "field", "MADU"}
    missing = {view: 4 for view in VIEWS if view in {*Task} - {Task.MADU}}
    assert {view: count for view, count in built.skipped.items() if count} == missing


def test_no_clips_and_no_mixture_give_no_examples() -> None:
    assert build_examples([], EVERYTHING, 0).examples == ()
    assert build_examples(mini_clips(16, 3)[0], {}, 0).examples == ()


def test_all_mistakes_of_a_mixture_are_named() -> None:
    with pytest.raises(RecipeError) as caught:
        build_examples([], {"SAF": 1, "SAD": -1, "MAD": np.inf}, 0)
    for part in ("mixture.SAF: unknown view", "mixture.SAD: -1", "mixture.MAD: inf"):
        assert part in str(caught.value)
