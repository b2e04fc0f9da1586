"""Prediction files as people write them."""

import json
from pathlib import Path

import pytest

from fmau.core.errors import InputError
from fmau.core.records import AnswerStatus, QuestionFile
from fmau.core.taxonomy import Task
from fmau.score import load_predictions, score
from tests.score.synthetic import question_file

QUESTIONS = question_file(clips=2)


def write(path: Path, tree: object) -> Path:
    path.write_text(json.dumps(tree), "utf-8")
    return path


def gold_entries(questions: QuestionFile) -> list[dict[str, str]]:
    return [{"qid": qid, "pred_answer": answer} for qid, answer in questions.gold.items()]


@pytest.mark.parametrize("bare", [True, False])
def test_both_shapes_of_file_score_the_same(tmp_path: Path, bare: bool) -> None:
    entries = gold_entries(QUESTIONS)
    tree = entries if bare else {"prompts": [], "answers": entries}
    answers = load_predictions(write(tmp_path / "p.json", tree), QUESTIONS)
    assert list(answers) == list(QUESTIONS.gold)
    assert score(QUESTIONS, answers).closed_avg.percent == 100


def test_freely_worded_answers_are_read(tmp_path: Path) -> None:
    cmar = next(q for q in QUESTIONS.questions if q.task is Task.CMAR)
    sad = next(q for q in QUESTIONS.questions if q.task is Task.SAD)
    madu = next(q for q in QUESTIONS.questions if q.task is Task.MADU)
    entries = [
        {"qid": cmar.qid, "pred_answer": f"B. {cmar.options[1].label}"},
        {"qid": sad.qid, "pred_answer": "Yes."},
        {"qid": madu.qid, "pred_answer": ""},
    ]
    answers = load_predictions(write(tmp_path / "p.json", entries), QUESTIONS)
    assert (answers[cmar.qid].answer, answers[sad.qid].answer) == ("B", "Yes")
    assert answers[madu.qid].status is AnswerStatus.UNPARSED
    assert answers[madu.qid].answer is None


def test_what_cannot_be_read_is_unparsed_not_wrong(tmp_path: Path) -> None:
    sad = next(q for q in QUESTIONS.questions if q.task is Task.SAD)
    path = write(tmp_path / "p.json", [{"qid": sad.qid, "pred_answer": "perhaps"}])
    found = score(QUESTIONS, load_predictions(path, QUESTIONS)).tasks[Task.SAD]
    assert (found.unparsed, found.answered, found.unanswered) == (1, 0, 3)


def test_all_defects_are_reported_at_once(tmp_path: Path) -> None:
    qid = QUESTIONS.questions[0].qid
    entries = [
        {"qid": qid, "pred_answer": 3},
        {"qid": qid, "pred_answer": "A"},
        {"qid": "XYZ_0001", "pred_answer": "A"},
        {"qid": "CMAC_0001", "pred_answer": "A"},
        "A",
        {"qid": QUESTIONS.questions[1].qid, "pred_answer": "A\ud83d"},
    ]
    with pytest.raises(InputError) as caught:
        load_predictions(write(tmp_path / "p.json", entries), QUESTIONS)
    texts = [str(problem) for problem in caught.value.problems]
    assert len(texts) == 6
    assert "the text holds half a character, 'A\\ud83d'" in texts[5]
    assert f"answer 1 ({qid}): 'pred_answer' is 3" in texts[0]
    assert f"answer 2 ({qid}): has the same qid as answer 1" in texts[1]
    assert "answer 3 (XYZ_0001): unknown qid" in texts[2]
    assert "write CMAR_0001" in texts[3]  # the earlier name of the task
    assert "answer 5: is not an object with a text under 'qid'" in texts[4]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "not JSON"),
        (b"qid,pred_answer\nMAS_1,Yes", "a table with commas"),
        (b'[{"qid": 12, "pred_answer": "A"}]', "'qid' is 12, not a text; write it as a text"),
        (b'{"answers": 3}', "no list of answers"),
        (b"3", "no list of answers"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_files_that_are_no_predictions(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "p.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=says):
        load_predictions(path, QUESTIONS)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_predictions(tmp_path / "none.json", QUESTIONS)
    with pytest.raises(InputError, match="is a folder"):
        load_predictions(tmp_path, QUESTIONS)


def test_an_answer_given_twice_is_named(tmp_path: Path) -> None:
    qid = QUESTIONS.questions[0].qid
    entry = f'{{"qid": "{qid}", "pred_answer": "A", "pred_answer": "B"}}'
    for text, said in (
        (f"[{entry}]", f"answer 1 ({qid}): the key 'pred_answer' is given twice"),
        ('{"answers": [], "answers": []}', "the key 'answers' is given twice"),
    ):
        (tmp_path / "p.json").write_text(text, "utf-8")
        with pytest.raises(InputError) as caught:
            load_predictions(tmp_path / "p.json", QUESTIONS)
        assert len(caught.value.problems) == 1
        assert said in str(caught.value)
