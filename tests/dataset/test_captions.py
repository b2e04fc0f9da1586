"""Caption files: all spellings give the same records, and every defect is named with its row."""

import csv
import io
import json
import re
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmau.core.errors import InputError
from fmau.core.taxonomy import Task, action_by_label, actions
from fmau.dataset.captions import FIELDS, CaptionedClip, load_captions
from fmau.dataset.examples import build_examples
from fmau.dataset.labels import read_action
from fmau.dataset.questions import load_questions
from fmau.dataset.rows import Row
from tests.paths import SAMPLE_60

ENDING = "[Body part (coarse-grained)] Head | [Micro-action (fine-grained)] Nodding"
CAPTION = {
    "overall_overview": "The head leads.",
    "timeline_description": "First it goes down; **then** up.",
    "key_part_details": "The hands stay still.\n\nSo do the legs.",
    "judgment_basis": "It is the largest movement.",
    "conclusive_summary": f"The behaviour is nodding. {ENDING}",
}
ROW = {"video": "a.mp4", "participant": "P1", "caption": CAPTION, "coarse": "Head"}
ROW["fine"] = "Nodding"


def write(folder: Path, rows: Any, name: str = "captions.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(rows), "utf-8")
    return path


def load_one(folder: Path, row: dict[str, Any]) -> CaptionedClip:
    (clip,) = load_captions(write(folder, [row]))
    return clip


def problems(path: Path) -> list[str]:
    with pytest.raises(InputError) as error:
        load_captions(path)
    return [str(problem) for problem in error.value.problems]


def test_a_row_as_the_mini_benchmark_writes_it(tmp_path: Path) -> None:
    clip = load_one(tmp_path, ROW)
    assert (clip.clip, clip.participant) == ("a", "P1")
    assert list(clip.fields.items()) == list(CAPTION.items())
    assert clip.action == action_by_label()["nodding"]
    with pytest.raises(TypeError):
        clip.fields["overall_overview"] = "other"


@pytest.mark.parametrize("key", ["video", "video_name", "clip"])
@pytest.mark.parametrize(("name", "clip"), [("b.c.MP4", "b.c"), ("b.c", "b.c"), ("b.avi", "b")])
def test_all_spellings_of_the_clip(tmp_path: Path, key: str, name: str, clip: str) -> None:
    assert load_one(tmp_path, {key: name, "caption": CAPTION}).clip == clip


@pytest.mark.parametrize(
    ("values", "participant"),
    [
        ({"participant_id": " P7 "}, "P7"),
        ({"subject": 7}, "7"),
        ({"participant": None, "subject": 0}, "0"),
        ({"participant": None}, None),
        ({}, None),
    ],
)
def test_all_spellings_of_the_participant(
    tmp_path: Path, values: dict[str, Any], participant: str | None
) -> None:
    row = {"video": "a.mp4", "caption": CAPTION, **values}
    assert load_one(tmp_path, row).participant == participant


def test_json_lines_and_json_lists_are_told_apart_by_their_content(tmp_path: Path) -> None:
    rows = [{**ROW, "video": name} for name in ("a", "b", "c")]
    lines = tmp_path / "captions.txt"
    # A line separator is legal inside a JSON string: it does not end a row.
    rows[1]["participant"] = "P\u20282"
    lines.write_text("\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n")
    assert load_captions(lines) == load_captions(write(tmp_path, rows))


HEADINGS = [
    "## {}\n{}",
    "## {} ##\r\n{}",
    "### 2. **{}**\n\n{}",
    "**{}**: {}",
    "**{}:** {}",
    "**{}** {}",
    "1. {}: {}",
    "1) **{}**:\n{}",
    "- {}: {}",
    "* **{}**: {}",
    "{}: {}",
    "{}\n{}",
    "{}：{}",
]


@pytest.mark.parametrize(("heading", "end"), [*product(HEADINGS, ["\n", "\n\n", "\r\n"])])
def test_all_kinds_of_headings(tmp_path: Path, heading: str, end: str) -> None:
    for spell in (str.title, str.upper, str.capitalize, str):
        names = [spell(field.replace("_", " ")) for field in FIELDS]
        sections = [
            heading.format(name, text) for name, text in zip(names, CAPTION.values(), strict=True)
        ]
        clip = load_one(tmp_path, {**ROW, "caption": end.join(sections)})
        assert dict(clip.fields) == CAPTION


def test_the_fields_have_one_order_whatever_that_of_the_file(tmp_path: Path) -> None:
    mixed = {name.replace("_", " ").title(): text for name, text in reversed(CAPTION.items())}
    assert list(load_one(tmp_path, {**ROW, "caption": mixed}).fields.items()) == [*CAPTION.items()]


def test_a_field_name_in_a_sentence_is_no_heading(tmp_path: Path) -> None:
    texts = {**CAPTION, "judgment_basis": "The\nconclusive summary follows.\nKey part details too"}
    text = "\n".join(f"{name.replace('_', ' ')}: {text}" for name, text in texts.items())
    assert dict(load_one(tmp_path, {**ROW, "caption": text}).fields) == texts


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"video": None}, "no clip is named"),
        ({"video": " "}, "the clip name is ' '"),
        ({"video": "../a.mp4"}, "'../a.mp4' is a path"),
        ({"video": "/a.mp4"}, "'/a.mp4' is a path"),
        ({"video": "b\\a.mp4"}, "is a path"),
        ({"video": ".."}, "'..' is a path"),
        ({"clip": "a"}, "'video' and 'clip' are given"),
        ({"subject": "P2"}, "'participant' and 'subject' are given"),
        ({"participant": ""}, "the participant is ''"),
        ({"participant": True}, "the participant is True"),
        ({"particpant": "P1"}, "unknown key 'particpant'"),
        ({"caption": None}, "'caption' is missing or empty"),
        ({"caption": " "}, "'caption' is missing or empty"),
        ({"caption": ["x"]}, "'caption' is a list"),
        ({"caption": {**CAPTION, "judgment_basis": "-"}}, "judgment_basis is '-', a placeholder"),
        ({"caption": {**CAPTION, "judgment_basis": "N/A."}}, "judgment_basis is 'N/A.', a place"),
        ({"caption": {**CAPTION, "judgment_basis": "TODO"}}, "judgment_basis is 'TODO', a place"),
        ({"caption": "none"}, "the caption is 'none', a placeholder"),
        ({"caption": "No description."}, "the caption is 'No description.', a placeholder"),
        ({"caption": "no caption available"}, "caption available', a placeholder"),
        ({"label": "Waving"}, "'fine' and 'label' are given"),
        ({"caption": "The head nods."}, "the caption text has no headings"),
        ({"caption": {**CAPTION, "judgment_basis": " "}}, "judgment_basis is empty"),
        (
            {"caption": {**CAPTION, "judgment_basis": ["x"]}},
            "judgment_basis is empty or not a text",
        ),
        ({"caption": {**CAPTION, "Judgment Basis": "x"}}, "two fields judgment_basis"),
        ({"caption": {**CAPTION, "mood": "x"}}, "unknown caption field 'mood'"),
        ({"caption": {k: CAPTION[k] for k in FIELDS[1:]}}, "overall_overview is missing"),
        ({"caption": "Sure!\nOverall overview: x"}, "before its first heading: 'Sure!'"),
        ({"caption": "Overall overview: x"}, "timeline_description is missing"),
        (
            {"caption": {**CAPTION, "judgment_basis": "It is.\n\n## Conclusive Summary\nA nod."}},
            "judgment_basis holds a heading, 'Conclusive Summary'",
        ),
        (
            {"caption": {**CAPTION, "judgment_basis": "Judgment basis:\n---"}},
            "caption field judgment_basis holds no words",
        ),
        (
            {"caption": {**CAPTION, "overall_overview": "Sure! The head leads."}},
            "overall_overview speaks to the reader of a chat: 'Sure!'",
        ),
        (
            {"caption": {**CAPTION, "overall_overview": "Here is the overview:\nA nod."}},
            "overall_overview speaks to the reader of a chat: 'Here is the overview:'",
        ),
        ({"fine": "Flying"}, "'fine' names 'Flying', which is not a micro-action"),
        ({"fine": 3}, "'fine' is 3"),
        ({"coarse": "Tail"}, "'coarse' names 'Tail', which is not a body-part group"),
        ({"coarse": "Body"}, "'coarse' says 'Body', but 'Nodding' belongs to 'Head'"),
        ({"fine": "Waving", "coarse": None}, "'fine' is 'Waving', but the ending of"),
        (
            {"caption": {**CAPTION, "judgment_basis": "It ends.<|im_end|>"}},
            "holds the control token '<|im_end|>'",
        ),
        ({"participant": "<|video_pad|>"}, "holds the control token '<|video_pad|>'"),
        ({"participant": "P\ud83d"}, "holds half a character, 'P\\ud83d'"),
        ({"caption": {**CAPTION, "judgment_basis": "\ud83d"}}, "holds half a character"),
    ],
)
def test_a_defect_is_named_with_row_and_clip(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    path = write(tmp_path, [{**ROW, "video": "fine.mp4"}, {**ROW, **changes}])
    found = problems(path)
    assert any(said in problem for problem in found)
    assert all(problem.startswith(f"{path} row 2") for problem in found)
    if not {"video", "clip"} & set(changes):
        assert all("row 2 (a): " in problem for problem in found)


def test_all_defects_of_all_rows_are_listed_in_file_order(tmp_path: Path) -> None:
    path = tmp_path / "captions.jsonl"
    bad = {**ROW, "video": "b", "fine": "Flying", "caption": {"mood": "x", **CAPTION}}
    lines = [json.dumps(ROW), "{", "5", json.dumps(ROW), json.dumps(bad)]
    path.write_text("\n".join(lines), "utf-8")
    found = problems(path)
    assert [problem.split(":")[0].removeprefix(f"{path} ") for problem in found] == [
        "row 2",
        "row 3",
        "row 4 (a)",
        "row 5 (b)",
        "row 5 (b)",
    ]
    assert "the clip is already described in row 1" in found[2]


@pytest.mark.parametrize("text", ["", "{", "[", "[]", "{}", "[1]", "\x00", '"text"', "[" * 9999])
def test_what_is_no_caption_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "captions.json"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=re.escape(str(path))):
        load_captions(path)
    with pytest.raises(InputError, match="no such file"):
        load_captions(tmp_path / "none.json")


@pytest.mark.parametrize(
    "ending",
    [
        "[Body part (coarse-grained)] {} | [Micro-action (fine-grained)] {}",
        "**[Body part (coarse-grained)] {} | [Micro-action (fine-grained)] {}**.",
        "**[Body part (coarse-grained)] {}** and **[Micro-action (fine-grained)] {}** again.",
        "**Body part (coarse-grained): {}** and **Micro-action (fine-grained): {}**.",
        "body part (coarse-grained): {} | micro-action (fine-grained): {}",
    ],
)
def test_the_ending_labels_a_row_without_keys(tmp_path: Path, ending: str) -> None:
    for action in actions():
        summary = f"Not [Micro-action (fine-grained)] Waving. So {ending}"
        caption = {**CAPTION, "conclusive_summary": summary.format(action.part, action.label)}
        assert load_one(tmp_path, {"video": "a", "caption": caption}).action == action


def test_a_row_without_any_label_has_no_action(tmp_path: Path) -> None:
    caption = {**CAPTION, "conclusive_summary": "It is nodding, a micro-action (fine-grained)."}
    assert load_one(tmp_path, {"video": "a", "caption": caption}).action is None


def test_an_ending_must_name_labels_that_belong_together(tmp_path: Path) -> None:
    for ending, said in (
        (ENDING.replace("Nodding", "Flying"), "the ending of conclusive_summary names 'Flying'"),
        (ENDING.replace("Nodding", "Head upwards"), "names 'Head upwards'"),
        (ENDING.replace("Head", "Head-hand"), "says 'Head-hand', but 'Nodding' belongs to 'Head'"),
    ):
        row = {"video": "a", "caption": {**CAPTION, "conclusive_summary": ending}}
        (problem,) = problems(write(tmp_path, [row]))
        assert said in problem


@pytest.mark.skipif(not SAMPLE_60.exists(), reason="no MA-Bench files here")
def test_endings_of_real_references_agree_with_the_answers_to_other_questions() -> None:
    file = load_questions(SAMPLE_60)
    labels = {
        question.clip: option.label
        for question in file.questions
        for option in question.options
        if question.task is Task.FMAR and option.letter == file.gold[question.qid]
    }
    agree: list[bool] = []
    for question in file.questions:
        if question.task is Task.MARE:
            row = Row(Path("references"), 1)
            action = read_action(row, file.gold[question.qid])
            assert not row.problems
            if action is not None:  # a quarter of the references end in words of their own
                agree.append(action.label.lower() == labels[question.clip].lower())
    assert len(agree) > 40
    assert agree.count(False) <= 1  # one clip of the sample has two labels in the file itself


value = st.none() | st.integers() | st.text(max_size=20) | st.sampled_from(["a.mp4", "Nodding"])
caption = st.dictionaries(st.sampled_from([*FIELDS, "x"]), value) | st.just(CAPTION) | value
row = st.fixed_dictionaries(
    {"video": value},
    optional={"caption": caption, "participant": value, "fine": value, "coarse": value, "x": value},
)


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(row | value, max_size=4))
def test_any_json_either_loads_whole_or_raises_an_input_error(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any]
) -> None:
    path = write(tmp_path_factory.getbasetemp(), rows)
    try:
        clips = load_captions(path)
    except InputError:
        return
    assert len(clips) == len(rows) == len({clip.clip for clip in clips})
    for clip in clips:
        assert "/" not in clip.clip
        assert tuple(clip.fields) in {FIELDS, FIELDS[:1]}  # FIELDS[:1]: a plain text
        assert all(text and text == text.strip() for text in clip.fields.values())


@settings(max_examples=100, deadline=None)
@given(text=st.text(alphabet="ab*#:1. \n-_") | st.text())
def test_a_headed_text_keeps_its_words(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    texts = {**CAPTION, "key_part_details": f"x{text}x"}
    kept = {**texts, "key_part_details": "\n".join(re.split("\r\n|\r|\n", f"x{text}x"))}
    headed = "\n".join(f"## {name}\n{text}" for name, text in texts.items())
    for caption in (headed, texts):
        clip = load_one(tmp_path_factory.getbasetemp(), {"video": "a", "caption": caption})
        assert dict(clip.fields) == kept


@pytest.mark.parametrize(
    "form",
    [
        "{}\r\n",
        "\r\n{}\r\n\r\n---\r\n",
        "---\n{}\n\n***\n---",
        "{}\n```",
        "## Key Part Details\n{}",
        "**Key part details:** {}",
        "3. key_part_details: {}\n\n---",
    ],
)
def test_layout_around_a_field_is_not_learned(tmp_path: Path, form: str) -> None:
    texts = {**CAPTION, "key_part_details": form.format("It rests.\r\n--- So\r\ndo the legs.")}
    kept = {**CAPTION, "key_part_details": "It rests.\n--- So\ndo the legs."}
    assert dict(load_one(tmp_path, {"video": "a", "caption": texts}).fields) == kept


@pytest.mark.parametrize(
    "chatter",
    [
        "\n\nLet me know if you'd like another clip described!",
        " I hope this helps.",
        "\n\n*Would you like me to shorten it?*",
        "\n\n---\n\nFeel free to ask.",
        "\nIf you need more detail, ask.",
        "\n\nPlease let me know.",
        "\nI'm happy to help.",
    ],
)
def test_words_after_a_caption_are_not_a_part_of_it(tmp_path: Path, chatter: str) -> None:
    said = "caption field conclusive_summary speaks to the reader of a chat"
    texts = {**CAPTION, "conclusive_summary": CAPTION["conclusive_summary"] + chatter}
    headed = "\n\n".join(f"## {name}\n{text}" for name, text in texts.items())
    for caption in (texts, headed):
        (problem,) = problems(write(tmp_path, [{**ROW, "caption": caption}]))
        assert said in problem


@pytest.mark.skipif(not SAMPLE_60.exists(), reason="no MA-Bench files here")
def test_no_reference_of_the_benchmark_speaks_to_a_reader(tmp_path: Path) -> None:
    file = load_questions(SAMPLE_60)
    for question in file.questions:
        if question.task.is_open:
            caption = {**CAPTION, "judgment_basis": file.gold[question.qid]}
            load_one(tmp_path, {"video": "a", "caption": caption})


@pytest.mark.parametrize("form", ["[{}, {}]", "{}\n{}"], ids=["list", "lines"])
@pytest.mark.parametrize("key", ["fine", "judgment_basis"])
def test_a_key_given_twice_is_named_with_its_row(tmp_path: Path, form: str, key: str) -> None:
    path = tmp_path / "captions.json"
    doubled = json.dumps(ROW).replace(f'"{key}"', f'"{key}": "x", "{key}"')
    path.write_text(form.format(json.dumps({**ROW, "video": "b"}), doubled), "utf-8")
    (problem,) = problems(path)
    assert problem == f"{path} row 2 (a): the key '{key}' is given twice; keep one of them"


@pytest.mark.parametrize("indent", [1, 4])
def test_objects_may_have_several_lines_each(tmp_path: Path, indent: int) -> None:
    rows = [{**ROW, "video": name} for name in ("a", "b", "c")]
    path = tmp_path / "captions.jsonl"
    path.write_text("\n".join(json.dumps(row, indent=indent) for row in rows) + "\n", "utf-8")
    assert load_captions(path) == load_captions(write(tmp_path, rows))
    path.write_text("\n".join(json.dumps(row, indent=1) for row in (ROW, {"video": "b"})), "utf-8")
    (problem,) = problems(path)
    assert problem.startswith(f"{path} row 2 (b): 'caption' is missing")


@pytest.mark.parametrize("dialect", ["excel", "excel-tab"])
def test_a_table_is_called_one_and_the_command_given_converts_it(
    tmp_path: Path, dialect: str
) -> None:
    caption = "\n".join(f"{name}: {text}" for name, text in CAPTION.items())
    path = tmp_path / "captions.json"
    text = io.StringIO()
    table = csv.DictWriter(text, ["video", "participant", "caption"], dialect=dialect)
    table.writeheader()
    table.writerows({"video": name, "participant": "P1", "caption": caption} for name in "ab")
    path.write_text(text.getvalue(), "utf-8")
    (problem,) = problems(path)
    assert "looks like a table with " in problem
    code = problem.rpartition('-c "')[2].removesuffix('"')
    code = code.replace("FILE", str(path)).replace("NEW", str(tmp_path / "new"))
    subprocess.run([sys.executable, "-c", code], check=True)
    assert [dict(clip.fields) for clip in load_captions(tmp_path / "new.json")] == [CAPTION] * 2


@pytest.mark.parametrize(
    "text",
    ["video: a\ncaption: x", "{'video': 'a'}\n{'video': 'b'}", '{"video": "a",\n"clip":\n'],
)
def test_a_file_without_any_json_has_one_problem(tmp_path: Path, text: str) -> None:
    path = tmp_path / "captions.json"
    path.write_text(text, "utf-8")
    (problem,) = problems(path)
    assert "not JSON" in problem


@pytest.mark.parametrize(
    ("name", "participant_pattern", "label_pattern", "participant", "code"),
    [
        ("0030_01_0002.mp4", r"([0-9]{4})_.*", None, "0030", None),
        ("P7-B1-003", r"(P\d+)-.*", r"[^-]*-(\w+)-.*", "P7", "B1"),
        ("nodding__P7", r".*__(P\d)", r"(.*)__.*", "P7", "B1"),
        ("Shaking_head_1", None, r"(.*)_\d", None, "B2"),
        ("b1_x", None, r"(..)_.*", None, "B1"),
    ],
)
def test_names_give_what_rows_leave_out(
    tmp_path: Path,
    name: str,
    participant_pattern: str | None,
    label_pattern: str | None,
    participant: str | None,
    code: str | None,
) -> None:
    caption = {**CAPTION, "conclusive_summary": "It is a movement."}
    path = write(tmp_path, [{"video": name, "caption": caption}])
    (clip,) = load_captions(
        path, participant_pattern=participant_pattern, label_pattern=label_pattern
    )
    assert clip.participant == participant
    assert (clip.action and clip.action.code) == code


def test_a_row_that_names_its_participant_is_believed(tmp_path: Path) -> None:
    path = write(tmp_path, [ROW, {**ROW, "video": "0030_01", "participant": None}])
    clips = load_captions(path, participant_pattern=r"(\d+)_.*")
    assert [clip.participant for clip in clips] == ["P1", "0030"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x0030_A1", "participant_pattern '([0-9]{4})_.*' does not match the name; correct"),
        ("0030-B1", "participant_pattern '([0-9]{4})_.*' does not match the name; correct"),
        ("0030_B2", "the clip's name says 'Shaking head', but its row says 'Nodding'"),
        ("0030_17", "label_pattern takes '17' from the name, which is not a micro-action"),
    ],
)
def test_a_name_that_does_not_fit_is_refused_with_its_row(
    tmp_path: Path, name: str, said: str
) -> None:
    good = {**ROW, "video": "0031_B1", "participant": None}
    path = write(tmp_path, [good, {**good, "video": name}])
    with pytest.raises(InputError) as error:
        load_captions(path, participant_pattern=r"([0-9]{4})_.*", label_pattern=r".*[_-](..)")
    assert any(said in str(problem) for problem in error.value.problems)
    assert all(f"{path} row 2 ({name}): " in str(problem) for problem in error.value.problems)


PLAIN = [
    {"clip": "a", "caption": "The head goes down and up again, twice.", "label": "Nodding"},
    {"clip": "b", "caption": f"The left hand waves. {ENDING}"},
    {"clip": "c", "caption": "Someone, seated, taps the table."},
]


def test_captions_may_be_plain_texts(tmp_path: Path) -> None:
    first, second, third = load_captions(write(tmp_path, PLAIN))
    assert dict(first.fields) == {"overall_overview": PLAIN[0]["caption"]}
    assert [clip.action and clip.action.label for clip in (first, second, third)] == [
        "Nodding",
        "Nodding",
        None,
    ]


@pytest.mark.parametrize(("suffix", "delimiter"), [(".csv", ","), (".tsv", "\t"), (".CSV", ",")])
def test_a_table_of_captions_is_read(tmp_path: Path, suffix: str, delimiter: str) -> None:
    path = tmp_path / f"captions{suffix}"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        table = csv.DictWriter(file, ["clip", "caption", "label"], delimiter=delimiter)
        table.writeheader()
        table.writerows(PLAIN)
    assert load_captions(path) == load_captions(write(tmp_path, PLAIN))


def test_a_table_with_a_row_of_another_length_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "captions.csv"
    path.write_text("clip,caption,label\na,The head nods, twice.,Nodding\n", "utf-8")
    (problem,) = problems(path)
    assert problem.startswith(f"{path} row 2: has another number of cells")
    path.write_text('clip,caption\na,"The head', "utf-8")
    (problem,) = problems(path)
    assert "is no row of a table" in problem


def test_a_file_has_one_form(tmp_path: Path) -> None:
    (problem,) = problems(write(tmp_path, [PLAIN[0], ROW | {"video": "x"}]))
    assert "row 2 (x): the caption has fields, but the captions before it are plain" in problem


def test_plain_texts_give_the_examples_that_they_can(tmp_path: Path) -> None:
    clips = load_captions(write(tmp_path, PLAIN))
    mixture = dict.fromkeys(("caption", "field", "CMAR", "MADU", "MARE"), 1.0)
    built = build_examples(clips, mixture, seed=0)
    answers = {(e.view, e.clip): e.answer for e in built.examples}
    assert {view for view, _ in answers} >= {"CMAR", "MADU", "MARE"}
    assert "caption" not in {view for view, _ in answers}
    assert answers["MADU", "c"] == PLAIN[2]["caption"]
    assert answers["MADU", "b"] == "The left hand waves."
    assert answers["MARE", "a"].startswith(PLAIN[0]["caption"])
    assert answers["MARE", "a"].rstrip(".").endswith("[Micro-action (fine-grained)] Nodding")
    assert ("MARE", "c") not in answers
    assert built.skipped["caption"] == 3
