"""Yes/no questions about what captions decide; each has "Yes" as often as "No"."""

from collections.abc import Iterator, Sequence

from numpy.random import Generator

from fmau.core.records import Question
from fmau.core.taxonomy import Task
from fmau.dataset.captions import CaptionedClip
from fmau.dataset.examples.example import Example
from fmau.dataset.examples.pairing import Pool, pair_up
from fmau.dataset.examples.wording import word


def yes_no(
    task: Task,
    decided: Sequence[Pool],
    clips: Sequence[CaptionedClip],
    mean: float,
    rng: Generator,
) -> Iterator[Example]:
    """Questions of one task, in pairs: the same words about two clips, with opposite answers.

    Args:
        task: SAD, MAD, MAS or PPR.
        decided: for each clip, all statements that its caption decides.
        clips: to ask about, in the same order.
        mean: mean number of questions per clip.
        rng: source of all randomness.
    """
    pools = [{s: truth for s, truth in pool.items() if s.task is task} for pool in decided]
    for number, pair in enumerate(pair_up(pools, mean, rng)):
        stem = word(pair.statement, rng)
        for place, (index, answer) in enumerate(((pair.yes, "Yes"), (pair.no, "No"))):
            clip = clips[index].clip
            question = Question(f"train_{task}_{2 * number + place}", clip, task, stem)
            yield Example(clip, task.value, question, answer)
