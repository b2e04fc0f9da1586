"""Captions and references say only what the trajectories show, and end with the label."""

import re
from typing import Any

import numpy as np
import pytest

from fmau.core.taxonomy import Action, action_by_code, actions
from fmau.demo.mini.captions import Caption, caption, describe, explain
from fmau.demo.mini.facts import Facts, observe, part_index
from fmau.demo.mini.neighbours import NEIGHBOURS
from fmau.demo.mini.plan import Motion
from tests.demo.mini import oracle
from tests.demo.mini.splits import split
from tests.demo.mini.synthetic import REST_PD, motion, plan

FIELDS = set(Caption.__annotations__)


def lifted_hand() -> tuple[Motion, Facts]:
    """The right hand rises to the head in the middle third and stays there."""
    positions_TPD = np.repeat(REST_PD[None], 61, axis=0).astype(np.float32)
    up_T = np.clip((np.arange(61) - 20) / 20, 0, 1)
    hand, head = part_index("right hand"), part_index("head")
    positions_TPD[:, hand] += up_T[:, None] * 0.9 * (REST_PD[head] - REST_PD[hand])
    moved = Motion(positions_TPD)
    return moved, observe(moved)


def test_a_known_motion_in_words() -> None:
    _, facts = lifted_hand()
    clip = plan(0, np.random.default_rng(0), code="F1")
    text = describe(facts, clip)
    assert re.search(r"right hand|The dominant", text.split(".")[0])
    assert "in the middle phase it moves upward and backward" in text
    assert re.search(r"the right hand (approaches|moves closer to) the head", text, re.I)
    assert "does not return to its start" in text
    assert "legs and feet" in text
    assert "about 0.8 seconds" in text
    reasoning = explain(facts, clip)
    assert "so the hand acts on the head" in reasoning
    assert "excludes covering mouth" in reasoning
    assert reasoning.endswith(
        "[Body part (coarse-grained)] Head-hand | [Micro-action (fine-grained)] Touching nose"
    )


@pytest.mark.parametrize("action", actions(), ids=lambda action: action.code)
def test_every_action_is_captioned_truly(action: Action) -> None:
    rng = np.random.default_rng(int.from_bytes(action.code.encode(), "big"))
    moved, clip = motion(rng), plan(0, rng, code=action.code)
    facts = observe(moved)
    tracks = oracle.Tracks(moved.positions_TPD.astype(float), moved.fps)
    written = dict[str, Any](caption(facts, clip))
    assert set(written) == FIELDS
    ending = (
        f"[Body part (coarse-grained)] {action.part} | [Micro-action (fine-grained)] {action.label}"
    )
    assert written["conclusive_summary"].endswith(ending)
    assert explain(facts, clip).endswith(ending)
    for text in (describe(facts, clip), explain(facts, clip), *written.values()):
        assert text
        assert oracle.false_claims(text, tracks) == []
        assert "  " not in text
        assert ".." not in text


def test_wording_is_the_same_each_time_and_differs_between_clips() -> None:
    _, facts = lifted_hand()
    rng = np.random.default_rng(0)
    plans = [plan(0, rng, code="F1") for _ in range(12)]
    assert all(describe(facts, clip) == describe(facts, clip) for clip in plans)
    assert 1 < len({describe(facts, clip) for clip in plans}) <= 6


def test_neighbours_are_other_actions_of_the_taxonomy() -> None:
    codes = set(action_by_code())
    assert set(NEIGHBOURS) == codes
    assert set(NEIGHBOURS.values()) <= codes
    assert all(code != neighbour for code, neighbour in NEIGHBOURS.items())


def test_the_oracle_notices_a_false_caption() -> None:
    moved, facts = lifted_hand()
    tracks = oracle.Tracks(moved.positions_TPD.astype(float), moved.fps)
    text = describe(facts, plan(0, np.random.default_rng(0), code="F1"))
    for right, wrong in (
        ("moves upward", "moves downward"),
        ("does not return to its start", "ends near where it started"),
        ("the head", "the right foot"),
        ("legs and feet", "legs and feet, the right hand"),
    ):
        assert right in text
        assert oracle.false_claims(text.replace(right, wrong), tracks)


@pytest.mark.slow
def test_captions_of_a_cast_split() -> None:
    cast, _ = split(160, seed=1)
    words: set[str] = set()
    lengths = []
    for clip in cast:
        tracks = oracle.Tracks(clip.motion.positions_TPD.astype(float), clip.motion.fps)
        texts: list[Any] = [
            *caption(clip.facts, clip.plan).values(),
            describe(clip.facts, clip.plan),
        ]
        for text in texts:
            assert oracle.false_claims(text, tracks) == [], clip.code
            words.update(re.findall(r"\w+", text.lower()))
        lengths.append(len(texts[-1].split()))
    assert len(words) < 400
    assert np.percentile(lengths, [5, 95]) == pytest.approx([60, 60], abs=40)
