"""Labels, prefixes and padding, checked on the text and on the real model's loss."""

from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fmau.core.records import Option, Question
from fmau.core.taxonomy import Task
from fmau.dataset.examples.example import Example
from fmau.train.batches import (
    Collator,
    SequenceDataset,
    collate_sequences,
    conversation,
    encode_example,
)
from fmau.train.branching import enable_branches
from fmau.train.packing import IGNORED
from tests.clips import drawn_frames
from tests.processors import PROMPTS, small_encoder, small_model, small_processor

TEXT = st.text(min_size=1, max_size=40).filter(str.strip)
QUESTIONS = st.builds(
    lambda task, stem: Question(
        "q",
        "c",
        task,
        stem,
        (Option("A", "Head"), Option("B", "Body")) if task.is_choice else (),
    ),
    st.sampled_from(list(Task)),
    TEXT,
)
EXAMPLES = st.builds(
    lambda ask, answer: Example("c", "any", ask, answer.strip()), QUESTIONS | TEXT, TEXT
)


FRAMES = drawn_frames()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EXAMPLES)
def test_exactly_the_answer_and_its_end_are_learned(example: Example) -> None:
    processor = small_processor()
    turns = conversation(example, PROMPTS)
    encoded = encode_example(small_encoder(), turns, example.answer, FRAMES, 1.0)
    learned = encoded["labels"][0] != IGNORED
    text = processor.tokenizer.decode(encoded["labels"][0][learned])
    assert text == example.answer + processor.tokenizer.eos_token
    prompt = small_encoder().encode(turns, FRAMES)["input_ids"][0]
    start = int(learned.int().argmax())
    assert encoded["input_ids"][0][:start].tolist() == prompt.tolist()


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_weights_grow_with_a_power_of_the_length(exponent: float) -> None:
    for answer in ("No", "The head nods, early and late."):
        turns = conversation(Example("c", "x", "What?", answer), PROMPTS)
        encoded = encode_example(small_encoder(), turns, answer, FRAMES, exponent)
        length = int((encoded["labels"] != IGNORED).sum())
        assert encoded["weights"].sum().item() == pytest.approx(length**exponent)


@torch.no_grad()
def test_padding_changes_no_answer_token() -> None:
    """Losses of a batch of unequal lengths and sizes of frames, against one example at a time."""
    processor = small_processor()
    model = small_model().eval()
    examples = []
    for ask, answer, height in (("Hm?", "No", 64), ("Which part moves most of all?", "Head", 96)):
        turns = conversation(Example("c", "x", ask, answer), PROMPTS)
        examples.append(
            encode_example(small_encoder(), turns, answer, drawn_frames(height=height), 1.0)
        )
    collate = Collator(processor.tokenizer.pad_token_id)
    alone = [losses(model, collate([example])) for example in examples]
    together = losses(model, collate(examples))
    assert together.sum() == pytest.approx(sum(loss.sum() for loss in alone).item(), rel=1e-5)


def losses(model: Any, batch: Any) -> Any:
    labels = batch.pop("labels")
    batch.pop("weights")
    logits = model(**batch).logits[:, :-1]
    return torch.nn.functional.cross_entropy(
        logits.transpose(1, 2), labels[:, 1:], ignore_index=IGNORED, reduction="none"
    )


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(group=st.lists(EXAMPLES, min_size=1, max_size=4), exponent=st.sampled_from([0.0, 0.5, 1.0]))
def test_a_sequence_teaches_what_its_examples_teach_one_by_one(
    group: list[Example], exponent: float
) -> None:
    """Weighted losses of the packed sequence, against one forward pass per example."""
    model = tiny_model()
    processor = small_processor()
    sequences = SequenceDataset(
        [group],
        cache={"c": FRAMES},
        encoder=small_encoder(),
        prompts=PROMPTS,
        length_exponent=exponent,
        config=model.config,
    )
    alone = 0.0
    for example in group:
        turns = conversation(example, PROMPTS)
        encoded = encode_example(small_encoder(), turns, example.answer, FRAMES, exponent)
        alone += weighted_loss(model, Collator(processor.tokenizer.pad_token_id)([encoded]))
    together = weighted_loss(model, collate_sequences([sequences[0]], "sdpa"))
    assert together == pytest.approx(alone, rel=1e-4)


@cache
def tiny_model() -> Any:
    model = small_model().eval()
    enable_branches(model)
    return model


@torch.no_grad()
def weighted_loss(model: Any, batch: Any) -> float:
    weights = batch["weights"]
    return float((losses(model, batch) * weights[:, 1:]).sum())
