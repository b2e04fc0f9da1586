"""docs/extending.md, run from top to bottom in a copy of the checkout."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fmau.core.records import Answer, AnswerStatus
from fmau.dataset.questions import load_questions
from fmau.prompting.prompts import load_prompts
from fmau.recipe import load_recipe
from fmau.runs import open_run
from tests.docs.pages import Marked, marked
from tests.paths import REPO

pytestmark = pytest.mark.slow

PAGE = "extending.md"
STEPS = [step for kind in ("file", "edit", "run") for step in marked(PAGE, kind)]

NEEDS_SHELL = 'set -euo pipefail\nfmau() { python -m fmau "$@"; }\n'


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the examples use, with a small benchmark and a run that was answered."""
    folder = tmp_path_factory.mktemp("checkout")
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("fmau", "recipes", "prompts"):
        shutil.copytree(REPO / name, folder / name, ignore=ignored)
    shell(folder, "fmau mini demo/mini --clips 7 --train-clips 20")
    answered(folder)
    return folder


def answered(folder: Path) -> None:
    """The demo's run, each open question answered with another clip's reference."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        recipe = load_recipe("zero_shot_tiny")
        file = load_questions(recipe.data.questions)
        gold = list(file.gold.values())
        with open_run(recipe, load_prompts(recipe.prompt.set)) as run:
            for place, question in enumerate(file.questions):
                mark = run.row_mark(question, None)
                other = gold[place - 1] if question.task.is_open else file.gold[question.qid]
                run.append(
                    Answer(
                        qid=question.qid,
                        clip=question.clip,
                        task=str(question.task),
                        fingerprint=mark.fingerprint,
                        fingerprint_without_clip=mark.without_clip,
                        status=AnswerStatus.OK,
                        answer=other,
                    )
                )


def shell(folder: Path, script: str) -> str:
    """What a bash script prints; it must end with exit code 0."""
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", NEEDS_SHELL + script],
        cwd=folder,
        env={**os.environ, "PATH": tools, "PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def apply(folder: Path, edit: Marked) -> None:
    """Make one change of the code: its old lines must stand there exactly once."""
    old = "\n".join(line[1:] for line in edit.lines if line[:1] != "+")
    new = "\n".join(line[1:] for line in edit.lines if line[:1] != "-")
    path = folder / edit.name
    text = path.read_text("utf-8")
    assert text.count(f"\n{old}\n") == 1, f"{edit.name} has changed: {old}"
    path.write_text(text.replace(f"\n{old}\n", f"\n{new}\n"), "utf-8")


def test_the_page_works_from_top_to_bottom(checkout: Path) -> None:
    """One test, because later steps build on earlier ones."""
    said = []
    for step in in_order():
        if step.kind == "file":
            (checkout / step.name).write_text(step.text, "utf-8")
        elif step.kind == "edit":
            apply(checkout, step)
        elif step.name == "python":
            (checkout / "step.py").write_text(step.text, "utf-8")
            shell(checkout, "python step.py")
        else:
            said.append(shell(checkout, step.text))
    prompts, dialogues, view, judge, rubric, model, family = said
    assert "my_prompts: ready" in prompts
    assert "less than a KV block" not in prompts
    assert re.search(r"\d+ dialogue\b", dialogues)
    assert re.search(r"\d+ lead\b", view)
    assert "14 answers to judge" in judge
    assert "words_in_common" in judge
    assert "14 of 14 calls have a verdict" in judge
    assert "14 answers to judge" in rubric
    assert "my_qwen2_vl: ready" in family
    assert re.search(r"vision tokens +120 a clip", family)
    assert "my_checkpoint: ready" in model
    assert "weights" in model


def in_order() -> list[Marked]:
    """The page's steps as a reader meets them."""
    text = (REPO / "docs" / PAGE).read_text("utf-8")
    return sorted(STEPS, key=lambda step: text.index(step.text))
