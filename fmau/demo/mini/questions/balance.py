"""Selects yes/no statements so that the text of a question does not reveal its answer.

A *cell* is a feature of a question's text: its kind, a named part, the term, the scope, every
combination of these, and the whole statement. If "yes" and "no" are equally frequent in every cell,
a table of answer frequencies per cell, or a classifier equivalent to it, cannot beat chance.

First the answers are assigned: the two questions of a clip get yes/yes, no/no and one of each in
the proportion 1 : 1 : 2, like two independent coins. Then, clip by clip, each answer gets the
statement that lowers the sum over all cells of (yes - no)^2 most. This is repeated several times
over all clips (coordinate descent).

A second term keeps the statements from revealing the clip's label, which is the answer to its CMAR
question: every cell is used equally often for clips of each group.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fmau.demo.mini.questions.statements import Statement

_SWEEPS = 6
"""Passes over all clips; hardly a question changes after the fourth."""

_PAIRS = ((True, True), (False, False), (True, False), (False, True))
"""Answers of a clip's two questions, each pair equally often."""

_WIDTH = 2 + 2**5 - 1
"""The largest number of cells of a statement, with two parts and five terms."""

_Cell = tuple[tuple[int, ...], tuple[str, ...]]

_CROWDING = 0.02
"""Cost of each use of a cell, so that statements vary."""

_TELLING = 2.0
"""Cost of each use of a cell by one group beyond the mean of all groups."""


def choose(
    statements: Sequence[Sequence[Statement]], groups: Sequence[str], rng: Generator
) -> list[tuple[Statement, Statement]]:
    """Choose two statements of one task for each clip, balanced over all text cells.

    Args:
        statements: all candidates of the task, clip by clip.
        groups: each clip's coarse label.
        rng: source of all randomness.

    Returns:
        For each clip two statements on different themes.

    Raises:
        ValueError: a clip has no two candidates on different themes.
    """
    pools = _two_sided(statements)
    cells, names = _CellTable(), sorted(set(groups))
    slots = [
        _Slot.among([s for s in pool if s.truth is truth], names.index(group), cells)
        for pool, group, pair in zip(pools, groups, _deal(pools, rng), strict=True)
        for truth in pair
    ]
    ledger = _Ledger(np.zeros(cells.count), np.zeros((len(names), cells.count)))
    for _ in range(_SWEEPS):
        for index in rng.permutation(len(slots)):
            ledger.settle(slots[index], slots[index ^ 1].chosen, rng)
    chosen = [slot.statements[slot.chosen_index] for slot in slots]
    return list(zip(chosen[::2], chosen[1::2], strict=True))


def enough(statements: Iterable[Statement]) -> bool:
    """Whether the candidates of one clip and task allow two questions.

    A clip with hardly any true statement (a turning head brings no parts together) may get two
    false ones; other clips then get more true ones.
    """
    return bool(_feasible(list(statements)))


def _feasible(pool: Sequence[Statement]) -> list[tuple[bool, bool]]:
    """The pairs of answers for which the pool has statements on different themes."""
    themes = {truth: {s.theme for s in pool if s.truth is truth} for truth in (True, False)}
    return [
        (one, two)
        for one, two in _PAIRS
        if themes[one] and themes[two] and len(themes[one] | themes[two]) > 1
    ]


def _two_sided(statements: Sequence[Sequence[Statement]]) -> list[list[Statement]]:
    """Remove statements with the same truth in nearly all clips: their text reveals the answer.

    A clip that would have too few statements left keeps all of them.
    """
    clips_with = Counter(
        (cell, truth) for pool in statements for cell, truth in {(s.terms, s.truth) for s in pool}
    )
    least = 2 if len(statements) >= 20 else 1
    pools = []
    for clip, pool in enumerate(statements):
        kept = [s for s in pool if all(clips_with[s.terms, t] >= least for t in (True, False))]
        pools.append(kept if _feasible(kept) else list(pool))
        if not _feasible(pools[-1]):
            raise ValueError(f"clip {clip} has no two {pool[0].task if pool else ''} statements")
    return pools


def _deal(pools: Sequence[Sequence[Statement]], rng: Generator) -> list[tuple[bool, bool]]:
    """Assign a pair of answers to each clip, first to the clips with the fewest possible pairs."""
    feasible = [_feasible(pool) for pool in pools]
    dealt: Counter[tuple[bool, bool]] = Counter()
    answers = [_PAIRS[0]] * len(pools)
    for clip in sorted(rng.permutation(len(pools)), key=lambda clip: len(feasible[clip])):
        least = min(dealt[pair] for pair in feasible[clip])
        scarce = [pair for pair in feasible[clip] if dealt[pair] == least]
        answers[clip] = scarce[int(rng.integers(len(scarce)))]
        dealt[answers[clip]] += 1
    return answers


@dataclass(slots=True)
class _CellTable:
    """Numbers for cells: every part named, and every combination of a statement's terms."""

    numbers: dict[_Cell, int] = field(default_factory=dict)
    rows: dict[tuple[str, ...], list[int]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Number of cells seen so far."""
        return len(self.numbers)

    def row(self, statement: Statement) -> list[int]:
        """Numbers of the statement's cells, padded with -1 to `_WIDTH`."""
        terms = statement.terms
        if terms not in self.rows:
            places = [place for place, term in enumerate(terms) if term]
            cells: list[_Cell] = [((), (part,)) for part in statement.parts]
            for size in range(1, len(places) + 1):
                for subset in combinations(places, size):
                    cells.append((subset, tuple(terms[place] for place in subset)))
            row = [self.numbers.setdefault(cell, len(self.numbers)) for cell in cells]
            self.rows[terms] = row + [-1] * (_WIDTH - len(row))
        return self.rows[terms]


@dataclass(slots=True)
class _Slot:
    """One question to be chosen: candidates of one answer, and their cells as a padded table."""

    statements: list[Statement]
    group: int
    cells_SC: NDArray[np.int64]
    used_SC: NDArray[np.bool_]
    chosen_index: int = -1
    themes: list[tuple[str, ...]] = field(default_factory=list)

    @classmethod
    def among(cls, statements: list[Statement], group: int, cells: _CellTable) -> "_Slot":
        """A slot for these candidates."""
        table = np.array([cells.row(statement) for statement in statements])
        return cls(statements, group, table, table >= 0, themes=[s.theme for s in statements])

    @property
    def chosen(self) -> Statement | None:
        """The statement chosen so far."""
        return self.statements[self.chosen_index] if self.chosen_index >= 0 else None


@dataclass(slots=True)
class _Ledger:
    """The number of yes minus no in every cell, and the uses of every cell by each group (G)."""

    balance_C: NDArray[np.float64]
    uses_GC: NDArray[np.float64]

    def settle(self, slot: _Slot, other: Statement | None, rng: Generator) -> None:
        """Choose the slot's statement again; its theme differs from the clip's other question."""
        sign = 1 if slot.statements[0].truth else -1
        if slot.chosen_index >= 0:
            self._book(slot, -sign, -1)
        uses_C = self.uses_GC.sum(axis=0)
        telling_C = self.uses_GC[slot.group] - uses_C / len(self.uses_GC)
        cost_C = 2 * sign * self.balance_C + _CROWDING * uses_C + _TELLING * telling_C
        cost_S = cost_C[slot.cells_SC].mean(axis=1, where=slot.used_SC)
        cost_S += 1e-3 * rng.random(len(cost_S))
        taken = other.theme if other else None
        cost_S[[theme == taken for theme in slot.themes]] = np.inf
        slot.chosen_index = int(np.argmin(cost_S))
        self._book(slot, sign, 1)

    def _book(self, slot: _Slot, sign: int, count: int) -> None:
        row = slot.cells_SC[slot.chosen_index][slot.used_SC[slot.chosen_index]]
        self.balance_C[row] += sign
        self.uses_GC[slot.group, row] += count
