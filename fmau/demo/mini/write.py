"""Writes a mini benchmark and its training set to a folder, for `fmau mini`.

OUT/mini.json             the arguments, so that a second call can continue or refuse
OUT/clips/NAME.mp4        test clips
OUT/questions.json        12 questions per test clip, with answers
OUT/train/clips/NAME.mp4  training clips, of other people
OUT/train/captions.json   five-field captions with labels
OUT/train/questions.json  12 questions per training clip, with answers
OUT/truth.parquet         label, events and trajectories of every clip
"""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fmau.core.errors import RunError
from fmau.core.files import (
    LOCK,
    UNFINISHED,
    hold_folder,
    make_folder,
    read_text,
    whole_file,
    write_whole,
)
from fmau.core.taxonomy import action_by_code
from fmau.core.workers import worker_pool
from fmau.demo.mini.captions import caption
from fmau.demo.mini.cast import CastClip, cast_split, subjects
from fmau.demo.mini.kinematics import animate
from fmau.demo.mini.plan import FPS, ClipPlan
from fmau.demo.mini.questions import ask
from fmau.demo.mini.render import render_frames

GENERATOR: Final = 2
"""Increase it when motions, drawing or questions change, so that a folder never mixes clips of one
version with questions of another."""

MARKER: Final = "mini.json"
_WORKERS: Final = 2
_ENCODER: Final = {"crf": "18", "x264-params": "mbtree=0"}
"""Without the macroblock tree: with it, x264 gives other bytes from run to run for some clips."""

Progress = Callable[[int, int], None]
"""Called with the number of clips written so far and the number of all clips."""


@dataclass(frozen=True, slots=True)
class _Request:
    """The arguments that identify a mini benchmark."""

    clips: int
    train_clips: int
    seed: int
    height: int
    width: int
    generator: int = GENERATOR


def write_mini(
    out: Path,
    *,
    clips: int,
    train_clips: int,
    seed: int,
    height: int = 384,
    width: int = 320,
    progress: Progress = lambda done, total: None,
) -> None:
    """Write a mini benchmark; the same arguments give the same files.

    After an interruption, the same call continues: clips that exist are kept.

    Args:
        out: folder to write to; it is created if missing.
        clips: number of test clips, at least 1.
        train_clips: number of training clips; 0 writes no `train` folder.
        seed: seed of all random choices. The test set does not depend on `train_clips`.
        height, width: size of the clips in pixels, both even (H.264 halves the colour planes).
        progress: called after every clip.

    Raises:
        RunError: `out` holds other files or another mini benchmark, another process is writing it,
            or it cannot be written.
        ValueError: a number is out of range.
    """
    request = _Request(clips, train_clips, seed, height, width)
    if clips < 1 or train_clips < 0 or height % 2 or width % 2:
        raise ValueError(f"need clips >= 1, train_clips >= 0 and even sizes, got {request}")
    _refuse_foreign(out)
    lock = hold_folder(out, "another process is writing this mini benchmark")
    try:
        _claim(out, request)
        _write(out, request, progress)
    finally:
        lock.release()


def _write(out: Path, request: _Request, progress: Progress) -> None:
    cast_test, ask_test, cast_train, ask_train = map(
        np.random.default_rng, np.random.SeedSequence(request.seed).spawn(4)
    )
    test = cast_split(request.clips, 1, cast_test)
    _dump(out / "questions.json", ask([(c.plan, c.facts) for c in test], ask_test))
    train = []
    if request.train_clips:
        train = cast_split(request.train_clips, 1 + subjects(request.clips), cast_train)
        _dump(out / "train" / "captions.json", [_caption_row(clip) for clip in train])
        questions = ask([(c.plan, c.facts) for c in train], ask_train)
        _dump(out / "train" / "questions.json", questions)
    with whole_file(out / "truth.parquet") as file:
        pq.write_table(truth_table(test, train), file)
    jobs = [(c.plan, out / "clips") for c in test]
    jobs += [(c.plan, out / "train" / "clips") for c in train]
    _render_all(jobs, request.height, request.width, progress)


def truth_table(test: Sequence[CastClip], train: Sequence[CastClip]) -> pa.Table:
    """Label, events and trajectories of every clip, for an independent check of the answers.

    `positions` is the flattened positions_TPD of the clip, with `frame_count` frames.
    """
    rows = [
        {
            "name": clip.plan.name,
            "split": split,
            "participant": clip.participant,
            "code": clip.code,
            "events": [asdict(event) for event in clip.plan.events],
            "fps": float(clip.motion.fps),
            "frame_count": clip.plan.frame_count,
            "positions": clip.motion.positions_TPD.astype(np.float32).ravel(),
        }
        for split, cast in (("test", test), ("train", train))
        for clip in cast
    ]
    return pa.Table.from_pylist(rows)


def _refuse_foreign(out: Path) -> None:
    """Refuse a path that is neither a mini benchmark nor an empty folder.

    A kill while the marker is written leaves at most its unfinished file and the lock.
    """
    marker = out / MARKER
    if _is_marked(marker) or not out.exists():
        return
    own = {LOCK, MARKER, MARKER + UNFINISHED}
    if not out.is_dir() or any(path.name not in own for path in out.iterdir()):
        raise RunError(f"{out} is not an empty folder; give another one, or empty it")


def _claim(out: Path, request: _Request) -> None:
    """Mark the folder with this request; refuse a folder with another request's mark."""
    marker = out / MARKER
    if not _is_marked(marker):
        _dump(marker, asdict(request))
        return
    found = read_text(marker)
    if found != _as_json(asdict(request)):
        raise RunError(
            f"{out} holds another mini benchmark, {' '.join(found.split())}, and not "
            f"{asdict(request)}; give another folder, or delete this one"
        )


def _is_marked(marker: Path) -> bool:
    """Whether there is a marker; an empty one says nothing."""
    return marker.is_file() and marker.stat().st_size > 0


def _as_json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _dump(path: Path, content: Any) -> None:
    make_folder(path.parent)
    write_whole(path, _as_json(content))


def _caption_row(clip: CastClip) -> dict[str, Any]:
    action = action_by_code()[clip.code]
    return {
        "video": f"{clip.plan.name}.mp4",
        "participant": clip.participant,
        "caption": caption(clip.facts, clip.plan),
        "coarse": action.part,
        "fine": action.label,
    }


def _render_all(
    jobs: Sequence[tuple[ClipPlan, Path]], height: int, width: int, progress: Progress
) -> None:
    """Render and encode all clips that are not there yet, in two processes."""
    for _, folder in jobs:
        make_folder(folder)
    missing = [(plan, folder) for plan, folder in jobs if not _file(plan, folder).exists()]
    done = len(jobs) - len(missing)
    with worker_pool(_WORKERS) as pool:
        futures = [pool.submit(write_clip, *job, height, width) for job in missing]
        for future in as_completed(futures):
            future.result()
            done += 1
            progress(done, len(jobs))


def _file(plan: ClipPlan, folder: Path) -> Path:
    return folder / f"{plan.name}.mp4"


def write_clip(plan: ClipPlan, folder: Path, height: int, width: int) -> Path:
    """Render one clip and encode it as H.264 (yuv420p, `FPS`); it appears only when complete.

    Returns:
        The file written, FOLDER/NAME.mp4.
    """
    animation = animate(plan)
    pixels_THWC = render_frames(
        plan, animation, range(plan.frame_count), height=height, width=width
    )
    path = _file(plan, folder)
    with whole_file(path) as file, av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(FPS), options=dict(_ENCODER))
        stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
        stream.codec_context.thread_count = 1  # more threads would change the bytes
        for pixels_HWC in pixels_THWC:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels_HWC, format="rgb24")))
        container.mux(stream.encode())
    return path
