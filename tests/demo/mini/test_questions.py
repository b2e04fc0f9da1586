"""The twelve questions: official form, true answers, and no pattern in what is asked."""

import json
import re
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import combinations
from math import comb

import numpy as np
import pytest

from fmau.core.taxonomy import YES_NO_TASKS, Task, action_by_code, actions, parts
from fmau.demo.mini.facts import observe
from fmau.demo.mini.questions import Row, Statement, ask, balance, candidates, choice, wording
from tests.demo.mini import oracle
from tests.demo.mini.splits import split
from tests.demo.mini.synthetic import motion, plan
from tests.paths import SAMPLE_60


def synthetic_rows(clips: int, seed: int = 0) -> tuple[list, list[Row]]:
    rng = np.random.default_rng(seed)
    made = [(plan(i, rng), observe(motion(rng))) for i in range(clips)]
    return made, ask(made, rng)


def test_twelve_rows_per_clip_in_the_official_form() -> None:
    made, rows = synthetic_rows(20)
    per_clip: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        per_clip[row["video"]][row["task"]] += 1
    assert set(per_clip) == {f"{clip.name}.mp4" for clip, _ in made}
    wanted = Counter({task.value: task.per_clip for task in Task})
    assert all(counts == wanted for counts in per_clip.values())
    assert len({row["qid"] for row in rows}) == len(rows)
    assert all(re.fullmatch(rf"{row['task']}_\d{{4}}", row["qid"]) for row in rows)
    assert [row["video"] for row in rows] != sorted(row["video"] for row in rows)


def test_same_seed_same_rows() -> None:
    assert synthetic_rows(8)[1] == synthetic_rows(8)[1]


@pytest.mark.skipif(not SAMPLE_60.exists(), reason="the official sample is not here")
def test_rows_look_like_the_official_ones() -> None:
    official = json.loads(SAMPLE_60.read_text("utf-8"))
    _, rows = synthetic_rows(8)
    assert set(rows[0]) == set(official[0])
    for task in Task:
        ours = [row for row in rows if row["task"] == task]
        theirs = [row for row in official if row["task"] == task]
        assert {row["question"].count("\n") for row in ours} == {task.option_count}
        assert {row["question"].count("\n") for row in theirs} == {task.option_count}
        if not task.is_open:
            assert {row["answer"] for row in ours} <= {row["answer"] for row in theirs}


def test_the_wording_never_names_a_label_or_depends_on_the_truth() -> None:
    clip, facts = plan(0, np.random.default_rng(0)), observe(motion(np.random.default_rng(0)))
    statements = candidates(facts, clip)
    assert {statement.task for statement in statements} == set(YES_NO_TASKS)
    for statement in statements:
        negated = replace(statement, truth=not statement.truth)
        asked = wording.word(statement, np.random.default_rng(5))
        assert asked == wording.word(negated, np.random.default_rng(5))
        assert not any(action.label.lower() in asked.lower() for action in actions())
        assert "{" not in asked


@pytest.mark.parametrize("seed", range(12))
def test_the_oracle_agrees_on_every_candidate(seed: int) -> None:
    rng = np.random.default_rng(seed)
    moved = motion(rng)
    tracks = oracle.Tracks(moved.positions_TPD.astype(float), moved.fps)
    statements = candidates(observe(moved), plan(seed, rng))
    assert {statement.truth for statement in statements} == {True, False}
    for statement in statements:
        question = wording.word(statement, rng)
        assert oracle.yes_or_no(question, tracks) == ("Yes" if statement.truth else "No"), question


def lopsided(clips: int, rng: np.random.Generator) -> list[list[Statement]]:
    """Candidates whose truth can be told from their text four times in five."""
    pools = []
    for _ in range(clips):
        pool = []
        for part in ("head", "torso", "left hand", "right hand"):
            for phase in ("early", "middle", "late"):
                likely = (part == "head") == (phase == "late")
                truth = bool(rng.random() < (0.8 if likely else 0.2))
                pool.append(Statement(Task.SAD, "direction", (part,), "upward", phase, truth))
        pools.append(pool)
    return pools


def test_balance_removes_what_the_text_tells() -> None:
    rng = np.random.default_rng(3)
    chosen = balance.choose(lopsided(400, rng), ["Head"] * 400, rng)
    cells: dict[tuple[str, ...], Counter[bool]] = defaultdict(Counter)
    for pair in chosen:
        assert pair[0].theme != pair[1].theme
        for statement in pair:
            for terms in (
                (),
                statement.parts,
                (statement.scope,),
                (*statement.parts, statement.scope),
            ):
                cells[terms][statement.truth] += 1
    assert len(cells) == 1 + 4 + 3 + 12
    assert all(abs(cell[True] - cell[False]) <= 2 for cell in cells.values())
    pairs = Counter(tuple(statement.truth for statement in pair) for pair in chosen)
    assert max(pairs.values()) - min(pairs.values()) <= 2


def test_statements_that_are_always_true_are_not_asked() -> None:
    rng = np.random.default_rng(4)
    pools = lopsided(60, rng)
    for pool in pools:
        pool.append(Statement(Task.SAD, "direction", ("left foot",), "upward", "early", True))
    named = {s.parts[0] for pair in balance.choose(pools, ["Head"] * 60, rng) for s in pair}
    assert "left foot" not in named


def test_what_is_asked_does_not_tell_the_group() -> None:
    """Half of the clips can be asked about the head only in one phase, half in all three."""
    rng = np.random.default_rng(5)
    pools, groups = lopsided(300, rng), ["Head", "Body"] * 150
    for pool, group in zip(pools, groups, strict=True):
        if group == "Body":
            pool[:] = [s for s in pool if s.parts != ("head",) or rng.random() < 0.4]
    uses = Counter(
        (group, statement.terms)
        for group, pair in zip(groups, balance.choose(pools, groups, rng), strict=True)
        for statement in pair
    )
    assert len(uses) == 24
    assert all(abs(n - uses["Body", terms]) <= 4 for (_, terms), n in uses.items())


def test_a_clip_without_choice_is_an_error() -> None:
    only = Statement(Task.SAD, "direction", ("head",), "upward", "early", True)
    with pytest.raises(ValueError, match="clip 0"):
        balance.choose([[only]], ["Head"], np.random.default_rng(0))


def test_option_sets_say_nothing_exactly() -> None:
    """Expected weight of every (option set, answer), summed over the casting, in closed form."""
    weights: dict[tuple[frozenset[str], str], float] = defaultdict(float)
    small, partner = ([a.label for a in part.actions] for part in (parts()[6], parts()[4]))
    for part in parts():
        labels = [action.label for action in part.actions]
        for answer in labels:
            prior = 1 / 7 / len(labels)
            if part.label == "Leg-hand":
                for guest in partner:
                    weights[frozenset([*small, guest]), answer] += prior / len(partner)
                continue
            mixed = 0.25 if part.label == "Body-hand" else 0.0
            if mixed:
                weights[frozenset([*small, answer]), answer] += prior * mixed
            for others in combinations([label for label in labels if label != answer], 4):
                share = (1 - mixed) / comb(len(labels) - 1, 4)
                weights[frozenset([answer, *others]), answer] += prior * share
    by_set: dict[frozenset[str], list[float]] = defaultdict(list)
    for (options, _), weight in weights.items():
        by_set[options].append(weight)
    assert all(len(row) == 5 and np.ptp(row) < 1e-12 for row in by_set.values())

    codes = [
        a.code for part in parts() for a in part.actions for _ in range(120 // len(part.actions))
    ]
    drawn = choice.fine_options(codes, np.random.default_rng(0))
    for code, (listed, letter) in zip(codes, drawn, strict=True):
        answer = listed["ABCDE".index(letter)]
        assert answer == action_by_code()[code].label
        assert (frozenset(listed), answer) in weights
    quarter = [
        code
        for code, (listed, _) in zip(codes, drawn, strict=True)
        if code.startswith("E") and set(small) < set(listed)
    ]
    assert Counter(quarter) == {action.code: 5 for action in parts()[4].actions}


def test_letters_are_balanced() -> None:
    codes = [action.code for action in actions()] * 5
    for draw, size in ((choice.coarse_options, 7), (choice.fine_options, 5)):
        letters = Counter(letter for _, letter in draw(codes, np.random.default_rng(1)))
        assert len(letters) == size
        assert max(letters.values()) - min(letters.values()) <= 1


@pytest.mark.slow
def test_the_oracle_answers_every_closed_question_of_a_cast_split() -> None:
    cast, rows = split(160, seed=1)
    clips = {f"{clip.plan.name}.mp4": clip for clip in cast}
    for row in rows:
        clip = clips[row["video"]]
        action = action_by_code()[clip.code]
        tracks = oracle.Tracks(clip.motion.positions_TPD.astype(float), clip.motion.fps)
        if row["task"] in YES_NO_TASKS:
            assert oracle.yes_or_no(row["question"], tracks) == row["answer"], row
        elif row["task"] == Task.CMAR:
            assert oracle.letter(row["question"], action.part) == row["answer"], row
        elif row["task"] == Task.FMAR:
            assert oracle.letter(row["question"], action.label) == row["answer"], row
        else:
            assert not oracle.false_claims(row["answer"], tracks), row


@pytest.mark.slow
def test_answers_of_a_cast_split_are_balanced() -> None:
    _, rows = split(160, seed=1)
    for task in YES_NO_TASKS:
        mine = [row for row in rows if row["task"] == task]
        counts = Counter(row["answer"] for row in mine)
        assert abs(counts["Yes"] - counts["No"]) <= 2
        pairs: dict[str, str] = defaultdict(str)
        for row in sorted(mine, key=lambda row: row["qid"]):
            pairs[row["video"]] += row["answer"][0]
        shares = Counter(pairs.values())
        assert all(shares[pair] / 160 == pytest.approx(0.25, abs=0.02) for pair in ("YY", "NN"))
