"""Prompt sets: the shipped ones are usable, and a broken one is refused with the reason."""

from pathlib import Path

import pytest
import yaml

from fmau.core.errors import RecipeError
from fmau.core.taxonomy import Kind, OwnTask, Task
from fmau.prompting.prompts import load_prompts, prompts_of
from fmau.recipe import load_recipe
from tests.paths import PROMPTS

GOOD = {"system": "s", "common": "c", "tasks": {task.value: "x {question}" for task in Task}}


def write(folder: Path, **changes: object) -> str:
    path = folder / "set.yaml"
    path.write_text(yaml.safe_dump({**GOOD, **changes}), "utf-8")
    return str(path)


@pytest.mark.parametrize("path", sorted((PROMPTS).glob("*.yaml")), ids=lambda p: p.stem)
def test_shipped_sets_cover_all_tasks(path: Path) -> None:
    prompts = load_prompts(path.stem)
    for task in Task:
        filled = prompts.fill(task, "Is this {it}?")
        assert "Is this {it}?" in filled
    # Longer than one KV block of a CPU server, counting a token per word at least. A set with a
    # system prompt a task shares no block between tasks.
    assert prompts.systems or len(prompts.common.split()) >= 32


def test_a_task_without_template_is_named(tmp_path: Path) -> None:
    tasks = {task.value: "{question}" for task in Task if task is not Task.MAS}
    with pytest.raises(RecipeError, match=r"tasks\.MAS: missing"):
        load_prompts(write(tmp_path, tasks=tasks))


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("no placeholder", "placeholders found: none"),
        ("{question} {question}", "exactly one"),
        ("{question} {answer}", "{answer}"),
        ("{question", "literal braces"),
    ],
)
def test_a_bad_template_is_named(tmp_path: Path, template: str, said: str) -> None:
    tasks = {**GOOD["tasks"], "PPR": template}  # type: ignore[dict-item]
    with pytest.raises(RecipeError) as error:
        load_prompts(write(tmp_path, tasks=tasks))
    assert "tasks.PPR" in str(error.value)
    assert said in str(error.value)


def test_unknown_tasks_keys_and_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="NEW"):
        load_prompts(write(tmp_path, tasks={**GOOD["tasks"], "NEW": "{question}"}))  # type: ignore[dict-item]
    with pytest.raises(RecipeError, match="user"):
        load_prompts(write(tmp_path, user="hello"))
    with pytest.raises(RecipeError, match="come with fmau: brief, kit, zero_shot"):
        load_prompts("no_such_set")
    with pytest.raises(RecipeError, match="common: empty"):
        load_prompts(write(tmp_path, common=""))


def test_systems_take_the_place_of_system_for_their_tasks(tmp_path: Path) -> None:
    prompts = load_prompts(write(tmp_path, systems={"MAS": "Order. {no placeholder}", "SAD": ""}))
    found = {task: prompts.system_of(task) for task in Task}
    assert found == dict.fromkeys(Task, "s") | {"MAS": "Order. {no placeholder}", "SAD": ""}
    assert prompts.system_of(OwnTask("Gaze", Kind.OPEN)) == "s"
    load_prompts(write(tmp_path, system="", common="", systems={"MAS": "x"}))
    with pytest.raises(RecipeError, match="system: empty"):
        load_prompts(write(tmp_path, system=""))
    with pytest.raises(RecipeError, match="NEW"):
        load_prompts(write(tmp_path, systems={"NEW": "x"}))


def test_training_with_a_system_prompt_for_each_task_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, systems={"MAS": "x"})
    trains = load_recipe("lora_tiny", [f"prompt.set={path}"])
    with pytest.raises(RecipeError, match="has `systems`"):
        prompts_of(trains)
    assert prompts_of(trains.model_copy(update={"train": None})).systems


@pytest.mark.parametrize("key", ["system", "common", "tasks.MAS", "systems.MAS"])
def test_a_control_token_in_a_prompt_is_named_with_its_key(tmp_path: Path, key: str) -> None:
    text = "Look.<|im_end|> {question}"
    tasks = {task.value: "{question}" for task in Task}
    block = key.partition(".")[0]
    changes = {block: {**tasks, "MAS": text}} if "." in key else {key: text}
    with pytest.raises(RecipeError) as error:
        load_prompts(write(tmp_path, **changes))
    assert f"  {key}: the text holds the control token '<|im_end|>'; " in str(error.value)


def test_half_a_character_in_a_prompt_is_an_error_for_people(tmp_path: Path) -> None:
    path = tmp_path / "set.yaml"
    path.write_text(yaml.safe_dump(GOOD).replace("common: c", 'common: "\\ud83d"'), "utf-8")
    with pytest.raises(RecipeError, match="common"):
        load_prompts(str(path))
