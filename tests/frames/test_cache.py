import errno
import hashlib
import io
import multiprocessing
import os
import pickle
import random
import signal
import struct
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fmau.core.errors import ClipError, FmauError, InputError, Problem, RunError
from fmau.frames.cache import FrameCache, build, build_cache
from fmau.frames.cache.ahead import map_ahead
from fmau.frames.cache.shards import Shard, Source, as_row, write_shard
from fmau.frames.clip import ClipFrames, read_clip
from fmau.recipe import FramesBlock
from tests.clips import cut_off, write_clip

SPEC = FramesBlock(count=2, min_pixels_per_frame=1024, max_pixels_per_frame=1024)
SHARD_CLIPS = 4
# Forked from a server without threads: a fork of this process can hang on another thread's lock.
CHILDREN = multiprocessing.get_context("forkserver")
CHILDREN.set_forkserver_preload([__name__])


def read_stub(path: Path, spec: FramesBlock) -> ClipFrames:
    """Frames drawn from what the file holds; "broken" in it cannot be read."""
    content = path.read_bytes()
    if b"broken" in content:
        raise ClipError(f"{path}: cannot be opened; copy it again")
    rng = np.random.default_rng(list(hashlib.sha256(content).digest()))
    jpegs = []
    for _ in range(spec.count):
        buffer = io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).save(buffer, "JPEG")
        jpegs.append(buffer.getvalue())
    return ClipFrames(path.stem, tuple(jpegs), 32, 32, tuple(range(spec.count)), 30.0, 60, 2.0)


def slow_stub(path: Path, spec: FramesBlock) -> ClipFrames:
    time.sleep(0.01)
    return read_stub(path, spec)


def files(folder: Path, count: int) -> dict[str, Path]:
    """`count` "videos" for `read_stub`."""
    folder.mkdir(exist_ok=True)
    clips = {f"clip{number:03}": folder / f"clip{number:03}.mp4" for number in range(count)}
    for name, path in clips.items():
        path.write_text(name)
    return clips


def assert_holds(cache: FrameCache, clips: Mapping[str, Path]) -> None:
    """The cache is sound, and its frames are those that decoding would give."""
    cache.verify()
    assert len(cache.names) == len(set(cache.names)) == len(cache)
    for name in cache.names:
        assert cache[name] == read_stub(clips[name], SPEC)


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "SHARD_CLIPS", SHARD_CLIPS)


def test_cached_frames_are_those_of_the_video(tmp_path: Path) -> None:
    spec = FramesBlock(min_pixels_per_frame=4096, max_pixels_per_frame=16384)
    uneven_ms = [0, 20, 33, 90, 140, 260, 300, 333, 400, 520]
    clips = {
        "even": write_clip(tmp_path / "even.mp4", 40),
        "uneven": write_clip(tmp_path / "uneven.mp4", 10, times_ms=uneven_ms),
        "short": write_clip(tmp_path / "short.mp4", 3, rate=25),
    }
    summary = build_cache(tmp_path / "cache", clips, spec, workers=2)
    assert (summary.done, summary.kept, summary.failed) == (3, 0, {})
    cache = FrameCache(tmp_path / "cache")
    cache.verify()
    for name, path in clips.items():
        assert cache[name] == read_clip(path, spec)
        np.testing.assert_array_equal(
            cache[name].pixels_THWC(), read_clip(path, spec).pixels_THWC()
        )


def test_a_cut_off_clip_is_named_and_stops_no_other(tmp_path: Path) -> None:
    spec = FramesBlock(min_pixels_per_frame=4096, max_pixels_per_frame=16384)
    clips = {name: write_clip(tmp_path / f"{name}.mp4", 8) for name in ("a", "b", "c")}
    cut_off(clips["b"], 0.5)
    summary = build_cache(tmp_path / "cache", clips, spec, workers=2)
    assert summary.done == 2
    assert summary.failed.keys() == {"b"}
    assert str(clips["b"]) in summary.failed["b"]
    write_clip(clips["b"], 8)
    summary = build_cache(tmp_path / "cache", clips, spec, workers=2)
    assert (summary.done, summary.kept, summary.failed) == (1, 2, {})


@pytest.mark.usefixtures("small_shards")
def test_a_second_call_does_what_is_left(tmp_path: Path) -> None:
    clips = files(tmp_path / "clips", 10)
    clips["clip003"].write_text("broken")
    told: list[tuple[int, int]] = []
    first = dict(list(clips.items())[:6])
    build_cache(tmp_path / "cache", first, SPEC, workers=1, read=read_stub)
    summary = build_cache(
        tmp_path / "cache",
        clips,
        SPEC,
        workers=2,
        read=read_stub,
        progress=lambda done, total: told.append((done, total)),
    )
    assert (summary.done, summary.kept) == (4, 5)
    assert summary.failed.keys() == {"clip003"}
    assert told == [(done, 10) for done in range(5, 11)]
    cache = FrameCache(tmp_path / "cache")
    assert cache.missing(clips) == ["clip003"]
    assert_holds(cache, clips)


def test_a_name_may_differ_from_the_file(tmp_path: Path) -> None:
    (path,) = files(tmp_path, 1).values()
    build_cache(tmp_path / "cache", {"sway": path}, SPEC, workers=1, read=read_stub)
    assert FrameCache(tmp_path / "cache")["sway"].clip == "sway"


@pytest.mark.usefixtures("small_shards")
def test_a_changed_video_is_read_again_and_a_vanished_one_kept(tmp_path: Path) -> None:
    clips = files(tmp_path / "clips", 10)
    build_cache(tmp_path / "cache", clips, SPEC, workers=1, read=read_stub)
    vanished = FrameCache(tmp_path / "cache")["clip007"]
    clips["clip001"].write_text("another")
    clips["clip002"].write_text("broken")
    clips["clip007"].unlink()
    summary = build_cache(tmp_path / "cache", clips, SPEC, workers=1, read=read_stub)
    assert (summary.done, summary.kept) == (1, 8)
    assert summary.failed.keys() == {"clip002"}
    cache = FrameCache(tmp_path / "cache")
    cache.verify()
    assert cache.missing(clips) == ["clip002"], "no frames of the file that was"
    assert cache["clip001"] == read_stub(clips["clip001"], SPEC)
    assert cache["clip007"] == vanished


@pytest.mark.usefixtures("small_shards")
def test_a_shard_whose_videos_all_changed_goes(tmp_path: Path) -> None:
    clips = files(tmp_path / "clips", 8)
    build_cache(tmp_path / "cache", clips, SPEC, workers=1, read=read_stub)
    for name in list(clips)[:4]:
        clips[name].write_text("another " + name)
    assert build_cache(tmp_path / "cache", clips, SPEC, workers=1, read=read_stub).done == 4
    shards = sorted(path.name for path in (tmp_path / "cache").glob("shard-*"))
    assert shards == ["shard-00001.arrow", "shard-00002.arrow"]
    assert FrameCache(tmp_path / "cache").missing(clips) == []
    assert_holds(FrameCache(tmp_path / "cache"), clips)


def test_clips_of_another_recipe_stay(tmp_path: Path) -> None:
    clips = files(tmp_path / "clips", 4)
    build_cache(tmp_path / "cache", clips, SPEC, workers=1, read=read_stub)
    clips["clip000"].write_text("another")
    only = {"clip003": clips["clip003"]}
    summary = build_cache(tmp_path / "cache", only, SPEC, workers=1, read=read_stub)
    assert (summary.done, summary.kept) == (0, 1)
    assert len(FrameCache(tmp_path / "cache")) == 4


def build_slowly(folder: Path, clips: Mapping[str, Path]) -> None:
    """Build a cache of small shards, in a process of its own."""
    build.SHARD_CLIPS = SHARD_CLIPS
    build_cache(folder, clips, SPEC, workers=2, read=slow_stub)


def build_and_die(folder: Path, clips: Mapping[str, Path], step: str, nth: int) -> None:
    """Like `build_slowly`, killed just before the n-th call of a function of `os`."""
    calls = iter(range(nth + 1))
    real = getattr(os, step)

    def die_or_do(*arguments: object) -> object:
        if next(calls) == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments)

    setattr(os, step, die_or_do)
    build_slowly(folder, clips)


@pytest.mark.usefixtures("small_shards")
def test_a_builder_killed_at_any_moment_leaves_a_sound_cache(tmp_path: Path) -> None:
    clips = files(tmp_path / "clips", 200)
    rng, held = random.Random(0), 0
    for _ in range(6):
        child = CHILDREN.Process(target=build_slowly, args=(tmp_path / "cache", clips))
        child.start()
        count = len(list(tmp_path.glob("cache/shard-*.arrow")))
        while len(list(tmp_path.glob("cache/shard-*.arrow"))) <= count and child.is_alive():
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.03))
        child.kill()
        child.join()
        cache = FrameCache(tmp_path / "cache")
        assert_holds(cache, clips)
        assert len(cache) > held
        held = len(cache)
    assert held < len(clips), "the last builder was killed at work"
    summary = build_cache(tmp_path / "cache", clips, SPEC, workers=2, read=read_stub)
    assert (summary.done, summary.kept) == (len(clips) - held, held)
    assert FrameCache(tmp_path / "cache").missing(clips) == []
    assert_holds(FrameCache(tmp_path / "cache"), clips)


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("nth", [0, 1, 2])
@pytest.mark.usefixtures("small_shards")
def test_a_builder_killed_at_the_worst_moment_leaves_a_sound_cache(
    step: str, nth: int, tmp_path: Path
) -> None:
    """As the note (0), the first or the second shard comes to the disk or gets its name."""
    clips = files(tmp_path / "clips", 12)
    child = CHILDREN.Process(target=build_and_die, args=(tmp_path / "cache", clips, step, nth))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert (tmp_path / "cache" / "cache.json").exists() == (nth > 0)
    if nth:
        assert len(FrameCache(tmp_path / "cache")) == 4 * (nth - 1)
    assert build_cache(tmp_path / "cache", clips, SPEC, workers=1, read=read_stub).failed == {}
    assert FrameCache(tmp_path / "cache").missing(clips) == []
    assert_holds(FrameCache(tmp_path / "cache"), clips)
    assert not list((tmp_path / "cache").glob("*.part"))


def test_ctrl_c_keeps_what_is_decoded(tmp_path: Path) -> None:
    clips = files(tmp_path / "clips", 10)

    def interrupted(path: Path, spec: FramesBlock) -> ClipFrames:
        if path.stem == "clip006":
            raise KeyboardInterrupt
        return read_stub(path, spec)

    with pytest.raises(KeyboardInterrupt):
        build_cache(tmp_path / "cache", clips, SPEC, workers=1, read=interrupted)
    assert FrameCache(tmp_path / "cache").names == list(clips)[:6]


@pytest.mark.usefixtures("small_shards")
def test_an_interrupt_just_after_a_shard_is_written_leaves_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = files(tmp_path / "clips", 10)
    real = os.replace

    def replace(source: Path, target: Path) -> None:
        real(source, target)
        if "shard" in target.name:
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        build_cache(tmp_path / "cache", clips, SPEC, workers=1, read=read_stub)
    assert FrameCache(tmp_path / "cache").names == list(clips)[:4]


@pytest.mark.usefixtures("small_shards")
def test_a_full_disk_is_told_and_leaves_the_shards_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = files(tmp_path / "clips", 10)
    room = iter([True, True])  # for the note and one shard

    def fsync(_: int) -> None:
        if not next(room, False):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(RunError, match=r"shard-00001\.arrow: cannot be written: No space left"):
        build_cache(tmp_path / "cache", clips, SPEC, workers=1, read=read_stub)
    monkeypatch.undo()
    assert not list((tmp_path / "cache").glob("*.part"))
    assert FrameCache(tmp_path / "cache").names == list(clips)[:4]


def test_a_second_builder_is_refused(tmp_path: Path) -> None:
    clips = files(tmp_path / "clips", 1)

    def build_too(path: Path, spec: FramesBlock) -> ClipFrames:
        with pytest.raises(RunError, match="another process is filling this cache"):
            build_cache(tmp_path / "cache", clips, spec, workers=1, read=read_stub)
        return read_stub(path, spec)

    assert build_cache(tmp_path / "cache", clips, SPEC, workers=1, read=build_too).done == 1


def test_another_way_to_take_frames_is_refused(tmp_path: Path) -> None:
    clips = files(tmp_path / "clips", 2)
    build_cache(tmp_path / "cache", clips, SPEC, workers=1, read=read_stub)
    other = SPEC.model_copy(update={"count": 4, "jpeg_quality": 80})
    with pytest.raises(RunError) as refused:
        build_cache(tmp_path / "cache", clips, other, workers=1, read=read_stub)
    assert "frames.count: 2 -> 4" in str(refused.value)
    assert "frames.jpeg_quality: 95 -> 80" in str(refused.value)
    assert "policy" not in str(refused.value)
    assert "give another folder" in str(refused.value)
    cache = FrameCache(tmp_path / "cache")
    assert cache.spec == SPEC
    cache.check_spec(SPEC)
    with pytest.raises(RunError, match=r"frames\.count: 2 -> 4"):
        cache.check_spec(other)


@pytest.mark.parametrize("note", ["{", '{"format": 99, "frames": {}}', "null"])
def test_a_damaged_note_is_refused(note: str, tmp_path: Path) -> None:
    (tmp_path / "cache.json").write_text(note)
    with pytest.raises(RunError, match=r"cache\.json: damaged, or written by another version"):
        FrameCache(tmp_path)
    with pytest.raises(RunError, match=r"cache\.json: damaged, or written by another version"):
        build_cache(tmp_path, {}, SPEC, workers=1)


def test_shards_without_a_note_are_refused(tmp_path: Path) -> None:
    clips = files(tmp_path / "clips", 2)
    build_cache(tmp_path / "cache", clips, SPEC, workers=1, read=read_stub)
    (tmp_path / "cache" / "cache.json").unlink()
    with pytest.raises(RunError, match=r"has shards but no cache\.json"):
        build_cache(tmp_path / "cache", clips, SPEC, workers=1, read=read_stub)
    with pytest.raises(RunError, match=r"no frame cache \(no cache\.json\)"):
        FrameCache(tmp_path / "cache")


def test_a_clip_in_two_shards_is_refused(tmp_path: Path) -> None:
    clips = files(tmp_path / "clips", 2)
    build_cache(tmp_path / "cache", clips, SPEC, workers=1, read=read_stub)
    shard = tmp_path / "cache" / "shard-00000.arrow"
    shard.with_name("shard-00001.arrow").write_bytes(shard.read_bytes())
    told = r"shard-00001\.arrow \(clip clip000\).*: is also in .*shard-00000"
    with pytest.raises(InputError, match=told):
        FrameCache(tmp_path / "cache")


def test_a_clip_that_is_not_there_is_named(tmp_path: Path) -> None:
    build_cache(tmp_path, {}, SPEC, workers=1)
    cache = FrameCache(tmp_path)
    assert len(cache) == 0
    with pytest.raises(ClipError, match="no frames of clip sway; run fmau frames"):
        cache["sway"]


def test_opened_in_another_process_it_is_the_same(tmp_path: Path) -> None:
    clips = files(tmp_path / "clips", 40)
    build_cache(tmp_path / "cache", clips, SPEC, workers=1, read=read_stub)
    message = pickle.dumps(FrameCache(tmp_path / "cache"))
    assert len(message) < 500
    again = pickle.loads(message)
    assert again.names == list(clips)
    assert_holds(again, clips)


@pytest.mark.slow
def test_data_loader_workers_read_it(tmp_path: Path) -> None:
    data = pytest.importorskip("torch.utils.data")
    clips = files(tmp_path / "clips", 40)
    build_cache(tmp_path / "cache", clips, SPEC, workers=1, read=read_stub)
    loader = data.DataLoader(
        FrameCache(tmp_path / "cache"),
        sampler=list(clips),
        batch_size=None,
        num_workers=2,
        multiprocessing_context="spawn",
    )
    assert list(loader) == [read_stub(path, SPEC) for path in clips.values()]


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes, dict[str, ClipFrames]]:
    """A shard to damage, its sound bytes, and the frames in it."""
    folder = tmp_path_factory.mktemp("damaged")
    build_cache(folder, files(folder / "clips", 3), SPEC, workers=1, read=read_stub)
    cache = FrameCache(folder)
    shard = folder / "shard-00000.arrow"
    return shard, shard.read_bytes(), {name: cache[name] for name in cache.names}


def problems_of(folder: Path) -> tuple[Problem, ...]:
    """What opening and verifying a cache finds."""
    try:
        FrameCache(folder).verify()
    except InputError as error:
        return error.problems
    return ()


@settings(max_examples=200)
@given(data=st.data())
def test_no_damage_goes_unnoticed(
    damaged: tuple[Path, bytes, dict[str, ClipFrames]], data: st.DataObject
) -> None:
    """One byte is changed: it is noticed, by name, or it does no harm."""
    path, sound, frames = damaged
    place = data.draw(st.integers(0, len(sound) - 1), "place")
    flip = data.draw(st.integers(1, 255), "flip")
    path.unlink()  # an earlier example's mapping keeps its own file
    path.write_bytes(sound[:place] + bytes([sound[place] ^ flip]) + sound[place + 1 :])
    problems = problems_of(path.parent)
    assert all("shard-00000.arrow" in problem.where for problem in problems)
    assert all("delete the shard" in problem.remedy for problem in problems)
    if not problems:
        cache = FrameCache(path.parent)
        assert {name: cache[name] for name in cache.names} == frames


@pytest.mark.parametrize("offset", [-1, 5, 10**9])
def test_offsets_that_lead_astray_are_refused(
    offset: int, damaged: tuple[Path, bytes, dict[str, ClipFrames]]
) -> None:
    """Arrow follows them out of the mapped file, which ends the process."""
    path, sound, _ = damaged
    of_three_pairs = struct.pack("<4i", 0, 2, 4, 6)
    assert of_three_pairs in sound
    path.unlink()
    path.write_bytes(sound.replace(of_three_pairs, struct.pack("<4i", 0, offset, 4, 6)))
    with pytest.raises(InputError, match=r"shard-00000\.arrow: damaged .* delete the shard"):
        FrameCache(path.parent)


@settings(max_examples=50)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_cut_off_shard_is_refused(
    damaged: tuple[Path, bytes, dict[str, ClipFrames]], share: float
) -> None:
    path, sound, _ = damaged
    path.unlink()
    path.write_bytes(sound[: int(share * len(sound))])
    with pytest.raises(InputError, match=r"shard-00000\.arrow: damaged .* delete the shard"):
        FrameCache(path.parent)


def test_every_damaged_clip_is_listed(tmp_path: Path) -> None:
    clips = files(tmp_path / "clips", 5)
    build_cache(tmp_path / "cache", clips, SPEC, workers=1, read=read_stub)
    path = tmp_path / "cache" / "shard-00000.arrow"
    content = path.read_bytes()
    for name in ("clip001", "clip004"):
        jpeg = read_stub(clips[name], SPEC).jpegs[1]
        content = content.replace(jpeg, jpeg[:-20] + bytes(20))
    path.write_bytes(content)
    cache = FrameCache(tmp_path / "cache")
    with pytest.raises(InputError) as found:
        cache.verify(workers=2)
    assert [problem.where for problem in found.value.problems] == [
        f"{path} (clip clip001)",
        f"{path} (clip clip004)",
    ]
    with pytest.raises(InputError, match="checksum"):
        cache["clip001"]
    assert cache["clip000"] == read_stub(clips["clip000"], SPEC)


@pytest.mark.parametrize(
    "change",
    [
        {"jpegs": (b"no JPEG",) * 2},
        {"jpegs": ()},
        {"height": 64},
        {"indices": (0, 1, 2)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_verify_decodes_the_frames(change: dict[str, object], tmp_path: Path) -> None:
    """What was written wrong has a right checksum."""
    (path,) = files(tmp_path, 1).values()
    frames = read_stub(path, SPEC)
    values = {name: getattr(frames, name) for name in ClipFrames.__dataclass_fields__} | change

    def read_wrong(path: Path, spec: FramesBlock) -> ClipFrames:
        return ClipFrames(**values)

    build_cache(tmp_path / "cache", {"a": path}, SPEC, workers=1, read=read_wrong)
    with pytest.raises(InputError, match=r"shard-00000\.arrow \(clip a\)"):
        FrameCache(tmp_path / "cache").verify()


FRAMES = st.builds(
    ClipFrames,
    clip=st.text(st.characters(exclude_categories=["Cs"])),
    jpegs=st.lists(st.binary(max_size=64), max_size=6).map(tuple),
    height=st.integers(0, 2**31 - 1),
    width=st.integers(0, 2**31 - 1),
    indices=st.lists(st.integers(0, 2**63 - 1), max_size=6).map(tuple),
    fps=st.floats(allow_nan=False, allow_infinity=False),
    total_num_frames=st.integers(0, 2**63 - 1),
    duration_s=st.floats(allow_nan=False, allow_infinity=False),
)


@given(written=st.lists(FRAMES, max_size=5, unique_by=lambda frames: frames.clip))
def test_a_shard_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, written: list[ClipFrames]
) -> None:
    path = tmp_path_factory.getbasetemp() / "shard-00000.arrow"
    write_shard(path, [as_row(frames, Source(1, 2)) for frames in written])
    shard = Shard(path)
    assert [shard.frames(row) for row in range(len(written))] == written
    assert shard.sources() == {frames.clip: Source(1, 2) for frames in written}


def test_shards_are_bounded_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clips = files(tmp_path / "clips", 9)
    of_one = sum(map(len, read_stub(clips["clip000"], SPEC).jpegs))
    monkeypatch.setattr(build, "SHARD_BYTES", int(2.5 * of_one))
    build_cache(tmp_path / "cache", clips, SPEC, workers=1, read=read_stub)
    assert [len(Shard(path).clips) for path in sorted(tmp_path.glob("cache/shard-*.arrow"))] == [
        3,
        3,
        3,
    ]


@pytest.mark.parametrize("workers", [1, 3])
def test_work_ahead_is_in_order_and_bounded(workers: int) -> None:
    taken, most_ahead = 0, 0

    def items() -> Iterator[int]:
        nonlocal most_ahead
        for item in range(40):
            most_ahead = max(most_ahead, item + 1 - taken)
            yield item

    results = []
    for result in map_ahead(lambda item: item * item, items(), workers):
        taken += 1
        results.append(result)
    assert results == [item * item for item in range(40)]
    assert most_ahead <= 2 * workers + 1


def test_work_ahead_passes_errors_on() -> None:
    def fail(item: int) -> int:
        raise FmauError(f"item {item}")

    with pytest.raises(FmauError, match="item 0"):
        list(map_ahead(fail, range(100), 2))
