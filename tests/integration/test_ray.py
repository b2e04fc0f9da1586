"""A Ray cluster of this machine, with two real servers."""

from pathlib import Path

import pytest

from fmau.answer.ray import LOCAL, answer_on_ray
from fmau.core.records import AnswerStatus
from fmau.dataset.questions import load_questions
from fmau.demo.mini.write import write_mini
from fmau.runs import open_run, read_answers, read_manifest
from tests.integration.tiny_served import PROMPTS, tiny_recipe


@pytest.mark.server
@pytest.mark.slow
def test_two_servers_answer_into_one_run_folder(tmp_path: Path) -> None:
    write_mini(tmp_path / "mini", clips=8, train_clips=0, seed=3)
    recipe = tiny_recipe(
        tmp_path,
        data__questions=tmp_path / "mini/questions.json",
        data__clips=tmp_path / "mini/clips",
        serve__replicas=2,
        answer__clips_in_flight=4,
    )
    asked = load_questions(recipe.data.questions).questions
    with open_run(recipe, PROMPTS) as run:
        summary = answer_on_ray(run, recipe, PROMPTS, asked, LOCAL, progress=False)
    rows = {row.qid: row for row in read_answers(recipe.run_folder)}
    assert rows.keys() == {question.qid for question in asked}
    assert {row.status for row in rows.values()} <= {AnswerStatus.OK, AnswerStatus.TRUNCATED}
    assert summary.complete
    assert (
        summary.cache_report.clips,
        summary.cache_report.uploads,
        summary.cache_report.encoder_runs,
    ) == (8, 8, 8)
    assert summary.cache_report.followers_reused == summary.cache_report.followers == 8 * 11
    assert read_manifest(recipe.run_folder).sessions[0].facts["ray"] == LOCAL

    with open_run(recipe, PROMPTS) as run:  # nothing is left, so no cluster is started
        again = answer_on_ray(run, recipe, PROMPTS, asked, "ray://nowhere:1", progress=False)
    assert (again.done_before, again.complete) == (96, True)
