"""Only a whole reply in the form asked for is a score."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmau.core.records import VerdictStatus
from fmau.judge.reply import read_reply, reply_schema
from fmau.serve.client import Reply

GOOD = '{"rationale": "agrees", "L1": 4, "L2": 0, "L3": 5}'
ALL = (1, 2, 3)


def reply(text: str, finish_reason: str = "stop") -> Reply:
    return Reply(text, finish_reason, None, None, None)


@pytest.mark.parametrize(
    "text",
    [GOOD, f"```json\n{GOOD}\n```", f"<think>it could be 0</think>\n{GOOD}", f"  {GOOD}\n"],
)
def test_a_reply_in_the_form_is_read(text: str) -> None:
    found = read_reply(reply(text), ALL)
    assert (found.status, found.scores) == (VerdictStatus.SCORED, {1: 4, 2: 0, 3: 5})
    assert found.rationale == "agrees"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", VerdictStatus.UNPARSED),
        ("5", VerdictStatus.UNPARSED),
        ("I would say L1: 5, L2: 5, L3: 5", VerdictStatus.UNPARSED),
        (f"The candidate wrote {GOOD}", VerdictStatus.UNPARSED),
        (f"{GOOD}\n{GOOD}", VerdictStatus.UNPARSED),
        ('{"rationale": "a", "L1": 1, "L1": 5, "L2": 1, "L3": 1}', VerdictStatus.UNPARSED),
        ('{"rationale": "a", "L1": 1, "L2": 1}', VerdictStatus.UNPARSED),
        ('{"L1": 1, "L2": 1, "L3": 1}', VerdictStatus.UNPARSED),
        ('{"rationale": 3, "L1": 1, "L2": 1, "L3": 1}', VerdictStatus.UNPARSED),
        ('["rationale"]', VerdictStatus.UNPARSED),
        ("[" * 100_000, VerdictStatus.UNPARSED),
        (GOOD.replace("4", "6"), VerdictStatus.OUT_OF_RANGE),
        (GOOD.replace("4", "-1"), VerdictStatus.OUT_OF_RANGE),
        (GOOD.replace("4", "4.5"), VerdictStatus.OUT_OF_RANGE),
        (GOOD.replace("4", "true"), VerdictStatus.OUT_OF_RANGE),
        (GOOD.replace("4", '"4"'), VerdictStatus.OUT_OF_RANGE),
        (GOOD.replace("4", "null"), VerdictStatus.OUT_OF_RANGE),
        (GOOD.replace("4", "NaN"), VerdictStatus.OUT_OF_RANGE),
        ("I'm sorry, but I can't assist with that.", VerdictStatus.REFUSED),
        ("<think>hm", VerdictStatus.TRUNCATED),
    ],
)
def test_anything_else_is_unscored_with_its_reason(text: str, status: VerdictStatus) -> None:
    found = read_reply(reply(text), ALL)
    assert (found.status, found.scores) == (status, None)
    assert found.reason


def test_a_reply_cut_off_or_filtered_is_unscored_even_if_it_reads_well() -> None:
    assert read_reply(reply(GOOD, "length"), ALL).status is VerdictStatus.TRUNCATED
    assert read_reply(reply(GOOD, "content_filter"), ALL).status is VerdictStatus.REFUSED


@given(
    st.one_of(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
            lambda inner: (
                st.lists(inner) | st.dictionaries(st.sampled_from(["L1", "rationale"]), inner)
            ),
        ).map(json.dumps),
    )
)
def test_no_reply_gives_more_than_the_levels_asked_about(text: str) -> None:
    found = read_reply(reply(text), (1,))
    assert (found.status is VerdictStatus.SCORED) == (found.scores is not None)
    if found.scores is not None:
        tree = json.loads(text)
        assert found.scores == {1: tree["L1"]}
        assert type(tree["L1"]) is int
        assert set(tree) == {"L1", "rationale"}


def test_the_schema_asks_for_the_rationale_first() -> None:
    schema = reply_schema((2,), 200)
    assert list(schema["properties"]) == ["rationale", "L2"] == schema["required"]
    assert schema["properties"]["L2"]["enum"] == [0, 1, 2, 3, 4, 5]
    assert schema["properties"]["rationale"]["maxLength"] == 200
