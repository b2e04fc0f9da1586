"""The field's terms: 7 body-part groups, 52 micro-actions, 8 tasks in 3 tiers, tasks of one's own.

The action table is data (`taxonomy.json`); this module gives it types and lookups.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Action:
    """One fine-grained micro-action, e.g. code "B1", label "Nodding", part "Head"."""

    code: str
    label: str
    meaning: str
    part: str


@dataclass(frozen=True, slots=True)
class Part:
    """One coarse-grained body-part group, e.g. code "B", label "Head", with its actions."""

    code: str
    label: str
    actions: tuple[Action, ...]


@cache
def parts() -> tuple[Part, ...]:
    """The 7 groups in code order A to G."""
    table = json.loads(resources.files("fmau.core").joinpath("taxonomy.json").read_text("utf-8"))
    return tuple(
        Part(
            row["code"],
            row["label"],
            tuple(Action(**action, part=row["label"]) for action in row["actions"]),
        )
        for row in table["parts"]
    )


@cache
def actions() -> tuple[Action, ...]:
    """The 52 micro-actions in code order A1 to G4."""
    return tuple(action for part in parts() for action in part.actions)


@cache
def action_by_code() -> dict[str, Action]:
    """Code ("B1") to action."""
    return {action.code: action for action in actions()}


@cache
def action_by_label() -> dict[str, Action]:
    """Lower-cased label ("nodding") to action."""
    return {action.label.lower(): action for action in actions()}


class Tier(StrEnum):
    """The ability that a task tests, from seeing to interpreting."""

    PERCEPTUAL = "perceptual recognition"
    RELATIONAL = "relational comprehension"
    INTERPRETIVE = "interpretive reasoning"


class Kind(StrEnum):
    """How a task is answered."""

    CHOICE = "choice"
    """By the letter of an option."""
    YES_NO = "yes_no"
    """By "Yes" or "No"."""
    OPEN = "open"
    """In free text, which is judged instead of matched."""


class _Answered:
    """What follows from the kind of a task."""

    __slots__ = ()

    kind: Kind

    @property
    def is_open(self) -> bool:
        """Whether the task is answered in free text, which is judged instead of matched."""
        return self.kind is Kind.OPEN

    @property
    def is_choice(self) -> bool:
        """Whether the task is answered by an option letter."""
        return self.kind is Kind.CHOICE


class Task(_Answered, StrEnum):
    """The eight tasks of MA-Bench, in the order of the paper's tables."""

    CMAR = "CMAR"
    FMAR = "FMAR"
    SAD = "SAD"
    MAD = "MAD"
    MAS = "MAS"
    PPR = "PPR"
    MADU = "MADU"
    MARE = "MARE"

    @property
    def full_name(self) -> str:
        """The task's name written out."""
        return _TASKS[self].full_name

    @property
    def tier(self) -> Tier:
        """The tier that the benchmark assigns to the task."""
        return _TASKS[self].tier

    @property
    def option_count(self) -> int:
        """Number of lettered options; 0 for yes/no and open tasks."""
        return _TASKS[self].option_count

    @property
    def per_clip(self) -> int:
        """Number of questions of this task that the benchmark asks about each clip."""
        return _TASKS[self].per_clip

    @property
    def kind(self) -> Kind:  # type: ignore[override]
        """How the task is answered."""
        if self.tier is Tier.INTERPRETIVE:
            return Kind.OPEN
        return Kind.CHOICE if self.option_count else Kind.YES_NO


@dataclass(frozen=True, slots=True)
class OwnTask(_Answered):
    """A task of someone's own question file, which MA-Bench does not have.

    Attributes:
        name: as in the file, e.g. "Gaze".
        kind: how it is answered.
    """

    name: str
    kind: Kind

    def __str__(self) -> str:
        return self.name


AnyTask = Task | OwnTask


@dataclass(frozen=True, slots=True)
class _TaskFacts:
    full_name: str
    tier: Tier
    option_count: int
    per_clip: int


_TASKS = {
    Task.CMAR: _TaskFacts("Coarse-grained Micro-Action Recognition", Tier.PERCEPTUAL, 7, 1),
    Task.FMAR: _TaskFacts("Fine-grained Micro-Action Recognition", Tier.PERCEPTUAL, 5, 1),
    Task.SAD: _TaskFacts("Single-Action Dynamics", Tier.RELATIONAL, 0, 2),
    Task.MAD: _TaskFacts("Multi-Action Dynamics", Tier.RELATIONAL, 0, 2),
    Task.MAS: _TaskFacts("Micro-Action Sequence", Tier.RELATIONAL, 0, 2),
    Task.PPR: _TaskFacts("Part-to-Part Relation", Tier.RELATIONAL, 0, 2),
    Task.MADU: _TaskFacts("Micro-Action Description and Understanding", Tier.INTERPRETIVE, 0, 1),
    Task.MARE: _TaskFacts("Micro-Action Reasoning and Explanation", Tier.INTERPRETIVE, 0, 1),
}

CLOSED_TASKS = tuple(task for task in Task if not task.is_open)
OPEN_TASKS = tuple(task for task in Task if task.is_open)
YES_NO_TASKS = tuple(task for task in CLOSED_TASKS if not task.is_choice)

QUESTIONS_PER_CLIP = sum(task.per_clip for task in Task)

TASK_ALIASES = {
    "AS": Task.MAS,
    "VCC-LS": Task.MADU,
    "LRC-LS": Task.MARE,
    "CMAC": Task.CMAR,
    "FMAC": Task.FMAR,
}
"""Other names of tasks, from earlier releases of the question files."""
