"""A starter kit's folder becomes prompt sets and runs, with the kit's own meaning and no other."""

import json
from pathlib import Path

import pytest

from fmau.core.errors import InputError, RunError
from fmau.core.records import AnswerStatus
from fmau.prompting.conversation import messages
from fmau.prompting.prompts import load_prompts, prompts_of
from fmau.recipe import load_recipe
from fmau.runs import open_run, read_answers, read_manifest
from fmau.score import score_predictions, score_run
from fmau.score.kit import Imported, import_kit
from fmau.score.submission import submit_run
from tests.score.kit.folder import (
    MEANT,
    MODEL,
    PROMPTS_PY,
    SENT,
    independent_accuracies,
    prediction,
    replies,
    rows,
    write_kit,
)


def imported(folder: Path, *, as_list: bool = False) -> Imported:
    return import_kit(write_kit(folder / "kit", as_list=as_list), folder / "out")


def test_both_formats_give_the_same_run_and_the_independent_count(tmp_path: Path) -> None:
    first = imported(tmp_path / "new").runs[0]
    second = imported(tmp_path / "old", as_list=True).runs[0]
    assert (first / "answers.jsonl").read_bytes() == (second / "answers.jsonl").read_bytes()
    assert read_manifest(first).fingerprint == read_manifest(second).fingerprint
    scores = score_run(first).scores
    accuracies = {
        str(task): found.accuracy.percent for task, found in scores.tasks.items() if found.accuracy
    }
    assert accuracies == pytest.approx(independent_accuracies(rows()))
    assert score_run(second).scores == scores


def test_the_run_scores_as_the_prediction_file_itself(tmp_path: Path) -> None:
    run = imported(tmp_path).runs[0]
    kit = tmp_path / "kit"
    alone = score_predictions(
        kit / "datasets/questions.json", kit / f"outputs/{MODEL}_results.json"
    )
    scores = score_run(run).scores
    assert scores.closed_avg == alone.closed_avg
    assert {task: found.accuracy for task, found in scores.tasks.items()} == {
        task: found.accuracy for task, found in alone.tasks.items()
    }


def test_an_empty_answer_is_a_failed_request_and_no_reply(tmp_path: Path) -> None:
    found = {row.qid: row for row in read_answers(imported(tmp_path).runs[0])}
    said = replies(rows())
    empty = {qid for qid, text in said.items() if not text}
    assert empty
    assert {qid for qid, row in found.items() if row.status is AnswerStatus.REQUEST_FAILED} == empty
    assert all(found[qid].reply is None for qid in empty)
    assert {qid: found[qid].reply for qid in said.keys() - empty} == {
        qid: said[qid] for qid in said.keys() - empty
    }


def test_the_sets_are_what_is_meant_and_what_is_sent(tmp_path: Path) -> None:
    found = imported(tmp_path)
    assert [path.name for path in found.files] == ["prompts.yaml", "prompts_as_sent.yaml"]
    meant, sent = (load_prompts(str(path), strip_class_codes=False) for path in found.files)
    assert {str(task): text for task, text in meant.systems.items()} == MEANT
    assert {str(task): text for task, text in sent.systems.items()} == SENT
    assert read_manifest(found.runs[0]).conditions["prompts"]["systems"] == SENT
    run = score_run(found.runs[0])
    raw = {row["qid"]: row["question"] for row in rows()}
    for question in run.questions.questions:
        system, user = messages(question, sent, None)
        assert system["content"][0]["text"] == SENT[str(question.task)]
        assert user["content"] == [{"type": "text", "text": raw[question.qid]}]


def test_names_as_in_the_question_file_need_one_set(tmp_path: Path) -> None:
    kit = write_kit(tmp_path / "kit")
    present = PROMPTS_PY.replace('"AS"', '"MAS"')
    present = present.replace('"VCC-LS"', '"MADU"').replace('"LRC-LS"', '"MARE"')
    (kit / "prompts.py").write_text(present + 'SYSTEM_PROMPTS["AS"] = "Old."\n', "utf-8")
    found = import_kit(kit, tmp_path / "out")
    assert [path.name for path in found.files] == ["prompts.yaml"]
    assert load_prompts(str(found.files[0])).systems == MEANT
    assert any("prompts.py AS: the text under MAS is taken" in line for line in found.left_out)
    assert any("prompts: differ from" in line for line in found.left_out)
    # The output was written with the earlier names, so its questions got no prompt.
    assert read_manifest(found.runs[0]).conditions["prompts"]["systems"] == SENT


def test_qids_of_the_first_question_file_are_found(tmp_path: Path) -> None:
    kit = write_kit(tmp_path / "kit")
    path = kit / "outputs" / f"{MODEL}_results.json"
    path.write_text(path.read_text().replace('"CMAR_', '"CMAC_').replace('"FMAR_', '"FMAC_'))
    old = import_kit(kit, tmp_path / "out").runs[0]
    new = imported(tmp_path / "new").runs[0]
    assert (old / "answers.jsonl").read_bytes() == (new / "answers.jsonl").read_bytes()


def test_a_whole_output_can_be_submitted_with_the_prompts_that_were_sent(tmp_path: Path) -> None:
    kit = write_kit(tmp_path / "kit")
    gold = {row["qid"]: row["answer"] for row in rows()}
    (kit / "outputs" / f"{MODEL}_results.json").write_text(prediction(gold, as_list=False))
    run = import_kit(kit, tmp_path / "out").runs[0]
    written = json.loads(submit_run(run, "team", tmp_path).path.read_text("utf-8"))
    assert {row["qid"]: row["pred_answer"] for row in written["answers"]} == gold
    assert {row["task"]: row["system_prompt"] for row in written["prompts"]} == {
        task: f"{text}\n\n{{question}}" if text else "{question}" for task, text in SENT.items()
    }


def test_what_the_kit_did_not_answer_is_for_the_kit_to_answer(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="let the starter kit answer it"):
        submit_run(imported(tmp_path).runs[0], "team", tmp_path)


def test_without_prompts_the_run_is_scored_but_not_submitted(tmp_path: Path) -> None:
    kit = write_kit(tmp_path / "kit", as_list=True)
    (kit / "prompts.py").unlink()
    found = import_kit(kit, tmp_path / "out")
    assert found.files == ()
    assert score_run(found.runs[0]).scores.closed_avg is not None
    with pytest.raises(RunError, match="the prompts of its answers are not known"):
        submit_run(found.runs[0], "team", tmp_path)


@pytest.mark.parametrize("as_list", [False, True])
def test_defects_of_an_output_are_named_with_line_and_qid(tmp_path: Path, as_list: bool) -> None:
    kit = write_kit(tmp_path / "kit")
    path = kit / "outputs" / f"{MODEL}_results.json"
    text = prediction({"SAD_nod_0": "Yes", "CMAR_nod_0": "A"}, as_list=as_list)
    text = text.replace('"pred_answer": "A"', '"pred_answer": null')
    path.write_text(text)
    line = 1 + text[: text.index('"CMAR_nod_0"')].count("\n") - 1  # of its brace
    with pytest.raises(InputError) as refused:
        import_kit(kit, tmp_path / "out")
    said = f"{path} answer 2, line {line} (CMAR_nod_0): 'pred_answer' is None"
    assert said in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_the_smallest_question_file_with_all_qids_is_taken(tmp_path: Path) -> None:
    run = imported(tmp_path).runs[0]
    assert read_manifest(run).recipe["data"]["questions"].endswith("datasets/questions.json")
    kit = write_kit(tmp_path / "wider")
    path = kit / "outputs" / f"{MODEL}_results.json"
    path.write_text(prediction({"SAD_other_0": "Yes", "SAD_nod_0": "No"}, as_list=False))
    run = import_kit(kit, tmp_path / "out2").runs[0]
    assert read_manifest(run).recipe["data"]["questions"].endswith("datasets/all.json")


def test_what_cannot_be_known_is_asked_for(tmp_path: Path) -> None:
    kit = write_kit(tmp_path / "kit")
    path = kit / "outputs" / f"{MODEL}_results.json"
    own = path.rename(kit / "outputs" / "mine.json")
    with pytest.raises(RunError, match="does not say which model answered"):
        import_kit(kit, tmp_path / "out")
    found = import_kit(kit, tmp_path / "out", model="a/b")
    assert read_manifest(found.runs[0]).recipe["model"]["path"] == "a/b"
    own.write_text(prediction({"SAD_strange_0": "Yes"}, as_list=False))
    with pytest.raises(RunError, match=r"its 1 qids \(all.json lacks 1, questions.json lacks 1\)"):
        import_kit(kit, tmp_path / "out3", model="a/b")
    with pytest.raises(InputError, match=r"SAD_strange_0\): unknown qid"):
        import_kit(
            kit, tmp_path / "out3", model="a/b", questions=kit / "datasets" / "questions.json"
        )


def test_fmau_answer_does_not_go_on_in_a_run_of_the_kit(tmp_path: Path) -> None:
    found = imported(tmp_path)
    sets = [f"runs={tmp_path}/out/runs", f"name={found.runs[0].name}"]
    recipe = load_recipe("kit_qwen3_5_9b", [*sets, f"prompt.set={found.files[-1]}"])
    with pytest.raises(RunError, match="given under other conditions"):
        open_run(recipe, prompts_of(recipe))


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    found = imported(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(RunError, match="exists already"):
        import_kit(tmp_path / "kit", tmp_path / "out")
    for path in found.files:
        path.unlink()
    with pytest.raises(RunError, match="exists already"):
        import_kit(tmp_path / "kit", tmp_path / "out")
    left = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {path: text for path, text in before.items() if path not in found.files}


def test_a_folder_that_is_no_kit(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"neither prompts\.py nor outputs"):
        import_kit(tmp_path, tmp_path / "out")
    with pytest.raises(RunError, match="no such folder"):
        import_kit(tmp_path / "none", tmp_path / "out")


def test_nothing_of_the_kit_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    kit = write_kit(tmp_path / "kit")
    evil = "__import__('os').system('touch RAN')\n"
    (kit / "prompts.py").write_text(PROMPTS_PY + evil)
    (kit / "run.py").write_text(evil)
    line = PROMPTS_PY.count("\n") + 1
    with pytest.raises(InputError, match=f"prompts.py line {line}: a statement that would have"):
        import_kit(kit, tmp_path / "out")
    assert not (tmp_path / "RAN").exists()
    assert not (tmp_path / "out").exists()
