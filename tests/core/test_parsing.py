"""JSON and YAML: what the libraries read, except a key that one object has twice."""

import json
from contextlib import suppress

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fmau.core.parsing import keys_twice, lines_of_list, parse_json, parse_rows, parse_yaml

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(VALUES)
def test_sound_texts_read_as_the_libraries_read_them(value: object) -> None:
    assert parse_json(json.dumps(value)) == value
    text = yaml.safe_dump(value)
    assert parse_yaml(text) == yaml.safe_load(text)


@given(st.lists(VALUES), st.sampled_from([None, 0, 2]), st.booleans())
def test_the_lines_of_a_list_are_those_where_its_elements_begin(
    values: list[object], indent: int | None, under_a_key: bool
) -> None:
    texts = [json.dumps(value, indent=indent) for value in values]
    text, lines = "[", []
    for place, one in enumerate(texts):
        text += ",\n\n" if place else "\n"
        lines.append(text.count("\n") + 1)
        text += one
    text += " ]"
    before = '{"other": [1, {"answers": 2}],\n "answers" : '
    if under_a_key:
        lines = [line + 1 for line in lines]
        text = before + text + ', "more": []}'
    assert lines_of_list(text, "answers" if under_a_key else None) == lines


@pytest.mark.parametrize(
    "text", ['{"a": 1, "a": 2}', '[[{"b": {"a": 1, "c": 0, "a": 1}}]]', '{"a": {}, "\\u0061": 3}']
)
def test_a_key_given_twice_is_refused_wherever_it_is(text: str) -> None:
    with pytest.raises(ValueError, match="the key 'a' is given twice"):
        parse_json(text)
    assert list(keys_twice(parse_rows(text))) == ["a"]
    assert not list(keys_twice(parse_rows('[{"a": {"a": 1}}, {"a": 2}]')))


@pytest.mark.parametrize("text", ["a: 1\nb: 2\na: 3", "x:\n- {a: 1, 'a': 1}", "? a\n: 1\n? a\n: 2"])
def test_a_yaml_key_given_twice_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"(?s)the key 'a' is given twice.*line \d"):
        parse_yaml(text)


def test_merged_yaml_keys_may_be_overridden() -> None:
    text = "base: &b {x: 1, y: 2}\nfirst: &f\n  <<: *b\n  x: 3\nsecond:\n  <<: *f\n  x: 4"
    assert parse_yaml(text)["second"] == {"x": 4, "y": 2}


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000, "[" + "9" * 10_000 + "]", "{"])
def test_what_cannot_be_parsed_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)


def test_values_may_be_nested_as_deeply_as_the_parser_reads_them() -> None:
    for depth in range(400, 1200, 50):
        with suppress(ValueError):  # nested too deeply
            parse_json('{"a":' * depth + "1" + "}" * depth)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 0x" + "f" * 5000, "the integer is too long"),
        ("a: " + "9" * 5000, "the integer is too long"),
        # Few values, but of 10 kB each.
        ("a: &a " + "x" * 10_000 + "\nb: [" + ", ".join(["*a"] * 10_000) + "]", "100,000 values"),
    ],
)
def test_yaml_that_is_small_and_makes_much_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_yaml(text)


def test_a_long_key_given_twice_is_not_repeated_whole() -> None:
    for text, parse in (('{"k": 1, "k": 2}', parse_json), ("k: 1\nk: 2", parse_yaml)):
        with pytest.raises(ValueError, match="given twice") as caught:
            parse(text.replace("k", "k" * 100_000 if parse is parse_json else "k" * 1000))
        assert len(str(caught.value)) < 1000
