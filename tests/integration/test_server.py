"""The real vLLM with the tiny checkpoint, asked through fmau's own code: the model is given what
Transformers would give it, says what Transformers says, and every question gets one answer.

One server serves all tests of this module.
"""

import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from fmau.answer import answer_questions
from fmau.core.records import Answer, AnswerStatus, Question
from fmau.dataset.questions import load_questions
from fmau.demo.mini.write import write_mini
from fmau.demo.tiny import CHECKPOINT
from fmau.frames.clip import read_clip
from fmau.prompting.extraction import choices
from fmau.runs import FINAL, open_run, read_answers
from fmau.serve import Server, start_server
from fmau.serve.client import Endpoint
from fmau.serve.preflight import check_address
from tests.clips import read_number, write_clip
from tests.integration.tiny_served import (
    GREEDY_TOKENS,
    PROMPTS,
    RECIPE,
    SIZE,
    ask,
    common_prefix,
    encoded,
    questions_about,
    tiny_recipe,
)
from tests.paths import REAL_CLIPS, REPO, SAMPLE_60
from tests.serve.support import free_port

pytestmark = [pytest.mark.server, pytest.mark.slow]

RENDERED = 12


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("vllm")
    with start_server(
        tiny_recipe(folder, serve__port=free_port(8200)), log_path=folder / "server.log"
    ) as started:
        started.wait_ready()
        processes = started._descendants()
        assert len(processes) >= 2, "vLLM runs its engine in a process of its own"
        yield started
    assert not any(process.is_running() for process in processes), "a process of vLLM is left"
    check_address(started.serve, None)  # the port is free again


@pytest.fixture(scope="module")
def processor() -> Any:
    from transformers import AutoProcessor

    return AutoProcessor.from_pretrained(CHECKPOINT)


GAPS_MS = (17, 250, 33, 33, 400, 41, 20, 90, 310, 12, 75, 140)
VARIABLE_MS = list(accumulate(GAPS_MS, initial=0))
RATES = {
    "30": Fraction(30),
    "25": Fraction(25),
    "29.97": Fraction(30000, 1001),
    "variable": None,
}


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
def test_the_model_is_given_what_transformers_gives_it_and_true_times(
    server: Server, processor: Any, rate: Fraction | None, tmp_path: Path
) -> None:
    path = tmp_path / "clip.mp4"
    if rate is None:
        true_s = [Fraction(time_ms, 1000) for time_ms in VARIABLE_MS]
        write_clip(path, len(true_s), times_ms=VARIABLE_MS, **SIZE)
    else:
        true_s = [number / rate for number in range(67)]
        write_clip(path, len(true_s), rate=rate, **SIZE)
    frames = read_clip(path, tiny_recipe(tmp_path).frames)
    question = questions_about(tmp_path, ["clip"])[0]

    seen = ask(server, question, frames, tiny_recipe(tmp_path))["prompt"]

    assert seen == encoded(processor, question, frames)["input_ids"][0].tolist()
    # Which frames were sent is read off their pixels; when they were filmed, we have decided.
    sent_s = [true_s[read_number(pixels_HWC)] for pixels_HWC in frames.pixels_THWC()]
    shown = re.findall(r"<(\d+\.\d) seconds>", processor.tokenizer.decode(seen))
    assert len(shown) == len(sent_s) // 2
    for text, first, second in zip(shown, sent_s[::2], sent_s[1::2], strict=True):
        # The text is the mean rounded to a tenth, so it lies within half a tenth of it.
        assert abs(Fraction(text) - (first + second) / 2) <= Fraction(1, 20)


def test_greedy_replies_are_those_of_transformers(
    server: Server, processor: Any, tmp_path: Path
) -> None:
    """Batching and paged attention add in another order, so a near-tie may fall the other way: a
    reply counts up to its first differing token."""
    import torch
    from transformers import Qwen3VLForConditionalGeneration

    model = Qwen3VLForConditionalGeneration.from_pretrained(CHECKPOINT, dtype=torch.float32)
    recipe = tiny_recipe(tmp_path)
    equal = total = 0
    for number, length in enumerate((40, 67)):
        path = write_clip(tmp_path / f"clip{number}.mp4", length, **SIZE)
        frames = read_clip(path, recipe.frames)
        for question in questions_about(tmp_path, [path.stem]):
            inputs = encoded(processor, question, frames)
            with torch.inference_mode():
                both = model.generate(**inputs, do_sample=False, max_new_tokens=GREEDY_TOKENS)
            expected = both[0, inputs["input_ids"].shape[1] :].tolist()
            found = ask(server, question, frames, recipe)["reply"]
            agreeing = common_prefix(expected, found)
            if agreeing < max(len(expected), len(found)):
                print(f"{question.qid}: {agreeing} of {len(expected)} tokens, then they part")
            equal += agreeing
            total += max(len(expected), len(found))
    print(f"{equal} of {total} tokens equal")
    assert equal >= 0.99 * total


def place_clips(folder: Path, names: Sequence[str], rendered: Path) -> None:
    """A clip under each name: the real ones first, where they are, then rendered figures."""
    write_mini(rendered, clips=RENDERED, train_clips=0, seed=0)
    clips = [*REAL_CLIPS, *sorted((rendered / "clips").glob("*.mp4"))]
    folder.mkdir()
    for number, name in enumerate(names):
        (folder / f"{name}.mp4").symlink_to(clips[number % len(clips)])


@pytest.mark.skipif(not SAMPLE_60.exists(), reason="MA-Bench's question file is not here")
def test_the_720_questions_of_the_sample(server: Server, tmp_path: Path) -> None:
    asked = load_questions(SAMPLE_60).questions
    names = sorted({question.clip for question in asked})
    place_clips(tmp_path / "clips", names, rendered=tmp_path / "mini")
    recipe = tiny_recipe(tmp_path, data__questions=SAMPLE_60, data__clips=tmp_path / "clips")

    with open_run(recipe, PROMPTS) as run:
        summary = answer_questions(
            run, recipe, PROMPTS, asked, Endpoint(server.base_url), progress=False
        )

    print(summary.text())
    rows = {row.qid: row for row in read_answers(recipe.run_folder)}
    assert len(asked) == len(rows) == 720
    assert (summary.complete, summary.cache_report.decodes, summary.done_before) == (True, 60, 0)
    for question in asked:
        assert_valid(question, rows[question.qid])
    # Eleven of twelve questions about a clip find it, and all that precedes it, in the caches.
    assert summary.cached_tokens > 0.5 * summary.prompt_tokens


def assert_valid(question: Question, row: Answer) -> None:
    """A closed question has one of its choices, an open one a text that came to its end."""
    assert row.status is AnswerStatus.OK, row
    assert row.answer, row
    assert not choices(question) or row.answer in choices(question), row


def test_a_killed_client_loses_nothing_and_repeats_nothing(server: Server, tmp_path: Path) -> None:
    clips = [f"clip{number:02}" for number in range(16)]
    (tmp_path / "clips").mkdir()
    for number, clip in enumerate(clips):
        write_clip(tmp_path / f"clips/{clip}.mp4", 20 + number)
    asked = questions_about(tmp_path, clips)
    command = [sys.executable, "-m", "fmau", "answer", str(RECIPE), "--server", server.base_url]
    for setting in (
        f"runs={tmp_path}/runs",
        f"model.path={CHECKPOINT}",
        f"data.questions={tmp_path}/questions.json",
        f"data.clips={tmp_path}/clips",
        "answer.max_tokens_open=24",
        "answer.clips_in_flight=2",
    ):
        command += ["--set", setting]
    answers = tmp_path / "runs/zero_shot_tiny/answers.jsonl"

    client = subprocess.Popen(command, cwd=REPO, stdout=subprocess.DEVNULL)
    wait_for_rows(client, answers, 50)
    client.kill()
    client.wait()
    saved = answers.read_bytes().rpartition(b"\n")[0].splitlines()
    assert 50 <= len(saved) < len(asked)

    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert f"({len(saved)} from before)" in done.stdout
    lines = answers.read_bytes().splitlines()
    assert lines[: len(saved)] == saved
    rows = [Answer.model_validate_json(line) for line in lines]
    assert sorted(row.qid for row in rows) == sorted(question.qid for question in asked)
    assert {row.status for row in rows} <= FINAL


def wait_for_rows(client: subprocess.Popen[bytes], answers: Path, count: int) -> None:
    deadline = time.monotonic() + 300
    while not (answers.exists() and answers.read_bytes().count(b"\n") >= count):
        assert client.poll() is None, "the client ended before it could be killed"
        assert time.monotonic() < deadline, "the client never got going"
        time.sleep(0.01)
