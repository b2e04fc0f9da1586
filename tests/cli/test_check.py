"""The plan of a recipe against an independent count: every prompt encoded whole, one by one."""

import io
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from safetensors.torch import load_file

from fmau.cli.check import Plan, check_recipe, plan_table
from fmau.core.errors import InputError, RecipeError
from fmau.core.taxonomy import Task
from fmau.dataset.examples.example import Example
from fmau.dataset.questions import load_questions
from fmau.dataset.training import TrainingData
from fmau.demo.tiny import CHECKPOINT
from fmau.families.load import load_encoder
from fmau.frames.clip import read_clip
from fmau.prompting.conversation import VIDEO_PART, messages
from fmau.prompting.prompts import load_prompts
from fmau.recipe import Recipe, load_recipe
from tests.clips import cut_off, write_audio_only, write_clip
from tests.paths import REPO
from tests.question_rows import write_questions

CLIPS = {"short": 20, "middle": 45, "long": 90}
"""Clip -> frames at 30 per second."""


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPO)  # prompt sets are looked up by name from there


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """clips/ with three clips, and questions.json about them."""
    folder = tmp_path_factory.mktemp("check")
    (folder / "clips").mkdir()
    for clip, frame_count in CLIPS.items():
        write_clip(folder / f"clips/{clip}.mp4", frame_count, height=96, width=128)
    write_questions(folder / "questions.json", CLIPS)
    return folder


def recipe(folder: Path, **values: Any) -> Recipe:
    """The shipped recipe for the tiny checkpoint with the data in `folder`; "a__b" is a.b."""
    changed = {
        "model__path": CHECKPOINT,
        "data__questions": folder / "questions.json",
        "data__clips": folder / "clips",
    }
    settings = [f"{key.replace('__', '.')}={v}" for key, v in (changed | values).items()]
    return load_recipe(REPO / "recipes/zero_shot_tiny.yaml", settings)


def whole_prompts(wanted: Recipe) -> dict[str, list[list[int]]]:
    """Clip -> token ids of the prompts of its questions, as Transformers makes them."""
    encoder = load_encoder(wanted.model)
    prompts = load_prompts(wanted.prompt.set)
    by_clip: dict[str, list[list[int]]] = {}
    for question in load_questions(wanted.data.questions).questions:
        frames = read_clip(wanted.data.clips / f"{question.clip}.mp4", wanted.frames)
        conversation = messages(question, prompts, VIDEO_PART)
        inputs = encoder.encode(conversation, frames)
        by_clip.setdefault(question.clip, []).append(inputs["input_ids"][0].tolist())
    return by_clip


def test_counts_and_sizes(folder: Path) -> None:
    plan = check_recipe(recipe(folder))
    assert plan.questions == {task: 3 * task.per_clip for task in Task}
    assert plan.clips == 3
    assert plan.mean_duration_s == pytest.approx((20 + 45 + 90) / 3 / 30)
    # 96 x 128 grown to 30,720 pixels is 151.8 x 202.4, and then rounded up to multiples of 32.
    assert (plan.frame_height, plan.frame_width) == (160, 224)
    assert plan.vision_tokens == 4 * 5 * 7
    weights = load_file(CHECKPOINT / "model.safetensors").values()
    stored = sum(tensor.numel() * tensor.element_size() for tensor in weights)
    assert plan.weights_gib == pytest.approx(stored / 2**30, rel=0.01)  # the header comes on top


def test_tokens_are_those_of_the_prompts_that_are_sent(folder: Path) -> None:
    plan = check_recipe(recipe(folder))
    ids_by_clip = whole_prompts(recipe(folder))
    every = [ids for prompts in ids_by_clip.values() for ids in prompts]
    assert plan.prompt_tokens == sum(map(len, every))
    assert plan.longest_prompt == max(map(len, every))
    video_token = json.loads((CHECKPOINT / "config.json").read_text())["video_token_id"]
    assert {Counter(ids)[video_token] for ids in every} == {plan.vision_tokens}
    saved = sum(11 * shared_prefix(prompts) for prompts in ids_by_clip.values())
    # Task texts may begin with the same token or two, which the plan does not count on.
    assert plan.computed_tokens is not None
    assert 0 <= plan.computed_tokens - (sum(map(len, every)) - saved) <= 2 * 11 * 3


def shared_prefix(prompts: list[list[int]]) -> int:
    """How many tokens all prompts have in common at their beginning."""
    columns = zip(*prompts, strict=False)
    return next(place for place, column in enumerate(columns) if len(set(column)) > 1)


def shown(wanted: Recipe, plan: Plan) -> str:
    """The plan as a wide terminal shows it."""
    console = Console(file=io.StringIO(), width=300)
    with console.capture() as capture:
        console.print(plan_table(wanted, plan))
    return capture.get()


def test_the_table_says_what_the_plan_holds(folder: Path) -> None:
    plan = check_recipe(recipe(folder))
    text = shown(recipe(folder), plan)
    assert "36 (3 CMAR, 3 FMAR, 6 MAD, 3 MADU, 3 MARE, 6 MAS, 6 PPR, 6 SAD)" in text
    assert "3, 1.72 s on average" in text
    assert f"{plan.prompt_tokens:,}; {plan.computed_tokens:,} to compute" in text


def test_a_common_text_shorter_than_a_block_is_remarked_on(folder: Path) -> None:
    wanted = recipe(folder, serve__block_size=128)
    text = shown(wanted, check_recipe(wanted))
    assert "less than a KV block (128): every question would encode" in text


def test_without_the_checkpoint_tokens_are_unknown(folder: Path) -> None:
    plan = check_recipe(recipe(folder, model__path="Some/Model-8B"))
    assert (plan.prompt_tokens, plan.weights_gib) == (None, None)
    assert plan.vision_tokens > 0


def test_a_context_that_is_too_short_is_told_with_the_length_that_fits(folder: Path) -> None:
    plan = check_recipe(recipe(folder))
    assert isinstance(plan, Plan)
    assert plan.longest_prompt is not None
    needed = plan.longest_prompt + recipe(folder).answer.max_tokens_open
    check_recipe(recipe(folder, serve__max_model_len=needed))
    with pytest.raises(RecipeError, match=rf"raise serve.max_model_len to {needed} or more"):
        check_recipe(recipe(folder, serve__max_model_len=needed - 1))


def test_a_model_path_where_nothing_is(folder: Path) -> None:
    with pytest.raises(RecipeError, match=r"model.path: there is no folder .*/nothing"):
        check_recipe(recipe(folder, model__path=folder / "nothing"))


def test_a_model_of_an_unknown_kind_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(CHECKPOINT, tmp_path / "model")
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"model_type": "llama"}))
    with pytest.raises(RecipeError, match="its type is llama"):
        check_recipe(recipe(folder, model__path=copy))


def test_a_template_for_a_task_that_no_question_has_is_told(folder: Path, tmp_path: Path) -> None:
    texts = load_prompts("zero_shot").texts.model_copy(update={"own": {"Gaze": "Look: {question}"}})
    file = tmp_path / "prompts.yaml"
    file.write_text(json.dumps(texts.model_dump(mode="json")))
    wanted = recipe(folder, prompt__set=file)
    assert "own.Gaze: no question has that task" in shown(wanted, check_recipe(wanted))
    assert "no question has that task" not in shown(recipe(folder), check_recipe(recipe(folder)))


def test_a_system_prompt_for_each_task_is_counted_where_it_cannot_be_shared(
    folder: Path, tmp_path: Path
) -> None:
    """By the tokenizer of the checkpoint, prompt by prompt."""
    texts = load_prompts("zero_shot").texts
    systems = {task: f"{task.full_name}. " * 3 for task in Task} | {Task.SAD: ""}
    file = tmp_path / "prompts.yaml"
    own = texts.model_copy(update={"systems": systems, "common": ""})
    file.write_text(json.dumps(own.model_dump(mode="json")))
    wanted = recipe(folder, prompt__set=file)
    plan = check_recipe(wanted)
    assert plan.systems == len(set(systems.values()))
    encoder = load_encoder(wanted.model)
    prompts = load_prompts(str(file))
    questions = load_questions(wanted.data.questions).questions
    frames = read_clip(folder / "clips" / f"{questions[0].clip}.mp4", wanted.frames)
    total = computed = 0
    seen = set()
    for question in questions:
        turns = messages(question, prompts, VIDEO_PART)
        ids = encoder.encode(turns, frames)["input_ids"][0].tolist()
        end = encoder.token("<|vision_end|>")
        front = len(ids) - ids[::-1].index(end)
        total += len(ids)
        key = question.clip, prompts.system_of(question.task)
        computed += len(ids) - (front if key in seen else 0)
        seen.add(key)
    assert (plan.prompt_tokens, plan.computed_tokens) == (total, computed)
    assert f"{plan.systems}; only questions with the same one share" in shown(wanted, plan)


def test_frames_as_images_are_counted_as_images(folder: Path) -> None:
    video = check_recipe(recipe(folder))
    wanted = recipe(folder, answer__frames_as="images")
    images = check_recipe(wanted)
    assert images.vision_tokens == 2 * video.vision_tokens
    assert "sent as images" in shown(wanted, images)
    assert images.prompt_tokens is None


def test_every_unusable_clip_is_listed_with_its_reason(folder: Path, tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    write_clip(clips / "good.mp4", 20)
    write_clip(clips / "one_frame.mp4", 1)
    write_audio_only(clips / "sound.mp4")
    (clips / "empty.mp4").touch()
    cut_off(write_clip(clips / "cut.mp4", 60, faststart=True), 0.5)
    names = ["good", "one_frame", "sound", "empty", "cut", "missing"]
    write_questions(tmp_path / "questions.json", names)
    with pytest.raises(InputError) as error:
        check_recipe(recipe(tmp_path))
    found = {Path(problem.where).stem: problem for problem in error.value.problems}
    assert sorted(found) == sorted(set(names) - {"good"})
    for clip, reason in {
        "one_frame": "one frame shows no movement",
        "sound": "holds no video",
        "empty": "the file is empty",
        "cut": "cut off before its end",
        "missing": "no such file",
    }.items():
        assert reason in found[clip].what
        assert "(12 questions need it)" in found[clip].what
        assert found[clip].remedy


@pytest.mark.parametrize(("examples", "few"), [(40, True), (4000, False)])
def test_steps_too_few_to_teach_are_told(examples: int, few: bool) -> None:
    wanted = load_recipe(REPO / "recipes/lora_tiny.yaml", ["train.examples_per_sequence=1"])
    assert wanted.train is not None
    one = Example(clip="nod", view="CMAR", ask="Which?", answer="A")
    data = TrainingData(train=(one,) * examples, validation=(), skipped={})
    plan = Plan({}, 1, 2.0, 160, 192, 120, training=data)
    steps = wanted.train.steps(examples)
    assert (steps < 50) is few
    said = shown(wanted, plan)
    assert f"{steps:,} of 12 sequences" in said
    assert ("so few steps teach little" in said) is few


def test_a_clips_folder_that_is_not_there_is_one_problem(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        check_recipe(recipe(folder, data__clips=tmp_path / "clips"))
    assert [problem.what for problem in error.value.problems] == ["no such folder"]


@pytest.mark.parametrize("key", ["data__questions", "data__clips"])
def test_a_relative_path_is_told_with_the_folder_it_starts_at(folder: Path, key: str) -> None:
    with pytest.raises(InputError) as error:
        check_recipe(recipe(folder, **{key: "nowhere/it.is"}))
    (problem,) = error.value.problems
    assert problem.remedy.endswith(f"a relative one starts at the current folder, {REPO}")
