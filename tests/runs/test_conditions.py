"""The fingerprint moves with what can change an answer, and with nothing else."""

import hashlib
import json
from pathlib import Path

import pytest

from fmau.core.errors import RecipeError
from fmau.core.records import Option, Question
from fmau.core.taxonomy import Task
from fmau.prompting.prompts import PromptSet
from fmau.recipe import Recipe
from fmau.runs import conditions, fingerprint, folder_digest
from fmau.runs.conditions import differences, row_mark

TREE = {
    "name": "a",
    "model": {"path": "Qwen/Qwen3-VL-8B-Instruct", "revision": "abc", "dtype": "float32"},
    "data": {"questions": "q.json", "clips": "clips"},
    "frames": {"min_pixels_per_frame": 4096, "max_pixels_per_frame": 65536},
    "prompt": {"set": "zero_shot"},
}
PROMPTS = PromptSet(system="s", common="c", tasks=dict.fromkeys(Task, "{question}"))
QUESTION = Question("q1", "clip", Task.FMAR, "Which?", (Option("A", "Nodding", "B1"),))


def recipe(**changes: object) -> Recipe:
    """The base recipe with values at "block.key" replaced ("__" stands for the dot)."""
    tree = json.loads(json.dumps(TREE))
    for key, value in changes.items():
        *blocks, leaf = key.split("__")
        at = tree
        for block in blocks:
            at = at.setdefault(block, {})
        at[leaf] = value
    return Recipe.model_validate(tree)


def changed(**changes: object) -> list[str]:
    return differences(conditions(recipe(), PROMPTS), conditions(recipe(**changes), PROMPTS))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"model__revision": "def"}, "model.revision: 'abc' -> 'def'"),
        ({"model__dtype": "bfloat16"}, "dtype: 'float32' -> 'bfloat16'"),
        ({"frames__count": 16}, "frames.count: 8 -> 16"),
        ({"frames__jpeg_quality": 80}, "frames.jpeg_quality: 95 -> 80"),
        ({"answer__max_tokens_open": 64}, "max_tokens_open: 512 -> 64"),
        ({"answer__frames_as": "images"}, "frames_as: absent -> 'images'"),
        ({"answer__constrain": False}, "constrain: absent -> False"),
    ],
)
def test_what_can_change_an_answer_is_named(change: dict[str, object], line: str) -> None:
    assert changed(**change) == [line]


def test_the_prompt_sets_texts_and_its_switch_are_named() -> None:
    coded = PROMPTS.model_copy(update={"strip_class_codes": False, "common": "other"})
    found = differences(conditions(recipe(), PROMPTS), conditions(recipe(), coded))
    assert [line.partition(":")[0] for line in found] == ["prompts.common", "strip_class_codes"]
    assert found[1] == "strip_class_codes: True -> False"


def test_a_set_without_systems_has_the_conditions_that_it_always_had() -> None:
    texts = {"system": "s", "common": "c", "tasks": dict.fromkeys(map(str, Task), "{question}")}
    assert conditions(recipe(), PROMPTS)["prompts"] == texts
    own = PROMPTS.model_copy(update={"systems": {Task.MAS: ""}})
    found = differences(conditions(recipe(), PROMPTS), conditions(recipe(), own))
    assert found == ["prompts.systems.MAS: absent -> ''"]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "b"},
        {"runs": "elsewhere"},
        {"data__clips": "moved"},
        {"serve__port": 9000},
        {"answer__clips_in_flight": 2},
        {"answer__retries": 0},
        {"answer__request_timeout_s": 1.0},
    ],
)
def test_what_cannot_is_left_out(change: dict[str, object]) -> None:
    assert changed(**change) == []
    assert fingerprint(conditions(recipe(**change), PROMPTS)) == fingerprint(
        conditions(recipe(), PROMPTS)
    )


def test_a_prompt_text_is_named_without_printing_all_of_it() -> None:
    other = PROMPTS.model_copy(update={"tasks": PROMPTS.tasks | {Task.SAD: "new {question}" * 50}})
    (line,) = differences(conditions(recipe(), PROMPTS), conditions(recipe(), other))
    assert line.startswith("prompts.tasks.SAD: '{question}' -> ")
    assert len(line) < 200


def checkpoint(folder: Path, weights: bytes) -> Path:
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "config.json").write_text("{}", "utf-8")
    return folder


def test_a_local_model_is_its_contents_not_its_path(tmp_path: Path) -> None:
    first, copy = checkpoint(tmp_path / "a", b"w" * 100), checkpoint(tmp_path / "b", b"w" * 100)
    other = checkpoint(tmp_path / "c", b"w" * 99 + b"x")
    of = {p: conditions(recipe(model__path=str(p)), PROMPTS) for p in (first, copy, other)}
    assert of[first] == of[copy]
    assert [line.split(":")[0] for line in differences(of[first], of[other])] == ["model.weights"]


def test_folder_digest_covers_names_and_every_byte(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "a", b"w")
    total = folder_digest(folder)
    sums = [
        [name, hashlib.sha256((folder / name).read_bytes()).hexdigest()]
        for name in ("config.json", "model.safetensors")
    ]
    assert total == hashlib.sha256(json.dumps(sums).encode()).hexdigest()
    (folder / "README.md").write_text("not read by a server", "utf-8")
    assert folder_digest(folder) == total
    (folder / "model.safetensors").rename(folder / "other.safetensors")
    assert folder_digest(folder) != total


def test_an_adapter_changes_the_fingerprint(tmp_path: Path) -> None:
    adapter = checkpoint(tmp_path / "adapter", b"lora")
    with_adapter = conditions(recipe(), PROMPTS, adapter)
    assert [d.split(":")[0] for d in differences(conditions(recipe(), PROMPTS), with_adapter)] == [
        "adapter"
    ]


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", "utf-8")
    with pytest.raises(RecipeError, match="no weight file"):
        folder_digest(tmp_path)
    with pytest.raises(RecipeError, match="no such folder; give the folder of a checkpoint"):
        folder_digest(tmp_path / "missing")


@pytest.mark.parametrize(
    ("run", "question", "clip_bytes"),
    [
        ("other", QUESTION, 10),
        ("run", Question("q1", "clip", Task.FMAR, "Which one?", QUESTION.options), 10),
        ("run", Question("q1", "clip", Task.FMAR, "Which?", (Option("A", "Nodding"),)), 10),
        ("run", Question("q1", "clip2", Task.FMAR, "Which?", QUESTION.options), 10),
        ("run", QUESTION, 11),
        ("run", QUESTION, None),
    ],
)
def test_row_fingerprint_covers_run_question_and_clip(
    run: str, question: Question, clip_bytes: int | None
) -> None:
    mark, plain = row_mark(run, question, clip_bytes), row_mark("run", QUESTION, 10)
    assert mark.fingerprint != plain.fingerprint
    same_question = (run, question) == ("run", QUESTION)
    assert (mark.without_clip == plain.without_clip) is same_question
