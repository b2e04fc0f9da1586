"""Answers in free text: the whole caption, one field of it, or the form of MADU and MARE."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from numpy.random import Generator

from fmau.core.records import Question
from fmau.core.taxonomy import Action, Task
from fmau.dataset.captions import FIELDS, CaptionedClip
from fmau.dataset.examples.example import Example, shares
from fmau.dataset.examples.wording import STEMS, pick

CAPTION_ASKS: Final = (
    "Analyse the micro-action in this clip. Write an overall overview, a timeline description, key "
    "part details, the judgment basis and a conclusive summary.",
    "Describe the micro-action in this video under five headings: overall overview, timeline "
    "description, key part details, judgment basis, conclusive summary.",
    "Give a complete account of the person's micro-action: an overview of it, its course in time, "
    "details of the moving parts, what the judgment rests on, and a summary that names it.",
)
"""Instructions to which the whole caption is the answer."""

FIELD_ASKS: Final[Mapping[str, tuple[str, ...]]] = {
    "overall_overview": (
        "Give an overall overview of the person's movement in this clip.",
        "In short, which part of the body leads the movement in this video, and what follows?",
    ),
    "timeline_description": (
        "Describe how the movement in this clip develops from its early to its late phase.",
        "What happens in this video, phase by phase?",
    ),
    "key_part_details": (
        "Describe the key body parts of this clip in detail: how do they move, and what is still?",
        "Which details of the moving and resting body parts can be seen in this video?",
    ),
    "judgment_basis": (
        "On what evidence can the micro-action in this clip be told from similar ones?",
        "Explain what the judgment about the micro-action in this video is based on.",
    ),
    "conclusive_summary": (
        "Conclude: which micro-action does this clip show?",
        "Summarise in conclusion what the person in this video does.",
    ),
}
"""Field -> instructions to which it is the answer."""

_CONCLUSIONS: Final = (
    "Therefore the behaviour is most consistent with {label}, {ending}",
    "Taken together, the evidence points to {label}: {ending}",
    "Hence the movement is to be read as {label}, {ending}",
)
_LABEL_LINE = re.compile(
    r"[\s*]*\[?\bBody part \(coarse-grained\)[^\n]{0,80}?Micro-action \(fine-grained\)[^.\n]*\.?",
    re.IGNORECASE,
)
_SENTENCES = re.compile(r"(?<=[.!?])\s+")


def captions(clips: Sequence[CaptionedClip], mean: float, rng: Generator) -> Iterator[Example]:
    """The whole caption; the instruction asks for its five fields. Plain texts have none."""
    with_fields = [clip for clip in clips if len(clip.fields) == len(FIELDS)]
    for clip, ask in _dealt(with_fields, CAPTION_ASKS, mean, rng):
        yield Example(clip.clip, "caption", ask, _headed(clip))


def fields(clips: Sequence[CaptionedClip], mean: float, rng: Generator) -> Iterator[Example]:
    """One field of the caption."""
    for clip, name in _dealt(clips, FIELDS, mean, rng):
        if name not in clip.fields:
            continue
        yield Example(clip.clip, "field", pick(FIELD_ASKS[name], rng), clip.fields[name])


def descriptions(clips: Sequence[CaptionedClip], mean: float, rng: Generator) -> Iterator[Example]:
    """MADU: what is seen, without the name of the action."""
    yield from _numbered(
        Task.MADU,
        (
            (clip, ask, _description(clip))
            for clip, ask in _dealt(clips, STEMS[Task.MADU], mean, rng)
        ),
    )


def reasonings(clips: Sequence[CaptionedClip], mean: float, rng: Generator) -> Iterator[Example]:
    """MARE: the evidence, then the labels. Clips without a label are left out."""
    yield from _numbered(
        Task.MARE,
        (
            (clip, ask, _reasoning(clip, clip.action, rng))
            for clip, ask in _dealt(clips, STEMS[Task.MARE], mean, rng)
            if clip.action
        ),
    )


def _dealt(
    clips: Sequence[CaptionedClip], variants: Sequence[str], mean: float, rng: Generator
) -> Iterator[tuple[CaptionedClip, str]]:
    """(clip, variant) pairs: for each clip its share of examples, each with another variant."""
    for clip, share in zip(clips, shares(len(clips), mean, rng), strict=True):
        for index in rng.permutation(len(variants))[:share]:
            yield clip, variants[index]


def _numbered(task: Task, asked: Iterator[tuple[CaptionedClip, str, str]]) -> Iterator[Example]:
    """Examples of an open task, with numbered questions; those with empty answers are left out."""
    answered = (row for row in asked if row[2])
    for number, (clip, stem, answer) in enumerate(answered):
        question = Question(f"train_{task}_{number}", clip.clip, task, stem)
        yield Example(clip.clip, task.value, question, answer)


def _headed(clip: CaptionedClip) -> str:
    """All five fields as one text, each under its heading."""
    sections = (f"{_heading(name)}: {clip.fields[name]}" for name in FIELDS)
    return "\n\n".join(sections)


def _description(clip: CaptionedClip) -> str:
    """Overview, timeline and details, without the sentences that name the clip's label.

    Empty if every sentence names it.
    """
    fields = ("overall_overview", "timeline_description", "key_part_details")
    told = (clip.fields[name] for name in fields if name in clip.fields)
    text = _without_label_line(" ".join(told))
    if clip.action is None:
        return text
    name = re.compile(rf"\b{re.escape(clip.action.label)}\b", re.IGNORECASE)
    return " ".join(part for part in _SENTENCES.split(text) if not name.search(part)).strip()


def _reasoning(clip: CaptionedClip, action: Action, rng: Generator) -> str:
    """Timeline and evidence, or the plain text, then the labels in the form of MARE references."""
    fields = ("timeline_description", "judgment_basis")
    told = [clip.fields[name] for name in fields if name in clip.fields]
    evidence = " ".join(told or clip.fields.values())
    ending = (
        f"[Body part (coarse-grained)] {action.part} | [Micro-action (fine-grained)] {action.label}"
    )
    conclusion = pick(_CONCLUSIONS, rng).format(label=action.label.lower(), ending=ending)
    seen = re.sub(r"(?<=\w)[:,;]?$", ".", _without_label_line(evidence))
    return f"{seen} {conclusion}".strip()


def _heading(field: str) -> str:
    return field.replace("_", " ").capitalize()


def _without_label_line(text: str) -> str:
    return re.sub(r"\s+", " ", _LABEL_LINE.sub("", text)).strip()
