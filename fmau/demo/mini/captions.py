"""Writes five-field captions, and the reference answers of the open questions, from measured facts.

All sentences are built from `phrases`, so each is true of the trajectories. The plan gives only
facts that the trajectories of the parts' centres cannot show: the label with its meaning in the
taxonomy, the direction of a turn about a part's own axis, and repetitions too small to measure. The
wording varies a little from clip to clip (by the plan's seed), within a few hundred words.
"""

import re
from typing import TypedDict

import numpy as np

from fmau.core.taxonomy import Action, action_by_code
from fmau.demo.mini import phrases
from fmau.demo.mini.facts import PHASES, Facts, part_index
from fmau.demo.mini.neighbours import NEIGHBOURS
from fmau.demo.mini.plan import ClipPlan


class Caption(TypedDict):
    """The five fields of a training caption."""

    overall_overview: str
    timeline_description: str
    key_part_details: str
    judgment_basis: str
    conclusive_summary: str


def caption(facts: Facts, plan: ClipPlan) -> Caption:
    """The training caption of a clip.

    Args:
        facts: what `observe` measured.
        plan: gives the label (its first event) and the seed of the wording.

    Returns:
        Five non-empty fields.
    """
    action = _action(plan)
    return Caption(
        overall_overview=" ".join([_lead(facts, plan), *_turn(plan), *_aim(facts, plan)]),
        timeline_description=_timeline(facts, phrases.leader(facts, plan)),
        key_part_details=" ".join([*_details(facts, plan), *_stillness(facts)]),
        judgment_basis=" ".join(_evidence(facts, plan)),
        conclusive_summary=f"The behaviour is {_meant(action)}. {_ending(action)}",
    )


def describe(facts: Facts, plan: ClipPlan) -> str:
    """The reference answer of a MADU question: dominant part, followers, space and time."""
    return " ".join(
        [
            _lead(facts, plan),
            _timeline(facts, phrases.leader(facts, plan)),
            *_turn(plan),
            *_aim(facts, plan),
            *_course(facts, plan),
            *_stillness(facts),
        ]
    )


def explain(facts: Facts, plan: ClipPlan) -> str:
    """The reference answer of a MARE question: evidence, inference, a similar action excluded."""
    action = _action(plan)
    return " ".join(
        [
            _timeline(facts, phrases.leader(facts, plan)),
            *_evidence(facts, plan),
            f"Therefore the behaviour is most consistent with {action.label.lower()}, "
            f"{_ending(action)}",
        ]
    )


def _action(plan: ClipPlan) -> Action:
    return action_by_code()[plan.events[0].code]


def _meant(action: Action) -> str:
    """ "nodding (head goes up and down repeatedly)"; remarks on border cases are left out."""
    return f"{action.label.lower()} ({re.split('; | [(]', action.meaning)[0]})"


def _ending(action: Action) -> str:
    """The label line that MARE references end with."""
    return (
        f"[Body part (coarse-grained)] {action.part} | [Micro-action (fine-grained)] {action.label}"
    )


def _pick(plan: ClipPlan, *wordings: str) -> str:
    """Choose one of several wordings of a sentence; always the same one for a clip."""
    rng = np.random.default_rng([plan.seed, len(wordings[0])])
    return wordings[rng.integers(len(wordings))]


def _lead(facts: Facts, plan: ClipPlan) -> str:
    """The sentence that names the leader and the followers."""
    leader = phrases.leader(facts, plan)
    sentence = _pick(
        plan,
        f"The dominant movement is led by the {leader}",
        f"The {leader} leads the dominant movement",
        f"The dominant action comes from the {leader}",
    )
    followers = phrases.followers(facts, plan)
    if followers:
        sentence += f", while {phrases.the(followers)} follow{'s' * (len(followers) == 1)}"
    return sentence + "."


def _timeline(facts: Facts, part: str) -> str:
    """The movement of the part in each phase; equal phases in a row are joined."""
    steps: list[tuple[list[str], str]] = []
    for phase, verb in phrases.timeline(facts, part):
        if steps and steps[-1][1] == verb:
            steps[-1][0].append(phase)
        else:
            steps.append(([phase], verb))
    if len(steps) == 1:
        return f"Throughout the video the {part} {steps[0][1]}."
    clauses = [
        f"in the {phrases.join(names)} phase{'s' * (len(names) > 1)} "
        f"{f'the {part}' if index == 0 else 'it'} {verb}"
        for index, (names, verb) in enumerate(steps)
    ]
    sentence = "; ".join(clauses)
    return sentence[0].upper() + sentence[1:] + "."


def _aim(facts: Facts, plan: ClipPlan) -> list[str]:
    """The part that the leader approaches, and whether it moves away again."""
    leader = phrases.leader(facts, plan)
    aim, left = phrases.aim(facts, plan), phrases.left_behind(facts, plan)
    if aim is None and left is not None:
        other, phase = left
        return [
            f"The {leader} starts close to the {other} and moves away from it in the "
            f"{PHASES[phase]} phase."
        ]
    if aim is None:
        return []
    other, phase = aim
    sentence = _pick(
        plan,
        f"The {leader} approaches the {other} in the {PHASES[phase]} phase",
        f"In the {PHASES[phase]} phase the {leader} moves closer to the {other}",
    )
    for later in range(phase + 1, len(PHASES)):
        if facts.parts_from(part_index(leader), part_index(other), later):
            return [f"{sentence} and moves away from it in the {PHASES[later]} phase."]
    return [sentence + "."]


def _course(facts: Facts, plan: ClipPlan) -> list[str]:
    """When the leader starts, and whether it returns, repeats and crosses the midline."""
    leader = phrases.leader(facts, plan)
    start, returned = phrases.begins(facts, leader), phrases.returns(facts, leader)
    verbs = [f"starts {start}"] if start else []
    if returned is not None:
        verbs.append("ends near where it started" if returned else "does not return to its start")
    sentences = [f"The {leader} {phrases.join(verbs)}."] if verbs else []
    if phrases.repeats(facts, leader):
        sentences.append("The movement goes back and forth repeatedly.")
    elif plan.events[0].cycles >= 2:
        sentences.append("Small repeated movements are part of it.")
    if phrases.crosses(facts, leader) and leader not in ("head", "torso"):
        sentences.append(f"The {leader} crosses the midline of the body.")
    return sentences


def _details(facts: Facts, plan: ClipPlan) -> list[str]:
    """The course of the leader, then the timeline of each follower."""
    return [
        *(_course(facts, plan) or [f"The {phrases.leader(facts, plan)} moves only slightly."]),
        *(_timeline(facts, part) for part in phrases.followers(facts, plan)),
    ]


def _stillness(facts: Facts) -> list[str]:
    """Up to two parts or groups of parts that stay still."""
    still = phrases.still_parts(facts)[:2]
    if not still:
        return []
    several = len(still) > 1 or still[0].startswith("both ") or " and " in still[0]
    sentence = f"{phrases.join(still)} stay{'' if several else 's'} still."
    return [sentence[0].upper() + sentence[1:]]


def _evidence(facts: Facts, plan: ClipPlan) -> list[str]:
    """The reasoning from the movement to the label, with a similar action excluded."""
    action = _action(plan)
    leader = phrases.leader(facts, plan)
    largest = facts.extent_P[part_index(leader)] >= facts.extent_P.max()
    first = (
        f"The {leader} shows the largest movement of the clip"
        if largest
        else (f"The movement of the {leader} carries the action")
    )
    inference = {
        "Body": "so the body acts and not a limb alone",
        "Head": "so the head acts and not the body",
        "Upper limb": "so the upper limb acts by itself",
        "Lower limb": "so the lower limb acts and not the hands",
        "Body-hand": "so the hand acts on the body",
        "Head-hand": "so the hand acts on the head",
        "Leg-hand": "so the hand acts on the leg",
    }[action.part]
    neighbour = action_by_code()[NEIGHBOURS[action.code]]
    return [
        f"{first}, {inference}.",
        *_turn(plan),
        *_aim(facts, plan),
        *_rhythm(facts, plan),
        f"This fits {_meant(action)}, and excludes {_meant(neighbour)}.",
    ]


def _rhythm(facts: Facts, plan: ClipPlan) -> list[str]:
    """Whether the movement is repeated, by the measures or, for small repetitions, by the plan."""
    repeated = phrases.repeats(facts, phrases.leader(facts, plan))
    cycles = plan.events[0].cycles
    if repeated or cycles >= 2:
        return ["It goes back and forth, a repeated movement."]
    single = repeated is False and cycles == 1
    return ["It is a single movement without repetition."] if single else []


def _turn(plan: ClipPlan) -> list[str]:
    """The direction of a turn, from the plan: a turn hardly moves the centre of head or trunk."""
    event = plan.events[0]
    if event.code == "B2":
        return ["The head turns left and right."]
    turning = {"A2": "body", "B3": "head"}.get(event.code)
    return [f"The {turning} turns to the {event.side}."] if turning else []
