"""What is judged: one answer to an open question beside its reference."""

from collections.abc import Mapping
from dataclasses import dataclass

from fmau.core.records import Answer, QuestionFile
from fmau.core.taxonomy import Task
from fmau.prompting.extraction import visible_answer


@dataclass(frozen=True, slots=True)
class JudgeItem:
    """One answer to be judged.

    Attributes:
        qid, clip, task: of the question; `task` is MADU or MARE.
        question: its text.
        reference: the gold answer.
        answer: what the model wrote, without any thinking.
    """

    qid: str
    clip: str
    task: Task
    question: str
    reference: str
    answer: str


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a judge says about an answer at one level.

    Attributes:
        score: 0 to 5.
        rationale: why, in a sentence or two.
    """

    score: int
    rationale: str


def items_of(questions: QuestionFile, answers: Mapping[str, Answer]) -> list[JudgeItem]:
    """The open answers that can be judged, in file order: those with a reference and some text.

    Args:
        answers: qid -> answer row.
    """
    items = []
    for question in questions.questions:
        row = answers.get(question.qid)
        text = visible_answer(row) if row and question.task.is_open else None
        if text is not None and question.qid in questions.gold:
            reference = questions.gold[question.qid]
            given = (question.qid, question.clip, question.task, question.stem)
            items.append(JudgeItem(*given, reference=reference, answer=text))
    return items
