"""What is derived from claims is so, and nothing is derived from what the claims leave open."""

from collections import Counter

import pytest

from fmau.core.taxonomy import YES_NO_TASKS, Task
from fmau.dataset.claims import Claim, Lead, Movement, Order, Proximity, Return, Stillness, Swing
from fmau.dataset.examples.reading import read_claims
from fmau.dataset.examples.statements import Statement, statements
from fmau.dataset.examples.wording import YES_NO
from tests.dataset.examples import truth
from tests.dataset.examples.support import HALF, SEEDS, mini_clips


def decided(task: Task, kind: str, *claims: Claim) -> dict[tuple[str, ...], bool]:
    """The statements of one kind that the claims decide, by their terms."""
    found = statements(claims)
    return {s.terms: holds for s, holds in found.items() if (s.task, s.kind) == (task, kind)}


def test_a_direction_excludes_its_opposite_and_nothing_else() -> None:
    up = Movement("left hand", "early", ("upward",))
    assert decided(Task.SAD, "direction", up) == {
        ("left hand", "upward", "early"): True,
        ("left hand", "downward", "early"): False,
    }
    loosely = Movement("left hand", None, ("downward",))
    assert decided(Task.SAD, "direction", up, loosely) == {("left hand", "upward", "early"): True}
    assert not decided(Task.SAD, "direction", Swing("left hand", "early", "vertical"))


def test_a_resting_part_goes_nowhere() -> None:
    found = decided(Task.SAD, "direction", Stillness("head", None))
    assert len(found) == 6 * 3
    assert not any(found.values())
    assert decided(Task.SAD, "rest throughout", Stillness("head", None)) == {("head",): True}
    assert decided(Task.SAD, "rest throughout", Stillness("head", "early")) == {}
    assert decided(Task.SAD, "rest", Swing("head", "late", "depth")) == {("head", "late"): False}


def test_two_directions_at_once() -> None:
    found = decided(Task.SAD, "directions", Movement("head", "late", ("leftward", "upward")))
    assert found["head", "leftward", "upward", "late"] is True
    assert found["head", "leftward", "downward", "late"] is False
    assert found["head", "rightward", "forward", "late"] is False
    assert ("head", "leftward", "forward", "late") not in found


def test_throughout_needs_all_phases_and_one_phase_denies_it() -> None:
    early, late = (Movement("torso", phase, ("forward",)) for phase in ("early", "late"))
    assert decided(Task.SAD, "throughout", early, late) == {("torso", "backward"): False}
    middle = Movement("torso", "middle", ("forward",))
    assert decided(Task.SAD, "throughout", early, middle, late)["torso", "forward"] is True


def test_return() -> None:
    assert decided(Task.SAD, "return", Return("head", False)) == {("head",): False}


def test_two_parts_together() -> None:
    claims = (
        Movement("head", "early", ("leftward",)),
        Movement("left hand", "early", ("rightward", "upward")),
        Stillness("torso", None),
    )
    assert decided(Task.MAD, "both", *claims) == {
        ("head", "torso", "early"): False,
        ("head", "left hand", "early"): True,
        ("torso", "left hand", "early"): False,
    }
    assert decided(Task.MAD, "ways opposite", *claims) == {
        ("head", "left hand", "horizontal", "early"): True
    }
    assert decided(Task.MAD, "ways same", *claims) == {
        ("head", "left hand", "horizontal", "early"): False
    }
    assert decided(Task.MAD, "while", *claims) == {
        ("head", "left hand", "rightward", "early"): True,
        ("head", "left hand", "leftward", "early"): False,
        ("head", "left hand", "upward", "early"): True,
        ("head", "left hand", "downward", "early"): False,
        ("left hand", "head", "leftward", "early"): True,
        ("left hand", "head", "rightward", "early"): False,
    }


def test_amplitude() -> None:
    lead, rest = Lead("right hand", ("head",)), Stillness("torso", None)
    assert decided(Task.MAD, "larger", lead) == {
        ("right hand", "head"): True,
        ("head", "right hand"): False,
    }
    found = decided(Task.MAD, "larger", lead, rest, Swing("head", "early", "depth"))
    assert found["head", "torso"] is True
    assert ("right hand", "torso") not in found  # of the leader no movement is known


def test_order() -> None:
    claims = (
        Movement("left hand", "early", ("upward",)),
        Stillness("head", "early"),
        Movement("head", "middle", ("downward",)),
        Movement("head", "late", ("upward",)),
    )
    assert decided(Task.MAS, "start before", *claims) == {
        ("left hand", "head"): True,
        ("head", "left hand"): False,
    }
    assert decided(Task.MAS, "start after", *claims) == {
        ("head", "left hand"): True,
        ("left hand", "head"): False,
    }
    assert decided(Task.MAS, "turn", *claims) == {
        ("head", "downward", "upward"): True,
        ("head", "upward", "downward"): False,
    }
    assert decided(Task.MAS, "start toward first", *claims) == {
        ("left hand", "upward", "head"): True,
        ("head", "downward", "left hand"): False,
        ("head", "upward", "left hand"): False,
    }
    assert decided(Task.MAS, "start toward later", *claims)["head", "left hand", "upward"] is False
    found = decided(Task.MAS, "start toward both", *claims)
    assert found["left hand", "upward", "head", "downward"] is True
    assert found["head", "downward", "left hand", "upward"] is False
    assert decided(Task.MAS, "start before", *claims[2:], claims[0]) == {}  # early rest unknown
    assert decided(Task.MAS, "start before", Order("head", "torso"))["torso", "head"] is False


def test_proximity() -> None:
    nears = Proximity("head", "left hand", "early", "nears")
    assert decided(Task.PPR, "distance nears", nears) == {("left hand", "head", "early"): True}
    assert decided(Task.PPR, "distance parts", nears) == {("left hand", "head", "early"): False}
    loosely = Proximity("left hand", "head", None, "parts")
    assert decided(Task.PPR, "distance parts", nears, loosely) == {}
    resting = decided(Task.PPR, "distance nears", Stillness("head", None), Stillness("torso", None))
    assert resting == {("head", "torso", phase): False for phase in ("early", "middle", "late")}


def test_statements_of_one_theme_tell_of_each_other() -> None:
    left, right = (
        Statement(Task.SAD, "direction", ("head", way, "late")) for way in ("leftward", "rightward")
    )
    up = Statement(Task.SAD, "direction", ("head", "upward", "late"))
    assert left.theme == right.theme != up.theme


def assert_borne_out(count: int, seed: int) -> Counter[tuple[str, bool | None]]:
    """Check every statement decided by captions against the facts.

    Returns:
        (kind, what the facts say) -> number of statements.
    """
    clips, facts = mini_clips(count, seed)
    seen: Counter[tuple[str, bool | None]] = Counter()
    for clip in clips:
        for statement, holds in statements(read_claims(clip.fields.values())).items():
            found = truth.statement_holds(statement, facts[clip.clip])
            assert found is not (not holds), (statement, holds, clip.fields)
            seen[statement.kind, found] += 1
    return seen


def test_statements_about_a_few_clips_are_borne_out_by_the_facts() -> None:
    seen = assert_borne_out(16, 3)
    assert {kind for kind, _ in seen} == set(YES_NO)
    # A part that goes the same way in all three phases is too rare for so few clips.
    both_ways = {(kind, found) for kind in YES_NO for found in (True, False)}
    assert set(seen) >= both_ways - {("throughout", True)}


def test_statements_about_a_few_clips_belong_to_all_yes_no_tasks() -> None:
    clips, _ = mini_clips(16, 3)
    tasks: dict[str, set[Task]] = {}
    for clip in clips:
        for statement in statements(read_claims(clip.fields.values())):
            tasks.setdefault(statement.kind, set()).add(statement.task)
    assert all(len(found) == 1 for found in tasks.values()), "a kind belongs to one task"
    assert set().union(*tasks.values()) == set(YES_NO_TASKS)


@pytest.mark.slow
def test_statements_about_many_clips_are_borne_out_by_the_facts() -> None:
    for seed in SEEDS:
        seen = assert_borne_out(HALF, seed)
        assert {kind for kind, _ in seen} == set(YES_NO)
