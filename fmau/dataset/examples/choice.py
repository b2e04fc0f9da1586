"""Multiple choice: the group of the clip's label among all seven, or the label among five."""

from collections.abc import Iterator, Sequence
from string import ascii_uppercase

from numpy.random import Generator

from fmau.core.records import Option, Question
from fmau.core.taxonomy import Action, Task, parts
from fmau.dataset.captions import CaptionedClip
from fmau.dataset.examples.example import Example, shares
from fmau.dataset.examples.options import letters, option_lists, options_with
from fmau.dataset.examples.wording import STEMS, pick


def coarse(clips: Sequence[CaptionedClip], mean: float, rng: Generator) -> Iterator[Example]:
    """CMAR: all seven groups, in random order."""
    groups = [part.label for part in parts()]
    labelled = _labelled(clips, mean, rng)
    asked = [(clip, action.part, groups) for clip, action in labelled]
    yield from _questions(Task.CMAR, asked, rng)


def fine(clips: Sequence[CaptionedClip], mean: float, rng: Generator) -> Iterator[Example]:
    """FMAR: the label and four others that are easily confused with it."""
    labelled = _labelled(clips, mean, rng)
    lists = option_lists([action for _, action in labelled], rng)
    asked = [
        (clip, action.label, lists[index])
        for index, (clip, action) in enumerate(labelled)
        if index in lists
    ]
    yield from _questions(Task.FMAR, asked, rng)


def _labelled(
    clips: Sequence[CaptionedClip], mean: float, rng: Generator
) -> list[tuple[CaptionedClip, Action]]:
    """Each clip that has a label, as many times as questions are asked about it."""
    return [
        (clip, clip.action)
        for clip, share in zip(clips, shares(len(clips), mean, rng), strict=True)
        for _ in range(share)
        if clip.action
    ]


def _questions(
    task: Task, asked: Sequence[tuple[CaptionedClip, str, Sequence[str]]], rng: Generator
) -> Iterator[Example]:
    """Questions from (clip, answer, labels to list). Each letter is right equally often."""
    right = letters(len(asked), task.option_count, rng)
    for number, ((clip, answer, labels), letter) in enumerate(zip(asked, right, strict=True)):
        listed = options_with(answer, labels, letter, rng)
        options = tuple(map(Option, ascii_uppercase, listed))
        stem = pick(STEMS[task], rng)
        question = Question(f"train_{task}_{number}", clip.clip, task, stem, options)
        yield Example(clip.clip, task.value, question, letter)
