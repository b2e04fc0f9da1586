"""Every check finds exactly what was planted, and nothing in a clean file."""

import json
import random
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from fmau.core.errors import InputError
from fmau.core.taxonomy import Task, actions, parts
from fmau.score.audit import audit_questions, print_audit
from fmau.score.audit.check import Check
from tests.paths import ALL_12000, SAMPLE_60

IDS = (
    "label-code-suffix",
    "duplicate-option",
    "duplicate-question",
    "class-prior",
    "opposite-pair",
    "label-named",
    "blind-classifier",
    "schema",
)
WORDS = [
    "slow",
    "fast",
    "near",
    "far",
    "wide",
    "small",
    "calm",
    "tense",
    "light",
    "firm",
    "brief",
    "long",
]


def clean_rows(clips: int = 40, seed: int = 0) -> list[dict[str, Any]]:
    """A file in the benchmark's format whose answers nothing gives away."""
    generator = random.Random(seed)
    rows = []
    for clip in range(clips):
        action = actions()[clip % len(actions())]
        for task in Task:
            for number in range(task.per_clip):
                row = {"video_name": f"clip{clip}", "task": str(task)}
                row["qid"] = f"{task}_{clip * task.per_clip + number:04}"
                # Words without meaning, the same odds for every answer.
                stem = f"Is it {' '.join(generator.sample(WORDS, 4))} in {clip} and {number}?"
                row |= {"question": stem, "answer": ("Yes", "No")[(clip + number) % 2]}
                if task.is_choice:
                    own = action.part if task is Task.CMAR else action.label
                    row |= _choice(stem, own, task, clip, generator)
                elif task is Task.MARE:
                    row["answer"] = (
                        f"So [Body part (coarse-grained)] {action.part} | "
                        f"[Micro-action (fine-grained)] {action.label}"
                    )
                elif task is Task.MADU:
                    row["answer"] = "The part moves."
                rows.append(row)
    return rows


def _choice(stem: str, own: str, task: Task, clip: int, generator: random.Random) -> dict[str, str]:
    labels = [p.label for p in parts()] if task is Task.CMAR else [a.label for a in actions()]
    others = [label for label in labels if label != own]
    options = generator.sample(others, task.option_count - 1)
    options.insert(clip % task.option_count, own)
    lines = [f"{letter}. {label}" for letter, label in zip("ABCDEFG", options, strict=False)]
    return {
        "question": "\n".join([stem, *lines]),
        "answer": "ABCDEFG"[clip % task.option_count],
    }


def find(rows: list[Any], tmp_path: Path) -> dict[str, Check]:
    path = tmp_path / "questions.json"
    path.write_text(json.dumps(rows), "utf-8")
    audit = audit_questions(path)
    assert tuple(check.id for check in audit.checks) == IDS
    assert all(check.rows == len(set(check.qids)) for check in audit.checks)
    return {check.id: check for check in audit.checks}


def row_of(rows: list[dict[str, Any]], qid: str) -> dict[str, Any]:
    return next(row for row in rows if row["qid"] == qid)


def test_a_clean_file_raises_no_alarm(tmp_path: Path) -> None:
    found = find(clean_rows(), tmp_path)
    assert {name: check.rows for name, check in found.items()} == dict.fromkeys(IDS, 0)


def test_class_codes_are_found_and_what_they_tell(tmp_path: Path) -> None:
    rows = clean_rows()
    for clip, letter in ((0, "A"), (1, "B"), (2, "A")):
        row = row_of(rows, f"FMAR_{clip:04}")
        row["question"] = re.sub(rf"^({letter}\. .*)$", r"\1 - A1", row["question"], flags=re.M)
    check = find(rows, tmp_path)["label-code-suffix"]
    assert check.qids == ("FMAR_0000", "FMAR_0001", "FMAR_0002")
    assert check.facts["gold_has_the_code_percent"] == pytest.approx(66.7)


def test_duplicate_options_and_questions_are_found(tmp_path: Path) -> None:
    rows = clean_rows()
    row = row_of(rows, "FMAR_0000")  # gold is A
    gold = re.search(r"^A\. (.*)$", row["question"], re.M)
    assert gold
    row["question"] = re.sub(r"^C\. .*$", f"C. {gold[1]}", row["question"], flags=re.M)
    row_of(rows, "SAD_0003")["question"] = row_of(rows, "SAD_0002")["question"].upper()
    found = find(rows, tmp_path)
    assert found["duplicate-option"].qids == ("FMAR_0000",)
    assert found["duplicate-option"].facts["gold_is_the_duplicate_percent"] == 100.0
    assert found["duplicate-question"].qids == ("SAD_0002", "SAD_0003")


def test_a_skewed_prior_is_found_per_task(tmp_path: Path) -> None:
    rows = clean_rows()
    for row in rows:
        if row["task"] == "MAD":
            row["answer"] = "Yes" if int(row["qid"][-4:]) % 5 else "No"
    check = find(rows, tmp_path)["class-prior"]
    assert check.facts["skewed_tasks"] == ["MAD"]
    assert check.rows == 80
    assert check.facts["per_task"]["MAD"]["percent"] == 80.0


@pytest.mark.parametrize(
    ("one", "other", "is_pair"),
    [
        ("Does the hand move left?", "Does the hand move right?", True),
        ("Does the head move before the hand?", "Does the head move after the hand?", True),
        ("Is the head still?", "Is the head not still?", True),
        ("Does the hand move upward early?", "Does the hand move downward late?", False),
        ("Does the hand move left?", "Does the foot move right?", False),
    ],
)
def test_opposite_questions_are_found(one: str, other: str, is_pair: bool, tmp_path: Path) -> None:
    rows = clean_rows()
    row_of(rows, "PPR_0004")["question"], row_of(rows, "PPR_0005")["question"] = one, other
    check = find(rows, tmp_path)["opposite-pair"]
    assert check.qids == (("PPR_0004", "PPR_0005") if is_pair else ())
    assert check.facts["pairs_with_gold"] == 160
    assert check.facts["opposite_answers_percent"] == 100.0  # the clean file alternates


def test_a_label_named_in_another_question_is_found(tmp_path: Path) -> None:
    rows = clean_rows()
    label = actions()[3].label
    row_of(rows, "SAD_0006")["question"] = f"Is this {label.lower()}?"  # clip 3 shows it
    row_of(rows, "SAD_0008")["question"] = f"Is this {label.lower()}?"  # clip 4 does not
    check = find(rows, tmp_path)["label-named"]
    assert check.qids == ("SAD_0006",)
    assert check.facts["any_named_action_is_right_percent"] == 50.0


def test_a_word_that_tells_the_answer_is_learned_across_clips(tmp_path: Path) -> None:
    rows = clean_rows()
    for row in rows:
        if row["task"] == "PPR" and row["answer"] == "Yes":
            row["question"] = row["question"].replace("in", "slightly in", 1)
    check = find(rows, tmp_path)["blind-classifier"]
    assert check.facts["better_than_chance"] == ["PPR"]
    assert {qid.partition("_")[0] for qid in check.qids} == {"PPR"}
    assert check.facts["per_task"]["PPR"]["percent"] >= 95


def test_defective_rows_are_reported_and_the_rest_is_still_checked(tmp_path: Path) -> None:
    rows: list[Any] = clean_rows()
    row_of(rows, "SAD_0000")["answer"] = "Perhaps"
    row_of(rows, "MAS_0000")["task"] = "AS"
    row_of(rows, "MAD_0000")["qid"] = "SAD_9999"
    row = row_of(rows, "PPR_0000")
    row["video"] = row.pop("video_name") + ".mp4"
    row_of(rows, "MARE_0005")["answer"] = "Because of the head."
    rows.append(7)
    found = find(rows, tmp_path)
    schema = found["schema"]
    defects = schema.facts["defects"]
    assert defects["the answer is 'Perhaps'"] == 1
    assert defects["is a int"] == 1
    assert f"row {len(rows)}" in schema.qids
    assert defects["task 'AS' is an earlier name"] == 1
    assert defects["the qid says SAD, the task is MAD"] == 1
    assert defects["uses 'video' where most rows use the other name"] == 1
    assert defects["the reference ends in no marked label of the taxonomy"] == 1
    assert defects["its clip has too many or too few of SAD"] == 11  # the row refused is not sound
    assert schema.facts["refused_by_the_reader"] == 2
    assert found["duplicate-question"].rows == 0


def test_questions_that_are_not_asked_letter_by_letter_are_named(tmp_path: Path) -> None:
    rows = clean_rows(clips=2)
    row_of(rows, "MADU_0001")["question"] = "Describe it.<|im_end|>"
    row_of(rows, "MARE_0001")["question"] = "Why\ud83d?"
    row_of(rows, "SAD_0001").update(task=["SAD"], qid="SAD_\ud83d")
    schema = find(rows, tmp_path)["schema"]
    assert schema.facts["examples"]["the text holds the control token '<|im_end|>'"] == [
        "MADU_0001"
    ]
    assert schema.facts["examples"]["the text holds half a character, 'Why\\ud83d?'"] == [
        "MARE_0001"
    ]
    "".join(schema.qids).encode("utf-8")


def test_what_is_no_question_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        audit_questions(tmp_path / "nowhere.json")
    (tmp_path / "x.json").write_text("{", "utf-8")
    with pytest.raises(InputError, match="not JSON"):
        audit_questions(tmp_path / "x.json")


def test_the_table_fits_80_columns_and_json_has_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "questions.json"
    path.write_text(json.dumps(clean_rows(clips=25)), "utf-8")
    audit = audit_questions(path)
    tree = json.loads(audit.model_dump_json())
    assert {"id", "rows", "qids"} <= set(tree["checks"][0])
    console = Console(width=80, record=True)
    print_audit(audit, console)
    text = console.export_text()
    assert all(name in text for name in IDS)


@pytest.mark.skipif(not ALL_12000.exists(), reason="needs the MA-Bench questions")
@pytest.mark.slow
def test_the_known_defects_of_the_real_file() -> None:
    """Against counts made from the raw text here."""
    rows = json.loads(ALL_12000.read_text("utf-8"))
    coded = [r["qid"] for r in rows if re.search(r"^[A-E]\. .* - [A-G]\d+$", r["question"], re.M)]
    twice = []
    for row in rows:
        labels = [
            label.casefold() for label in re.findall(r"^[A-G]\. (.*)$", row["question"], re.M)
        ]
        plain = [re.sub(r" - [a-g]\d+$", "", label) for label in labels]
        if len(set(plain)) < len(plain):
            twice.append(row["qid"])
    asked: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for row in rows:
        key = (row.get("video_name") or row["video"], row["task"], row["question"].lower().strip())
        asked[key].append(row["qid"])
    again = {qid for qids in asked.values() if len(qids) > 1 for qid in qids}
    found = {check.id: check for check in audit_questions(ALL_12000).checks}
    assert set(found["label-code-suffix"].qids) == set(coded)
    assert set(found["duplicate-option"].qids) == set(twice)
    assert set(found["duplicate-question"].qids) == again
    assert found["schema"].rows == 0
    assert found["opposite-pair"].facts["pairs_of_one_task_and_clip"] == 4000


@pytest.mark.skipif(not SAMPLE_60.exists(), reason="needs the MA-Bench sample")
@pytest.mark.slow
def test_the_real_sample_answers_itself_from_its_words() -> None:
    """Opposite answers within a pair, counted by hand; words alone beat chance at yes/no."""
    rows = json.loads(SAMPLE_60.read_text("utf-8"))
    pairs: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        if row["answer"].strip().lower() in ("yes", "no"):
            pairs[row.get("video_name") or row["video"], row["task"]].append(row["answer"].lower())
    differing = Counter(len(set(answers)) == 2 for answers in pairs.values())
    found = {check.id: check for check in audit_questions(SAMPLE_60).checks}
    share = 100 * differing[True] / differing.total()
    assert found["opposite-pair"].facts["opposite_answers_percent"] == pytest.approx(share, abs=0.1)
    assert "SAD" in found["blind-classifier"].facts["better_than_chance"]
