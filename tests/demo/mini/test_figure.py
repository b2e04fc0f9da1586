"""The people drawn: repeatable, different from each other, and of human proportions."""

import numpy as np
import pytest

from fmau.demo.mini.figure import sample_subject

PEOPLE = [sample_subject(np.random.default_rng(seed)) for seed in range(60)]


def test_equal_generators_give_equal_people() -> None:
    assert sample_subject(np.random.default_rng(7)) == PEOPLE[7]
    assert len(set(PEOPLE)) == len(PEOPLE)


def test_lengths_are_human() -> None:
    """Arm span is near the height of a standing person, as it is in adults."""
    for person in PEOPLE:
        half_span = person.shoulder + person.upper_arm + person.lower_arm + person.hand
        height = person.lower_leg + person.upper_leg + person.trunk + person.head + 0.1
        assert 2 * half_span == pytest.approx(height, rel=0.2)
        assert person.hip < person.shoulder


def test_colours_are_colours() -> None:
    for person in PEOPLE:
        for name in ("skin", "hair", "shirt", "trousers", "shoes", "wall", "floor", "chair"):
            assert all(0 <= value <= 255 for value in getattr(person, name))


def test_every_variant_of_looks_occurs() -> None:
    assert {person.hair_style for person in PEOPLE} == {0, 1, 2}
    assert {person.decor for person in PEOPLE} == {0, 1, 2, 3}
    assert {person.glasses for person in PEOPLE} == {False, True}
    assert {person.sleeves for person in PEOPLE} == {0.0, 0.5, 1.0}
