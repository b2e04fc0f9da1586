"""Splits: people are kept apart, nothing is lost, and nothing of the benchmark is trained on."""

from collections import Counter
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmau.core.errors import InputError
from fmau.dataset.captions import FIELDS, CaptionedClip
from fmau.dataset.splits import Split, refuse_benchmark, split_by_participant

TEXTS = MappingProxyType(dict.fromkeys(FIELDS, "x"))


def clips_of(participants: list[str | None]) -> list[CaptionedClip]:
    return [CaptionedClip(f"c{n}", who, TEXTS, None) for n, who in enumerate(participants)]


people = st.lists(st.sampled_from("ABCDEFGH"), min_size=2, max_size=60).filter(
    lambda drawn: len(set(drawn)) > 1
)
shares = st.floats(0, 1, exclude_min=True, exclude_max=True)
seeds = st.integers(0, 2**32)


@given(participants=people, share=shares, seed=seeds)
def test_people_are_kept_apart_and_nothing_is_lost(
    participants: list[str | None], share: float, seed: int
) -> None:
    clips = clips_of(participants)
    split = split_by_participant(clips, share, seed)
    train, validation = (
        {clip.participant for clip in part} for part in (split.train, split.validation)
    )
    assert train
    assert validation
    assert not train & validation
    names = [clip.clip for clip in clips]
    assert sorted([clip.clip for clip in split.train + split.validation]) == sorted(names)
    for part in (split.train, split.validation):
        assert sorted(part, key=lambda clip: names.index(clip.clip)) == list(part)


@given(participants=people, share=shares, seed=seeds)
def test_the_share_is_met_to_within_one_participant(
    participants: list[str | None], share: float, seed: int
) -> None:
    split = split_by_participant(clips_of(participants), share, seed)
    largest = max(Counter(participants).values())
    assert abs(len(split.validation) - share * len(participants)) <= largest


@given(participants=people, share=shares, seed=seeds, data=st.data())
def test_the_draw_depends_on_the_seed_and_not_on_the_order_of_the_clips(
    participants: list[str | None], share: float, seed: int, data: st.DataObject
) -> None:
    clips = clips_of(participants)
    split = split_by_participant(clips, share, seed)
    assert split_by_participant(clips, share, seed) == split
    shuffled = split_by_participant(data.draw(st.permutations(clips)), share, seed)
    held_out = {clip.clip for clip in split.validation}
    assert {clip.clip for clip in shuffled.validation} == held_out


def test_other_seeds_draw_other_people() -> None:
    clips = clips_of([f"P{n}" for n in range(20)])
    drawn = {split_by_participant(clips, 0.2, seed).validation for seed in range(10)}
    assert len(drawn) == 10
    assert all(len(validation) == 4 for validation in drawn)


def test_many_small_participants_meet_the_share_closely() -> None:
    sizes = [100 + number % 50 for number in range(166)]
    clips = clips_of([f"P{n}" for n, size in enumerate(sizes) for _ in range(size)])
    for seed in range(5):
        held_out = len(split_by_participant(clips, 0.05, seed).validation)
        assert abs(held_out - 0.05 * len(clips)) <= 75  # half of the largest


def test_share_0_trains_on_everything_and_needs_no_participants() -> None:
    clips = clips_of([None, "A"])
    assert split_by_participant(clips, 0, 1) == Split(tuple(clips), ())


def test_clips_without_participant_cannot_be_held_out() -> None:
    with pytest.raises(
        InputError, match=r"2 of 3 have no participant.*add 'participant'.*share to 0"
    ):
        split_by_participant(clips_of([None, "A", None]), 0.1, 1)


@pytest.mark.parametrize("participants", [[], ["A"], ["A", "A"]])
def test_one_participant_cannot_be_split(participants: list[str | None]) -> None:
    with pytest.raises(InputError, match="validation needs one of its own"):
        split_by_participant(clips_of(participants), 0.5, 1)


@pytest.mark.parametrize("share", [-0.1, 1, 1.5, float("nan")])
def test_a_share_is_a_part(share: float) -> None:
    with pytest.raises(ValueError, match="0 <= share < 1"):
        split_by_participant(clips_of(["A", "B"]), share, 1)


def test_training_clips_that_are_benchmark_clips_are_named_with_their_file() -> None:
    benchmark = {"a": Path("full.json"), "b": Path("sample.json")}
    refuse_benchmark(["c", "A"], benchmark)
    with pytest.raises(InputError) as error:
        refuse_benchmark(["b", "c", "a", "b"], benchmark)
    assert [problem.where for problem in error.value.problems] == [
        "training clip b",
        "training clip a",
    ]
    assert "sample.json" in str(error.value.problems[0])
    assert "full.json" in str(error.value.problems[1])


def test_a_long_list_of_benchmark_clips_is_cut_in_print_alone() -> None:
    benchmark = {f"c{n}": Path("full.json") for n in range(100)}
    with pytest.raises(InputError) as error:
        refuse_benchmark(benchmark, benchmark)
    assert len(error.value.problems) == 100
    lines = str(error.value).splitlines()
    assert lines[0] == "100 problems found:"
    assert len(lines) == 2
    assert "c0, training clip c1" in lines[1]
    assert "and 95 more: is a benchmark clip, asked about in full.json" in lines[1]
