"""The training example: one clip, one thing asked about it, the answer to learn.

All views (`fmau.dataset.views`) and all files of ready-made dialogues end in this record, and
training reads nothing else.
"""

from dataclasses import dataclass

from fmau.core.records import Question


@dataclass(frozen=True, slots=True)
class Example:
    """One question about one clip, with its answer.

    Attributes:
        clip: name of the clip without extension.
        view: where the example comes from: "caption", "field", the name of a task ("CMAR" ...
            "MARE"), or "dialogue".
        ask: a question in the benchmark's form, or an instruction in free words.
        answer: the target, stripped and non-empty.
    """

    clip: str
    view: str
    ask: Question | str
    answer: str
