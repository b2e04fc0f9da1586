"""What comes with fmau is found by name, whatever folder one works in."""

from pathlib import Path

import pytest

from fmau.core.errors import RecipeError
from fmau.core.shipped import FOLDERS, Kind, find, shipped
from tests.paths import REPO


@pytest.mark.parametrize("kind", FOLDERS)
def test_every_file_has_a_name_and_says_what_it_is_for(kind: Kind) -> None:
    files = {path.stem: path for path in (REPO / FOLDERS[kind]).glob("*.yaml")}
    found = shipped(kind)
    assert {one.name: one.path for one in found} == files != {}
    for one in found:
        assert len(one.about) > 20
        assert "#" not in one.about


def test_names_and_paths_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find("recipe", "zero_shot_tiny") == REPO / "recipes" / "zero_shot_tiny.yaml"
    (tmp_path / "zero_shot_tiny.yaml").touch()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "zero_shot_tiny").touch()
    assert find("recipe", "zero_shot_tiny") == REPO / "recipes" / "zero_shot_tiny.yaml"
    assert find("recipe", "zero_shot_tiny.yaml") == Path("zero_shot_tiny.yaml")
    assert find("recipe", Path("mine/zero_shot_tiny")) == Path("mine/zero_shot_tiny")


@pytest.mark.parametrize("given", ["nothing", "nothing.yaml", "recipes/none", f"{'x' * 300}.yaml"])
def test_what_is_not_there_is_answered_with_what_is(given: str) -> None:
    with pytest.raises(
        RecipeError, match=rf"^{given}: no such prompt set; .*brief, kit, zero_shot"
    ):
        find("prompt set", given)


@pytest.mark.parametrize("given", ["zero_shott", "zero_shott.yaml", "prompts/zero_shoot.yaml"])
def test_a_name_that_comes_near_is_suggested(given: str) -> None:
    with pytest.raises(RecipeError, match=rf"^{given}: no such prompt set; did you mean zero_shot"):
        find("prompt set", given)


def test_a_folder_is_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="is a folder; give the YAML file of a recipe in it"):
        find("recipe", tmp_path)
