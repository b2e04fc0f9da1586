"""What is judged: one answer to an open question beside its reference."""

from dataclasses import dataclass

from fmau.taxonomy import Task


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
