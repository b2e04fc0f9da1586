"""Plans of single clips: lengths, times, sides and what accompanies the action."""

from dataclasses import replace

import numpy as np
import pytest

from fmau.demo.mini.casting import REPEATED, SYMMETRIC
from fmau.demo.mini.motions import DRIFTS, PROGRAMMES
from fmau.demo.mini.plan import FPS
from tests.demo.mini.figures import CODES, alone, extents, planned

PLANS = [planned(code, seed) for code in CODES for seed in range(10)]


def test_clips_last_as_long_as_those_of_ma_bench() -> None:
    """MA-Bench clips last 2.12 s on average, 5.01 s at most."""
    seconds = np.array([plan.frame_count for plan in PLANS]) / FPS
    assert seconds.min() >= 1
    assert seconds.max() <= 5
    assert seconds.mean() == pytest.approx(2.12, abs=0.1)


def test_every_action_has_a_programme() -> None:
    assert list(PROGRAMMES) == CODES


def test_events_lie_within_the_clip() -> None:
    for plan in PLANS:
        for event in plan.events:
            assert 0 <= event.onset_s < event.end_s <= plan.frame_count / FPS + 0.5 / FPS


def test_company_is_of_other_parts() -> None:
    for plan in PLANS:
        dominant, *others = plan.events
        assert dominant.code in CODES
        codes = [other.code for other in others]
        assert set(codes) <= set(DRIFTS)
        assert len(set(codes)) == len(codes) <= 2
        for other in others:
            if other.code in ("drift:hand", "drift:foot"):
                assert other.side != dominant.side, "the acting limb is busy"
    assert {len(plan.events) for plan in PLANS} == {1, 2, 3}


def test_sides_and_cycles_fit_the_action() -> None:
    for plan in PLANS:
        event = plan.events[0]
        assert (event.side == "none") == (event.code in SYMMETRIC)
        assert (event.cycles > 1) == (event.code in REPEATED)
        assert 0.7 <= event.amplitude <= 1.3
    sides = [plan.events[0].side for plan in PLANS if plan.events[0].side != "none"]
    assert sides.count("left") / len(sides) == pytest.approx(0.5, abs=0.1)


def test_glasses_to_be_pushed_are_worn() -> None:
    assert all(planned("F5", seed).subject.glasses for seed in range(10))


def test_equal_generators_give_equal_plans() -> None:
    assert planned("C5", 3) == planned("C5", 3)
    assert planned("C5", 3) != planned("C5", 4)


@pytest.mark.parametrize("code", CODES)
def test_the_dominant_action_is_clearly_the_largest(code: str) -> None:
    for seed in range(6):
        plan = planned(code, seed)
        for other in plan.events[1:]:
            accompanying = max(extents(replace(plan, events=(other,))).values())
            assert max(extents(alone(plan)).values()) > 1.2 * accompanying
