"""What replies claim: a table of forms with their right reading, silence included."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fmau.core.records import Option, Question
from fmau.core.taxonomy import Task
from fmau.prompting.claims import read_letter, read_yes_no
from fmau.prompting.extraction import extract

LABELS = ("Head", "Lower limb", "Upper limb", "Head-hand")
OPTIONS = tuple(Option(letter, label) for letter, label in zip("ABCD", LABELS, strict=True))
CHOICE = Question("CMAR_1", "clip", Task.CMAR, "Which part?", OPTIONS)
YES_NO = Question("SAD_1", "clip", Task.SAD, "Does it move?")
ASKED = {"letters": CHOICE, "yes or no": YES_NO}

FORMS = yaml.safe_load(Path(__file__).with_name("reply_forms.yaml").read_text("utf-8"))
GROUPS = [(asked, group) for asked in ASKED for group in FORMS[asked]]


def test_the_table_is_large_and_knows_silence() -> None:
    every = [form for asked in ASKED for group in FORMS[asked].values() for form in group]
    assert len(every) > 600
    assert sum(reading is None for _, reading in every) > 150
    assert len({reply for reply, _ in every}) > 600


@pytest.mark.parametrize(("asked", "group"), GROUPS)
def test_every_form_is_read_rightly_or_not_at_all(asked: str, group: str) -> None:
    forms = FORMS[asked][group]
    read = [[reply, extract(ASKED[asked], reply).answer] for reply, _ in forms]
    assert read == forms


@pytest.mark.parametrize(
    "around", ["{}\n", "  {}", "\u200b{}", "<think>A</think>\n{}", "{}<|im_end|>"]
)
def test_what_stands_around_a_reply_changes_no_reading(around: str) -> None:
    for asked, groups in FORMS.items():
        for reply, reading in (form for forms in groups.values() for form in forms):
            if "think>" not in reply and "<|" not in reply and reply.strip():
                assert extract(ASKED[asked], around.format(reply)).answer == reading, reply


def test_option_i_is_not_the_speaker() -> None:
    ten = tuple(Option(letter, f"action {letter}") for letter in "ABCDEFGHIJ")
    assert read_letter("I think the answer is B.", ten) == "B"
    assert read_letter("I", ten) == "I"
    assert read_letter("The answer is I.", ten) == "I"
    assert read_letter("I see a nod.", ten) is None


def test_a_class_code_may_follow_the_label() -> None:
    coded = (Option("A", "Nodding", "B2"), Option("B", "Waving", "C4"))
    assert read_letter("A. Nodding B2", coded) == "A"
    assert read_letter("Waving (C4)", coded) == "B"
    assert read_letter("A. Waving C4", coded) is None


WORDS = "A;b;B.;(C);Head;Lower limb;yes;No;no,;not;answer;is;the;Answer:;or;option;wrong;<answer>"
PIECES = st.sampled_from([*WORDS.split(";"), "</answer>", "\\boxed{", "}", "\n", ". ", "?"])


@given(pieces=st.lists(PIECES, max_size=12))
def test_any_mixture_of_the_words_gives_a_valid_answer_or_none(pieces: list[str]) -> None:
    text = " ".join(pieces)
    assert read_letter(text, OPTIONS) in {*"ABCD", None}
    assert read_yes_no(text) in {"Yes", "No", None}


@given(first=st.sampled_from("ABCD"), second=st.sampled_from("ABCD"), data=st.data())
def test_two_statements_agree_or_are_no_answer(first: str, second: str, data: Any) -> None:
    forms = [
        "Answer: {}",
        "The correct option is ({}).",
        "<answer>{}</answer>",
        "\\boxed{{{}}}",
        "{}.",
    ]
    one, other = data.draw(st.sampled_from(forms)), data.draw(st.sampled_from(forms))
    text = f"{one.format(first)}\n{other.format(second)}"
    assert read_letter(text, OPTIONS) == (first if first == second else None)


@pytest.mark.parametrize(
    "piece",
    ["A ", "the answer is ", "\n", "(", "<answer>", "\\text{", "<|", "yes or ", "A. Head\n"],
)
def test_a_long_reply_is_read_in_good_time(piece: str) -> None:
    """Far longer than any reply; a pattern that tries again at each letter would take minutes."""
    reply = piece * (100_000 // len(piece))
    assert read_letter(reply, OPTIONS) in {*"ABCD", None}
    assert read_yes_no(reply) in {"Yes", "No", None}
