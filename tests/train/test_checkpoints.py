from pathlib import Path

from fmau.train.checkpoints import latest_complete, mark_complete, remove_incomplete


def checkpoint(folder: Path, steps: int, *, complete: bool) -> Path:
    path = folder / f"checkpoint-{steps}"
    path.mkdir(parents=True)
    (path / "adapter_model.safetensors").write_bytes(b"weights")
    if complete:
        mark_complete(path)
    return path


def test_no_folder_has_no_checkpoint(tmp_path: Path) -> None:
    assert latest_complete(tmp_path / "none") is None
    assert remove_incomplete(tmp_path / "none") == []


def test_the_complete_checkpoint_of_most_steps_counts(tmp_path: Path) -> None:
    checkpoint(tmp_path, 900, complete=True)
    newest = checkpoint(tmp_path, 1000, complete=True)
    checkpoint(tmp_path, 1100, complete=False)
    (tmp_path / "checkpoint-notes").mkdir()
    assert latest_complete(tmp_path) == newest


def test_only_half_written_checkpoints_are_removed(tmp_path: Path) -> None:
    whole = checkpoint(tmp_path, 10, complete=True)
    broken = checkpoint(tmp_path, 20, complete=False)
    assert remove_incomplete(tmp_path) == [broken]
    assert whole.exists()
    assert not broken.exists()
