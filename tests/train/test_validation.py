"""Closed answers by one forward pass, against constrained greedy generation by Transformers."""

import numpy as np
import pytest
import torch

from fmau.core.errors import RecipeError
from fmau.core.records import Option, Question
from fmau.core.taxonomy import Task
from fmau.dataset.examples.example import Example
from fmau.demo.tiny.tokenizer import train_tokenizer
from fmau.train.batches import Collator, conversation, encode_example
from fmau.train.validation import accuracies, answer_closed, closed_questions, prompt_only
from tests.clips import drawn_frames
from tests.processors import PROMPTS, small_encoder, small_model, small_processor

FRAMES = drawn_frames()
OPTIONS = tuple(Option(letter, f"label {letter}") for letter in "ABCDE")


def closed_example(number: int) -> Example:
    if number % 2:
        question = Question(f"q{number}", "c", Task.SAD, f"Does part {number} move?")
        return Example("c", "SAD", question, "Yes" if number % 4 == 1 else "No")
    question = Question(f"q{number}", "c", Task.FMAR, f"Which, of {number}?", OPTIONS)
    return Example("c", "FMAR", question, "ABCDE"[number % 5])


def test_the_subset_is_fixed_and_shared_out_among_tasks() -> None:
    examples = [closed_example(number) for number in range(40)]
    examples.append(Example("c", "caption", "Describe.", "The head moves."))
    tokenizer = small_processor().tokenizer
    chosen = closed_questions(examples, tokenizer, 10, seed=3)
    assert chosen == closed_questions(examples, tokenizer, 10, seed=3)
    assert chosen != closed_questions(examples, tokenizer, 10, seed=4)
    assert sorted(question.view for question in chosen) == ["FMAR"] * 5 + ["SAD"] * 5
    assert len(closed_questions(examples, tokenizer, 1000, seed=3)) == 40


@torch.no_grad()
def test_answers_equal_constrained_generation() -> None:
    processor = small_processor()
    model = small_model().eval()
    examples = [closed_example(number) for number in range(12)]
    encoded = [
        encode_example(
            small_encoder(),
            conversation(example, PROMPTS),
            example.answer,
            FRAMES,
            1.0,
        )
        for example in examples
    ]
    questions = closed_questions(examples, processor.tokenizer, 100, seed=0)
    collate = Collator(processor.tokenizer.pad_token_id)
    hits = answer_closed(model, encoded, questions, collate, 5, torch.device("cpu"))
    for question, hit in zip(questions, hits, strict=True):
        inputs = prompt_only(encoded[question.index])
        ids = model.generate(
            **inputs,
            max_new_tokens=1,
            do_sample=False,
            prefix_allowed_tokens_fn=lambda *_, q=question: list(q.choice_ids),
        )
        assert (ids[0, -1].item() == question.choice_ids[question.right]) == hit
    assert any(hits)
    assert not all(hits)


def test_accuracy_is_the_plain_mean_over_tasks() -> None:
    questions = closed_questions(
        [closed_example(number) for number in (0, 1, 3, 5)], small_processor().tokenizer, 9, 0
    )
    hits = [question.view == "FMAR" or question.index == 1 for question in questions]
    scores = accuracies(questions, hits)
    assert scores["accuracy_FMAR"] == 100
    assert scores["accuracy_SAD"] == pytest.approx(100 / 3)
    assert scores["closed_accuracy"] == pytest.approx(np.mean([100, 100 / 3]))


def test_answers_that_begin_alike_are_refused() -> None:
    tokenizer = train_tokenizer(["x"], 270)
    options = (Option("A", "one"), Option("AB", "two"))
    example = Example("c", "FMAR", Question("q", "c", Task.FMAR, "Which?", options), "A")
    with pytest.raises(RecipeError, match="same first token"):
        closed_questions([example], tokenizer, 1, 0)
