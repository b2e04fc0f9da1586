"""Reads caption files: training clips, each described in five fields or in one plain text.

A row of the file (JSON list or JSON Lines):

    {"video": "NAME.mp4", "participant": "P004", "coarse": "Head", "fine": "Nodding",
     "caption": {"overall_overview": "...", ..., "conclusive_summary": "..."}}

The key of the clip is "video", "video_name" or "clip"; its value may have a suffix or not. The key
of the participant is "participant", "participant_id" or "subject", and may be missing. The caption
is an object, one text with headings, or one plain text (`fmau.dataset.caption_fields`). "coarse"
and "fine" (or "label") may be missing (`fmau.dataset.labels`). A table (CSV) with such columns,
`clip,caption,label`, is read too.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fmau.core.taxonomy import Action
from fmau.dataset.caption_fields import FIELDS, read_fields
from fmau.dataset.labels import read_action
from fmau.dataset.rows import Row, named_clip, read_records

__all__ = ["FIELDS", "CaptionedClip", "load_captions"]

_CLIP_KEYS: Final = ("video", "video_name", "clip")
_PARTICIPANT_KEYS: Final = ("participant", "participant_id", "subject")
_KEYS: Final = {*_CLIP_KEYS, *_PARTICIPANT_KEYS, "caption", "coarse", "fine", "label"}


@dataclass(frozen=True, slots=True)
class CaptionedClip:
    """A training clip with its caption and label.

    Attributes:
        clip: name of the clip, without extension.
        participant: the person in the clip; None if the file does not name one.
        fields: field name (see `FIELDS`) -> text, stripped, not empty, read-only: all five, or,
            of a plain text, "overall_overview" alone.
        action: the labelled micro-action; None if the file names none.
    """

    clip: str
    participant: str | None
    fields: Mapping[str, str] = field(hash=False)  # a mapping has no hash
    action: Action | None


def load_captions(
    path: Path, *, participant_pattern: str | None = None, label_pattern: str | None = None
) -> tuple[CaptionedClip, ...]:
    """Read a caption file, in file order.

    Args:
        participant_pattern, label_pattern: how the names of clips give what their rows leave out,
            see `fmau.recipe.TrainDataBlock`.

    Raises:
        InputError: the file is missing or has an unknown format, or rows are malformed: no clip, a
            path instead of a clip name, a clip that is described twice, fields that are missing or
            unknown, plain texts among captions with fields, labels that are unknown or contradict
            each other, names that a pattern does not match. Every problem is listed with its row
            and clip.
    """
    first_row: dict[str, int] = {}
    forms: list[int] = []  # number of fields of each caption

    def captioned_clip(row: Row) -> CaptionedClip | None:
        found = _captioned_clip(row, participant_pattern, label_pattern)
        if found is None:
            return None
        first = first_row.setdefault(found.clip, row.number)
        if first != row.number:
            row.refuse(f"the clip is already described in row {first}", "describe a clip once")
        forms.append(len(found.fields))
        if forms[-1] != forms[0]:
            _refuse_other_form(row, plain=forms[0] > 1)
        return found

    return read_records(path, captioned_clip)


def _captioned_clip(
    row: Row, participant_pattern: str | None, label_pattern: str | None
) -> CaptionedClip | None:
    clip = named_clip(row, row.one_of(*_CLIP_KEYS))
    for key in sorted(set(row.values) - _KEYS):
        row.refuse(f"unknown key {key!r}", f"the keys are {', '.join(sorted(_KEYS))}")
    participant = _participant(row)
    if participant is None and participant_pattern is not None:
        participant = _in_name(row, clip, "participant_pattern", participant_pattern)
    fields = read_fields(row)
    label = _in_name(row, clip, "label_pattern", label_pattern) if label_pattern else None
    action = read_action(row, [*fields.values()][-1] if fields else "", label)
    if clip is None or fields is None:
        return None
    return CaptionedClip(clip, participant, fields, action)


def _refuse_other_form(row: Row, *, plain: bool) -> None:
    """A file of captions has one form: a plain text among fields has lost its headings."""
    if plain:
        what = "the caption text has no headings, but the captions before it have fields"
        remedy = 'start each field with its name on a line, "Overall Overview: ..."'
    else:
        what = "the caption has fields, but the captions before it are plain texts"
        remedy = "write a file of its own for captions of the other form"
    row.refuse(what, remedy)


def _in_name(row: Row, clip: str | None, key: str, pattern: str) -> str | None:
    """The part of the clip's name in the pattern's group; None, and a problem, if there is none."""
    found = re.fullmatch(pattern, clip) if clip is not None else None
    if clip is not None and (found is None or not found[1]):
        what = f"train.data.{key} {pattern!r} does not match the name"
        row.refuse(what, "correct the pattern: it must match the whole name without suffix")
    return found[1] if found else None


def _participant(row: Row) -> str | None:
    """The participant as text; a number is accepted, other values are noted as a problem."""
    value = row.one_of(*_PARTICIPANT_KEYS)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is not None and (not isinstance(value, str) or not value.strip()):
        row.refuse(f"the participant is {value!r}", "write a name or number, or leave the key out")
        return None
    return value.strip() if value is not None else None
