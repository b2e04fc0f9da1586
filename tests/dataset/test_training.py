"""Groups of examples that share a sequence, and what of a recipe reaches the readers."""

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from fmau.dataset.captions import FIELDS
from fmau.dataset.examples.example import Example
from fmau.dataset.training import TrainingData, load_training_data
from fmau.recipe import TrainBlock

DRAWN = st.tuples(st.sampled_from("abc"), st.sampled_from(["CMAR", "SAD"]))


@given(drawn=st.lists(DRAWN, max_size=40), limit=st.integers(1, 9))
def test_every_example_is_in_one_group_of_its_clip(
    drawn: list[tuple[str, str]], limit: int
) -> None:
    examples = tuple(Example(clip, view, str(n), "Yes") for n, (clip, view) in enumerate(drawn))
    groups = TrainingData(examples, (), {}).sequences(limit)
    grouped = [example for group in groups for example in group]
    assert len(grouped) == len(examples)
    assert set(grouped) == set(examples)
    sizes: dict[str, list[int]] = {}
    for group in groups:
        assert len({example.clip for example in group}) == 1
        sizes.setdefault(group[0].clip, []).append(len(group))
    for of_clip in sizes.values():
        assert min(of_clip) >= 1
        assert max(of_clip) <= limit
        assert max(of_clip) - min(of_clip) <= 1
        assert len(of_clip) == -(-sum(of_clip) // limit), "no more groups than are needed"


def test_people_are_held_out_by_the_names_of_their_clips(tmp_path: Path) -> None:
    """Names as 0030_01_0002: all clips of a person are on one side, and labels give questions."""
    names = [f"{person:04}_B{label}_a" for person in range(8) for label in range(1, 7)]
    rows = [{"video": name, "caption": dict.fromkeys(FIELDS, "It moves.")} for name in names]
    (tmp_path / "captions.json").write_text(json.dumps(rows), "utf-8")
    data = {"captions": tmp_path / "captions.json", "clips": "clips", "cache": "cache"}
    data |= {"benchmarks": (), "validation_share": 0.25, "participant_pattern": r"(\d{4})_.*"}
    data |= {"label_pattern": r"\d+_(\w\d)_."}
    block = TrainBlock.model_validate({"data": data, "mixture": {"caption": 1, "FMAR": 1}})
    found = load_training_data(block)
    people = [{example.clip[:4] for example in part} for part in (found.train, found.validation)]
    assert len(people[1]) == 2
    assert not people[0] & people[1]
    assert {example.clip for example in found.train if example.view == "caption"} == {
        name for name in names if name[:4] in people[0]
    }
    assert found.counts()["FMAR"] > 0
