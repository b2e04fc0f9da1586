"""Captions are read into claims that are true, and what is not surely said is left out."""

from dataclasses import replace

import pytest

from fmau.core.lexicon import OPPOSITE, PHASES
from fmau.dataset.claims import (
    Claim,
    Lead,
    Movement,
    Order,
    Proximity,
    Return,
    Stillness,
    Swing,
)
from fmau.dataset.examples.reading import read_claims
from tests.dataset.examples import truth
from tests.dataset.examples.support import HALF, SEEDS, mini_clips

LEGS = [
    f"{side} {limb}" for side in ("left", "right") for limb in ("upper leg", "lower leg", "foot")
]

UNDERSTOOD: dict[str, set[Claim]] = {
    "During the initial phase (0.0-0.4 s), the subject's right forearm shifts slightly to the left "
    "and upward, while the torso remains stationary.": {
        Movement("right lower arm", "early", ("leftward", "upward")),
        Stillness("torso", "early"),
    },
    "**Early phase:** The left hand rises toward the nose. The head stays still.": {
        Movement("left hand", "early", ("upward",)),
        Proximity("left hand", "head", "early", "nears"),
        Stillness("head", "early"),
    },
    "Initially, both hands move toward each other.": {
        Proximity("left hand", "right hand", "early", "nears")
    },
    "In the final segment, the right palm moves away from the left thigh.": {
        Proximity("right hand", "left upper leg", "late", "parts")
    },
    "In the late stage, the left and right feet move apart from each other.": {
        Proximity("left foot", "right foot", "late", "parts")
    },
    "The right hand approaches the head in the early phase and moves away from it in the late "
    "phase.": {
        Proximity("right hand", "head", "early", "nears"),
        Proximity("right hand", "head", "late", "parts"),
    },
    "The right foot begins to move before the left foot.": {Order("right foot", "left foot")},
    "The trunk begins moving after the head does.": {Order("head", "torso")},
    "The head moves first, followed by the torso.": {Order("head", "torso")},
    "The dominant action is led by the right hand, while the head and torso follow.": {
        Lead("right hand", ("head", "torso"))
    },
    "At the beginning of the video, the left calf swings forward and backward.": {
        Swing("left lower leg", "early", "depth")
    },
    "The right hand executes a rapid leftward and upward movement in the middle segment.": {
        Movement("right hand", "middle", ("leftward", "upward"))
    },
    "Throughout the clip the head moves from side to side.": {
        Swing("head", phase, "horizontal") for phase in PHASES
    },
    "The legs and feet stay still.": {Stillness(part, None) for part in LEGS},
    "In the early and middle phases the head moves downward; in the late phase it stays still.": {
        Movement("head", "early", ("downward",)),
        Movement("head", "middle", ("downward",)),
        Stillness("head", "late"),
    },
    "In the early phase, while the right hand moves upward, the head tilts slightly downward.": {
        Movement("right hand", "early", ("upward",)),
        Movement("head", "early", ("downward",)),
    },
    "The right hand moves upward and to the left in the early phase, then downward in the late "
    "phase.": {
        Movement("right hand", "early", ("upward", "leftward")),
        Movement("right hand", "late", ("downward",)),
    },
    "The right hand rises in the middle phase, and it descends toward the left thigh in the late "
    "phase.": {
        Movement("right hand", "middle", ("upward",)),
        Movement("right hand", "late", ("downward",)),
        Proximity("right hand", "left upper leg", "late", "nears"),
    },
    "The left hand returns to its starting position.": {Return("left hand", True)},
    "The left foot does not return to its start.": {Return("left foot", False)},
    "The fingers of the hand curl. The left fingers approach the mouth midway.": {
        Proximity("left hand", "head", "middle", "nears")
    },
}

NOT_SURELY_SAID = [
    "The head may move upward in the early phase.",
    "The head does not move upward in the early phase.",
    "The torso remains largely stable, with slight adjustments.",
    "The torso remains relatively still.",
    "The head stays still, but moves later.",
    "The head remains still until the late phase.",
    "The left fingers stay still.",
    "In the early phase the left hand moves upward before dropping back down.",
    "In the early phase the left hand moves upward. It then drops back.",
    "In the early phase the head moves upward and returns to its starting position.",
    "Unlike nodding, the head moves leftward.",
    "The right hand is near the head in the early phase.",
    "In the middle of the body the left hand moves upward.",
    "In the early phase the hand moves upward.",
    "In the early phase, the left leg moves upward.",
    "In the early phase, the left arm moves upward.",
    "The thumb of the left hand moves upward in the early phase.",
    "The left hand moves from the left to the right in the early phase.",
    "The head turns to the left in the early phase.",
    "This fits nodding (the head moves up and down), and excludes bowing head.",
    "The left hand is raised in the middle phase.",
    "The head moves upward in the early phase, then downward.",
    "It approaches the head.",
    "",
]


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_what_is_surely_said_is_read(text: str) -> None:
    assert read_claims([text]) == UNDERSTOOD[text]


@pytest.mark.parametrize("text", NOT_SURELY_SAID)
def test_what_is_not_surely_said_is_left_out(text: str) -> None:
    assert read_claims([text]) == set()


def test_rest_is_only_of_the_whole_clip_where_no_phase_can_be_meant() -> None:
    after_one_phase = "In the early phase, the left hand moves upward. The head stays still."
    assert read_claims([after_one_phase]) == {Movement("left hand", "early", ("upward",))}
    after_all = "Throughout the video the left hand moves upward. The head stays still."
    assert Stillness("head", None) in read_claims([after_all])
    other_field = ["In the early phase, the left hand moves upward.", "The head stays still."]
    assert Stillness("head", None) in read_claims(other_field)


def test_fields_that_contradict_each_other_leave_no_claim() -> None:
    assert not read_claims(
        ["In the late phase the head moves upward.", "The head descends in the late phase."]
    )


def test_what_stays_unread_obscures_what_was_read_of_the_same_phase() -> None:
    read = "In the late phase the head moves upward."
    assert read_claims([read]) == {Movement("head", "late", ("upward",))}
    assert not read_claims([read, "In the late phase the head wavers in a complex way."])
    assert read_claims([read, "In the early phase the head wavers."]) == read_claims([read])


def assert_all_true(count: int, seed: int) -> int:
    """Check every claim read from that many captions, and count them."""
    clips, facts = mini_clips(count, seed)
    number = 0
    for clip in clips:
        for claim in read_claims(clip.fields.values()):
            assert truth.claim_holds(claim, facts[clip.clip]), (claim, clip.fields)
            number += 1
    return number


def test_every_claim_read_from_a_few_captions_is_true() -> None:
    assert assert_all_true(16, 3) > 16 * 8


def reversed_claim(claim: Claim) -> Claim | None:
    """A claim that is false if this one is true; None if there is no simple one."""
    match claim:
        case Movement(part, str(phase), ways) if ways:
            return replace(claim, directions=tuple(OPPOSITE[way] for way in ways))
        case Stillness(part, phase):
            return Movement(part, phase)
        case Proximity(kind=kind, phase=str()):
            return replace(claim, kind="parts" if kind == "nears" else "nears")
        case Lead(part, (follower, *_)):
            return Lead(follower, (part,))
        case Return(returned=returned):
            return replace(claim, returned=not returned)
    return None


def test_the_facts_deny_claims_that_say_the_opposite() -> None:
    clips, facts = mini_clips(16, 3)
    denied = set()
    for clip in clips:
        for claim in read_claims(clip.fields.values()):
            if (other := reversed_claim(claim)) is not None:
                assert not truth.claim_holds(other, facts[clip.clip]), (other, clip.fields)
                denied.add(type(claim))
    assert denied == {Movement, Stillness, Proximity, Lead, Return}


@pytest.mark.slow
def test_every_claim_read_from_many_captions_is_true() -> None:
    assert sum(assert_all_true(HALF, seed) for seed in SEEDS) > 2 * HALF * 8
