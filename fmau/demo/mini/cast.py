"""Casting a split: which actions, by whom, under which names.

Groups and actions are dealt out evenly, so that labels have no prior to learn; the two splits of a
mini benchmark share no person, as MA-Bench and MA-Bench-Train share none.
"""

import uuid
from dataclasses import dataclass

from numpy.random import Generator

from fmau.core.taxonomy import parts
from fmau.demo.mini.casting import plan_clip
from fmau.demo.mini.facts import Facts, observe
from fmau.demo.mini.figure import Subject, sample_subject
from fmau.demo.mini.kinematics import animate
from fmau.demo.mini.plan import ClipPlan, Motion
from fmau.demo.mini.questions import askable
from fmau.demo.mini.questions.choice import balanced

CLIPS_PER_SUBJECT = 8
_ATTEMPTS = 300
"""Tries at a clip; one in ten succeeds with a shaking head, nearly all do with other actions."""


@dataclass(frozen=True, slots=True)
class CastClip:
    """One clip of a split.

    Attributes:
        plan: who does what and when.
        participant: name of the person, e.g. "P012".
        motion: trajectories.
        facts: measures of the trajectories.
    """

    plan: ClipPlan
    participant: str
    motion: Motion
    facts: Facts

    @property
    def code(self) -> str:
        """Taxonomy code of the clip's label."""
        return self.plan.events[0].code


def cast_split(clips: int, first_participant: int, rng: Generator) -> list[CastClip]:
    """Cast all clips of a split.

    Args:
        clips: how many.
        first_participant: number of the first person; people are numbered on from there.
        rng: source of all randomness.

    Returns:
        Clips in random order of label and person.
    """
    count = subjects(clips)
    people = [sample_subject(rng) for _ in range(count)]
    turns = balanced(range(count), clips, rng)
    return [
        _cast(code, people[turn], f"P{first_participant + turn:03d}", rng)
        for code, turn in zip(deal_codes(clips, rng), turns, strict=True)
    ]


def subjects(clips: int) -> int:
    """Number of people in a split of so many clips, at least one."""
    return -(-clips // CLIPS_PER_SUBJECT)


def deal_codes(clips: int, rng: Generator) -> list[str]:
    """Action codes in random order, groups equally frequent and actions equally within a group."""
    groups = balanced(range(len(parts())), clips, rng)
    codes: list[str] = []
    for index, part in enumerate(parts()):
        dealt = balanced(range(len(part.actions)), groups.count(index), rng)
        codes += [part.actions[action].code for action in dealt]
    return [codes[index] for index in rng.permutation(clips)]


def _cast(code: str, subject: Subject, participant: str, rng: Generator) -> CastClip:
    """One clip of an action about which every yes/no task can be asked."""
    name = _name(rng)
    for _ in range(_ATTEMPTS):
        plan = plan_clip(name, code, subject, rng)
        motion = animate(plan).motion
        facts = observe(motion)
        if askable(facts, plan):
            return CastClip(plan, participant, motion, facts)
    raise AssertionError(f"no askable clip of {code} in {_ATTEMPTS} attempts")


def _name(rng: Generator) -> str:
    """A file name like those of MA-Bench, which says nothing of the content."""
    first, last = sorted(int(i) for i in rng.choice(100, size=2, replace=False))
    return f"{uuid.UUID(bytes=rng.bytes(16), version=4)}_{first}_{last}"
