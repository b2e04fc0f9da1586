"""Measures of clips whose motion is known in closed form, and their symmetries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmau.demo.mini.facts import DIRECTIONS, Facts, Interval, observe, part_index, phase_bounds
from fmau.demo.mini.plan import BODY_PARTS, FPS, Motion
from tests.demo.mini.synthetic import REST_PD, motion

HAND = part_index("left hand")
HEAD = part_index("head")
MIRROR = [
    part_index(part.replace("left", "?").replace("right", "left").replace("?", "right"))
    for part in BODY_PARTS
]
SWAP_LEFT_RIGHT = [1, 0, 2, 3, 4, 5]


def posed(frame_count: int = 61) -> np.ndarray:
    """A body that does not move at all, TPD."""
    return np.repeat(REST_PD[None], frame_count, axis=0)


def ramp(start: int, end: int, frame_count: int = 61) -> np.ndarray:
    """0 until frame `start`, then linear to 1 at frame `end`."""
    return np.clip((np.arange(frame_count) - start) / (end - start), 0, 1)


def facts_of(positions_TPD: np.ndarray) -> Facts:
    return observe(Motion(positions_TPD.astype(np.float32)))


def test_a_motionless_body_is_still_everywhere() -> None:
    facts = facts_of(posed())
    assert all(facts.still(part) and not facts.moves(part) for part in range(len(BODY_PARTS)))
    assert all(facts.goes(HAND, phase, word) is False for phase in range(3) for word in DIRECTIONS)
    assert not any(one.before(two) for one in facts.onset_P for two in facts.onset_P)
    assert not any(one.before(two) for one in facts.rest_P for two in facts.rest_P)
    assert np.isinf(facts.onset_P[HAND].late_s)


def test_a_straight_lift_in_the_middle_third() -> None:
    positions_TPD = posed()
    positions_TPD[:, HAND, 1] += 0.3 * ramp(20, 40)
    facts = facts_of(positions_TPD)
    assert facts.net_KPD[:, HAND, 1] == pytest.approx([0, 0.3, 0], abs=1e-6)
    assert facts.path_KP[:, HAND] == pytest.approx([0, 0.3, 0], abs=1e-6)
    assert facts.extent_P[HAND] == pytest.approx(0.3, abs=1e-6)
    assert facts.gap_P[HAND] == pytest.approx(0.3, abs=1e-6)
    assert facts.goes(HAND, 1, "upward") is True
    assert facts.goes(HAND, 1, "downward") is False
    assert facts.goes(HAND, 1, "leftward") is False
    assert facts.goes(HAND, 0, "upward") is False
    assert facts.nears(HAND, HEAD, 1) is True
    assert facts.parts_from(HAND, HEAD, 1) is False
    onset, rest = facts.onset_P[HAND], facts.rest_P[HAND]
    assert onset.early_s <= 22 / FPS
    assert onset.late_s == pytest.approx(25 / FPS, abs=1.5 / FPS)
    assert rest.early_s == pytest.approx(35 / FPS, abs=1.5 / FPS)
    assert rest.late_s <= 40 / FPS
    assert facts.turns_PS[HAND].tolist() == [0, 0]


def test_there_and_back_within_a_phase_is_no_clear_direction() -> None:
    positions_TPD = posed()
    positions_TPD[:, HAND, 1] += 0.3 * (ramp(20, 30) - ramp(30, 40))
    facts = facts_of(positions_TPD)
    assert facts.goes(HAND, 1, "upward") is None
    assert facts.goes(HAND, 1, "downward") is None
    assert facts.nears(HAND, HEAD, 1) is None
    assert facts.turns_PS[HAND].tolist() == [1, 1]


@pytest.mark.parametrize("cycles", [1, 2, 4])
def test_turns_of_a_sine(cycles: int) -> None:
    positions_TPD = posed()
    positions_TPD[:, HAND, 0] += 0.1 * np.sin(2 * np.pi * cycles * np.linspace(0, 1, 61))
    assert facts_of(positions_TPD).turns_PS[HAND].tolist() == [2 * cycles, 2 * cycles]


def test_small_displacements_are_neither_yes_nor_no() -> None:
    positions_TPD = posed()
    positions_TPD[:, HAND, 1] += 0.02 * ramp(20, 40)
    facts = facts_of(positions_TPD)
    assert facts.goes(HAND, 1, "upward") is None
    assert facts.nears(HAND, HEAD, 1) is None
    assert not facts.still(HAND)
    assert not facts.moves(HAND)


def test_across_is_measured_from_the_midline() -> None:
    positions_TPD = posed()
    positions_TPD[:, HAND, 0] = 0.15 - 0.25 * ramp(10, 50)
    assert facts_of(positions_TPD).across_PS[HAND] == pytest.approx([0.15, 0.10], abs=1e-6)


def test_moments_are_ordered_only_with_a_gap() -> None:
    assert Interval(0.1, 0.2).before(Interval(0.4, 0.5))
    assert not Interval(0.1, 0.2).before(Interval(0.25, 0.5))
    assert not Interval(0.1, np.inf).before(Interval(0.4, 0.5))
    assert not Interval(0.1, 0.2).before(Interval(0.4, np.inf))
    assert not Interval(-np.inf, 0.2).before(Interval(0.4, 0.5))


def test_too_short_or_broken_clips_are_refused() -> None:
    with pytest.raises(ValueError, match="12 or more"):
        facts_of(posed(11))
    broken = posed()
    broken[3, HAND, 0] = np.nan
    with pytest.raises(ValueError, match="finite"):
        facts_of(broken)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31))
def test_mirroring_the_body_swaps_left_and_right(seed: int) -> None:
    positions_TPD = motion(np.random.default_rng(seed)).positions_TPD
    mirrored_TPD = positions_TPD[:, MIRROR] * np.array([-1, 1, 1], np.float32)
    facts, mirrored = facts_of(positions_TPD), facts_of(mirrored_TPD)
    for phase, part in np.ndindex(3, len(BODY_PARTS)):
        verdicts = [facts.goes(MIRROR[part], phase, word) for word in DIRECTIONS]
        swapped = [verdicts[word] for word in SWAP_LEFT_RIGHT]
        assert swapped == [mirrored.goes(part, phase, word) for word in DIRECTIONS]
    assert facts.change_KPP[:, MIRROR][:, :, MIRROR] == pytest.approx(mirrored.change_KPP)
    assert [facts.onset_P[part] for part in MIRROR] == list(mirrored.onset_P)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31))
def test_playing_backwards_swaps_start_and_end(seed: int) -> None:
    # 61 frames: the thirds are then the same frames both ways.
    positions_TPD = motion(np.random.default_rng(seed), frame_count=61).positions_TPD
    facts, backwards = facts_of(positions_TPD), facts_of(positions_TPD[::-1])
    assert backwards.net_KPD[::-1] == pytest.approx(-facts.net_KPD)
    assert backwards.sweep_KPDS[::-1, ..., ::-1] == pytest.approx(facts.sweep_KPDS)
    assert backwards.parting_KPP[::-1] == pytest.approx(facts.closing_KPP)
    assert backwards.turns_PS.tolist() == facts.turns_PS.tolist()
    for onset, rest in zip(facts.onset_P, backwards.rest_P, strict=True):
        assert (60 / FPS - onset.late_s, 60 / FPS - onset.early_s) == pytest.approx(
            (rest.early_s, rest.late_s)
        )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(12, 200))
def test_sweeps_bound_displacements_and_extents_bound_sweeps(seed: int, frame_count: int) -> None:
    facts = observe(motion(np.random.default_rng(seed), frame_count=frame_count))
    assert (facts.sweep_KPDS[..., 0] >= facts.net_KPD - 1e-9).all()
    assert (facts.sweep_KPDS[..., 1] >= -facts.net_KPD - 1e-9).all()
    assert (facts.sweep_KPDS.max(axis=(2, 3)) <= facts.extent_KP + 1e-9).all()
    assert (facts.extent_KP <= facts.path_KP + 1e-9).all()
    assert (facts.extent_KP.max(axis=0) <= facts.extent_P + 1e-9).all()
    assert phase_bounds(frame_count)[[0, -1]].tolist() == [0, frame_count - 1]
