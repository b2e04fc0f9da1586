"""Chooses the actions, people and names of all clips of a split, for `write` and the tiny lessons.

All groups are equally frequent, and so are the actions of a group, so that guessing a frequent
label does not help. The two splits of a mini benchmark have no person in common, like MA-Bench and
MA-Bench-Train.
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
"""Attempts to make a clip. One in ten succeeds for shaking the head, nearly all for the rest."""


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
    """Choose plan and person of all clips of a split.

    Args:
        clips: number of clips.
        first_participant: number of the first person; the others get the next numbers.
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
    """Number of people in a split of `clips` clips, at least one."""
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
