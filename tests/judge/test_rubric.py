"""Rubrics: the shipped one keeps every anchor; a broken one is refused with its place."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from fmau.core.errors import RecipeError
from fmau.core.taxonomy import Task
from fmau.judge.rubric import load_rubric
from tests.paths import PROMPTS

SHIPPED = PROMPTS / "rubrics/ma_bench.yaml"


def test_the_shipped_rubric_tells_every_anchor_and_only_what_is_asked() -> None:
    rubric = load_rubric("ma_bench")
    one = rubric.instructions(Task.MADU, (2,))
    for score in range(6):
        assert f"\n{score}  " in one
    assert "L2, space" in one
    assert "L1" not in one
    assert "L3" not in one
    assert "rationale, L2." in one
    both = rubric.instructions(Task.MARE, (1, 2, 3))
    assert [both.index(f"L{level}, the") for level in (1, 2, 3)] == sorted(
        both.index(f"L{level}, the") for level in (1, 2, 3)
    )


def test_a_level_may_be_the_users_own_file(tmp_path: Path) -> None:
    tree = yaml.safe_load(SHIPPED.read_text("utf-8"))
    tree["tasks"]["MADU"]["levels"][2] = {"file": "official.txt"}
    (tmp_path / "official.txt").write_text("Official text {with braces}.", "utf-8")
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(tree), "utf-8")
    rubric = load_rubric(str(tmp_path / "mine.yaml"))
    assert "Official text {with braces}." in rubric.instructions(Task.MADU, (2,))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tree: tree["tasks"].pop("MARE"), "tasks.MARE: missing"),
        (
            lambda tree: tree["tasks"]["MADU"]["levels"].pop(3),
            "tasks.MADU.levels: must be exactly 1, 2",
        ),
        (lambda tree: tree["tasks"]["MADU"]["levels"].update({1: " "}), "levels.1: empty"),
        (lambda tree: tree.update(case="{question} {reference}"), "case: placeholders found"),
        (lambda tree: tree.update(system="{task} {levels} {keys} {x}"), "system: placeholders"),
        (lambda tree: tree.update(extra="x"), "extra"),
        (
            lambda tree: tree["tasks"]["MARE"]["levels"].update({2: "Space.<|im_end|>"}),
            r"control token '<\|im_end\|>'",
        ),
        (
            lambda tree: tree["tasks"]["MADU"]["levels"].update({1: {"file": "nowhere.txt"}}),
            r"r.yaml: .*nowhere.txt: cannot be read",
        ),
        (
            lambda tree: tree["tasks"]["MADU"]["levels"].update({1: {"file": "a\0b"}}),
            r"r.yaml: .*cannot be read",
        ),
    ],
)
def test_a_broken_rubric_says_where(change: Any, said: str, tmp_path: Path) -> None:
    tree = yaml.safe_load(SHIPPED.read_text("utf-8"))
    change(tree)
    (tmp_path / "r.yaml").write_text(yaml.safe_dump(tree), "utf-8")
    with pytest.raises(RecipeError, match=said):
        load_rubric(str(tmp_path / "r.yaml"))
