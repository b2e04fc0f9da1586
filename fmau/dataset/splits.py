"""Splits training clips by participant, and refuses clips of a benchmark.

`fmau.dataset.training` uses both.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fmau.core.errors import InputError, Problem
from fmau.dataset.captions import CaptionedClip


@dataclass(frozen=True, slots=True)
class Split:
    """Training clips in two parts without a common participant, each part in file order."""

    train: tuple[CaptionedClip, ...]
    validation: tuple[CaptionedClip, ...]


def split_by_participant(clips: Sequence[CaptionedClip], share: float, seed: int) -> Split:
    """Hold out whole participants, so that validation shows people who are not trained on.

    Args:
        clips: training clips with distinct names.
        share: share of the clips to hold out, 0 <= share < 1. Participants are not divided, so the
            held-out part may differ from this share, but by at most the clips of one participant.
        seed: seed of the random draw. The draw depends only on the participants and their numbers
            of clips, not on the order of the clips.

    Returns:
        At least one participant in each part; with share 0 all clips in `train`.

    Raises:
        InputError: share is above 0, but clips have no participant or all have the same.
        ValueError: share is out of range.
    """
    if not 0 <= share < 1:
        raise ValueError(f"need 0 <= share < 1, got {share}")
    if share == 0:
        return Split(tuple(clips), ())
    _require_participants(clips)
    held_out = _draw(Counter(str(clip.participant) for clip in clips), share, seed)
    return Split(
        tuple(clip for clip in clips if clip.participant not in held_out),
        tuple(clip for clip in clips if clip.participant in held_out),
    )


def refuse_benchmark(clips: Iterable[str], benchmark: Mapping[str, Path]) -> None:
    """Check that no training clip belongs to a benchmark.

    Args:
        clips: names of training clips; may repeat.
        benchmark: name of a benchmark clip -> the question file that asks about it.

    Raises:
        InputError: some training clips are benchmark clips. Its text names the first few and
            their number, its `problems` all.
    """
    problems = [
        Problem(
            f"training clip {clip}",
            f"is a benchmark clip, asked about in {benchmark[clip]}",
            "remove it from the training data",
        )
        for clip in dict.fromkeys(clips)
        if clip in benchmark
    ]
    if problems:
        raise InputError(problems)


def _require_participants(clips: Sequence[CaptionedClip]) -> None:
    unknown = sum(clip.participant is None for clip in clips)
    if unknown:
        what = f"{unknown} of {len(clips)} have no participant, so they cannot be split by person"
        remedy = (
            "add 'participant' to their rows, or give train.data.participant_pattern if their "
            "names carry it, or set train.data.validation_share to 0"
        )
        raise InputError([Problem("training clips", what, remedy)])
    participants = {clip.participant for clip in clips}
    if len(participants) < 2:
        what = f"they show {len(participants)} participant(s), but validation needs one of its own"
        remedy = "set train.data.validation_share to 0, or add clips of other participants"
        raise InputError([Problem("training clips", what, remedy)])


def _draw(clips_of: Mapping[str, int], share: float, seed: int) -> set[str]:
    """Draw participants in random order; take one if the number of clips gets closer to `share`."""
    order = sorted(clips_of)
    random.Random(seed).shuffle(order)
    wish = share * sum(clips_of.values())
    drawn, count = {order[0]}, clips_of[order[0]]
    for participant in order[1:-1]:  # the last one stays in training
        nearer = count + clips_of[participant]
        if abs(nearer - wish) < abs(count - wish):
            drawn.add(participant)
            count = nearer
    return drawn
