"""Alterations change what they are named for, and nothing else."""

import re

from hypothesis import given
from hypothesis import strategies as st

from fmau.core.taxonomy import action_by_label
from fmau.judge.calibrate import perturb

WORDS = st.lists(
    st.sampled_from(
        [
            "the",
            "left",
            "Right",
            "hand",
            "leftward",
            "moves",
            "early",
            "Late",
            "first",
            "last",
            "head",
            "Foot",
            "before",
            "rests",
            ".",
        ]
    ),
    max_size=30,
).map(" ".join)


@given(WORDS)
def test_flipping_and_reversing_twice_give_the_text_back(text: str) -> None:
    assert perturb.flipped(perturb.flipped(text)) == text
    assert perturb.reversed_in_time(perturb.reversed_in_time(text)) == text


def test_each_alteration_on_a_sentence() -> None:
    text = "First the left hand moves Leftward, then the head; it rests before the end."
    assert perturb.flipped(text) == (
        "First the right hand moves Rightward, then the head; it rests before the end."
    )
    assert perturb.reversed_in_time(text) == (
        "Last the left hand moves Leftward, then the head; it rests after the end."
    )
    assert perturb.other_part(text) == (
        "First the left leg moves Leftward, then the foot; it rests before the end."
    )


@given(WORDS)
def test_only_words_of_the_kind_change_and_capitals_stay(text: str) -> None:
    for alter, words in (
        (perturb.flipped, perturb.OTHER_SIDE),
        (perturb.reversed_in_time, perturb.OTHER_TIME),
        (perturb.other_part, perturb.OTHER_PART),
    ):
        for before, after in zip(text.split(), alter(text).split(), strict=True):
            assert before[0].isupper() == after[0].isupper()
            assert (before != after) == (before.lower() in words)


@given(st.text(min_size=1, max_size=300))
def test_padding_triples_the_length_and_ends_in_the_text(text: str) -> None:
    padded = perturb.padded(text)
    assert padded.endswith(text)
    assert len(padded) >= 3 * len(text)
    assert len(padded) <= 3 * len(text) + 120


def test_a_label_is_exchanged_wherever_it_stands() -> None:
    text = "The head bows. This fits bowing head: [Body part] Head | [Micro-action] Bowing head"
    bowing, nodding = action_by_label()["bowing head"], action_by_label()["nodding"]
    assert perturb.relabelled(text, bowing, nodding) == (
        "The head bows. This fits nodding: [Body part] Head | [Micro-action] Nodding"
    )
    legs = action_by_label()["shaking legs"]
    assert perturb.relabelled(text, bowing, legs).endswith(
        f"[Body part] {legs.part} | [Micro-action] Shaking legs"
    )


def test_filler_and_generic_sentences_name_no_part_side_or_time() -> None:
    telling = re.compile(r"\b(left|right|head|hand|leg|arm|up|down|early|late|first|then)\b")
    for sentence in (perturb.GENERIC, *perturb.FILLER):
        assert not telling.search(sentence)
