"""Dialogue files: both formats give the same examples; nothing ambiguous gets through."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmau.core.errors import InputError
from fmau.dataset.dialogues import load_dialogues
from fmau.dataset.examples.example import Example

USER = {"role": "user", "content": "<video>\nWhich part moves?"}
ASSISTANT = {"role": "assistant", "content": " The head.\n"}
SYSTEM = {"role": "system", "content": "You are an assistant."}
ROW = {"messages": [USER, ASSISTANT], "videos": ["/data/clips/a.b.mp4"]}
EXAMPLE = Example("a.b", "dialogue", "Which part moves?", "The head.")

FROM = {"system": "system", "user": "human", "assistant": "gpt"}


def as_conversation(row: dict[str, Any]) -> dict[str, Any]:
    """The same row in the other format."""
    turns = [{"from": FROM[turn["role"]], "value": turn["content"]} for turn in row["messages"]]
    return {"id": "0", "conversations": turns, "video": row["videos"][0]}


def write(folder: Path, rows: Any) -> Path:
    path = folder / "dialogues.json"
    path.write_text(json.dumps(rows), "utf-8")
    return path


def problems(path: Path) -> list[str]:
    with pytest.raises(InputError) as error:
        load_dialogues(path)
    return [str(problem) for problem in error.value.problems]


@pytest.mark.parametrize("row", [ROW, as_conversation(ROW)], ids=["messages", "conversations"])
def test_one_exchange_becomes_one_example(tmp_path: Path, row: dict[str, Any]) -> None:
    assert load_dialogues(write(tmp_path, [row])) == (EXAMPLE,)
    lines = tmp_path / "dialogues.jsonl"
    lines.write_text(f"{json.dumps(row)}\n{json.dumps(row)}\n", "utf-8")
    assert load_dialogues(lines) == (EXAMPLE, EXAMPLE)


def test_a_system_turn_is_not_used(tmp_path: Path) -> None:
    row = {**ROW, "messages": [SYSTEM, USER, ASSISTANT], "system": "Be brief."}
    assert load_dialogues(write(tmp_path, [row, as_conversation(row)])) == (EXAMPLE, EXAMPLE)


@pytest.mark.parametrize("text", ["<video>Why?", "<video>\n Why?", " Why?\n<video>", "Why?<video>"])
def test_the_placeholder_is_no_part_of_the_question(tmp_path: Path, text: str) -> None:
    row = {**ROW, "messages": [{**USER, "content": text}, ASSISTANT]}
    assert load_dialogues(write(tmp_path, [row]))[0].ask == "Why?"


@pytest.mark.parametrize(
    "path", ["a.mp4", "x/a.mp4", "/x/a.mp4", "..\\x\\a.mp4", "../a", "C:\\x\\a.avi"]
)
def test_only_the_file_name_of_a_clip_counts(tmp_path: Path, path: str) -> None:
    for video in ({"videos": [path]}, {"videos": path}, {"video": path}, {"video": [path]}):
        row = {"messages": [USER, ASSISTANT], **video}
        assert load_dialogues(write(tmp_path, [row]))[0].clip == "a"


def said_by(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"videos": []}, "the row has 0 videos"),
        ({"videos": ["a.mp4", "b.mp4"]}, "the row has 2 videos"),
        ({"videos": None}, "the row has 0 videos"),
        ({"videos": [3]}, "the video is 3"),
        ({"videos": ["x/.."]}, "is a path"),
        ({"video": "a.mp4"}, "'video' and 'videos' are given"),
        ({"messages": None}, "0 lists of turns"),
        ({"conversations": []}, "2 lists of turns"),
        ({"messages": {}}, "'messages' is a dict"),
        ({"messages": []}, "the turns are none"),
        ({"messages": [USER]}, "the turns are user"),
        ({"messages": [ASSISTANT, USER]}, "the turns are assistant, user"),
        ({"messages": [USER, SYSTEM, ASSISTANT]}, "the turns are user, system, assistant"),
        ({"messages": [SYSTEM, SYSTEM, USER, ASSISTANT]}, "the turns are system, user, assistant"),
        ({"messages": [USER, USER, ASSISTANT]}, "the turns are user, user, assistant"),
        ({"messages": [USER, ASSISTANT] * 2}, "2 exchanges"),
        ({"messages": [SYSTEM, *[USER, ASSISTANT] * 3]}, "split it into rows of one exchange"),
        ({"messages": [said_by("tool", "x"), ASSISTANT]}, "turn 1 has no known speaker"),
        ({"messages": [USER, said_by("assistant", [])]}, "turn 2 has no known speaker, or no text"),
        ({"messages": [USER, "The head."]}, "turn 2 has no known speaker"),
        ({"messages": [said_by("user", "Why?"), ASSISTANT]}, "the user's turn exactly once"),
        (
            {"messages": [said_by("user", "<video><video>"), ASSISTANT]},
            "the user's turn exactly once",
        ),
        ({"messages": [said_by("user", "<image>Why?"), ASSISTANT]}, "the user's turn exactly once"),
        ({"messages": [USER, said_by("assistant", "<video>")]}, "the user's turn exactly once"),
        ({"messages": [said_by("user", "In <video> who?"), ASSISTANT]}, "inside the user's text"),
        ({"messages": [said_by("user", "<video> "), ASSISTANT]}, "the 'user' turn has no text"),
        ({"messages": [USER, said_by("assistant", "\n")]}, "the 'assistant' turn has no text"),
        ({"video_start": 1.5}, "the key 'video_start' (1.5) is not supported; remove the key"),
        ({"video_end": 0}, "the key 'video_end' (0) is not supported"),
        ({"fps": 2}, "the key 'fps' (2) is not supported"),
        ({"loss": False}, "the key 'loss' (False) is not supported"),
        ({"weight": 0.5}, "the key 'weight' (0.5) is not supported"),
        ({"rejected_response": "The foot."}, "the key 'rejected_response' ('The foot.') is not"),
        ({"images": ["a.png"]}, "the key 'images' (['a.png']) is not supported"),
        ({"label": False}, "the key 'label' (False) is not supported"),
        ({"messages": [USER, {**ASSISTANT, "loss": False}]}, "turn 2: the key 'loss' (False) is"),
        ({"messages": [USER, {**ASSISTANT, "weight": 0}]}, "turn 2: the key 'weight' (0) is not"),
        ({"messages": [{**USER, "loss": True}, ASSISTANT]}, "turn 1: the key 'loss' (True) is not"),
        ({"messages": [USER, {**ASSISTANT, "tool_calls": [{}]}]}, "turn 2: the key 'tool_calls'"),
        (
            {"messages": [USER, said_by("assistant", "Head.<|im_end|>\n<|im_start|>user")]},
            "the text holds the control token",
        ),
        (
            {"messages": [said_by("user", "<video><|vision_start|>Why?"), ASSISTANT]},
            "the text holds the control token '<|vision_start|>'",
        ),
        ({"messages": [USER, said_by("assistant", "H\udc00")]}, "half a character, 'H\\udc00'"),
    ],
)
def test_a_defect_is_named_with_row_and_clip(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    path = write(tmp_path, [ROW, {**ROW, **changes}])
    found = problems(path)
    assert len(found) == 1
    assert said in found[0]
    assert found[0].startswith(f"{path} row 2")
    named = "row 2 (a.b): " in found[0]
    assert named == (not {"video", "videos"} & set(changes))


def test_line_ends_are_the_same_on_all_systems(tmp_path: Path) -> None:
    turns = [said_by("user", "<video>\r\nWhy?\r\nHow?"), said_by("assistant", "It\r\nnods.\r\n")]
    (example,) = load_dialogues(write(tmp_path, [{**ROW, "messages": turns}]))
    assert (example.ask, example.answer) == ("Why?\nHow?", "It\nnods.")


def test_keys_that_change_nothing_are_ignored(tmp_path: Path) -> None:
    names = {"id": 3, "source": "web", "dataset": "x", "system": "Be brief.", "metadata": {"a": 1}}
    empty: dict[str, Any] = {
        "images": [],
        "rejected_response": None,
        "tools": "",
        "loss": True,
        "weight": 1.0,
    }
    turns = [{**USER, "loss": False, "weight": 0}, {**ASSISTANT, "loss": True, "weight": 1}]
    row = {**ROW, **names, **empty, "messages": turns}
    assert load_dialogues(write(tmp_path, [row])) == (EXAMPLE,)


def test_folders_cannot_tell_two_clips_apart(tmp_path: Path) -> None:
    other = {**ROW, "videos": ["/data/more/a.b.mp4"]}
    (problem,) = problems(write(tmp_path, [ROW, other]))
    assert "'/data/more/a.b.mp4' has the file name of another clip" in problem


def test_all_defects_are_listed_at_once(tmp_path: Path) -> None:
    rows = [{**ROW, "videos": [], "messages": [USER]}, 5, {}, ROW]
    found = problems(write(tmp_path, rows))
    assert [problem.split(" row ")[1][0] for problem in found] == ["1", "1", "2", "3", "3"]


def test_a_key_given_twice_is_named_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "dialogues.jsonl"
    doubled = json.dumps(ROW).replace('"content": " The', '"content": "No.", "content": " The')
    path.write_text(f"{json.dumps(ROW)}\n{doubled}", "utf-8")
    (problem,) = problems(path)
    assert problem == f"{path} row 2 (a.b): the key 'content' is given twice; keep one of them"


text = st.text(max_size=10) | st.sampled_from(["<video>", "<video>Why?", "user", "assistant"])
turn = st.fixed_dictionaries({"role": st.sampled_from([*FROM, "x"]), "content": text}) | text
row = st.fixed_dictionaries(
    {"messages": st.just([USER, ASSISTANT]) | st.lists(turn, max_size=4)},
    optional={"videos": st.lists(text, max_size=2), "video": text, "conversations": text},
)


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(row | text, max_size=3))
def test_any_json_either_loads_whole_or_raises_an_input_error(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any]
) -> None:
    path = write(tmp_path_factory.getbasetemp(), rows)
    try:
        examples = load_dialogues(path)
    except InputError:
        return
    assert len(examples) == len(rows)
    for example in examples:
        assert example.clip
        assert not {"/", "\\"} & set(example.clip)
        assert "<video>" not in f"{example.ask}{example.answer}"
        assert example.answer == example.answer.strip() != ""
