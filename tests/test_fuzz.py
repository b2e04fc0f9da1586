"""No input breaks a reader: whatever a file holds is read, or refused with one of our errors."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fmau.core.errors import FmauError
from fmau.core.taxonomy import Task
from fmau.dataset.captions import load_captions
from fmau.dataset.dialogues import load_dialogues
from fmau.dataset.questions import load_questions
from fmau.judge.calibrate import load_human_scores
from fmau.judge.judges import load_judge
from fmau.judge.rubric import load_rubric
from fmau.prompting.prompts import load_prompts
from fmau.recipe import load_recipe
from fmau.runs import read_answers, read_manifest, read_verdicts
from fmau.score import load_predictions
from tests.score.synthetic import question_file

WORDS = [
    "video",
    "video_name",
    "task",
    "qid",
    "question",
    "answer",
    "caption",
    "messages",
    "videos",
]
WORDS += ["conversations", "role", "content", "from", "value", "name", "model", "path", "data"]
WORDS += ["frames", "count", "prompt", "set", "serve", "port", "system", "common", "tasks", "fps"]
WORDS += ["prompts", "answers", "pred_answer", "level", "score", "kind", "participant", "coarse"]
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        [*map(str, Task), "../x", "/etc/passwd", "clip.mp4", "Which?\\nA. Head", "llm"]
    )
)
trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=6), inner, max_size=6)
    ),
    max_leaves=25,
)
contents = (
    trees.map(lambda tree: json.dumps(tree).encode())
    | trees.map(lambda tree: yaml.safe_dump(tree).encode())
    | st.binary(max_size=300)
)

QUESTIONS = question_file(clips=1)
READERS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "questions": ("q.json", load_questions),
    "recipe": ("r.yaml", load_recipe),
    "prompts": ("p.yaml", lambda path: load_prompts(str(path))),
    "captions": ("c.json", load_captions),
    "dialogues": ("d.json", load_dialogues),
    "predictions": ("a.json", lambda path: load_predictions(path, QUESTIONS)),
    "judge": ("j.yaml", load_judge),
    "rubric": ("u.yaml", lambda path: load_rubric(str(path))),
    "human scores": ("h.json", load_human_scores),
    "manifest": ("manifest.json", lambda path: read_manifest(path.parent)),
    "answers": ("answers.jsonl", lambda path: read_answers(path.parent)),
    "verdicts": ("verdicts.jsonl", lambda path: read_verdicts(path.parent)),
}


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=contents)
def test_a_reader_reads_or_refuses(name: str, content: bytes, tmp_path: Path) -> None:
    file, read = READERS[name]
    path = tmp_path / file
    path.write_bytes(content)
    with suppress(FmauError):
        read(path)


HOSTILE = {
    "deep list": b"[" * 100_000,
    "deep object": b'{"a":' * 50_000,
    "half a character": b'[{"qid": "\\ud800", "task": "\\udfff", "question": "\\ud800"}]',
    "another encoding": "[{}]".encode("utf-16"),
    "beyond numbers": b'[{"qid": 1e999, "level": NaN, "score": -Infinity}]',
    "a long number": b"[" + b"9" * 10_000 + b"]",
    "a knot": b"&a [*a, *a]",
    "a doubling": b"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]",
    "a tag": b"!!python/object/apply:os.system [exit 1]",
    "two documents": b"a: 1\n---\nb: 2",
    "zero bytes": b"\x00" * 100,
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("name", READERS)
def test_hostile_files_are_refused(name: str, content: bytes, tmp_path: Path) -> None:
    file, read = READERS[name]
    path = tmp_path / file
    path.write_bytes(content)
    with suppress(FmauError):
        read(path)
