"""docs/formats.md against the code: the same keys with the same defaults, and samples that the code
reads."""

import json
import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from fmau.core.records import Answer, AnswerStatus, Verdict, VerdictStatus
from fmau.core.taxonomy import TASK_ALIASES, Task
from fmau.dataset.captions import load_captions
from fmau.dataset.dialogues import NAMING_KEYS, load_dialogues
from fmau.dataset.questions import load_questions
from fmau.frames.cache.note import CacheNote
from fmau.frames.cache.shards import SCHEMA
from fmau.judge.calibrate import load_human_scores
from fmau.judge.calibrate.report import CalibrationReport, KindReport
from fmau.judge.judges import EmbeddedJudge, LlmJudge, Remote, load_judge
from fmau.judge.rubric import Rubric, load_rubric
from fmau.prompting.prompts import PromptTexts, load_prompts
from fmau.recipe import (
    AnswerBlock,
    ApiBlock,
    DataBlock,
    FramesBlock,
    LoraBlock,
    ModelBlock,
    Price,
    PromptBlock,
    Recipe,
    ServeBlock,
    TextModel,
    TrainBlock,
    TrainDataBlock,
    load_recipe,
)
from fmau.report.exports import answers_frame
from fmau.runs.manifest import JudgeNote, Manifest, Session
from fmau.score import load_predictions
from fmau.score.audit.audit import Audit
from fmau.score.audit.check import Check, CheckId
from fmau.score.comparison import Comparison, Difference
from fmau.score.intervals import Interval
from fmau.score.levels import JudgeAgreement, Judgement, LevelScore
from fmau.score.scores import (
    Accuracy,
    Average,
    Baseline,
    Confusion,
    FmarReadings,
    LabelConfusion,
    LabelMatch,
    Scores,
    Share,
    TaskScore,
)
from fmau.train.checkpoints import Mark
from fmau.train.record import TrainingRecord
from fmau.train.start import Start
from tests.docs.pages import DOCS, Marked, marked
from tests.report.runs import scored
from tests.score.synthetic import gold_answers, question_file

PAGE = "formats.md"

SETTINGS = (
    *(Recipe, ModelBlock, DataBlock, FramesBlock, PromptBlock, ServeBlock, ApiBlock, AnswerBlock),
    *(TrainBlock, TrainDataBlock, LoraBlock, LlmJudge, TextModel, Remote, Price, EmbeddedJudge),
)
"""What people write: keys with defaults."""

RECORDS = (
    *(PromptTexts, Rubric, Manifest, Session, JudgeNote, Answer, Verdict, Scores, TaskScore),
    *(Accuracy, Interval, Average, Baseline, Confusion, LabelConfusion, Share, FmarReadings),
    *(LabelMatch, Judgement, LevelScore, JudgeAgreement, TrainingRecord, CacheNote, Start, Mark),
    *(CalibrationReport, KindReport, Audit, Check, Comparison, Difference),
)
"""What fmau writes, and data files without defaults."""


def tables(kind: str) -> dict[str, Marked]:
    return {table.name: table for table in marked(PAGE, kind)}


def test_every_record_has_its_table() -> None:
    assert set(tables("keys")) == {record.__name__ for record in SETTINGS}
    assert set(tables("fields")) == {record.__name__ for record in RECORDS}


@pytest.mark.parametrize("record", [*SETTINGS, *RECORDS], ids=lambda record: record.__name__)
def test_tables_list_the_fields_of_the_records(record: type[BaseModel]) -> None:
    table = {**tables("keys"), **tables("fields")}[record.__name__]
    assert [row[0] for row in table.cells] == list(record.model_fields)
    assert all(row[-1] for row in table.cells), "every key has its meaning"


@pytest.mark.parametrize("record", SETTINGS, ids=lambda record: record.__name__)
def test_tables_give_the_defaults(record: type[BaseModel]) -> None:
    for key, shown, _ in tables("keys")[record.__name__].cells:
        field = record.model_fields[key]
        if field.is_required():
            assert shown == "required", key
            continue
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            assert shown == "its defaults", key
        elif default is None:
            assert shown == "–", key
        elif isinstance(default, Path):
            assert shown == str(default), key
        else:
            assert yaml.safe_load(shown) == default, key


@pytest.mark.parametrize("values", [AnswerStatus, VerdictStatus])
def test_every_status_is_explained(values: type[StrEnum]) -> None:
    table = tables("values")[values.__name__]
    assert [row[0] for row in table.cells] == [str(value) for value in values]


def test_every_check_of_the_audit_is_explained() -> None:
    assert [row[0] for row in tables("values")["CheckId"].cells] == list(get_args(CheckId))


def test_the_columns_of_a_shard() -> None:
    assert [row[0] for row in tables("columns")["shard"].cells] == SCHEMA.names


def test_the_columns_of_the_exported_answers() -> None:
    questions = question_file(clips=2)
    frame = answers_frame([scored("run", questions, gold_answers(questions))])
    shown = [row[0] for row in tables("columns")["answers.parquet"].cells]
    assert shown == list(frame.columns)


READERS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "questions": ("q.json", load_questions),
    "captions": ("c.json", load_captions),
    "dialogues": ("d.jsonl", load_dialogues),
    "prompts": ("p.yaml", lambda path: load_prompts(str(path))),
    "recipe": ("r.yaml", load_recipe),
    "judge": ("j.yaml", load_judge),
    "rubric": ("r.yaml", lambda path: load_rubric(str(path))),
    "humans": ("h.json", load_human_scores),
    "predictions": ("p.json", lambda path: load_predictions(path, questions_of_the_page(path))),
    "manifest": ("m.json", lambda path: Manifest.model_validate_json(path.read_bytes())),
    "answers": ("a.jsonl", lambda path: [Answer.model_validate_json(row) for row in rows(path)]),
    "verdicts": ("v.jsonl", lambda path: [Verdict.model_validate_json(row) for row in rows(path)]),
    "task score": ("s.json", lambda path: TaskScore.model_validate_json(path.read_bytes())),
    "training record": ("t.yaml", lambda path: TrainingRecord.model_validate(load_yaml(path))),
    "training log": ("t.json", lambda path: json.loads(path.read_text("utf-8"))),
    "cache": ("c.json", lambda path: CacheNote.model_validate_json(path.read_bytes())),
    "check": ("c.json", lambda path: Check.model_validate_json(path.read_bytes())),
}
"""Sample -> file name and what reads such a file."""


def rows(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def load_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def questions_of_the_page(path: Path) -> Any:
    """The sample question file, which the sample predictions answer."""
    file = path.with_name("questions.json")
    file.write_text(samples("questions")[0].text, "utf-8")
    return load_questions(file)


def samples(name: str) -> list[Marked]:
    return [sample for sample in marked(PAGE, "sample") if sample.name == name]


def test_every_sample_has_its_reader() -> None:
    assert {sample.name for sample in marked(PAGE, "sample")} == set(READERS)


@pytest.mark.parametrize("name", READERS)
def test_samples_are_read(name: str, tmp_path: Path) -> None:
    file_name, read = READERS[name]
    for sample in samples(name):
        path = tmp_path / file_name
        path.write_text(sample.text, "utf-8")
        assert read(path)


def test_the_samples_say_what_the_page_says(tmp_path: Path) -> None:
    """Both spellings name clips alike; the two dialogue forms are the same exchange."""
    questions = questions_of_the_page(tmp_path / "x").questions
    assert [q.clip.rpartition(".")[2] for q in questions] == [q.clip for q in questions]
    path = tmp_path / "d.jsonl"
    path.write_text(samples("dialogues")[0].text, "utf-8")
    first, second = load_dialogues(path)
    assert first == second


def test_tasks_and_their_earlier_names() -> None:
    rows_of_tasks = {row[0].partition("`")[0]: row for row in tables("tasks")["Task"].cells}
    assert list(rows_of_tasks) == [str(task) for task in Task]
    earlier = {row[3]: Task(task) for task, row in rows_of_tasks.items() if row[3]}
    assert earlier == TASK_ALIASES
    assert {task: int(row[2]) for task, row in rows_of_tasks.items()} == {
        str(task): task.per_clip for task in Task
    }


def test_ignored_keys_of_dialogues_are_listed() -> None:
    text = (DOCS / PAGE).read_text("utf-8").partition("Keys that only name a row are ignored: ")[2]
    assert set(re.findall(r"`(\w+)`", text.partition(".")[0])) == NAMING_KEYS
