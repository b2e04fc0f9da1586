"""What a recipe's frames and answers must be for a family, and how a family is found."""

import json
from pathlib import Path

import pytest

from fmau.core.errors import RecipeError
from fmau.families.family import Family, pair_times
from fmau.families.find import FAMILIES, family_of, known_family, of_type
from fmau.families.qwen3_vl import Qwen3VL
from fmau.frames.resize import target_size
from fmau.recipe import FramesBlock, ModelBlock

FRAMES = FramesBlock(min_pixels_per_frame=65536, max_pixels_per_frame=262144)


class Square(Qwen3VL):
    """A family that takes squares, one frame a group, and few tokens."""

    name = "Square"
    cell = 28
    group = 1
    square = 448
    most_tokens = 70


def frames(**changes: object) -> FramesBlock:
    return FramesBlock.model_validate(FRAMES.model_dump() | changes)


@pytest.mark.parametrize(
    ("family", "changes", "said"),
    [
        (Qwen3VL(), {"cell": 28}, "frames.cell is 28, but Qwen3-VL needs 32; set it to 32"),
        (of_type("qwen2_5_vl", "x"), {}, "frames.cell is 32, but Qwen2.5-VL needs 28"),
        (Qwen3VL(), {"group": 1}, "frames.group is 1, but Qwen3-VL needs 2"),
        (
            Square(),
            {"cell": 28, "group": 1},
            "frames.square is false, but Square needs true; set it to true",
        ),
        (
            Square(),
            {"cell": 28, "group": 1, "square": True, "max_pixels_per_frame": 336**2},
            "but Square takes squares of 448 x 448 pixels; set it to 200704",
        ),
        (
            Square(),
            {"cell": 28, "group": 1, "square": True, "max_pixels_per_frame": 448**2},
            "Square sees at most 70 cells of 28 x 28 pixels in a frame; set it to 54880 or less",
        ),
    ],
)
def test_frames_that_do_not_fit_are_refused_with_what_fits(
    family: Family, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(RecipeError) as error:
        family.check_frames(frames(**changes))
    assert said in str(error.value)


def test_frames_that_fit_are_taken() -> None:
    Qwen3VL().check_frames(FRAMES)
    of_type("qwen2_5_vl", "x").check_frames(frames(cell=28))


def test_squares_do_not_keep_the_shape() -> None:
    square = frames(cell=28, group=1, square=True, max_pixels_per_frame=448**2)
    assert target_size(1080, 1920, square) == (448, 448)
    with pytest.raises(ValueError, match="square of a multiple of 28"):
        frames(cell=28, square=True, max_pixels_per_frame=450**2)


def test_older_fingerprints_stay() -> None:
    assert FRAMES.conditions().keys() == FRAMES.model_dump().keys() - {"cell", "group", "square"}
    assert frames(cell=28).conditions()["cell"] == 28


def model(folder: Path, **config: object) -> ModelBlock:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    return ModelBlock(path=str(folder), dtype="float32")


def test_the_family_is_found_by_the_type_of_the_checkpoint(tmp_path: Path) -> None:
    for family in FAMILIES:
        for kind in family.types:
            found = family_of(model(tmp_path / kind, model_type=kind))
            assert found is known_family(ModelBlock(path=str(tmp_path / kind), dtype="float32"))
            assert type(found) is type(family)


def test_no_type_belongs_to_two_families() -> None:
    types = [kind for family in FAMILIES for kind in family.types]
    assert len(types) == len(set(types))


def test_what_is_no_checkpoint_of_a_known_family_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"type is llama, .* it knows Qwen3-VL \(qwen3_vl, "):
        family_of(model(tmp_path / "llama", model_type="llama"))
    with pytest.raises(RecipeError, match="names no model_type"):
        family_of(model(tmp_path / "none"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecipeError, match=r"its config.json cannot be read"):
        family_of(ModelBlock(path=str(tmp_path / "empty"), dtype="float32"))


def test_a_hub_model_that_this_machine_does_not_have_is_not_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    assert known_family(ModelBlock(path="some/model", dtype="float32")) is None


def test_times_are_those_of_the_middle_of_a_pair() -> None:
    assert pair_times((0, 9, 18, 27), 30.0) == [0.15, 0.75]
    assert Qwen3VL().times((0, 9, 18, 27), 30.0) == ["0.1", "0.8"]
    assert Qwen3VL().times_in("<0.1 seconds>x<0.8 seconds>") == ["0.1", "0.8"]
