"""Files as nobody means to write them: sound ones altered in one place, and plain noise."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from fmau.core.taxonomy import Task

WORDS = [
    *("video", "video_name", "videos", "clip", "task", "qid", "question", "answer", "answers"),
    *("caption", "participant", "coarse", "fine", "messages", "conversations", "role", "content"),
    *("from", "value", "name", "model", "path", "data", "frames", "count", "prompt", "prompts"),
    *("set", "serve", "port", "system", "common", "tasks", "fps", "pred_answer", "level", "levels"),
    *("score", "scores", "kind", "rubric", "status", "reason", "sessions"),
]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        [*map(str, Task), "../x", "/etc/passwd", "clip.mp4", "Which?\nA. Head", "llm"]
    )
)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=6), inner, max_size=6)
    ),
    max_leaves=25,
)
NOISE = (
    TREES.map(lambda tree: json.dumps(tree).encode())
    | TREES.map(lambda tree: yaml.safe_dump(tree).encode())
    | st.binary(max_size=300)
)

HOSTILE = {
    "deep list": b"[" * 100_000,
    "deep object": b'{"a":' * 50_000,
    "half a character": b'[{"qid": "\\ud800", "task": "\\udfff", "question": "\\ud800"}]',
    "another encoding": "[{}]".encode("utf-16"),
    "beyond numbers": b'[{"qid": 1e999, "level": NaN, "score": -Infinity}]',
    "a long number": b"[" + b"9" * 10_000 + b"]",
    "a knot": b"&a [*a, *a]",
    "a doubling": b"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]",
    "a tag": b"!!python/object/apply:os.system [exit 1]",
    "two documents": b"a: 1\n---\nb: 2",
    "zero bytes": b"\x00" * 100,
}
"""What no reader of ours has a use for."""


@st.composite
def altered(draw: st.DrawFn, sound: Any) -> Any:
    """A copy of a tree in which one entry of one list or mapping is edited, replaced, dropped or
    added."""
    tree = deepcopy(sound)
    holder = draw(st.sampled_from(list(_holders(tree))))
    place = draw(st.sampled_from(list(holder) if isinstance(holder, dict) else range(len(holder))))
    change = draw(st.sampled_from(["edit", "replace", "drop", "add"]))
    if change == "edit" and isinstance(holder[place], str):
        holder[place] += draw(st.text("ab {}.é\n", max_size=6))
    elif change in ("edit", "replace"):
        holder[place] = draw(TREES)
    elif change == "drop":
        del holder[place]
    elif isinstance(holder, dict):
        holder[draw(st.sampled_from(WORDS) | st.text(max_size=6))] = draw(TREES)
    else:
        holder.insert(place, draw(TREES))
    return tree


def _holders(tree: Any) -> Iterator[Any]:
    """Every list and mapping with something in it."""
    if isinstance(tree, dict | list) and tree:
        yield tree
        for inner in tree.values() if isinstance(tree, dict) else tree:
            yield from _holders(inner)


def kept(given: Any, read: Any) -> bool:
    """Whether all that stands in a tree stands in what was read of it, value for value.

    What was read may hold more (defaults), and a number for a text or a switch that stands for it.
    """
    if isinstance(given, dict):
        found = {str(key): value for key, value in read.items()} if isinstance(read, dict) else {}
        return all(
            str(key) in found and kept(value, found[str(key)]) for key, value in given.items()
        )
    if isinstance(given, list):
        same_length = isinstance(read, list | tuple) and len(given) == len(read)
        return same_length and all(map(kept, given, read))
    if isinstance(read, Path):
        return isinstance(given, str) and Path(given) == read
    return given == read or str(given) == str(read)
