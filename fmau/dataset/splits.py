"""Which training clips are held out, and which may not be trained on at all."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fmau.core.errors import InputError, Problem
from fmau.dataset.captions import CaptionedClip


@dataclass(frozen=True, slots=True)
class Split:
    """Training clips in two parts that share no participant, each in file order."""

    train: tuple[CaptionedClip, ...]
    validation: tuple[CaptionedClip, ...]


class _BenchmarkClips(InputError):
    MAX_SHOWN = 20  # a benchmark file that was taken for training data is plain from these


def split_by_participant(clips: Sequence[CaptionedClip], share: float, seed: int) -> Split:
    """Hold out whole participants, so that validation sees people who were not trained on.

    Args:
        clips: with distinct names.
        share: of the clips to hold out, 0 <= share < 1. Whole participants rarely add up to it; the
            part held out differs from it by no more than the clips of one participant.
        seed: of the draw. The same participants with as many clips give the same draw, whatever
            the order of the clips.

    Returns:
        At least one participant in either part; with share 0 everything in `train`.

    Raises:
        InputError: share is above 0, and clips have no participant or all have the same.
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
    """Make sure that nothing is trained on which is tested on.

    Args:
        clips: names of training clips; repetitions are fine.
        benchmark: name of a benchmark clip to the question file that asks about it.

    Raises:
        InputError: names the training clips that are benchmark clips, the first 20 in its text and
            all in its `problems`.
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
        raise _BenchmarkClips(problems)


def _require_participants(clips: Sequence[CaptionedClip]) -> None:
    unknown = sum(clip.participant is None for clip in clips)
    if unknown:
        what = f"{unknown} of {len(clips)} have no participant, so people can't be kept apart"
        remedy = "add 'participant' to their rows, or hold out a share of 0"
        raise InputError([Problem("training clips", what, remedy)])
    participants = {clip.participant for clip in clips}
    if len(participants) < 2:
        what = f"they show {len(participants)} participant(s), too few to hold one out"
        raise InputError([Problem("training clips", what, "hold out a share of 0")])


def _draw(clips_of: Mapping[str, int], share: float, seed: int) -> set[str]:
    """Participants in random order, each taken if that brings the count nearer to the wish."""
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
