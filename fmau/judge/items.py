"""The items to judge: each is one answer to an open question, with its reference."""

from collections.abc import Mapping
from dataclasses import dataclass

from fmau.core.records import Answer, QuestionFile
from fmau.core.taxonomy import AnyTask
from fmau.score.joined import open_answers


@dataclass(frozen=True, slots=True)
class JudgeItem:
    """One answer to be judged.

    Attributes:
        qid, clip, task: of the question; the task is open.
        question: text of the question.
        reference: the gold answer.
        answer: the model's answer, without its thinking.
    """

    qid: str
    clip: str
    task: AnyTask
    question: str
    reference: str
    answer: str


@dataclass(frozen=True, slots=True)
class Opinion:
    """A judge's opinion about an answer at one level.

    Attributes:
        score: 0 to 5.
        rationale: the reason, in one or two sentences.
    """

    score: int
    rationale: str


def items_of(questions: QuestionFile, answers: Mapping[str, Answer]) -> list[JudgeItem]:
    """The open answers that can be judged (with a reference and a text), in file order.

    Args:
        answers: qid -> answer row.
    """
    return [
        JudgeItem(question.qid, question.clip, question.task, question.stem, reference, text)
        for question, reference, text in open_answers(questions, answers)
    ]
