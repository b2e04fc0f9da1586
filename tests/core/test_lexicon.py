"""The words stand once, do not contradict each other, and reach each reader that shall know them.

The generator of the mini benchmark wrote its parts, phases and directions down by itself; so they
are held against it.
"""

from collections import Counter
from itertools import chain

import pytest

from fmau.core import lexicon
from fmau.core.lexicon import BODY_WORDS, JUDGED_SIDED, LIMBS, REGION, BodyWord, Words
from fmau.core.taxonomy import parts
from fmau.dataset.examples.marking import mark
from fmau.demo.mini.facts import DIRECTIONS, PHASES
from fmau.demo.mini.plan import BODY_PARTS
from fmau.judge.calibrate import perturb
from fmau.judge.embedded.features import features
from fmau.judge.embedded.patterns import OPPOSITES
from tests.paths import SAMPLE_60

REGIONS_OF_CLAIMS = {
    "head": "head",
    "torso": "torso",
    "upper arm": "upper limb",
    "lower arm": "upper limb",
    "hand": "upper limb",
    "upper leg": "lower limb",
    "lower leg": "lower limb",
    "foot": "lower limb",
}
WORD_TABLES = {**lexicon.PHASE_WORDS, **lexicon.DIRECTION_VERBS}
EXCHANGES = {
    "sides": perturb.OTHER_SIDE,
    "times": perturb.OTHER_TIME,
    "parts": perturb.OTHER_PART,
    "directions": lexicon.OPPOSITE,
    "facts": OPPOSITES,
}


def forms(row: BodyWord) -> list[str]:
    return [form for form in (row.word, row.plural) if form]


def repeated(words: list[str]) -> list[str]:
    return [word for word, count in Counter(words).items() if count > 1]


def test_parts_phases_and_directions_are_those_of_the_benchmark() -> None:
    assert lexicon.PARTS == BODY_PARTS
    assert lexicon.PHASES == PHASES
    assert tuple(chain(*lexicon.AXES.values())) == DIRECTIONS


@pytest.mark.parametrize("table", EXCHANGES.values(), ids=EXCHANGES)
def test_whatever_is_exchanged_is_exchanged_both_ways(table: dict[str, str]) -> None:
    assert table
    for one, other in table.items():
        assert one != other
        assert table[other] == one


def test_no_direction_lies_on_two_axes_and_no_word_on_two_sides() -> None:
    assert set(lexicon.AXIS) == set(lexicon.OPPOSITE) == set(DIRECTIONS)
    for way, axis in lexicon.AXIS.items():
        assert lexicon.AXIS[lexicon.OPPOSITE[way]] == axis
    for one, other in perturb.OTHER_SIDE.items():
        assert ("left" in one, "right" in one) == ("right" in other, "left" in other)
        assert ("left" in one) is not ("right" in one)
    assert all(way == f"{short}ward" for way, short in lexicon.SHORT.items())
    assert tuple(lexicon.SHORT[way] for way in lexicon.AXES["horizontal"]) == lexicon.SIDES


def test_no_word_names_two_parts_two_phases_or_two_directions() -> None:
    assert not repeated([form for row in BODY_WORDS for form in forms(row)])
    adverbs = list(lexicon.PHASE_ADVERBS.values())
    for table in (lexicon.PHASE_WORDS, lexicon.DIRECTION_VERBS):
        words = [word for row in table.values() for word in row.both + row.claims + row.judge]
        assert not repeated([*words, *adverbs])


def test_every_part_is_named_and_named_in_its_region() -> None:
    assert {row.claim for row in BODY_WORDS if row.claim} == {*LIMBS, "head", "torso"}
    assert {row.part for row in BODY_WORDS if row.judge} == set(REGION)
    for row in BODY_WORDS:
        assert row.claim or row.judge, f"nobody reads {row.word!r}"
        if row.claim:
            assert REGIONS_OF_CLAIMS[row.claim] == REGION[row.part]
        if row.claim in LIMBS:
            assert row.plural, "both sides have one"
    plurals = {row.plural for row in BODY_WORDS}
    for group, limbs in lexicon.LIMB_GROUPS.items():
        assert set(group.split(" and ")) <= plurals
        assert len({REGIONS_OF_CLAIMS[limb] for limb in limbs}) == 1


def test_every_group_of_the_taxonomy_is_named() -> None:
    words = {row.word for row in BODY_WORDS if row.judge}
    for part in parts():
        named = part.label.lower().split("-")
        assert set(named) - {"body"} <= words, part.label


def test_parts_are_exchanged_for_parts_of_another_region() -> None:
    regions = {form: REGION[row.part] for row in BODY_WORDS for form in forms(row)}
    regions |= {"limb": "a limb", "limbs": "a limb", "trunks": "torso"}
    for one, other in perturb.OTHER_PART.items():
        assert regions[one] != regions[other]


@pytest.mark.parametrize("words", WORD_TABLES.values(), ids=WORD_TABLES)
def test_readers_share_some_words_and_keep_others(words: Words) -> None:
    assert set(words.for_claims) & set(words.for_judge) == set(words.both)


@pytest.mark.parametrize("row", BODY_WORDS, ids=lambda row: row.word)
def test_a_body_word_reaches_its_readers(row: BodyWord) -> None:
    for form in forms(row) if row.claim in LIMBS else [row.word]:
        side = "left " if form == row.word and row.claim in LIMBS else ""
        marked = mark(f"the {side}{form} moves")
        assert ("{" in marked) == bool(row.claim), marked
        assert row.claim in marked
    if row.judge:
        for form in forms(row):
            assert features(f"The {form} leans.").lead == row.part


@pytest.mark.parametrize(
    ("text", "marked", "early"),
    [
        ("in the opening phase", "[early]", False),
        ("in the initial phase", "[early]", True),
        ("it begins", "it begins", True),
        ("initially", "[early]", True),
    ],
)
def test_claim_reader_and_judge_know_different_words_for_phases(
    text: str, marked: str, early: bool
) -> None:
    assert mark(text) == marked
    assert (("early", "head", "nods") in features(f"{text}, the head nods.").time) is early


def test_a_side_alone_is_a_direction_for_the_claim_reader_and_a_side_for_the_judge() -> None:
    assert mark("the head moves left") == "{head} moves <leftward>"
    assert features("The head moves left.").space == frozenset()
    assert features("The head moves to the left.").space == {("head", "leftward")}
    assert features("The left hand rests.").space == {("hand", "left")}


def test_the_judge_reads_a_side_before_the_listed_words_only() -> None:
    known = {form for row in BODY_WORDS if row.judge for form in forms(row)}
    assert set(JUDGED_SIDED) <= known
    for word in known:
        sided = any("left" in fact for fact in features(f"The left {word} leans.").space)
        # "left upper limb" is read by "limb" alone.
        assert sided is (word in JUDGED_SIDED or "limb" in word), word
    on_limbs = {form for row in BODY_WORDS if "limb" in REGION[row.part] for form in forms(row)}
    gaps = {"palm", "fist", "thumb", "wrist", "toe", "ankle", "heel"}
    gaps |= {f"{word}s" for word in gaps} | {"calves"}
    assert {word for word in known & on_limbs if "limb" not in word} - gaps <= set(JUDGED_SIDED)
    assert not gaps & set(JUDGED_SIDED)


@pytest.mark.skipif(not SAMPLE_60.exists(), reason="needs the MA-Bench sample")
def test_the_benchmark_names_every_part_and_phase() -> None:
    text = SAMPLE_60.read_text("utf-8").lower()
    for name in (*lexicon.PARTS, *lexicon.PHASES):
        assert name in text
