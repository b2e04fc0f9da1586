"""Reads and writes one shard of a frame cache: an Arrow file of one record batch, a clip per row.

`build` and `reader` use it.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from fmau.core.errors import InputError, Problem
from fmau.core.files import whole_file
from fmau.frames.clip import ClipFrames

SCHEMA = pa.schema(
    [
        ("clip", pa.string()),
        ("jpegs", pa.list_(pa.binary())),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("indices", pa.list_(pa.int64())),
        ("fps", pa.float64()),
        ("total_num_frames", pa.int64()),
        ("duration_s", pa.float64()),
        ("source_bytes", pa.int64()),
        ("source_mtime_ns", pa.int64()),
        ("checksum", pa.binary(16)),
    ]
)
"""The fields of `ClipFrames`, the fields of `Source`, and the `checksum` of the frames."""

REMEDY = "delete the shard, then run fmau frames to extract its clips again"

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """Size and time of a video file; they show whether it has changed since its frames were made.

    Attributes:
        source_bytes: size of the file in bytes.
        source_mtime_ns: time of its last change, in nanoseconds of Unix time.
    """

    source_bytes: int
    source_mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """The present size and time of the file; `NO_SOURCE` if there is no file."""
        try:
            stat = path.stat()
        except OSError:
            return cls(0, 0)
        return cls(stat.st_size, stat.st_mtime_ns)


NO_SOURCE = Source(0, 0)


class Shard:
    """A shard opened for reading. It is mapped into memory, so all processes share one copy.

    Attributes:
        path: path of the file.
        clips: names of the clips, in the order of the rows.

    Raises:
        InputError: the file is not a shard, or is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
                if not reader.schema.equals(SCHEMA) or reader.num_record_batches != 1:
                    raise pa.ArrowInvalid("not a shard of this version")
                self._batch = reader.get_batch(0)
            # Check the offsets of every row: with damaged ones Arrow would read outside the file.
            self._batch.validate(full=True)
        except (OSError, pa.ArrowException) as error:
            reason = str(error).splitlines()[0]
            raise InputError([Problem(str(path), f"damaged ({reason})", REMEDY)]) from None
        self.clips: list[str] = self._batch.column("clip").to_pylist()

    def source(self, row: int) -> Source:
        """The video file that the frames in a row were taken from."""
        names = Source.__dataclass_fields__
        return Source(*(self._batch.column(name)[row].as_py() for name in names))

    def checksum(self, row: int) -> str:
        """Checksum (hex) of the frames in a row, as it was when they were written."""
        written: bytes = self._batch.column("checksum")[row].as_py()
        return written.hex()

    def sources(self) -> dict[str, Source]:
        """Clip -> the video file that its frames were taken from."""
        return {clip: self.source(row) for row, clip in enumerate(self.clips)}

    def frames(self, row: int) -> ClipFrames:
        """The frames of the clip in a row.

        Raises:
            InputError: the checksum does not match, so the frames are damaged.
        """
        values = self._batch.slice(row, 1).to_pylist()[0]
        frames = ClipFrames(
            clip=values["clip"],
            jpegs=tuple(values["jpegs"]),
            height=values["height"],
            width=values["width"],
            indices=tuple(values["indices"]),
            fps=values["fps"],
            total_num_frames=values["total_num_frames"],
            duration_s=values["duration_s"],
        )
        if checksum(frames) != values["checksum"]:
            raise InputError([self.problem(row, "the checksum does not match")])
        return frames

    def problem(self, row: int, what: str) -> Problem:
        """Describe a defect of the clip in a row."""
        return Problem(f"{self.path} (clip {self.clips[row]})", what, REMEDY)

    def drop(self, clips: Collection[str]) -> None:
        """Remove clips from the file; this object still holds them.

        Raises:
            RunError: the disk is full or failing; the file is unchanged.
        """
        kept = [row for row, clip in enumerate(self.clips) if clip not in clips]
        if kept:
            _write(self.path, self._batch.take(kept))
        else:
            self.path.unlink()


def open_shards(folder: Path) -> list[Shard]:
    """Open all shards of a cache, in the order of their numbers.

    Raises:
        InputError: shards are damaged, or two of them hold the same clip; all are listed.
    """
    shards: list[Shard] = []
    problems: list[Problem] = []
    shard_of: dict[str, Shard] = {}
    for path in sorted(folder.glob("shard-*.arrow")):
        try:
            shards.append(Shard(path))
        except InputError as error:
            problems += error.problems
            continue
        for row, clip in enumerate(shards[-1].clips):
            if clip in shard_of:
                problems.append(shards[-1].problem(row, f"is also in {shard_of[clip].path}"))
            shard_of[clip] = shards[-1]
    if problems:
        raise InputError(problems)
    return shards


def next_shard(folder: Path) -> Path:
    """Path of the next new shard: its number is one above the highest."""
    last = max((int(path.stem[6:]) for path in folder.glob("shard-*.arrow")), default=-1)
    return folder / f"shard-{last + 1:05}.arrow"


def as_row(frames: ClipFrames, source: Source) -> Row:
    """A clip as a row of a shard."""
    return {**asdict(frames), **asdict(source), "checksum": checksum(frames)}


def write_shard(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as a shard; the file gets its name only when it is complete.

    Raises:
        RunError: the disk is full or failing; no file is left.
    """
    _write(path, pa.RecordBatch.from_pylist(list(rows), SCHEMA))


def checksum(frames: ClipFrames) -> bytes:
    """BLAKE2b, 16 bytes, of all attributes of `frames`."""
    facts = asdict(frames) | {"jpegs": [len(jpeg) for jpeg in frames.jpegs]}
    digest = hashlib.blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=16)
    for jpeg in frames.jpegs:
        digest.update(jpeg)
    return digest.digest()


def _write(path: Path, batch: Any) -> None:
    with whole_file(path) as file, pa.ipc.new_file(file, SCHEMA) as writer:
        writer.write_batch(batch)
