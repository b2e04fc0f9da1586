"""Replies to answers: what is clear is read, what is not is never guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmau.core.records import AnswerStatus, Option, Question
from fmau.core.taxonomy import Task, parts
from fmau.prompting.claims import read_letter, read_yes_no
from fmau.prompting.extraction import (
    Extraction,
    choices,
    complete_choice,
    extract,
    strip_thinking,
)

OPTIONS = tuple(Option(letter, part.label) for letter, part in zip("ABCDEFG", parts(), strict=True))
CHOICE = Question("CMAR_1", "clip", Task.CMAR, "Which part?", OPTIONS)
YES_NO = Question("SAD_1", "clip", Task.SAD, "Does it move?")
OPEN = Question("MADU_1", "clip", Task.MADU, "Describe.")

LETTER_FORMS = (
    "{letter}",
    "{letter}.",
    "({letter})",
    "{letter})",
    "**{letter}**",
    "**{letter}.** {label}",
    "{letter}. {label}",
    "{letter}: {label}.",
    "({letter}) {label}",
    "{label}",
    "{label}.",
    "Answer: {letter}",
    "Answer: {letter}. {label}",
    "The correct answer is {letter}.",
    "The correct option is ({letter}) {label}.",
    "The hand stays still throughout.\n\nAnswer: **{letter}**",
    r"So \boxed{{{letter}}}",
    "{letter}. A person lifts it twice, then returns.",
    "  {letter}\n",
)


@given(option=st.sampled_from(OPTIONS), form=st.sampled_from(LETTER_FORMS))
def test_documented_letter_forms_are_read(option: Option, form: str) -> None:
    text = form.format(letter=option.letter, label=option.label)
    assert read_letter(text, OPTIONS) == option.letter


@pytest.mark.parametrize(
    "text",
    [
        "A person nods.",  # an article
        "I see a nod.",
        "B or C",
        "B. Body",  # contradicts itself: B is Head
        "Answer: B. Lower limb",
        "(A) or (B)",
        "(A) is wrong, so B",
        "A, B",
        "A. B.",
        "It is not option B.",
        "The wrong answer is B.",
        "The answer is not B.",
        "A. Body\nB. Head",  # repeats the options
        "Answer: B, but the answer is C.",
        "H",  # no such option
        "Answer: H",
        "The head or the body.",
        "AB",
        "?",
    ],
)
def test_letters_are_not_guessed(text: str) -> None:
    assert read_letter(text, OPTIONS) is None


def test_a_label_listed_twice_names_no_letter_by_itself() -> None:
    twice = (Option("A", "Nodding"), Option("B", "Nodding"), Option("C", "Waving"))
    assert read_letter("Nodding", twice) is None
    assert read_letter("B. Nodding", twice) == "B"


YES_NO_FORMS = (
    "{word}",
    "{word}.",
    "**{word}**",
    "{word}, the left hand moves first.",
    "{word}. There is no contact, yes or no aside.",
    "Answer: {word}",
    "The answer is {word}.",
    "The head turns.\n{word}",
    r"\boxed{{{word}}}",
)


@given(
    word=st.sampled_from(["Yes", "No", "yes", "no", "YES", "NO"]),
    form=st.sampled_from(YES_NO_FORMS),
)
def test_documented_yes_no_forms_are_read(word: str, form: str) -> None:
    assert read_yes_no(form.format(word=word)) == word.capitalize()


@pytest.mark.parametrize(
    "text",
    [
        "No contact is seen",
        "Yes and no",
        "Yes/No",
        "Yes. No.",
        "Yes, no.",
        "Answer: Yes. Answer: No.",
        "Nothing moves.",
        "Yesterday",
        "Not sure.",
    ],
)
def test_yes_no_is_not_guessed(text: str) -> None:
    assert read_yes_no(text) is None


@given(st.text(max_size=200))
def test_any_text_gives_a_valid_answer_or_none(text: str) -> None:
    assert read_letter(text, OPTIONS) in {*"ABCDEFG", None}
    assert read_yes_no(text) in {"Yes", "No", None}
    for question in (CHOICE, YES_NO, OPEN):
        for truncated in (False, True):
            found = extract(question, text, truncated=truncated)
            assert (found.status is AnswerStatus.OK) == (found.answer is not None)
            assert (found.status is AnswerStatus.OK) == (found.reason is None)


@given(thought=st.text(max_size=100).filter(lambda text: "think>" not in text))
def test_thinking_is_never_read_as_an_answer(thought: str) -> None:
    for reply in (f"<think>{thought}</think>\nNo", f"{thought}</think>\n\nNo"):
        assert extract(YES_NO, reply) == Extraction(AnswerStatus.OK, "No")
    unclosed = extract(YES_NO, f"<think>{thought}\nAnswer: Yes")
    assert unclosed.status is AnswerStatus.TRUNCATED


def test_thinking_blocks_are_stripped_wherever_they_stand() -> None:
    assert strip_thinking("<think>a</think>one<think>b</think> two") == "one two"
    assert strip_thinking("one") == "one"
    assert strip_thinking("a</think>one<think>b") is None


def test_a_truncated_reply_counts_if_the_answer_is_already_there() -> None:
    assert extract(CHOICE, "B. Head, because", truncated=True).answer == "B"
    assert extract(CHOICE, "The person", truncated=True).status is AnswerStatus.TRUNCATED
    assert extract(OPEN, "The head", truncated=True).status is AnswerStatus.TRUNCATED
    assert extract(OPEN, " The head nods.\n") == Extraction(AnswerStatus.OK, "The head nods.")
    assert extract(OPEN, " ").status is AnswerStatus.UNPARSED


def test_choices_are_the_letters_or_yes_no() -> None:
    assert choices(CHOICE) == tuple("ABCDEFG")
    assert choices(YES_NO) == ("Yes", "No")
    assert choices(OPEN) == ()


@given(data=st.data(), valid=st.sampled_from([choices(CHOICE), choices(YES_NO)]))
def test_one_token_of_a_choice_settles_it(data: st.DataObject, valid: tuple[str, ...]) -> None:
    choice = data.draw(st.sampled_from(valid))
    emitted = choice[: data.draw(st.integers(1, len(choice)))]
    assert complete_choice(emitted, valid) == choice


@pytest.mark.parametrize("reply", ["", "yes", "Maybe", "Yes, it does", " Yes"])
def test_what_the_constraint_cannot_have_emitted_is_no_choice(reply: str) -> None:
    assert complete_choice(reply, ("Yes", "No")) is None


def test_a_shared_beginning_settles_nothing() -> None:
    assert complete_choice("N", ("No", "Never")) is None
