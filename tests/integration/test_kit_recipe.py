"""The recipe that asks as the starter kit asks, on a random model of its architecture (Qwen3.5)."""

from pathlib import Path

import pytest

from fmau.answer import answer_questions
from fmau.core.records import AnswerStatus
from fmau.dataset.questions import load_questions
from fmau.prompting.prompts import prompts_of
from fmau.recipe import load_recipe
from fmau.runs import FINAL, open_run, read_answers
from fmau.serve import start_server
from fmau.serve.client import Endpoint
from tests.clips import write_clip
from tests.families.checkpoints import qwen3_5
from tests.integration.tiny_served import SIZE
from tests.question_rows import write_questions
from tests.serve.support import free_port

pytestmark = [pytest.mark.server, pytest.mark.slow]

CLIPS = {"long": 100, "short": 64, "instant": 5}
"""Name -> frames at 30 per second; of the last, five images are sent."""
BUDGET, ROOM = 24, 16


def test_it_thinks_sees_images_and_answers_freely(tmp_path: Path) -> None:
    qwen3_5(tmp_path / "model")
    (tmp_path / "clips").mkdir()
    for clip, length in CLIPS.items():
        write_clip(tmp_path / "clips" / f"{clip}.mp4", length, **SIZE)
    write_questions(tmp_path / "questions.json", CLIPS)
    values = {
        "runs": tmp_path / "runs",
        "model.path": tmp_path / "model",
        "data.questions": tmp_path / "questions.json",
        "data.clips": tmp_path / "clips",
        "frames.min_pixels_per_frame": 30720,
        "frames.max_pixels_per_frame": 30720,
        "serve.port": free_port(8500),
        "serve.max_model_len": 2048,
        "serve.max_num_seqs": 16,
        "serve.cpu_kv_cache_gib": 1,
        "answer.thinking_tokens": BUDGET,
        "answer.max_tokens_open": ROOM,
    }
    recipe = load_recipe("kit_qwen3_5_9b", [f"{key}={value}" for key, value in values.items()])
    prompts = prompts_of(recipe)
    questions = load_questions(recipe.data.questions).questions
    log = tmp_path / "server.log"
    with start_server(recipe, log_path=log) as server:
        server.wait_ready()
        endpoint = Endpoint(server.base_url, None, (server.base_url,), (log,))
        with open_run(recipe, prompts) as run:
            summary = answer_questions(run, recipe, prompts, questions, endpoint, progress=False)
    report = summary.cache_report
    assert (report.clips, report.uploads, report.inputs) == (3, 3, 8 + 8 + 5)
    # Frames that two clips have in common are encoded once for both.
    assert report.encoder_runs is not None
    assert report.encoder_runs <= report.inputs
    assert not report.warnings()
    rows = read_answers(recipe.run_folder)
    assert len(rows) == 36
    assert {row.status for row in rows} <= FINAL
    assert all(row.thinking is not None for row in rows)
    for row in rows:  # a random model writes no answer; what it thought is never taken for one
        assert row.completion_tokens is not None
        assert row.completion_tokens <= BUDGET + ROOM
        if row.status is AnswerStatus.OK:
            assert row.reply
