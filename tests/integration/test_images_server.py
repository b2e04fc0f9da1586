"""Frames as images through the real vLLM, asked as the starter kit asks, against Transformers.

The kit's rule decides which frames are seen; the truth is drawn on the frames themselves.
"""

import io
import json
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import pytest
import yaml
from PIL import Image

from fmau.answer import answer_recipe
from fmau.answer.request import ClipParts, build_request
from fmau.core.errors import ServerError
from fmau.core.taxonomy import Task
from fmau.dataset.questions import load_questions
from fmau.demo.tiny import CHECKPOINT
from fmau.frames.clip import ClipFrames, read_clip
from fmau.frames.images import distinct_frames
from fmau.prompting.conversation import messages
from fmau.prompting.prompts import PromptSet, prompts_of
from fmau.recipe import FramesBlock, Recipe
from fmau.runs import FINAL, read_answers
from fmau.serve import Server, check_clips, start_server
from tests.clips import read_number, write_clip
from tests.integration.tiny_served import SIZE, tiny_recipe
from tests.question_rows import write_questions
from tests.serve.support import free_port

pytestmark = [pytest.mark.server, pytest.mark.slow]

CLIPS = {
    "long": (100, [0, 10, 20, 30, 40, 50, 60, 70]),
    "short": (64, [0, 8, 16, 24, 32, 40, 48, 56]),
    "instant": (5, [0, 1, 2, 3, 4]),
}
"""Name -> frames at 30 per second, and which of them the kit sends."""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    folder = tmp_path_factory.mktemp("kit")
    (folder / "clips").mkdir()
    for clip, (length, _) in CLIPS.items():
        write_clip(folder / "clips" / f"{clip}.mp4", length, **SIZE)
    write_questions(folder / "questions.json", CLIPS)
    systems = {task.value: f"This is about {task.full_name}." for task in Task} | {"MAS": ""}
    templates = dict.fromkeys(map(str, Task), "{question}")
    texts = {"system": "", "common": "", "tasks": templates, "systems": systems}
    (folder / "kit.yaml").write_text(yaml.safe_dump(texts))
    return tiny_recipe(
        folder,
        data__questions=folder / "questions.json",
        data__clips=folder / "clips",
        prompt__set=folder / "kit.yaml",
        frames__policy="stride",
        frames__fps=3,
        serve__port=free_port(8300),
        answer__frames_as="images",
        answer__constrain="false",
        answer__max_tokens_open=24,
    )


@pytest.fixture(scope="module")
def server(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("vllm") / "server.log"
    with start_server(recipe, log_path=log) as started:
        started.wait_ready()
        yield started


def posted(server: Server, body: dict[str, Any]) -> dict[str, Any]:
    call = Request(
        f"{server.base_url}/v1/chat/completions",
        json.dumps({"model": str(CHECKPOINT), "return_token_ids": True, **body}).encode(),
        {"Content-Type": "application/json"},
    )
    with urlopen(call, timeout=120) as reply:
        return dict(json.load(reply))


def encoded(question: Any, prompts: PromptSet, frames: ClipFrames) -> dict[str, Any]:
    """What Transformers makes of the same conversation and the same JPEG files."""
    from transformers import AutoProcessor

    processor: Any = AutoProcessor.from_pretrained(CHECKPOINT)
    images = [Image.open(io.BytesIO(jpeg)) for jpeg in distinct_frames(frames)]
    turns = messages(question, prompts, [{"type": "image"}] * len(images))
    text = processor.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    return dict(processor(text=[text], images=images, do_resize=False, return_tensors="pt"))


def test_a_run_sends_each_frame_once_and_reads_free_replies(server: Server, recipe: Recipe) -> None:
    summary = answer_recipe(recipe, servers=[server.base_url], progress=False)
    report = summary.cache_report
    assert (report.clips, report.uploads, report.decodes) == (3, 3, 3), report.text()
    # The two questions of a task share the system prompt, and so the prompt up to the question.
    assert report.followers == report.followers_reused == 3 * 4, report.text()
    assert report.inputs == sum(len(shown) for _, shown in CLIPS.values())
    assert report.shares()["tokens"] > 0.8
    rows = {row.qid: row for row in read_answers(recipe.run_folder)}
    assert len(rows) == 36
    assert {row.status for row in rows.values()} <= FINAL
    prompts = prompts_of(recipe)
    for question in load_questions(recipe.data.questions).questions:
        frames = read_clip(recipe.data.clips / f"{question.clip}.mp4", recipe.frames)
        tokens = encoded(question, prompts, frames)["input_ids"].shape[1]
        assert rows[question.qid].prompt_tokens == tokens


def test_prompts_and_replies_are_those_of_transformers(server: Server, recipe: Recipe) -> None:
    import torch
    from transformers import Qwen3VLForConditionalGeneration

    model: Any = Qwen3VLForConditionalGeneration.from_pretrained(CHECKPOINT, dtype=torch.float32)
    prompts = prompts_of(recipe)
    equal = asked = 0
    for question in load_questions(recipe.data.questions).questions:
        frames = read_clip(recipe.data.clips / f"{question.clip}.mp4", recipe.frames)
        shown = [np.asarray(Image.open(io.BytesIO(one))) for one in distinct_frames(frames)]
        assert [read_number(pixels_HWC) for pixels_HWC in shown] == CLIPS[question.clip][1]
        parts = ClipParts.of(frames, recipe.frames, as_images=True)
        request = build_request(question, recipe, prompts, parts, by_reference=False)
        assert "structured_outputs" not in request.fields
        body = {"messages": request.messages, "max_tokens": request.max_tokens, **request.fields}
        served = posted(server, body)
        inputs = encoded(question, prompts, frames)
        assert served["prompt_token_ids"] == inputs["input_ids"][0].tolist()
        with torch.inference_mode():
            output = model.eval().generate(**inputs, do_sample=False, max_new_tokens=24)
        ids = output[0, inputs["input_ids"].shape[1] :].tolist()
        equal += served["choices"][0]["token_ids"] == ids
        asked += 1
    assert asked == 36
    assert equal >= 35, "fp32 rounding may turn one near tie"


def test_the_check_sees_frames_that_would_be_resized(server: Server, recipe: Recipe) -> None:
    spec = recipe.frames
    check_clips(server.base_url, str(CHECKPOINT), spec, as_images=True)
    larger = FramesBlock(min_pixels_per_frame=4096, max_pixels_per_frame=512 * 512)
    with pytest.raises(ServerError, match="resizes frames: 8 of 512x512"):
        check_clips(server.base_url, str(CHECKPOINT), larger, as_images=True)
