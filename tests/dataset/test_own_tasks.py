"""Question files with tasks that MA-Bench does not have."""

import json
from pathlib import Path
from typing import Any

import pytest

from fmau.core.errors import InputError
from fmau.core.records import Option, QuestionFile
from fmau.core.taxonomy import Kind, OwnTask, Task
from fmau.dataset.questions import load_questions

ROW = {
    "qid": "g1",
    "video": "c1.mp4",
    "task": "Gaze",
    "type": "choice",
    "question": "Where does the person look?\nA. Left\nB. Right",
    "answer": "b",
}


def read(tmp_path: Path, *changes: dict[str, Any]) -> QuestionFile:
    path = tmp_path / "q.json"
    rows = [{**ROW, "qid": f"g{place}", **change} for place, change in enumerate(changes, start=1)]
    path.write_text(json.dumps([{k: v for k, v in row.items() if v is not None} for row in rows]))
    return load_questions(path)


@pytest.mark.parametrize("count", range(2, 11))
@pytest.mark.parametrize("form", ["{}. {}", "{}) {}", "({}) {}", "[{}] {}", "{}: {}", "{}.  {}"])
@pytest.mark.parametrize("case", [str.upper, str.lower])
def test_options_are_read_in_the_forms_that_people_write(
    tmp_path: Path, count: int, form: str, case: Any
) -> None:
    letters = "ABCDEFGHIJ"[:count]
    lines = [form.format(case(letter), f"way {letter}") for letter in letters]
    file = read(tmp_path, {"question": "\n".join(["Which way?", *lines]), "answer": letters[-1]})
    (question,) = file.questions
    assert question.task == OwnTask("Gaze", Kind.CHOICE)
    assert question.stem == "Which way?"
    assert question.options == tuple(Option(letter, f"way {letter}") for letter in letters)
    assert file.gold == {"g1": letters[-1]}


@pytest.mark.parametrize("count", [0, 1, 11, 12])
def test_other_numbers_of_options_are_refused(tmp_path: Path, count: int) -> None:
    lines = [f"{letter}. x" for letter in "ABCDEFGHIJKL"[:count]]
    with pytest.raises(InputError, match=f"has 2 to 10 options, this question has {count}"):
        read(tmp_path, {"question": "\n".join(["Which?", *lines]), "answer": None})


def test_yes_no_and_open_questions(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        {"task": "Calm", "type": "yes_no", "question": "Is she calm?", "answer": "YES"},
        {"task": "Why", "type": "open", "question": "Why?", "answer": " It is late. "},
    )
    assert [(q.task, q.options) for q in file.questions] == [
        (OwnTask("Calm", Kind.YES_NO), ()),
        (OwnTask("Why", Kind.OPEN), ()),
    ]
    assert file.gold == {"g1": "Yes", "g2": "It is late."}
    assert file.own_tasks == (OwnTask("Calm", Kind.YES_NO), OwnTask("Why", Kind.OPEN))


def test_own_tasks_stand_beside_those_of_the_benchmark(tmp_path: Path) -> None:
    change = {"task": "PPR", "type": "yes_no", "question": "Near?", "answer": "No"}
    file = read(tmp_path, {}, change, {**change, "type": None})
    assert [q.task for q in file.questions] == [OwnTask("Gaze", Kind.CHOICE), Task.PPR, Task.PPR]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"type": None}, "unknown task 'Gaze'; known tasks: CMAR, "),
        ({"type": "yesno"}, "unknown type 'yesno'; types are choice, yes_no, open"),
        ({"type": 3}, "unknown type 3"),
        ({"task": "CMAr"}, "the task name 'CMAr' has a meaning in fmau"),
        ({"task": "vcc-ls"}, "the task name 'vcc-ls' has a meaning in fmau"),
        ({"task": "Final"}, "the task name 'Final' has a meaning in fmau"),
        ({"task": "=cmd()"}, "the task name '=cmd()' cannot be used"),
        ({"task": "a b"}, "the task name 'a b' cannot be used"),
        ({"task": "x" * 41}, "cannot be used"),
        ({"task": "x\n"}, None),
        ({"task": "PPR", "type": "open"}, "PPR is given the type 'open'; leave 'type' out"),
        ({"answer": "C"}, "the answer is 'C'; write one of A, B"),
        ({"type": "yes_no", "question": "Is it?", "answer": "maybe"}, "write one of Yes, No"),
    ],
)
def test_a_task_that_cannot_be_meant_is_refused(
    tmp_path: Path, change: dict[str, Any], said: str | None
) -> None:
    if said is None:  # white space around a name is no part of it
        assert read(tmp_path, change).own_tasks[0].name == "x"
        return
    with pytest.raises(InputError) as caught:
        read(tmp_path, change)
    assert said in str(caught.value)


def test_a_task_has_one_type_in_a_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Gaze is open here, and choice in other rows"):
        read(tmp_path, {}, {"type": "open", "question": "Where?", "answer": None})


@pytest.mark.parametrize(
    "text",
    [
        "Which?\nA) Tea\nB) Cup",
        "Which?\n(a) Tea\n(b) Cup",
        "Which?\nA: Tea\nB: Cup\nAnswer with a letter.",
        "Which?\nB. Tea\nC. Cup",
        "Which?\nA.Tea\nB.Cup",
    ],
)
@pytest.mark.parametrize(
    "task", [{"task": "Calm", "type": "yes_no"}, {"task": "VCC-LS", "type": None}]
)
def test_lettered_lines_are_not_read_as_free_text(
    tmp_path: Path, text: str, task: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match="has no options, but lines of this question are lettered"):
        read(tmp_path, {**task, "question": text, "answer": None})


def test_a_code_behind_an_own_label_is_part_of_it(tmp_path: Path) -> None:
    text = "Which?\nA. Plan - A1\nB. Nodding - B1"
    (question,) = read(tmp_path, {"question": text}).questions
    assert question.options == (Option("A", "Plan - A1"), Option("B", "Nodding", "B1"))


def test_lines_before_the_options_may_begin_like_one(tmp_path: Path) -> None:
    text = "B: what does she do?\nA. Sit\nB. Stand"
    (question,) = read(tmp_path, {"question": text}).questions
    assert (question.stem, len(question.options)) == ("B: what does she do?", 2)
