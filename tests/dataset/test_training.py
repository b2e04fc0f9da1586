"""Groups of examples that share a sequence."""

from hypothesis import given
from hypothesis import strategies as st

from fmau.dataset.examples.example import Example
from fmau.dataset.training import TrainingData

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
