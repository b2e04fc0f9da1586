"""What is sent to the actors of a cluster."""

from pathlib import Path

import pytest

from fmau.answer.ray import _with_absolute_paths
from fmau.demo.tiny import CHECKPOINT
from tests.answer.small_run import recipe


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
