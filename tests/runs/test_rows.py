"""Append-only rows: nothing whole is ever lost, nothing half is ever read."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from fmau.core.errors import InputError, RunError
from fmau.runs import RowFile, read_rows


class Row(BaseModel):
    key: int
    text: str


TEXTS = st.lists(st.text(max_size=200), max_size=20)


def write(path: Path, texts: list[str]) -> list[Row]:
    rows = [Row(key=number, text=text) for number, text in enumerate(texts)]
    with RowFile(path) as file:
        for row in rows:
            file.append(row)
    return rows


@given(texts=TEXTS)
def test_rows_come_back_as_written(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    assert read_rows(path, Row) == []
    rows = write(path, texts)
    assert read_rows(path, Row) == rows
    assert path.read_bytes().count(b"\n") == len(rows)


@given(texts=TEXTS, data=st.data())
def test_a_cut_at_any_byte_costs_at_most_the_row_it_hits(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    rows = write(path, texts)
    content = path.read_bytes()
    cut = data.draw(st.integers(0, len(content)))
    path.write_bytes(content[:cut])
    whole = rows[: content[:cut].count(b"\n")]
    assert read_rows(path, Row) == whole  # a reader passes over the rest
    added = Row(key=-1, text="after the cut")
    with RowFile(path) as file:  # a writer cuts it away
        file.append(added)
    assert read_rows(path, Row) == [*whole, added]


def test_an_unfinished_row_longer_than_the_search_window_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = write(path, ["first"])
    with path.open("ab") as file:
        file.write(b'{"key":1,"text":"' + b"x" * 300_000)
    with RowFile(path):
        pass
    assert read_rows(path, Row) == rows
    assert path.stat().st_size < 100


def test_malformed_rows_are_all_named_by_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"key":1,"text":"a"}\nnot json\n{"key":2}\n{"key":3,"text":"c"}\n', "utf-8")
    with pytest.raises(InputError) as caught:
        read_rows(path, Row)
    assert [problem.where for problem in caught.value.problems] == [
        f"{path} line 2",
        f"{path} line 3",
    ]
    assert "text: missing" in str(caught.value)


def test_a_full_disk_is_an_error_that_keeps_the_rows_before(tmp_path: Path) -> None:
    """A file-size limit stands in for the disk: the kernel writes what fits, then refuses."""
    path = tmp_path / "rows.jsonl"
    rows = write(path, ["fits"])
    size = path.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with RowFile(path) as file:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, hard))
            with pytest.raises(RunError, match="make room, then start the same command again"):
                file.append(Row(key=1, text="x" * 100))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert path.stat().st_size == size
    assert read_rows(path, Row) == rows


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=f"{tmp_path}: cannot be written"):
        RowFile(tmp_path)
    with pytest.raises(RunError, match="cannot be written: No such file"):
        RowFile(tmp_path / "missing" / "rows.jsonl")


def test_rows_are_in_the_file_before_append_returns(tmp_path: Path) -> None:
    """What a killed process had appended is there, without any closing step."""
    path = tmp_path / "rows.jsonl"
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from pydantic import BaseModel; from fmau.runs import RowFile\n"
        "class Row(BaseModel):\n    key: int\n    text: str\n"
        "file = RowFile(Path(sys.argv[1]))\n"
        "for key in range(5): file.append(Row(key=key, text='t'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    assert [row.key for row in read_rows(path, Row)] == [0, 1, 2, 3, 4]
