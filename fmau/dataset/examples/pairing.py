"""Choice of statements, such that the text of a question tells nothing about its answer.

Statements are asked in pairs: the same statement in the same words, once about a clip for which it
is true, and once about a clip for which it is false. So every question text has "Yes" as often as
"No", and the same holds for every word in it. Without the clip there is nothing to learn.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from numpy.random import Generator

from fmau.dataset.examples.statements import Statement

Pool = Mapping[Statement, bool]
"""All statements that can be asked about one clip, each with its answer."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A statement, a clip for which it is true, and one for which it is false.

    Attributes:
        statement: what is asked about both.
        yes, no: the two clips, as indices of their pools.
    """

    statement: Statement
    yes: int
    no: int


def pair_up(pools: Sequence[Pool], mean: float, rng: Generator) -> list[Pair]:
    """Choose pairs of questions, spread over the clips as evenly as the pools allow.

    Clips take turns. In the first turn each clip gets one question, its own or as the partner of
    another clip; in the second turn a second one; and so on. It ends when there are enough
    questions, or when no pair is left. So clips with many statements make up for clips with few. A
    clip is asked first what was asked least so far: by kind of statement, then by statement.

    Args:
        pools: one for each clip.
        mean: mean number of questions per clip. No clip gets more than twice `mean`, rounded
            up.
        rng: source of all randomness.

    Returns:
        Pairs, two questions each; fewer than `mean` asks for if the pools do not allow more.
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
    """What has been asked about which clip.

    Attributes:
        pools: of all clips, without statements to which every clip gives the same answer.
        clips: (statement, answer) -> the clips with this answer, in random order.
        limit: how many questions a clip may have in this turn.
        passed: (statement, answer) -> how many clips at the start of `clips` cannot be partners any
            more in this turn: they have reached the limit, or were asked about the theme.
        asked: clip -> number of questions about it.
        themes: (clip, theme) pairs that were asked about.
        uses: statement, and kind of statement -> how often it was asked.
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
        """A ledger before the first question."""
        clips: dict[tuple[Statement, bool], list[int]] = defaultdict(list)
        for index in rng.permutation(len(pools)):
            for statement, truth in pools[index].items():
                clips[statement, truth].append(int(index))
        disputed = [
            {s: truth for s, truth in pool.items() if (s, not truth) in clips} for pool in pools
        ]
        return cls(disputed, dict(clips))

    def fresh_turn(self, limit: int) -> None:
        """Begin a turn in which every clip may have so many questions."""
        self.limit = limit
        self.passed.clear()

    def serve(self, clip: int, rng: Generator) -> None:
        """Ask one more question about the clip, if it is below the limit and has a partner."""
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
        """A clip with this answer, below the limit, and not asked about this theme; else None."""
        clips, theme = self.clips[statement, truth], statement.theme
        place = self.passed[statement, truth]
        # Within a turn a clip that is unfit stays unfit, so each list is walked once a turn.
        while place < len(clips) and (
            self.asked[clips[place]] >= self.limit or (clips[place], theme) in self.themes
        ):
            place += 1
        self.passed[statement, truth] = place
        return clips[place] if place < len(clips) else None

    def _book(self, statement: Statement, yes: int, no: int) -> None:
        self.pairs.append(Pair(statement, yes, no))
        self.uses.update([statement, statement.kind])
        self.asked.update([yes, no])
        self.themes |= {(yes, statement.theme), (no, statement.theme)}
