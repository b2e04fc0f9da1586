import json
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest

from fmau.core.records import Option, Question
from fmau.core.taxonomy import Task
from fmau.dataset.questions import load_questions
from fmau.prompting.conversation import (
    VIDEO_PART,
    messages,
    messages_asking,
    question_text,
    user_text,
)
from fmau.prompting.prompts import PromptSet, load_prompts
from tests.paths import MABENCH
from tests.processors import small_processor

PROMPTS = load_prompts("zero_shot")
REAL_QUESTIONS = sorted(MABENCH.rglob("*.json"))

CHOICE = Question(
    "FMAR_1",
    "clip",
    Task.FMAR,
    "Which micro-action is it?",
    (Option("A", "Nodding"), Option("B", "Shaking head", "B2"), Option("C", "Stretching arms")),
)


def questions_of_one_clip() -> list[Question]:
    return [
        Question(f"{task}_{number}", "clip", task, f"{task.full_name}, question {number}?")
        for task in Task
        for number in range(task.per_clip)
    ]


def test_options_stand_below_the_stem_without_their_codes() -> None:
    expected = "Which micro-action is it?\nA. Nodding\nB. Shaking head\nC. Stretching arms"
    assert question_text(CHOICE, strip_class_codes=True) == expected


def test_codes_stay_where_the_recipe_asks_for_the_raw_text() -> None:
    assert question_text(CHOICE, strip_class_codes=False).split("\n")[2] == "B. Shaking head - B2"


@pytest.mark.skipif(not REAL_QUESTIONS, reason="the real question files are not here")
def test_raw_text_is_the_text_of_the_question_file() -> None:
    checked = 0
    for path in REAL_QUESTIONS:
        rows = json.loads(path.read_text("utf-8"))
        if not (isinstance(rows, list) and rows and {"qid", "question"} <= set(rows[0])):
            continue
        text_by_qid = {row["qid"]: row["question"].strip() for row in rows}
        for question in load_questions(path).questions:
            assert question_text(question, strip_class_codes=False) == text_by_qid[question.qid]
            checked += 1
    assert checked


SHORT = PromptSet(
    system="Be exact.",
    common="One person.",
    tasks={task: f"{task}: {{question}}\nNow." for task in Task},
)
ASKED = """One person.

FMAR: Which micro-action is it?
A. Nodding
B. Shaking head
C. Stretching arms
Now."""
"""`CHOICE` asked with the prompts of `SHORT`, written out."""


def test_one_system_turn_then_the_video_then_one_text() -> None:
    video = {"type": "video_url", "video_url": {"url": "data:"}, "uuid": "clip"}
    system = {"role": "system", "content": [{"type": "text", "text": "Be exact."}]}
    assert messages(CHOICE, SHORT, video) == [
        system,
        {"role": "user", "content": [video, {"type": "text", "text": ASKED}]},
    ]
    assert messages(CHOICE, SHORT, None) == [
        system,
        {"role": "user", "content": [{"type": "text", "text": ASKED}]},
    ]


def test_the_text_is_common_then_the_filled_task() -> None:
    assert user_text(CHOICE, SHORT) == ASKED
    coded = user_text(CHOICE, SHORT.model_copy(update={"strip_class_codes": False}))
    assert coded == ASKED.replace("Shaking head", "Shaking head - B2")


def test_the_twelve_questions_of_a_clip_differ_only_after_the_common_part() -> None:
    conversations = [
        messages(question, PROMPTS, VIDEO_PART) for question in questions_of_one_clip()
    ]
    assert len(conversations) == 12
    for one, other in pairwise(conversations):
        assert one[0] == other[0]
        assert one[1]["content"][0] == other[1]["content"][0]
        texts = [conversation[1]["content"][1]["text"] for conversation in (one, other)]
        assert texts[0] != texts[1]
        assert all(text.startswith(f"{PROMPTS.common}\n\n") for text in texts)


def test_a_tasks_own_system_prompt_and_no_common_text() -> None:
    own = SHORT.model_copy(update={"systems": {Task.FMAR: "One letter."}, "common": ""})
    system, user = messages(CHOICE, own, VIDEO_PART)
    assert system["content"] == [{"type": "text", "text": "One letter."}]
    assert user["content"] == [
        VIDEO_PART,
        {"type": "text", "text": ASKED.removeprefix("One person.\n\n")},
    ]
    free = messages_asking("What moves?", own, VIDEO_PART)
    assert [turn["content"][-1]["text"] for turn in free] == ["Be exact.", "What moves?"]


def test_free_instructions_take_the_place_of_the_task() -> None:
    asked = messages(CHOICE, SHORT, VIDEO_PART)
    free = messages_asking("What moves?", SHORT, VIDEO_PART)
    assert free[0] == asked[0]
    assert free[1]["content"][0] == VIDEO_PART
    assert free[1]["content"][1]["text"] == "One person.\n\nWhat moves?"


def control_tokens(text: str) -> Counter[str]:
    """The control tokens that a tokenizer sees in a text."""
    tokenizer = small_processor().tokenizer
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return Counter(
        tokenizer.convert_ids_to_tokens(token)
        for token in ids
        if token in tokenizer.all_special_ids
    )


@pytest.mark.parametrize("token", small_processor().tokenizer.all_special_tokens)
def test_a_control_token_in_a_question_is_read_as_letters(token: str) -> None:
    """One that is read as such ends the turn, or asks for a picture that is not there."""
    assert control_tokens(f"x{token}") == {token: 1}, "the tokenizer would see it"
    stem = f"What does {token}{token} mean?"
    texts = [
        user_text(replace(CHOICE, stem=stem), SHORT),
        user_text(replace(CHOICE, options=(Option("A", f"{token}"),)), SHORT),
        messages_asking(stem, SHORT, VIDEO_PART)[1]["content"][1]["text"],
    ]
    for text in texts:
        assert not control_tokens(text)
        assert token.strip("<") in text, "a reader still sees what was written"
