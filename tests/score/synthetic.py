"""A made-up question file in the shape of MA-Bench, and answers to it."""

import random
from collections.abc import Callable, Mapping

from fmau.core.records import (
    LEVELS,
    Answer,
    AnswerStatus,
    Option,
    Question,
    QuestionFile,
    Verdict,
    VerdictStatus,
)
from fmau.core.taxonomy import Task, actions, parts
from fmau.prompting.extraction import choices


def question_file(clips: int, seed: int = 0) -> QuestionFile:
    """Twelve questions about each of `clips` clips, in shuffled order, all with gold."""
    generator = random.Random(seed)
    questions = [
        question(task, clip * task.per_clip + number, f"clip-{clip:04d}", generator)
        for clip in range(clips)
        for task in Task
        for number in range(task.per_clip)
    ]
    generator.shuffle(questions)
    gold = {q.qid: generator.choice(choices(q) or ("The head leads.",)) for q in questions}
    return QuestionFile(tuple(questions), gold)


def question(task: Task, number: int, clip: str, generator: random.Random) -> Question:
    """One question, its options (if any) drawn from the taxonomy."""
    pool = [part.label for part in parts()] if task is Task.CMAR else [a.label for a in actions()]
    labels = generator.sample(pool, task.option_count)
    options = tuple(Option(chr(ord("A") + i), label) for i, label in enumerate(labels))
    return Question(f"{task}_{number:04d}", clip, task, f"A question of {task}?", options)


def ok(question: Question, answer: str) -> Answer:
    """An answer row with a valid answer."""
    return _row(question, AnswerStatus.OK, answer)


def without_answer(question: Question, status: AnswerStatus) -> Answer:
    """An answer row that ended without an answer."""
    return _row(question, status, None)


def gold_answers(questions: QuestionFile) -> dict[str, Answer]:
    """Everything right."""
    return {q.qid: ok(q, questions.gold[q.qid]) for q in questions.questions}


def random_answers(questions: QuestionFile, seed: int = 1) -> Mapping[str, Answer]:
    """Two in three right, some wrong, every way to fail, and some questions left out."""
    generator = random.Random(seed)
    answers = {}
    for q in questions.questions:
        draw = generator.random()
        if draw < 0.05:
            continue
        if draw < 0.2:
            status = generator.choice([s for s in AnswerStatus if s is not AnswerStatus.OK])
            answers[q.qid] = without_answer(q, status)
        elif draw < 0.7:
            answers[q.qid] = ok(q, questions.gold[q.qid])
        else:
            answers[q.qid] = ok(q, generator.choice(choices(q) or ("Something moves.",)))
    return answers


def verdicts(
    questions: QuestionFile, judge: str, score_of: Callable[[Question, int], int | None]
) -> list[Verdict]:
    """One verdict per open question and level; None for a reply that could not be read."""
    return [
        verdict(q, judge, level, score_of(q, level))
        for q in questions.questions
        if q.task.is_open
        for level in LEVELS
    ]


def verdict(
    question: Question, judge: str, level: int, points: int | None, sample: int = 0
) -> Verdict:
    """One row of `verdicts.jsonl`."""
    return Verdict(
        qid=question.qid,
        clip=question.clip,
        task=str(question.task),
        judge=judge,
        fingerprint=f"{judge} {question.qid} {level} {sample}",
        levels=(level,),
        sample=sample,
        status=VerdictStatus.UNPARSED if points is None else VerdictStatus.SCORED,
        scores=None if points is None else {level: points},
        reason="no JSON" if points is None else None,
    )


def _row(question: Question, status: AnswerStatus, answer: str | None) -> Answer:
    return Answer(
        qid=question.qid,
        clip=question.clip,
        task=str(question.task),
        fingerprint="f",
        status=status,
        answer=answer,
        reply=answer,
        reason=None if answer else "no luck",
    )
