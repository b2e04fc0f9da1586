"""The note about replies that cannot be read."""

from fmau.core.records import AnswerStatus
from fmau.core.taxonomy import Task
from fmau.score.unread import unread_notes
from tests.score.synthetic import gold_answers, question_file, without_answer

QUESTIONS = question_file(clips=3)


def test_it_counts_them_and_shows_the_first_few() -> None:
    answers = gold_answers(QUESTIONS)
    sad = [question for question in QUESTIONS.questions if question.task is Task.SAD]
    replies = ["B or C", "one\nline\x1b[31m", "x" * 100, "", "no doubt"]
    for question, reply in zip(sad, replies, strict=False):
        row = without_answer(question, AnswerStatus.UNPARSED)
        answers[question.qid] = row.model_copy(update={"reply": reply})
    (note,) = unread_notes(QUESTIONS, answers)
    unread = min(len(sad), 5)
    assert note == (
        f"{unread} of 30 replies to closed questions hold no answer that can be read, or were cut "
        f"off, and count as wrong: {sad[0].qid} 'B or C', {sad[1].qid} 'one line\\x1b[31m', "
        f"{sad[2].qid} '{60 * 'x'}...'" + (", ..." if unread > 3 else "")
    )


def test_nothing_is_said_of_replies_that_can_be_read_or_never_came() -> None:
    answers = gold_answers(QUESTIONS)
    assert unread_notes(QUESTIONS, answers) == ()
    for question in QUESTIONS.questions[:4]:
        answers[question.qid] = without_answer(question, AnswerStatus.CLIP_FAILED)
    assert unread_notes(QUESTIONS, answers) == ()
