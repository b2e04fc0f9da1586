"""The training example: a clip, a question about it, and the answer to learn.

All views (`fmau.dataset.examples`) and all files of ready-made dialogues are turned into this
record. Training reads nothing else.
"""

from dataclasses import dataclass

from numpy.random import Generator

from fmau.core.records import Question


@dataclass(frozen=True, slots=True)
class Example:
    """One question about one clip, with its answer.

    Attributes:
        clip: name of the clip without extension.
        view: where the example comes from: "caption", "field", the name of a task ("CMAR" ...
            "MARE"), or "dialogue".
        ask: a question in the benchmark's form, or an instruction in free words.
        answer: the text to learn, not empty, without white space at its ends.
    """

    clip: str
    view: str
    ask: Question | str
    answer: str


def shares(clips: int, mean: float, rng: Generator) -> list[int]:
    """The number of examples for each clip.

    Their mean is `mean` (rounded to whole examples), and they differ by 1 at most.

    >>> import numpy as np
    >>> sorted(shares(4, 1.5, np.random.default_rng(0)))
    [1, 1, 2, 2]
    """
    if not clips:
        return []
    each, more = divmod(round(mean * clips), clips)
    favoured = set(rng.permutation(clips)[:more].tolist())
    return [each + (index in favoured) for index in range(clips)]
