"""Of claims that exclude each other neither is left; all others are."""

import pytest

from fmau.dataset.claims import (
    Claim,
    Lead,
    Movement,
    Order,
    Proximity,
    Return,
    Stillness,
    Swing,
    uncontradicted,
)

UP = Movement("head", "early", ("leftward", "upward"))

EXCLUSIVE = [
    (UP, Movement("head", "early", ("downward",))),
    (UP, Swing("head", "early", "vertical")),
    (UP, Stillness("head", "early")),
    (UP, Stillness("head", None)),
    (Movement("head", None, ("upward",)), Stillness("head", None)),
    (Swing("head", "late", "depth"), Stillness("head", "late")),
    (Lead("head", ("torso",)), Stillness("torso", None)),
    (Lead("head"), Lead("torso")),
    (
        Proximity("left hand", "head", "late", "nears"),
        Proximity("head", "left hand", "late", "parts"),
    ),
    (Order("head", "torso"), Order("torso", "head")),
    (Return("head", True), Return("head", False)),
]
COMPATIBLE = [
    (UP, Movement("head", "late", ("downward",))),
    (UP, Movement("head", None, ("downward",))),
    (UP, Movement("torso", "early", ("downward",))),
    (UP, Swing("head", "early", "depth")),
    (UP, Stillness("head", "late")),
    (Movement("head", None, ("upward",)), Stillness("head", "late")),
    (Lead("head", ("torso",)), Stillness("torso", "early")),
    (Lead("head"), Lead("head", ("torso",))),
    (
        Proximity("left hand", "head", "early", "nears"),
        Proximity("left hand", "head", "late", "parts"),
    ),
    (
        Proximity("left hand", "head", None, "nears"),
        Proximity("left hand", "head", "late", "parts"),
    ),
    (Order("head", "torso"), Order("head", "left hand")),
    (Return("head", True), Return("torso", False)),
]


@pytest.mark.parametrize(("one", "two"), EXCLUSIVE, ids=str)
def test_of_two_that_exclude_each_other_neither_is_left(one: Claim, two: Claim) -> None:
    bystander = Return("left foot", True)
    assert uncontradicted([one, two, bystander]) == {bystander}
    assert uncontradicted([two, one]) == set()


@pytest.mark.parametrize(("one", "two"), COMPATIBLE, ids=str)
def test_claims_that_can_both_hold_are_left(one: Claim, two: Claim) -> None:
    assert uncontradicted([one, two]) == {one, two}
