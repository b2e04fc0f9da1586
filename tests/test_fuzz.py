"""No input breaks a reader: whatever a file holds, it is read as it stands, or refused with one of
our errors, which names the file."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fmau.core.errors import FmauError
from fmau.core.records import Option, Question, QuestionFile
from fmau.core.taxonomy import OPEN_TASKS, Action, Task, action_by_label
from fmau.dataset.captions import CaptionedClip, load_captions
from fmau.dataset.dialogues import load_dialogues
from fmau.dataset.examples.example import Example
from fmau.dataset.questions import load_questions
from fmau.judge.calibrate import load_human_scores
from fmau.judge.judges import load_judge
from fmau.judge.rubric import load_rubric
from fmau.prompting.prompts import load_prompts
from fmau.recipe import load_recipe
from fmau.runs import read_answers, read_manifest, read_verdicts
from fmau.score import load_predictions
from tests.fuzzing import HOSTILE, NOISE, altered, kept

Tree = Any


def _json(tree: Tree) -> bytes:
    return json.dumps(tree).encode()


def _yaml(tree: Tree) -> bytes:
    return yaml.safe_dump(tree, allow_unicode=True).encode()


def _lines(rows: Tree) -> bytes:
    return b"".join(_json(row) + b"\n" for row in rows)


def _parsed_lines(content: bytes) -> Tree:
    """The rows of a run; what stands behind the last newline was never finished."""
    return [json.loads(line) for line in content.split(b"\n")[:-1]]


def _json_or_lines(content: bytes) -> Tree:
    text = content.decode()
    if text.lstrip().startswith("["):
        return json.loads(text)
    return [json.loads(line) for line in text.split("\n") if line.strip()]


@dataclass(frozen=True)
class Reader:
    """One of our readers, and what it must come to.

    Attributes:
        file: name of the file.
        read: its path -> what is read.
        sound: a tree that is read.
        right: tree, what was read -> whether the one is the other.
        write, parse: tree -> bytes -> tree, without any code of ours.
    """

    file: str
    read: Callable[[Path], Any]
    sound: Tree
    right: Callable[[Tree, Any], bool]
    write: Callable[[Tree], bytes] = _json
    parse: Callable[[bytes], Tree] = json.loads

    def outcome(self, folder: Path, content: bytes) -> Any:
        """What is read of these bytes, or None where they are refused in words that name the
        file."""
        path = folder / self.file
        path.write_bytes(content)
        try:
            return self.read(path)
        except FmauError as error:
            words = str(error)
        assert str(path) in words
        return None


def dumped(tree: Tree, read: Any) -> bool:
    return kept(tree, read.model_dump())


def as_questions(rows: Tree, read: QuestionFile) -> bool:
    def right(row: dict[str, str], question: Question) -> bool:
        lines = row["question"].strip().split("\n")
        first = len(lines) - len(question.options)
        clip = row.get("video") or row["video_name"]
        return (
            row.keys() <= {"video", "video_name", "task", "type", "qid", "question", "answer"}
            and question.qid == row["qid"]
            and question.stem == "\n".join(lines[:first]).strip()
            and all(map(_is_option, lines[first:], question.options))
            and question.clip == clip.removesuffix(".mp4")
            and str(question.task) == row["task"].strip()
            and row.get("type") in (None, question.task.kind)
            and read.gold.get(question.qid, "").lower() == (row.get("answer") or "").strip().lower()
        )

    return len(rows) == len(read.questions) and all(map(right, rows, read.questions))


def _is_option(line: str, option: Option) -> bool:
    """Whether the line says the letter and the label, with nothing but marks between and before."""
    code = f" - {option.class_code}" if option.class_code else ""
    head, _, rest = line.strip().rpartition(option.label + code)
    return not rest and head.strip(" .:()[]\t").upper() == option.letter


def _action(label: str) -> Action:
    return action_by_label()[label.strip().lower()]


def as_captions(rows: Tree, read: tuple[CaptionedClip, ...]) -> bool:
    def right(row: dict[str, Any], clip: CaptionedClip) -> bool:
        name = next(row[key] for key in ("video", "video_name", "clip") if row.get(key))
        caption = row["caption"]
        if isinstance(caption, str):
            caption = {"overall_overview": caption}
        fields = {key: text.strip() for key, text in caption.items()}
        who = next((row[k] for k in ("participant", "subject") if row.get(k) is not None), None)
        return (
            clip.clip == name.removesuffix(".mp4")
            and dict(clip.fields) == fields
            and clip.participant == (None if who is None else str(who).strip())
            and (row.get("fine") is None or clip.action == _action(row["fine"]))
        )

    return len(rows) == len(read) and all(map(right, rows, read))


def as_dialogues(rows: Tree, read: tuple[Example, ...]) -> bool:
    def right(row: dict[str, Any], example: Example) -> bool:
        *_, user, assistant = row["messages"]
        (video,) = row["videos"] if isinstance(row["videos"], list) else [row["videos"]]
        return (example.clip, example.ask, example.answer) == (
            video.replace("\\", "/").rpartition("/")[2].removesuffix(".mp4"),
            user["content"].replace("<video>", "").strip(),
            assistant["content"].strip(),
        )

    return len(rows) == len(read) and all(map(right, rows, read))


def as_predictions(tree: Tree, read: Any) -> bool:
    entries = tree["answers"] if isinstance(tree, dict) else tree
    return {e["qid"]: e["pred_answer"] for e in entries} == {q: a.reply for q, a in read.items()}


def as_human_scores(rows: Tree, read: Any) -> bool:
    given = {(row["qid"], row["level"]): row["score"] for row in rows}
    found = {(qid, level): s for qid, levels in read.items() for level, s in levels.items()}
    return given == found


def stripped(tree: Tree) -> Tree:
    """A prompt set without the newlines that YAML leaves at the end of its texts."""
    if isinstance(tree, dict):
        return {key: stripped(value) for key, value in tree.items()}
    return tree.strip() if isinstance(tree, str) else tree


def as_latest(key: tuple[str, ...]) -> Callable[[Tree, Any], bool]:
    """Of rows about the same thing the last one counts, in the place of the first."""

    def right(rows: Tree, read: Any) -> bool:
        latest = {tuple(str(row.get(name)) for name in key): row for row in rows}
        return len(latest) == len(read) and all(map(dumped, latest.values(), read))

    return right


QUESTIONS = QuestionFile((Question("SAD_1", "a", Task.SAD, "Does it move?"),), {"SAD_1": "Yes"})
QUESTION_ROWS = [
    {"video": "a.mp4", "task": "SAD", "qid": "SAD_1", "question": "Does it move?", "answer": "Yes"},
    {
        "video_name": "b",
        "task": "FMAR",
        "qid": "FMAR_1",
        "question": "Which?\nA. Nodding\nB. Head up - B3\nC. Waving\nD. Bowing head\n"
        "E. Stretching arms",
    },
]
CAPTION = {
    "overall_overview": "The head leads.",
    "timeline_description": "First down, then up.",
    "key_part_details": "The hands stay still.",
    "judgment_basis": "It is the largest movement.",
    "conclusive_summary": "The behaviour is nodding.",
}
ANSWER = {"qid": "SAD_1", "clip": "a", "task": "SAD", "fingerprint": "f", "status": "ok"}
VERDICT = {"qid": "MADU_1", "clip": "a", "task": "MADU", "judge": "j", "fingerprint": "f"}
READERS = {
    "questions": Reader("q.json", load_questions, QUESTION_ROWS, as_questions),
    "captions": Reader(
        "c.json",
        load_captions,
        [{"video": "a.mp4", "participant": "P1", "caption": CAPTION, "fine": "Nodding"}],
        as_captions,
        parse=_json_or_lines,
    ),
    "dialogues": Reader(
        "d.json",
        load_dialogues,
        [
            {
                "messages": [
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": "<video>\nWhich part moves?"},
                    {"role": "assistant", "content": " The head.\n"},
                ],
                "videos": ["/clips/a.mp4"],
            }
        ],
        as_dialogues,
        parse=_json_or_lines,
    ),
    "predictions": Reader(
        "a.json",
        lambda path: load_predictions(path, QUESTIONS),
        {"prompts": [], "answers": [{"qid": "SAD_1", "pred_answer": "Yes."}]},
        as_predictions,
    ),
    "human scores": Reader(
        "h.json",
        load_human_scores,
        [{"qid": "a", "level": 1, "score": 3}, {"qid": "a", "level": 2, "score": 2.5}],
        as_human_scores,
    ),
    "recipe": Reader(
        "r.yaml",
        load_recipe,
        {
            "name": "r",
            "model": {"path": "m", "dtype": "float32"},
            "data": {"questions": "q.json", "clips": "clips"},
            "frames": {"min_pixels_per_frame": 4096, "max_pixels_per_frame": 65536},
            "prompt": {"set": "zero_shot"},
            "serve": {"port": 8000},
            "answer": {"request_timeout_s": 2.5},
        },
        dumped,
        write=_yaml,
        parse=yaml.safe_load,
    ),
    "prompts": Reader(
        "p.yaml",
        lambda path: load_prompts(str(path)),
        {"system": "Be exact.", "common": "C", "tasks": {str(t): "{question}\n" for t in Task}},
        lambda tree, read: dumped(stripped(tree), read),
        write=_yaml,
        parse=yaml.safe_load,
    ),
    "judge": Reader(
        "j.yaml",
        load_judge,
        {
            "name": "j",
            "kind": "llm",
            "remote": {"base_url": "http://h", "model": "m"},
            "retries": 1,
        },
        dumped,
        write=_yaml,
        parse=yaml.safe_load,
    ),
    "rubric": Reader(
        "u.yaml",
        lambda path: load_rubric(str(path)),
        {
            "system": "{task} {levels} {keys}",
            "tasks": {
                str(task): {"about": "x", "levels": {1: "a", 2: "b", 3: "c"}} for task in OPEN_TASKS
            },
            "case": "{question} {reference} {candidate}",
        },
        dumped,
        write=_yaml,
        parse=yaml.safe_load,
    ),
    "manifest": Reader(
        "manifest.json",
        lambda path: read_manifest(path.parent),
        {
            "fingerprint": "f",
            "conditions": {"dtype": "float32"},
            "recipe": {
                "name": "r",
                "model": {"path": "m"},
                "data": {"questions": "q.json"},
                "prompt": {"set": "brief"},
                "answer": {},
            },
            "recipe_hash": "h",
            "prompt_hashes": {"system": "h"},
            "sessions": [
                {"stage": "answer", "started": "t", "packages": {}, "git": None, "hardware": {}}
            ],
        },
        dumped,
    ),
    "answers": Reader(
        "answers.jsonl",
        lambda path: read_answers(path.parent),
        [ANSWER | {"answer": "Yes"}, ANSWER | {"qid": "SAD_2", "answer": "No", "seconds": 0.5}],
        as_latest(("qid",)),
        write=_lines,
        parse=_parsed_lines,
    ),
    "verdicts": Reader(
        "verdicts.jsonl",
        lambda path: read_verdicts(path.parent),
        [
            VERDICT | {"levels": [1], "status": "scored", "scores": {"1": 4}, "rationale": "r"},
            VERDICT | {"qid": "MADU_2", "levels": [2], "status": "unparsed", "reason": "no JSON"},
        ],
        as_latest(("judge", "qid", "levels", "sample")),
        write=_lines,
        parse=_parsed_lines,
    ),
}


@pytest.mark.parametrize("name", READERS)
def test_a_sound_file_is_read_as_it_stands(name: str, tmp_path: Path) -> None:
    reader = READERS[name]
    content = reader.write(reader.sound)
    assert reader.parse(content) == reader.sound
    read = reader.outcome(tmp_path, content)
    assert read is not None
    assert reader.right(reader.sound, read)


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_an_altered_file_is_read_as_it_stands_or_refused(
    name: str, data: st.DataObject, tmp_path: Path
) -> None:
    reader = READERS[name]
    content = reader.write(data.draw(altered(reader.sound)))
    read = reader.outcome(tmp_path, content)
    assert read is None or reader.right(reader.parse(content), read)


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=NOISE)
def test_noise_is_read_as_it_stands_or_refused(name: str, content: bytes, tmp_path: Path) -> None:
    reader = READERS[name]
    read = reader.outcome(tmp_path, content)
    assert read is None or reader.right(reader.parse(content), read)


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("name", READERS)
def test_hostile_files_are_refused(name: str, content: bytes, tmp_path: Path) -> None:
    # With the newline that makes it a row: a row without is unfinished, and not read at all.
    assert READERS[name].outcome(tmp_path, content + b"\n") is None


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("name", ["answers", "verdicts"])
def test_a_hostile_row_that_was_cut_off_leaves_those_before(
    name: str, content: bytes, tmp_path: Path
) -> None:
    reader = READERS[name]
    cut = content.replace(b"\n", b" ")
    read = reader.outcome(tmp_path, reader.write(reader.sound) + cut)
    assert reader.right(reader.sound, read)
