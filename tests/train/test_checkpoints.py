import json
from pathlib import Path

import pytest

from fmau.core.errors import RunError
from fmau.train.checkpoints import (
    latest_complete,
    mark_complete,
    remove_incomplete,
    remove_old,
    resume_point,
)

WHOLE = "no sharding"


def checkpoint(
    folder: Path,
    steps: int,
    *,
    complete: bool = True,
    best: int | None = None,
    sharing: str = WHOLE,
) -> Path:
    path = folder / f"checkpoint-{steps}"
    (path / f"global_step{steps}").mkdir(parents=True)
    (path / "adapter_model.safetensors").write_bytes(b"weights")
    (path / "optimizer.pt").write_bytes(b"moments")
    (path / f"global_step{steps}" / "rank_0.pt").write_bytes(b"half of the moments")
    (path / "trainer_state.json").write_text(json.dumps({"best_global_step": best}))
    if complete:
        mark_complete(path, sharing=sharing, processes=2)
    return path


def resumed(folder: Path, sharing: str = WHOLE, processes: int = 2) -> Path | None:
    return resume_point(folder, sharing=sharing, processes=processes)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_no_folder_has_no_checkpoint(tmp_path: Path) -> None:
    assert latest_complete(tmp_path / "none") is None
    assert resumed(tmp_path / "none") is None
    assert remove_incomplete(tmp_path / "none") == []


def test_the_complete_checkpoint_of_most_steps_counts(tmp_path: Path) -> None:
    checkpoint(tmp_path, 900)
    newest = checkpoint(tmp_path, 1000)
    checkpoint(tmp_path, 1100, complete=False)
    (tmp_path / "checkpoint-notes").mkdir()
    assert latest_complete(tmp_path) == newest
    assert resumed(tmp_path) == newest


def test_only_half_written_checkpoints_are_removed(tmp_path: Path) -> None:
    whole = checkpoint(tmp_path, 10)
    broken = checkpoint(tmp_path, 20, complete=False)
    assert remove_incomplete(tmp_path) == [broken]
    assert whole.exists()
    assert not broken.exists()


@pytest.mark.parametrize(
    "name", ["optimizer.pt", "adapter_model.safetensors", "global_step10/rank_0.pt"]
)
def test_a_file_that_is_missing_or_damaged_is_refused_by_name(tmp_path: Path, name: str) -> None:
    path = checkpoint(tmp_path, 10) / name
    sound = path.read_bytes()
    path.write_bytes(sound[:-1] + b"X")  # of the same size
    with pytest.raises(RunError, match=f"checkpoint-10/{name}: damaged or changed"):
        resumed(tmp_path)
    path.unlink()
    with pytest.raises(RunError, match=f"checkpoint-10/{name}: is missing"):
        resumed(tmp_path)
    path.write_bytes(sound)
    assert resumed(tmp_path) == tmp_path / "checkpoint-10"


def test_a_damaged_mark_is_refused_by_name(tmp_path: Path) -> None:
    (checkpoint(tmp_path, 10) / "complete").write_bytes(b"")
    with pytest.raises(RunError, match="checkpoint-10/complete: damaged"):
        resumed(tmp_path)


def test_the_best_weights_so_far_must_be_there_and_sound(tmp_path: Path) -> None:
    """Without them the Trainer would keep the last weights and call them the best."""
    best = checkpoint(tmp_path, 10, best=10)
    checkpoint(tmp_path, 20, best=10)
    assert resumed(tmp_path) == tmp_path / "checkpoint-20"
    (best / "adapter_model.safetensors").write_bytes(b"other")
    with pytest.raises(RunError, match=r"checkpoint-10/adapter_model\.safetensors: damaged"):
        resumed(tmp_path)
    best.rename(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="checkpoint-10: holds the best weights so far"):
        resumed(tmp_path)


def test_zero_goes_on_with_as_many_processes_only(tmp_path: Path) -> None:
    checkpoint(tmp_path, 10, sharing="ZeRO-2")
    assert resumed(tmp_path, "ZeRO-2", 2)
    with pytest.raises(RunError, match=r"by 2 process\(es\), but 4 are .*--num_processes 2"):
        resumed(tmp_path, "ZeRO-2", 4)
    for other in ("ZeRO-3", WHOLE, "FSDP"):
        with pytest.raises(RunError, match=f"was written with ZeRO-2, but this start uses {other}"):
            resumed(tmp_path, other, 2)


def test_without_sharding_the_number_of_processes_may_change(tmp_path: Path) -> None:
    assert resumed(checkpoint(tmp_path, 10).parent, WHOLE, 8)
    with pytest.raises(RunError, match="was written with no sharding, but this start uses ZeRO-3"):
        resumed(tmp_path, "ZeRO-3", 2)


@pytest.mark.parametrize(("best", "kept"), [(None, [20, 30]), (10, [10, 30]), (30, [20, 30])])
def test_the_last_and_the_best_are_kept(tmp_path: Path, best: int | None, kept: list[int]) -> None:
    for steps in (10, 20, 30):
        checkpoint(tmp_path, steps)
    remove_old(tmp_path, None if best is None else tmp_path / f"checkpoint-{best}")
    assert names(tmp_path) == [f"checkpoint-{steps}" for steps in kept]
