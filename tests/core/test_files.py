"""Files are whole or not there, a folder is held until its holder ends, digests tell apart."""

import errno
import gzip
import hashlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from fmau.core.errors import InputError, RecipeError, RunError
from fmau.core.files import (
    digest,
    file_digest,
    hold_folder,
    read_record,
    read_text,
    read_yaml,
    whole_file,
    whole_folder,
    write_whole,
)
from fmau.core.records import Record

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=10,
)


def test_a_block_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    write_whole(path, "old")
    with pytest.raises(ZeroDivisionError), whole_file(path) as file:
        file.write(str(1 // 0).encode())
    assert path.read_text("utf-8") == "old"
    write_whole(path, "näw")
    assert path.read_bytes() == "näw".encode()
    assert os.listdir(tmp_path) == ["f.json"]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f.json"
    write_whole(path, "old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RunError, match=r"f\.json: cannot be written: No space left.*make room"):
        write_whole(path, "new")
    assert path.read_text("utf-8") == "old"
    assert os.listdir(tmp_path) == ["f.json"]


def test_two_writers_of_one_file_come_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    second = threading.Thread(target=write_whole, args=(path, "second"))
    with whole_file(path) as file:
        file.write(b"fir")
        second.start()
        second.join(0.3)
        assert second.is_alive(), "it waits"
        file.write(b"st")
    second.join(10)
    assert path.read_text("utf-8") == "second"
    assert os.listdir(tmp_path) == ["f.json"]


@pytest.mark.parametrize(
    ("number", "advice"),
    [(errno.EROFS, "make the folder writable"), (errno.EDQUOT, "make room on the disk")],
)
def test_the_advice_fits_the_reason(
    number: int, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(RunError, match=advice):
        write_whole(tmp_path / "f.json", "text")


def test_a_folder_is_whole_or_not_there(tmp_path: Path) -> None:
    out = tmp_path / "merged"
    with pytest.raises(ZeroDivisionError), whole_folder(out) as folder:
        (folder / "weights").write_text(str(1 // 0), "utf-8")
    assert os.listdir(tmp_path) == []
    (tmp_path / "merged.part").mkdir()  # as a kill leaves it
    (tmp_path / "merged.part" / "half").touch()
    out.mkdir()
    with whole_folder(out) as folder:
        (folder / "weights").write_text("w", "utf-8")
    assert os.listdir(tmp_path) == ["merged"]
    assert os.listdir(out) == ["weights"]


def test_a_folder_in_use_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", "utf-8")
    with pytest.raises(RunError, match="the folder is not empty"), whole_folder(tmp_path):
        pytest.fail("the block must not run")
    with pytest.raises(RunError, match="is a file"), whole_folder(tmp_path / "mine.txt"):
        pytest.fail("the block must not run")
    assert os.listdir(tmp_path) == ["mine.txt"]


HOLDER = """
import sys, time
from pathlib import Path
from fmau.core.files import hold_folder
lock = hold_folder(Path(sys.argv[1]), "busy")
print("held", flush=True)
time.sleep(60)
"""


def test_a_folder_is_held_until_its_holder_dies(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(RunError, match=r"run: somebody writes; wait for it, or stop it first"):
        hold_folder(folder, "somebody writes")
    holder.kill()
    holder.wait()
    hold_folder(folder, "somebody writes").release()
    hold_folder(folder, "somebody writes").release()


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes("ä".encode("latin-1"))
    (tmp_path / "bom").write_bytes(b"\xef\xbb\xbfa: 1")
    for name, what in ((".", "is a folder"), ("none", "no such file"), ("latin", "not UTF-8")):
        with pytest.raises(InputError, match=what):
            read_text(tmp_path / name)
    assert read_text(tmp_path / "bom") == "a: 1"
    (tmp_path / "ends").write_bytes(b"a\r\nb\rc\n")
    assert read_text(tmp_path / "ends") == "a\nb\nc\n"
    (tmp_path / "y").write_text("a: [", "utf-8")
    with pytest.raises(RecipeError, match="y: cannot be read as YAML"):
        read_yaml(tmp_path / "y")


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A pipe that nobody writes to: reading it would wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def test_a_pipe_is_refused_and_not_waited_for(pipe: Path) -> None:
    with pytest.raises(InputError, match=r"pipe: cannot be read \(not a file, but a pipe.*copy"):
        read_text(pipe)
    with pytest.raises(RecipeError, match="not a file, but a pipe"):
        read_yaml(pipe)
    with pytest.raises(RunError, match="not a file, but a pipe"):
        read_record(pipe, Record, "")
    with pytest.raises(InputError, match="not a file, but a pipe"):
        read_text(Path(os.devnull))


def test_paths_that_cannot_be_are_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name, said in (
        ("x" * 300, "File name too long.*check the path"),
        ("loop", "the link leads back to itself"),
        ("a\0b", "no such file"),
    ):
        with pytest.raises(InputError, match=said):
            read_text(tmp_path / name)
        with pytest.raises(RecipeError):
            read_yaml(tmp_path / name)


def test_binary_formats_are_named(tmp_path: Path) -> None:
    path = tmp_path / "captions.parquet"
    parquet.write_table(pyarrow.table({"video": ["a.mp4"]}), path)
    with pytest.raises(InputError, match=r"is a Parquet file, not text; convert it: python") as e:
        read_text(path)
    code = str(e.value).rpartition('-c "')[2].rstrip('"')
    code = code.replace("FILE", str(path)).replace("NEW", str(tmp_path / "new"))
    subprocess.run([sys.executable, "-c", code], check=True)
    assert json.loads(read_text(tmp_path / "new.json")) == [{"video": "a.mp4"}]
    path.write_bytes(gzip.compress(b"[]"))
    with pytest.raises(InputError, match=r"is a gzip archive, not text; unpack"):
        read_text(path)


@given(st.dictionaries(st.text(), json_values, min_size=2))
def test_digest_ignores_key_order(value: dict[str, object]) -> None:
    assert digest(value) == digest(dict(reversed(value.items())))


@given(st.tuples(json_values, json_values) | json_values.map(lambda value: (value, value)))
def test_digest_tells_values_apart(pair: tuple[object, object]) -> None:
    left, right = pair
    same = json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
    assert (digest(left) == digest(right)) == same


def test_the_digest_of_a_value_is_the_same_for_good() -> None:
    """Run folders hold digests: one that changes refuses every run there is."""
    text = '{"a": [true, null, 1.5], "b": "é"}'.encode()
    value = {"b": "é", "a": [True, None, 1.5]}
    assert digest(value) == hashlib.sha256(text).hexdigest()


def test_digests_are_sha256(tmp_path: Path) -> None:
    # Of the published test vector "abc" (FIPS 180-2), and of that text as JSON.
    (tmp_path / "f").write_bytes(b"abc")
    assert file_digest(tmp_path / "f").startswith("ba7816bf8f01cfea414140de5dae2223")
    assert digest("abc").startswith(
        "6cc43f858fbb763301637b5af970e2a46b46f461f27e5a0f41e009c59b827b25"
    )
