"""Positions without weights: those of the model, in a rule that loader processes can carry."""

import pickle

import pytest
import torch

from fmau.train.positions import position_rule
from tests.processors import small_model


@pytest.mark.parametrize("grids", [[(2, 4, 6)], [(4, 8, 4), (1, 4, 4)]])
def test_the_positions_are_those_of_the_model(grids: list[tuple[int, int, int]]) -> None:
    model = small_model().model
    video = model.config.video_token_id
    ids: list[int] = [20] * 5
    for pairs, rows, columns in grids:
        for _ in range(pairs):
            ids += [21, *[video] * (rows * columns // 4), 22]
        ids += [30] * 7
    ids_1L = torch.tensor([ids])
    inputs = {
        "input_ids": ids_1L,
        "mm_token_type_ids": (ids_1L == video).int() * 2,
        "video_grid_thw": torch.tensor(grids),
    }
    expected, offset = model.get_rope_index(**inputs)
    found, found_offset = position_rule(model.config)(**inputs)
    assert torch.equal(found, expected)
    assert torch.equal(found_offset, offset)
    assert not torch.equal(expected[0], expected[1]), "a grid with more than one row"


def test_a_pickled_rule_has_no_weights() -> None:
    model = small_model()
    rule = position_rule(model.config)
    text = pickle.dumps(rule)
    assert len(text) < 20_000 < len(pickle.dumps(model.model.get_rope_index))
    ids_1L = torch.tensor([[20, 30]])
    inputs = {"input_ids": ids_1L, "mm_token_type_ids": torch.zeros_like(ids_1L)}
    assert pickle.loads(text)(**inputs)[0][:, 0].tolist() == [[0, 1]] * 3
