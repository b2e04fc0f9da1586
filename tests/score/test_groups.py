"""Readings, groups and labels against counts by hand."""

from fmau.core.records import Option, Question, QuestionFile
from fmau.core.taxonomy import CLOSED_TASKS, Task, Tier
from fmau.score import score
from tests.score.synthetic import gold_answers, ok, question_file, random_answers


def fmar(number: int, labels: str, codes: dict[str, str] | None = None) -> Question:
    options = tuple(
        Option(letter, label, (codes or {}).get(letter))
        for letter, label in zip("ABCDE", labels.split(","), strict=True)
    )
    return Question(f"FMAR_{number}", f"clip-{number}", Task.FMAR, "Which?", options)


def test_fmar_is_read_four_ways() -> None:
    plain = "Nodding,Shaking head,Turning around,Bowing head,Tilting head"
    twice = "Nodding,Shaking head,Nodding,Bowing head,Tilting head"
    rows = (fmar(1, plain), fmar(2, twice), fmar(3, plain, {"B": "B2"}), fmar(4, plain))
    questions = QuestionFile(rows, {row.qid: "A" for row in rows})
    answers = {row.qid: ok(row, letter) for row, letter in zip(rows, "ACBB", strict=True)}
    found = score(questions, answers).fmar
    assert found.leaking == 2
    assert (found.strict.correct, found.strict.total) == (1, 4)
    assert (found.by_label.correct, found.by_label.total) == (2, 4)
    assert (found.strict_clean.correct, found.strict_clean.total) == (1, 2)
    assert (found.by_label_clean.correct, found.by_label_clean.total) == (1, 2)


def test_the_confusion_of_actions_counts_every_question_once() -> None:
    questions = question_file(clips=40)
    answers = random_answers(questions)
    pairs = score(questions, answers).fmar_confusion
    assert sum(pair.count for pair in pairs) == 40
    assert sum(pair.count for pair in pairs if pair.gold == pair.chosen) == (
        score(questions, answers).fmar.by_label.correct
    )
    unread = [q for q in questions.questions if q.task is Task.FMAR]
    silent = sum(q.qid not in answers or answers[q.qid].answer is None for q in unread)
    assert sum(pair.count for pair in pairs if pair.chosen is None) == silent


def test_groups_add_up_to_their_task() -> None:
    questions = question_file(clips=40)
    scores = score(questions, random_answers(questions))
    for groups in (scores.by_action, scores.by_part):
        for task in CLOSED_TASKS:
            shares = [share for share in groups if share.task is task]
            accuracy = scores.tasks[task].accuracy
            assert sum(share.correct for share in shares) == accuracy.correct
            assert sum(share.total for share in shares) == accuracy.total


def test_a_tier_is_the_plain_mean_of_its_tasks() -> None:
    questions = question_file(clips=20)
    scores = score(questions, random_answers(questions))
    for tier in (Tier.PERCEPTUAL, Tier.RELATIONAL):
        percents = [s.accuracy.percent for t, s in scores.tasks.items() if t.tier is tier]
        assert abs(scores.tiers[tier].percent - sum(percents) / len(percents)) < 1e-9
    assert Tier.INTERPRETIVE not in scores.tiers


def test_mare_answers_are_matched_by_the_labels_they_end_in() -> None:
    ending = "[Body part (coarse-grained)] {} | [Micro-action (fine-grained)] {}"
    rows = tuple(Question(f"MARE_{n}", f"clip-{n}", Task.MARE, "Why?") for n in range(4))
    questions = QuestionFile(rows, {r.qid: ending.format("Head", "Nodding") for r in rows})
    said = (
        ending.format("Head", "Nodding"),
        ending.format("Head", "Shaking head"),
        ending.format("Lower limb", "Shaking legs"),
        "The person nods.",
    )
    answers = {row.qid: ok(row, text) for row, text in zip(rows, said, strict=True)}
    found = score(questions, answers).mare_labels
    assert (found.fine.correct, found.coarse.correct, found.fine.total) == (1, 2, 4)
    assert found.unlabelled == 1


def test_refusals_are_counted_apart() -> None:
    questions = question_file(clips=3)
    answers = gold_answers(questions)
    open_question = next(q for q in questions.questions if q.task is Task.MADU)
    answers[open_question.qid] = ok(open_question, "I'm sorry, but I can't help with that.")
    assert score(questions, answers).tasks[Task.MADU].refused == 1
    assert score(questions, answers).tasks[Task.MARE].refused == 0
