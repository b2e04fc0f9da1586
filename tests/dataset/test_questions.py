"""Question files: the official ones load whole, and every defect is named with row and qid."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmau.core.errors import InputError
from fmau.core.records import Question
from fmau.core.taxonomy import CLOSED_TASKS, Task
from fmau.dataset.questions import load_questions
from tests.paths import ALL_12000, MABENCH, SAMPLE_60

needs_mabench = pytest.mark.skipif(not MABENCH.exists(), reason="no MA-Bench files here")

FMAR = "Which one?\nA. Nodding\nB. Turning head\nC. Head up\nD. Bowing head\nE. Shaking head"
ROW = {"video": "clip.mp4", "task": "MAS", "qid": "MAS_1", "question": "First?", "answer": "Yes"}


def write(folder: Path, rows: Any) -> Path:
    path = folder / "q.json"
    path.write_text(json.dumps(rows), "utf-8")
    return path


@needs_mabench
def test_the_official_file_has_the_official_counts() -> None:
    file = load_questions(ALL_12000)
    assert Counter(question.task for question in file.questions) == {
        task: 1000 * task.per_clip for task in Task
    }
    assert len({question.clip for question in file.questions}) == 1000
    assert not file.gold


@needs_mabench
def test_the_official_sample_keeps_every_text_and_answer() -> None:
    file = load_questions(SAMPLE_60)
    for row, question in zip(json.loads(SAMPLE_60.read_text("utf-8")), file.questions, strict=True):
        lines = [question.stem] + [
            f"{o.letter}. {o.label}" + (f" - {o.class_code}" if o.class_code else "")
            for o in question.options
        ]
        assert "\n".join(lines) == row["question"].strip()
        assert file.gold[question.qid].lower() == row["answer"].strip().lower()
        assert question.clip + ".mp4" == row["video"]


def test_a_question_cannot_carry_its_answer() -> None:
    assert not {"answer", "gold"} & set(Question.__dataclass_fields__)
    question = Question("q", "c", Task.MAS, "s")
    with pytest.raises((AttributeError, TypeError)):
        question.answer = "Yes"  # type: ignore[attr-defined]


def test_both_spellings_of_the_clip_and_all_aliases(tmp_path: Path) -> None:
    rows = [
        {"video": "a.b.mp4", "task": "AS", "qid": "1", "question": "First?"},
        {"video_name": "a.b", "task": "VCC-LS", "qid": "2", "question": "Describe."},
        {"video_name": "a.b", "task": "LRC-LS", "qid": "3", "question": "Why?"},
    ]
    file = load_questions(write(tmp_path, rows))
    assert [question.clip for question in file.questions] == ["a.b"] * 3
    assert [question.task.value for question in file.questions] == ["MAS", "MADU", "MARE"]


def test_class_codes_are_kept_apart_from_labels(tmp_path: Path) -> None:
    row = {
        **ROW,
        "task": "FMAR",
        "question": FMAR.replace("Nodding", "Nodding - B1"),
        "answer": "a",
    }
    file = load_questions(write(tmp_path, [row]))
    assert file.questions[0].options[0].label == "Nodding"
    assert file.questions[0].options[0].class_code == "B1"
    assert file.gold == {"MAS_1": "A"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"task": "XYZ"}, "unknown task 'XYZ'"),
        (
            {"question": FMAR},
            "MAS has no options, but lines of this question are lettered A, B, C, D, E",
        ),
        (
            {"task": "VCC-LS", "question": FMAR},
            "MADU has no options, but lines of this question are lettered",
        ),
        ({"task": None}, "'task' is missing"),
        ({"qid": ""}, "'qid' is missing or empty"),
        ({"question": 12}, "'question' is 12, not a text; write a text, in quotes"),
        ({"task": ["MAS"]}, "'task' is ['MAS'], not a text"),
        ({"question": None}, "'question' is missing"),
        ({"video": "../up.mp4"}, "is a path"),
        ({"video": "/etc/passwd"}, "is a path"),
        ({"video": "a\\b.mp4"}, "is a path"),
        ({"video": ".."}, "is a path"),
        ({"video": None}, "no 'video' or 'video_name'"),
        ({"video_name": "clip"}, "both 'video' and 'video_name'"),
        ({"answer": "Maybe"}, "write one of Yes, No"),
        ({"answer": 3}, "the answer is 3"),
        ({"comment": "x"}, "unknown field 'comment'"),
        ({"task": "FMAR", "question": FMAR[: FMAR.index("\nE.")]}, "this question has 4"),
        ({"task": "FMAR", "question": FMAR.replace("B. ", "C. ")}, "lettered from A"),
        ({"task": "FMAR", "question": FMAR.replace("Nodding", "Flying")}, "'Flying'"),
        ({"task": "FMAR", "question": FMAR, "answer": "F"}, "write one of A, B, C, D, E"),
        ({"task": "CMAR", "question": FMAR}, "CMAR has 7 options"),
        ({"video": "a\ud83d.mp4"}, "holds half a character"),
    ],
)
def test_a_defect_is_named_with_row_and_qid(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    path = write(tmp_path, [{**ROW, "qid": "fine"}, {**ROW, **changes}])
    with pytest.raises(InputError) as error:
        load_questions(path)
    assert said in str(error.value)
    assert f"{path} row 2" in str(error.value)
    assert ("(MAS_1)" in str(error.value)) == (changes.get("qid") != "")


def test_all_defects_are_listed_at_once(tmp_path: Path) -> None:
    rows = [ROW, ROW, {**ROW, "qid": "x", "task": "NO"}, 5]
    with pytest.raises(InputError) as error:
        load_questions(write(tmp_path, rows))
    assert len(error.value.problems) == 3
    assert "has the same qid as row 1" in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "[1]", "\x00", '"text"'])
def test_what_is_no_question_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "q.json"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=re.escape(str(path))):
        load_questions(path)
    with pytest.raises(InputError, match="no such file"):
        load_questions(tmp_path / "none.json")


field = st.none() | st.integers() | st.text(max_size=40) | st.just(FMAR) | st.sampled_from(Task)
row = st.dictionaries(st.sampled_from([*ROW, "video_name", "other"]), field) | field


@settings(max_examples=200)
@given(rows=st.lists(row, max_size=5))
def test_any_json_either_loads_or_raises_an_input_error(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any]
) -> None:
    path = write(tmp_path_factory.getbasetemp(), rows)
    try:
        file = load_questions(path)
    except InputError:
        return
    assert len(file.questions) == len(rows)
    for question in file.questions:
        assert "/" not in question.clip
        assert len(question.options) == question.task.option_count
        if question.qid in file.gold and question.task in CLOSED_TASKS:
            letters = [option.letter for option in question.options] or ["Yes", "No"]
            assert file.gold[question.qid] in letters


def test_a_row_keeps_the_name_that_it_gives_its_clip(tmp_path: Path) -> None:
    rows = [
        {"qid": "SAD_1", "task": "SAD", "question": "Does it move?", "video": "two.mov"},
        {"qid": "SAD_2", "task": "SAD", "question": "Does it rest?", "video_name": "one"},
        {"qid": "SAD_3", "task": "SAD", "question": "Does it rest?", "video_name": "two"},
    ]
    (tmp_path / "q.json").write_text(json.dumps(rows), "utf-8")
    asked = load_questions(tmp_path / "q.json").questions
    assert [(q.clip, q.file) for q in asked] == [
        ("two", "two.mov"),
        ("one", "one"),
        ("two", "two.mov"),
    ]


def test_two_files_of_one_clip_name_are_not_one_clip(tmp_path: Path) -> None:
    rows = [
        {"qid": f"SAD_{n}", "task": "SAD", "question": "Does it move?", "video": name}
        for n, name in enumerate(("two.mov", "two.mp4", "two.mov"))
    ]
    (tmp_path / "q.json").write_text(json.dumps(rows), "utf-8")
    with pytest.raises(InputError, match=r"row 2 \(SAD_1\): names the clip 'two\.mp4', other") as e:
        load_questions(tmp_path / "q.json")
    assert len(e.value.problems) == 1


def test_a_qid_that_no_file_can_hold_is_named_with_its_row(tmp_path: Path) -> None:
    path = write(tmp_path, [ROW, {**ROW, "qid": "MAS_\ud83d"}])
    with pytest.raises(InputError) as error:
        load_questions(path)
    assert len(error.value.problems) == 1
    assert f"{path} row 2 (MAS_\ufffd): the text holds half a character" in str(error.value)
    str(error.value).encode("utf-8")


def test_half_a_character_costs_no_question(tmp_path: Path) -> None:
    rows = [{**ROW, "task": "MADU", "question": "Does it\ud83d move?", "answer": "No\udc00."}, ROW]
    rows[0]["qid"] = "MADU_1"
    file = load_questions(write(tmp_path, rows))
    assert [question.stem for question in file.questions] == ["Does it\ufffd move?", "First?"]
    assert file.gold == {"MADU_1": "No\ufffd.", "MAS_1": "Yes"}
    both_halves = tmp_path / "both.json"
    both_halves.write_text(json.dumps([{**ROW, "question": "Does \U0001f600 move?"}]), "ascii")
    assert load_questions(both_halves).questions[0].stem == "Does \U0001f600 move?"


def test_a_key_given_twice_is_named_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "q.json"
    doubled = json.dumps(ROW).replace('"answer"', '"answer": "No", "answer"')
    path.write_text(f"[{json.dumps({**ROW, 'qid': 'MAS_0'})}, {doubled}]", "utf-8")
    with pytest.raises(InputError) as error:
        load_questions(path)
    (problem,) = error.value.problems
    assert (
        str(problem) == f"{path} row 2 (MAS_1): the key 'answer' is given twice; keep one of them"
    )


@pytest.mark.parametrize("qid", [12, 1.5, True])
def test_a_qid_that_is_a_number_is_not_called_missing(tmp_path: Path, qid: Any) -> None:
    with pytest.raises(InputError) as error:
        load_questions(write(tmp_path, [{**ROW, "qid": qid}]))
    (problem,) = error.value.problems
    assert problem.what == f"'qid' is {qid}, not a text"
    assert "missing" not in str(problem)


def test_other_kinds_of_files_are_called_by_their_name(tmp_path: Path) -> None:
    path = tmp_path / "q.json"
    for text, said in (
        (
            f"{json.dumps(ROW)}\n{json.dumps(ROW)}",
            "JSON objects one after another, not a list",
        ),
        (
            "qid,task,question\n1,MAS,First?",
            r"a table with commas \(CSV\), it begins 'qid,task",
        ),
        ("questions:\n- qid: MAS_1", "is not JSON, it begins 'questions:'; write the question"),
    ):
        path.write_text(text, "utf-8")
        with pytest.raises(InputError, match=said) as error:
            load_questions(path)
        assert len(error.value.problems) == 1
