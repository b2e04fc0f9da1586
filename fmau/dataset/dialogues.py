"""Reads dialogue files: ready-made exchanges about clips, in the two common formats, for training.

    {"messages": [{"role": "user", "content": "<video>Which part moves?"},
                  {"role": "assistant", "content": "The head."}], "videos": ["clips/NAME.mp4"]}

    {"conversations": [{"from": "human", "value": "<video>\\nWhich part moves?"},
                       {"from": "gpt", "value": "The head."}], "video": "clips/NAME.mp4"}

A row holds one exchange about one clip. It may begin with a system turn, which is not used: the
system prompt comes from the prompt set, in training as in answering. Only the file name of a clip's
path is used, because clips are looked up in the recipe's folder.

Training tools know many more keys, and some of them change what a row means: a section of the clip
("video_start", "fps"), a turn that is not learned ("loss": false), a weight, an answer to avoid
("rejected_response"). fmau honours none of them, so a row that uses one is refused. Keys that only
name a row ("id", "source") are ignored.
"""

import re
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any, Final

from fmau.core.texts import with_newlines
from fmau.dataset.examples.example import Example
from fmau.dataset.rows import Row, named_clip, read_records

NAMING_KEYS: Final = frozenset(
    [
        *("id", "uid", "uuid", "idx", "index", "qid", "question_id", "sample_id", "source"),
        *("dataset", "data_source", "split", "task", "category", "comment", "meta", "metadata"),
        "system",
    ]
)
"""Keys of a row that are ignored, because they do not change what is learned."""

_VIDEO: Final = "<video>"
_PLACEHOLDER = re.compile(r"<(?:video|image|audio)>")


@dataclass(frozen=True, slots=True)
class _Format:
    """The keys of one format (list of turns, speaker, text) and its names of the speakers."""

    turns: str
    speaker: str
    text: str
    system: str
    user: str
    assistant: str


_FORMATS: Final = (
    _Format("messages", "role", "content", "system", "user", "assistant"),
    _Format("conversations", "from", "value", "system", "human", "gpt"),
)


def load_dialogues(path: Path) -> tuple[Example, ...]:
    """Read a dialogue file (JSON list or JSON Lines), one example per row, in file order.

    Returns:
        Examples of the view "dialogue"; `ask` is the user's text without the placeholder.

    Raises:
        InputError: the file is missing or has an unknown format, or rows are malformed: not exactly
            one clip and one <video>, more than one exchange, turns in the wrong order or empty,
            keys that change the meaning, clips in different folders with the same name. Every
            problem is listed with row and clip.
    """
    first_path: dict[str, str] = {}

    def example(row: Row) -> Example | None:
        video = _video(row)
        clip = named_clip(row, PureWindowsPath(video).name or video) if video is not None else None
        if clip is not None and video is not None:
            first = first_path.setdefault(clip, video)
            if first != video:
                what = f"{video!r} has the file name of another clip, {first!r}"
                row.refuse(what, "give every clip a different file name; folders are ignored")
        _refuse_keys(row)
        exchange = _exchange(row)
        return Example(clip, "dialogue", *exchange) if clip and exchange else None

    return read_records(path, example)


def _refuse_keys(row: Row) -> None:
    """Note every key of the row and its turns that could change its meaning as a problem."""
    read = {"video", "videos", *(form.turns for form in _FORMATS)}
    for key, value in row.values.items():
        if key not in read | NAMING_KEYS and not _says_nothing(key, value, learned=True):
            row.refuse(*_unread(key, value))
    for form in _FORMATS:
        turns = row.values.get(form.turns)
        for number, turn in enumerate(turns if isinstance(turns, list) else [], start=1):
            for key, value in turn.items() if isinstance(turn, dict) else ():
                learned = turn.get(form.speaker) == form.assistant
                if key not in (form.speaker, form.text) and not _says_nothing(key, value, learned):
                    what, remedy = _unread(key, value)
                    row.refuse(f"turn {number}: {what}", remedy)


def _says_nothing(key: str, value: Any, learned: bool) -> bool:
    """Whether a key has a value that changes nothing: none, or "loss" and "weight" as they are
    anyhow, 1 for what is learned and 0 for the rest."""
    if key in ("loss", "weight") and isinstance(value, (bool, int, float)):
        return value == learned
    return value is None or (isinstance(value, (str, list, dict)) and not value)


def _unread(key: str, value: Any) -> tuple[str, str]:
    shown = repr(value)
    shown = shown if len(shown) <= 40 else f"{shown[:40]}..."
    what = f"the key {key!r} ({shown}) is not supported"
    return what, "remove the key if the row is right without it, or remove the row"


def _video(row: Row) -> str | None:
    """The path of the row's one clip."""
    given = row.one_of("video", "videos")
    videos = given if isinstance(given, list) else [] if given is None else [given]
    if len(videos) != 1:
        row.refuse(f"the row has {len(videos)} videos", "name exactly one under 'videos'")
        return None
    if not isinstance(videos[0], str) or not videos[0].strip():
        row.refuse(f"the video is {videos[0]!r}", "write the path of the clip")
        return None
    return videos[0]


def _exchange(row: Row) -> tuple[str, str] | None:
    """(the user's question, the assistant's answer); None if the row has a problem."""
    formats = [form for form in _FORMATS if row.values.get(form.turns) is not None]
    if len(formats) != 1:
        keys = " or ".join(repr(form.turns) for form in _FORMATS)
        row.refuse(f"has {len(formats)} lists of turns", f"write one list, under {keys}")
        return None
    turns = _turns(row, formats[0], row.values[formats[0].turns])
    if turns is None or not _in_order(row, formats[0], [speaker for speaker, _ in turns]):
        return None
    asked, answered = turns[-2][1], turns[-1][1]
    if _PLACEHOLDER.findall(asked) != [_VIDEO] or _PLACEHOLDER.search(answered):
        what = f"{_VIDEO} must be in the user's turn exactly once, and be the only placeholder"
        row.refuse(what, f"start the user's turn with {_VIDEO} and remove all other placeholders")
        return None
    asked = asked.strip()
    if not (asked.startswith(_VIDEO) or asked.endswith(_VIDEO)):
        what = f"{_VIDEO} is inside the user's text"
        row.refuse(what, "move it to the start; the video is always shown before the text")
    question, answer = asked.replace(_VIDEO, "").strip(), answered.strip()
    for speaker, text in ((formats[0].user, question), (formats[0].assistant, answer)):
        if not text:
            row.refuse(f"the {speaker!r} turn has no text", "write its text, or remove the row")
    return question, answer


def _turns(row: Row, form: _Format, turns: Any) -> list[tuple[str, str]] | None:
    """(speaker, text) of every turn; None if a turn is malformed, which is noted as a problem."""
    if not isinstance(turns, list):
        row.refuse(f"{form.turns!r} is a {type(turns).__name__}", "make it a list of turns")
        return None
    read: list[tuple[str, str]] = []
    known = (form.system, form.user, form.assistant)
    for number, turn in enumerate(turns, start=1):
        fields = turn if isinstance(turn, dict) else {}
        speaker, text = fields.get(form.speaker), fields.get(form.text)
        if not isinstance(speaker, str) or speaker not in known or not isinstance(text, str):
            remedy = f'write {{"{form.speaker}": one of {", ".join(known)}, "{form.text}": text}}'
            row.refuse(f"turn {number} has no known speaker, or no text", remedy)
        else:
            read.append((speaker, with_newlines(text)))
    return read if len(read) == len(turns) else None


def _in_order(row: Row, form: _Format, speakers: list[str]) -> bool:
    """Whether the turns are one exchange after at most one system turn; if not, notes a problem."""
    if speakers[:1] == [form.system]:
        speakers = speakers[1:]
    one = [form.user, form.assistant]
    if speakers == one:
        return True
    if len(speakers) > 2 and speakers == one * (len(speakers) // 2):
        row.refuse(
            f"the row has {len(speakers) // 2} exchanges, and later ones may refer to earlier ones",
            "split it into rows of one exchange each, with questions that make sense alone",
        )
    else:
        what = f"the turns are {', '.join(speakers) or 'none'}"
        row.refuse(what, f"write one {form.user!r} turn and then one {form.assistant!r} turn")
    return False
