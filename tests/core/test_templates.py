"""Placeholders: texts are put in place of names, and nothing else is read into them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmau.core.templates import fill, placeholders

PLAIN = st.text().filter(lambda text: not {*"{}"} & {*text})


@given(before=PLAIN, after=PLAIN, text=st.text())
def test_a_text_stands_where_its_name_stood(before: str, after: str, text: str) -> None:
    template = before + "{question}" + after
    assert placeholders(template) == ["question"]
    assert fill(template, question=text) == before + text + after


def test_doubled_braces_are_braces() -> None:
    template = '{{"answer": {question}}} {{}}'
    assert placeholders(template) == ["question"]
    assert fill(template, question="{x}") == '{"answer": {x}} {}'


@pytest.mark.parametrize(
    "template",
    [
        "{question:>3000000000}",
        "{question!r}",
        "{question.__class__}",
        "{question[0]}",
        "{question:{question.__class__}}",
        "{}",
        "{ question }",
        "{question",
        "question}",
        "{{question}",
    ],
)
def test_anything_else_in_braces_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="begins with a brace that belongs to no placeholder"):
        placeholders(template)
