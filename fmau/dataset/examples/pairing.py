"""Choosing statements so that the text of a question says nothing about its answer.

Statements are asked in pairs: the same statement, in the same words, once about a clip of which it
is true and once about one of which it is false. So every question text has as many "Yes" as "No",
and with it every word, part, direction and wording: nothing can be learnt without the clip.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from numpy.random import Generator

from fmau.dataset.examples.statements import Statement

Pool = Mapping[Statement, bool]
"""What can be asked about one clip, with the answers."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A statement with a clip for either answer (indices of pools)."""

    statement: Statement
    yes: int
    no: int


def pair_up(pools: Sequence[Pool], mean: float, rng: Generator) -> list[Pair]:
    """Choose statements for so many questions per clip, as evenly spread as the pools allow.

    Clips take turns: first each gets one question (as its own, or as the partner of another
    clip's), then a second, until the number is reached or no two clips disagree on anything that
    was not asked about them. So clips that allow much make up for others, within limits. Kinds of
    statement that were asked least go first, and then statements that were.

    Args:
        pools: one for each clip.
        mean: mean number of questions per clip; no clip gets more than twice that (rounded up).
        rng: source of all randomness.
    """
    wanted = round(mean * len(pools)) // 2
    ledger = _Ledger.of(pools, rng)
    for limit in range(1, 2 * ceil(mean) + 1):
        ledger.fresh_turn(limit)
        for clip in rng.permutation(len(pools)):
            if len(ledger.pairs) == wanted:
                return ledger.pairs
            ledger.serve(int(clip), rng)
    return ledger.pairs


@dataclass(slots=True)
class _Ledger:
    """Who has been asked what.

    Attributes:
        pools: of all clips, without statements on which no other clip disagrees.
        clips: (statement, truth) to the clips for which it is so, in random order.
        limit: most questions about one clip in this turn.
        passed: (statement, truth) to the number of leading `clips` that are at the limit.
        asked: number of questions about each clip.
        themes: (clip, theme) pairs asked about.
        uses: how often each statement, and each kind, was asked.
        pairs: chosen so far.
    """

    pools: list[dict[Statement, bool]]
    clips: dict[tuple[Statement, bool], list[int]]
    limit: int = 0
    passed: Counter[tuple[Statement, bool]] = field(default_factory=Counter)
    asked: Counter[int] = field(default_factory=Counter)
    themes: set[tuple[int, frozenset[str]]] = field(default_factory=set)
    uses: Counter[Statement | str] = field(default_factory=Counter)
    pairs: list[Pair] = field(default_factory=list)

    @classmethod
    def of(cls, pools: Sequence[Pool], rng: Generator) -> "_Ledger":
        """A ledger in which nothing is asked yet."""
        clips: dict[tuple[Statement, bool], list[int]] = defaultdict(list)
        for index in rng.permutation(len(pools)):
            for statement, truth in pools[index].items():
                clips[statement, truth].append(int(index))
        disputed = [
            {s: truth for s, truth in pool.items() if (s, not truth) in clips} for pool in pools
        ]
        return cls(disputed, dict(clips))

    def fresh_turn(self, limit: int) -> None:
        """Let every clip have questions up to the limit."""
        self.limit = limit
        self.passed.clear()

    def serve(self, clip: int, rng: Generator) -> None:
        """Ask one more question about the clip, if it is due one and a partner can be found."""
        pool = self.pools[clip]
        if self.asked[clip] >= self.limit or not pool:
            return
        chance = dict(zip(pool, rng.random(len(pool)), strict=True))
        for statement in sorted(pool, key=lambda s: (self.uses[s.kind], self.uses[s], chance[s])):
            if (clip, statement.theme) in self.themes:
                continue
            partner = self._partner(statement, not pool[statement])
            if partner is not None:
                self._book(statement, *((clip, partner) if pool[statement] else (partner, clip)))
                return

    def _partner(self, statement: Statement, truth: bool) -> int | None:
        """A clip below the limit of which the statement has this truth."""
        clips = self.clips[statement, truth]
        start = self.passed[statement, truth]
        while start < len(clips) and self.asked[clips[start]] >= self.limit:
            start += 1
        self.passed[statement, truth] = start
        for clip in clips[start:]:
            if self.asked[clip] < self.limit and (clip, statement.theme) not in self.themes:
                return clip
        return None

    def _book(self, statement: Statement, yes: int, no: int) -> None:
        self.pairs.append(Pair(statement, yes, no))
        self.uses.update([statement, statement.kind])
        self.asked.update([yes, no])
        self.themes |= {(yes, statement.theme), (no, statement.theme)}
