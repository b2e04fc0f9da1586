"""Parse JSON and YAML texts. Every malformed text raises `ValueError`.

The libraries can raise other errors too: a text with thousands of nested brackets, or a YAML anchor
that contains itself, raises RecursionError. Of a key that one object has twice, they silently take
the last value; here it is an error.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from fmau.core.errors import cut

_NOT_BLANK = re.compile(r"\S")
RECURSIVE = "nested too deeply"

MOST_VALUES = 100_000
"""Far more than any recipe, prompt set, judge or training record has."""

LONG_TEXT = 1000


class Doubled(dict[str, Any]):
    """A JSON object that has keys more than once. It holds the last value of each.

    Attributes:
        keys_twice: these keys, in the order of the text.
    """

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        names = [key for key, _ in pairs]
        self.keys_twice = tuple(key for key in self if names.count(key) > 1)


def parse_json(text: str) -> Any:
    """Parse a JSON text.

    Raises:
        ValueError: not JSON, nested too deeply, an integer with thousands of digits, or an object
            that has a key twice.
    """
    value = parse_rows(text)
    for key in keys_twice(value):
        raise ValueError(f"the key {cut(repr(key))} is given twice in one object")
    return value


def parse_rows(text: str) -> Any:
    """Parse a JSON text whose reader checks row by row: an object with a key twice is `Doubled`.

    Raises:
        ValueError: as for `parse_json`, but for keys that are given twice.
    """
    try:
        return json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError(RECURSIVE) from None


def parse_stream(text: str) -> list[Any]:
    """Parse JSON values that stand one after another, each on one line or on several.

    Raises:
        ValueError: as for `parse_rows`, of any of the values.
    """
    decoder = json.JSONDecoder(object_pairs_hook=_object)
    values: list[Any] = []
    end = 0
    try:
        while rest := _NOT_BLANK.search(text, end):
            value, end = decoder.raw_decode(text, rest.start())
            values.append(value)
    except RecursionError:
        raise ValueError(RECURSIVE) from None
    return values


def lines_of_list(text: str, key: str | None = None) -> list[int]:
    """The line, counted from 1, on which each element of a list begins.

    Args:
        text: a JSON text that `parse_rows` accepts: a list, or an object with a list under `key`.
        key: of the object; None for a text that is a list.
    """
    decoder = json.JSONDecoder()
    at = _next(text, 0)
    if key is not None:
        found = None
        while found != key:  # after "{" or ",": a key, ":", its value
            found, at = decoder.raw_decode(text, _next(text, at + 1))
            at = _next(text, _next(text, at) + 1)
            if found != key:
                at = _next(text, decoder.raw_decode(text, at)[1])
    lines = []
    line, counted = 1, 0
    while text[(at := _next(text, at + 1))] != "]":  # after "[" or ","
        line, counted = line + text.count("\n", counted, at), at
        lines.append(line)
        if text[at := _next(text, decoder.raw_decode(text, at)[1])] == "]":
            break
    return lines


def _next(text: str, start: int) -> int:
    """Place of the first character from `start` on that is not blank."""
    found = _NOT_BLANK.search(text, start)
    assert found is not None, "the text is whole"
    return found.start()


def keys_twice(value: Any) -> Iterator[str]:
    """Yield the keys that any object inside a value of `parse_rows` has more than once."""
    left = [value]
    while left:  # not a recursion, because a value may be nested as deeply as Python can recurse
        inner = left.pop()
        if isinstance(inner, Doubled):
            yield from inner.keys_twice
        if isinstance(inner, dict):
            left += inner.values()
        elif isinstance(inner, list):
            left += inner


def parse_yaml(text: str) -> Any:
    """Parse a YAML text. Only plain values are created, never Python objects.

    Raises:
        ValueError: not YAML, nested too deeply, a mapping that has a key twice, an integer with
            thousands of digits, or aliases (*name) that repeat so much that the whole has more than
            `MOST_VALUES` values. A long text counts as one value a `LONG_TEXT` characters.
    """
    try:
        return _OnceLoader(text).get_single_data()
    except RecursionError:
        raise ValueError(RECURSIVE) from None
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


class _OnceLoader(yaml.SafeLoader):
    """The safe loader, but a mapping that has a key twice is an error."""

    def get_single_node(self) -> Any:
        """Compose the text, and count what it holds once every alias is written out."""
        node = super().get_single_node()
        if node is not None and _values(node, {}) > MOST_VALUES:
            raise yaml.YAMLError(f"its aliases make more than {MOST_VALUES:,} values of it")
        return node

    def construct_yaml_int(self, node: Any) -> int:
        """Read an integer. Python reads hexadecimal ones of any length, and cannot print them."""
        if len(node.value) > LONG_TEXT:
            raise yaml.MarkedYAMLError(
                problem="the integer is too long", problem_mark=node.start_mark
            )
        return int(super().construct_yaml_int(node))

    def compose_mapping_node(self, anchor: Any) -> Any:
        """Compose a mapping, and check its own keys before others are merged into it ("<<")."""
        node = super().compose_mapping_node(anchor)
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if (name := (key.tag, key.value)) in seen:
                what = f"the key {cut(repr(key.value))} is given twice"
                raise yaml.MarkedYAMLError(problem=what, problem_mark=key.start_mark)
            seen.add(name)
        return node


_OnceLoader.add_constructor("tag:yaml.org,2002:int", _OnceLoader.construct_yaml_int)


def _values(node: yaml.Node, known: dict[int, int]) -> int:
    """Number of values in a node with all aliases written out; each node is counted once."""
    if id(node) not in known:
        known[id(node)] = 1  # of a node that contains itself; its reader refuses it
        own = 1
        inner: list[yaml.Node] = []
        if isinstance(node, yaml.ScalarNode):
            own += len(node.value) // LONG_TEXT
        if isinstance(node, yaml.SequenceNode):
            inner = node.value
        elif isinstance(node, yaml.MappingNode):
            inner = [part for pair in node.value for part in pair]
        known[id(node)] = own + sum(_values(part, known) for part in inner)
    return known[id(node)]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    return read if len(read) == len(pairs) else Doubled(pairs)
