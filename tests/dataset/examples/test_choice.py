"""Multiple choice: neither the list of options nor the letter tells the answer."""

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmau.core.records import Question
from fmau.core.taxonomy import Action, Task, action_by_code, action_by_label, actions, parts
from fmau.dataset.examples.choice import coarse, fine
from fmau.dataset.examples.example import Example
from fmau.dataset.examples.options import NEAREST, letters, option_lists
from tests.dataset.examples.support import clip

ACTIONS = st.lists(st.sampled_from(actions()), max_size=120)


@given(ACTIONS, st.integers(0, 9))
def test_every_list_is_asked_once_for_each_of_its_labels(answers: list[Action], seed: int) -> None:
    lists = option_lists(answers, np.random.default_rng(seed))
    asked: dict[frozenset[str], Counter[str]] = defaultdict(Counter)
    for question, labels in lists.items():
        assert len(set(labels)) == 5
        asked[frozenset(labels)][answers[question].label] += 1
    for listed, times in asked.items():
        assert set(times) == listed
        assert len(set(times.values())) == 1
    assert lists == option_lists(answers, np.random.default_rng(seed))


@given(ACTIONS)
def test_guests_come_from_a_near_group(answers: list[Action]) -> None:
    for labels in option_lists(answers, np.random.default_rng(0)).values():
        groups = Counter(action_by_label()[label.lower()].part for label in labels)
        assert any(set(groups) <= {host, *NEAREST[host]} for host in groups)


def test_evenly_labelled_clips_are_nearly_all_asked_within_their_group() -> None:
    answers = [action for part in parts() for action in part.actions for _ in range(60)]
    lists = option_lists(answers, np.random.default_rng(0))
    assert len(lists) > 0.98 * len(answers)
    mixed = [labels for labels in lists.values() if len({group(label) for label in labels}) > 1]
    assert all("Leg-hand" in map(group, labels) for labels in mixed)


def test_chances_are_even_however_skewed_the_labels() -> None:
    rng = np.random.default_rng(1)
    weights = rng.dirichlet(np.full(52, 0.3))
    answers = [actions()[i] for i in rng.choice(52, size=4000, p=weights)]
    lists = option_lists(answers, rng)
    right = Counter(answers[question].label for question in lists)
    listed = Counter(label for labels in lists.values() for label in labels)
    assert len(lists) > 500
    assert {label: right[label] * 5 for label in listed} == dict(listed)


@pytest.mark.parametrize(("count", "options"), [(0, 5), (3, 5), (101, 5), (70, 7)])
def test_letters_are_dealt_out_evenly(count: int, options: int) -> None:
    dealt = Counter(letters(count, options, np.random.default_rng(count)))
    assert sum(dealt.values()) == count
    numbers = [dealt[letter] for letter in "ABCDEFG"[:options]]
    assert max(numbers) - min(numbers) <= 1


def asked(examples: list[Example]) -> list[Question]:
    return [example.ask for example in examples if isinstance(example.ask, Question)]


def test_questions_of_both_tasks() -> None:
    nodding = action_by_code()["B1"]
    clips = [clip(f"c{n}", action) for n, action in enumerate([*actions(), nodding])]
    clips.append(clip("unlabelled", None))
    for build, task in ((coarse, Task.CMAR), (fine, Task.FMAR)):
        examples = list(build(clips, 2, np.random.default_rng(0)))
        questions = asked(examples)
        assert len({question.qid for question in questions}) == len(examples) > 50
        for example, question in zip(examples, questions, strict=True):
            action = next(c.action for c in clips if c.clip == example.clip)
            assert action is not None, "clips without a label are not asked about"
            assert question.clip == example.clip
            assert question.task is task
            assert [o.letter for o in question.options] == list("ABCDEFG"[: task.option_count])
            assert all(option.class_code is None for option in question.options)
            right = {option.letter: option.label for option in question.options}[example.answer]
            assert right == (action.part if task is Task.CMAR else action.label)


def group(label: str) -> str:
    return action_by_label()[label.lower()].part
