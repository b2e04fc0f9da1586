"""Every statement is asked as often about clips of which it is true as about others."""

from collections import Counter
from math import ceil

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fmau.core.taxonomy import Task
from fmau.dataset.examples.pairing import Pool, pair_up
from fmau.dataset.examples.statements import Statement

STATEMENTS = [
    Statement(Task.SAD, "direction", (part, way, phase))
    for part in ("head", "torso", "left hand")
    for way in ("upward", "downward", "leftward")
    for phase in ("early", "late")
]
POOLS = st.lists(st.dictionaries(st.sampled_from(STATEMENTS), st.booleans()), max_size=25)


@given(POOLS, st.floats(0.1, 3), st.integers(0, 9))
def test_pairs_are_true_and_false_once_each(pools: list[Pool], mean: float, seed: int) -> None:
    pairs = pair_up(pools, mean, np.random.default_rng(seed))
    assert len(pairs) <= round(mean * len(pools)) / 2
    asked: Counter[int] = Counter()
    themes = set()
    for pair in pairs:
        assert pools[pair.yes][pair.statement] is True
        assert pools[pair.no][pair.statement] is False
        asked.update([pair.yes, pair.no])
        themes |= {(pair.yes, pair.statement.theme), (pair.no, pair.statement.theme)}
    assert max(asked.values(), default=0) <= 2 * ceil(mean)
    assert len(themes) == 2 * len(pairs), "a clip is asked twice about the same thing"
    assert pairs == pair_up(pools, mean, np.random.default_rng(seed))


def test_clips_that_agree_on_everything_are_not_asked() -> None:
    pools = [{STATEMENTS[0]: True}, {STATEMENTS[0]: True}, {STATEMENTS[1]: False}]
    assert pair_up(pools, 2, np.random.default_rng(0)) == []


def test_the_number_asked_for_is_reached_evenly() -> None:
    rng = np.random.default_rng(0)
    pools = [{s: bool(rng.random() < 0.5) for s in STATEMENTS} for _ in range(40)]
    pairs = pair_up(pools, 1.5, rng)
    assert len(pairs) == 30
    asked = Counter(clip for pair in pairs for clip in (pair.yes, pair.no))
    assert set(asked.values()) == {1, 2}
    assert len(asked) == 40


def test_clips_with_much_to_ask_make_up_for_others() -> None:
    full: list[Pool] = [dict.fromkeys(STATEMENTS, truth) for truth in (True, False)]
    pools = [*full, {}, {}]
    pairs = pair_up(pools, 1, np.random.default_rng(0))
    assert [(pair.yes, pair.no) for pair in pairs] == [(0, 1), (0, 1)]


def test_kinds_and_statements_take_turns() -> None:
    kinds = [Statement(Task.SAD, kind, ("head",)) for kind in ("return", "rest throughout")]
    pools: list[Pool] = [dict.fromkeys([*kinds, *STATEMENTS], n % 2 == 0) for n in range(60)]
    uses = Counter(pair.statement for pair in pair_up(pools, 1, np.random.default_rng(0)))
    assert uses[kinds[0]] == uses[kinds[1]] == 10
    assert max(uses[s] for s in STATEMENTS) == 1
