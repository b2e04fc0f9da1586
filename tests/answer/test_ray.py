"""What is sent to the actors of a cluster, and what comes back."""

from pathlib import Path

import pytest

from fmau.answer.order import by_clip
from fmau.answer.pending import pending_clips
from fmau.answer.ray import AnswerActor, _item, _with_absolute_paths
from fmau.answer.summary import Summary
from fmau.core.records import Answer
from fmau.demo.tiny import CHECKPOINT
from fmau.runs import open_run
from tests.answer.small_run import PROMPTS, questions, recipe, stub_reader
from tests.answer.stub_server import StubServer


def test_actors_work_in_a_folder_of_their_own_so_paths_are_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").symlink_to(CHECKPOINT)
    small = recipe(Path())
    data = small.data.model_copy(update={"cache": Path("cache")})
    model = small.model.model_copy(update={"path": "model"})
    sent = _with_absolute_paths(small.model_copy(update={"data": data, "model": model}))
    assert sent.data.clips.is_absolute()
    assert sent.data.cache == tmp_path / "cache"
    assert sent.model.path == str(CHECKPOINT.resolve())
    assert _with_absolute_paths(small).data.cache is None
    hub = small.model.model_copy(update={"path": "Qwen/Qwen3-VL-8B-Instruct"})
    kept = _with_absolute_paths(small.model_copy(update={"model": hub}))
    assert kept.model.path == "Qwen/Qwen3-VL-8B-Instruct"


def test_rows_of_an_actor_have_the_fingerprints_of_the_run(tmp_path: Path) -> None:
    asked = questions(2)
    with open_run(recipe(tmp_path), PROMPTS) as run, StubServer() as server:
        pending = pending_clips(run, recipe(tmp_path), by_clip(asked), Summary(len(asked)))
        items = [_item(clip) for clip in pending]
        actor = AnswerActor.__new__(AnswerActor)  # without a server of its own
        actor.recipe, actor.prompts, actor.adapter = recipe(tmp_path), PROMPTS, None
        actor.reader, actor.log = stub_reader(tmp_path), tmp_path / "server.log"
        actor.server = server  # type: ignore[assignment]
        batch = {key: [item[key] for item in items] for key in items[0]}
        found = [Answer.model_validate_json(row) for row in actor(batch)["row"]]
        marks = {row.qid: (row.fingerprint, row.fingerprint_without_clip) for row in found}
        assert marks == {question.qid: run.row_mark(question, None) for question in asked}
