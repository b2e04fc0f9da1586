"""Answers in free text are put together from the caption's own fields."""

import numpy as np

from fmau.core.records import Question
from fmau.core.taxonomy import action_by_code
from fmau.dataset.captions import FIELDS
from fmau.dataset.examples import prose
from tests.dataset.examples.support import clip

ENDING = "[Body part (coarse-grained)] Head | [Micro-action (fine-grained)] Bowing head"
BOWING = clip(
    "bow",
    action_by_code()["B5"],
    overall_overview="The head leads the movement. It is a case of bowing head.",
    timeline_description="In the early phase the head moves downward.",
    key_part_details=f"Both hands stay still. **{ENDING}**.",
    judgment_basis=f"The head goes down once, which leads to {ENDING}",
    conclusive_summary=f"The person bows. {ENDING}",
)
UNLABELLED = clip("unlabelled", None)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_the_caption_is_given_in_five_headed_sections() -> None:
    (example,) = prose.captions([BOWING], 1, rng())
    assert example.ask in prose.CAPTION_ASKS
    sections = example.answer.split("\n\n")
    assert sections[1] == "Timeline description: In the early phase the head moves downward."
    assert [section.split(":")[0].lower().replace(" ", "_") for section in sections] == [*FIELDS]


def test_each_field_answers_its_own_instruction() -> None:
    examples = list(prose.fields([BOWING], 5, rng()))
    assert {example.answer for example in examples} == set(BOWING.fields.values())
    for example in examples:
        name = next(name for name in FIELDS if BOWING.fields[name] == example.answer)
        assert example.ask in prose.FIELD_ASKS[name]


def test_a_description_has_no_labels() -> None:
    (example,) = prose.descriptions([BOWING], 1, rng())
    assert isinstance(example.ask, Question)
    assert example.ask.qid == "train_MADU_0"
    assert example.answer == (
        "The head leads the movement. In the early phase the head moves downward. "
        "Both hands stay still."
    )


def test_where_every_sentence_names_the_label_there_is_no_description() -> None:
    telling = dict.fromkeys(FIELDS, "A bowing head.")
    assert not list(prose.descriptions([clip("x", BOWING.action, **telling)], 1, rng()))


def test_reasoning_ends_in_the_official_form() -> None:
    (example,) = prose.reasonings([BOWING, UNLABELLED], 1, rng())
    assert example.clip == "bow"
    assert example.answer.startswith(
        "In the early phase the head moves downward. The head goes down once, which leads to. "
    )
    assert example.answer.endswith(ENDING)
    assert example.answer.count("[Body part") == 1


def test_repeated_instructions_differ() -> None:
    examples = list(prose.captions([BOWING, UNLABELLED], 2, rng()))
    assert len({(example.clip, example.ask) for example in examples}) == 4
    many = list(prose.captions([BOWING], 50, rng()))
    assert len(many) == len(prose.CAPTION_ASKS)
