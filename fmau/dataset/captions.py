"""Reads caption files: training clips, each described in five fields. Training derives from them.

A row of the file (JSON list or JSON Lines):

    {"video": "NAME.mp4", "participant": "P004", "coarse": "Head", "fine": "Nodding",
     "caption": {"overall_overview": "...", ..., "conclusive_summary": "..."}}

The key of the clip is "video", "video_name" or "clip"; its value may have a suffix or not. The key
of the participant is "participant", "participant_id" or "subject", and may be missing. The caption
is an object or one text with headings (`fmau.dataset.caption_fields`). "coarse" and "fine" may be
missing (`fmau.dataset.labels`).
"""

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
_KEYS: Final = {*_CLIP_KEYS, *_PARTICIPANT_KEYS, "caption", "coarse", "fine"}


@dataclass(frozen=True, slots=True)
class CaptionedClip:
    """A training clip with its caption and label.

    Attributes:
        clip: name of the clip, without extension.
        participant: the person in the clip; None if the file does not name one.
        fields: field name (see `FIELDS`) -> text; all five, stripped, not empty, read-only.
        action: the labelled micro-action; None if the file names none.
    """

    clip: str
    participant: str | None
    fields: Mapping[str, str] = field(hash=False)  # a mapping has no hash
    action: Action | None


def load_captions(path: Path) -> tuple[CaptionedClip, ...]:
    """Read a caption file, in file order.

    Raises:
        InputError: the file is missing or has an unknown format, or rows are malformed: no clip, a
            path instead of a clip name, a clip that is described twice, fields that are missing or
            unknown, labels that are unknown or contradict each other. Every problem is listed with
            its row and clip.
    """
    first_row: dict[str, int] = {}

    def captioned_clip(row: Row) -> CaptionedClip | None:
        found = _captioned_clip(row)
        if found is None:
            return None
        first = first_row.setdefault(found.clip, row.number)
        if first != row.number:
            row.refuse(f"the clip is already described in row {first}", "describe a clip once")
        return found

    return read_records(path, captioned_clip)


def _captioned_clip(row: Row) -> CaptionedClip | None:
    clip = named_clip(row, row.one_of(*_CLIP_KEYS))
    for key in sorted(set(row.values) - _KEYS):
        row.refuse(f"unknown key {key!r}", f"the keys are {', '.join(sorted(_KEYS))}")
    participant = _participant(row)
    fields = read_fields(row)
    action = read_action(row, fields["conclusive_summary"] if fields else "")
    if clip is None or fields is None:
        return None
    return CaptionedClip(clip, participant, fields, action)


def _participant(row: Row) -> str | None:
    """The participant as text; a number is accepted, other values are noted as a problem."""
    value = row.one_of(*_PARTICIPANT_KEYS)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is not None and (not isinstance(value, str) or not value.strip()):
        row.refuse(f"the participant is {value!r}", "write a name or number, or leave the key out")
        return None
    return value.strip() if value is not None else None
