"""Validation by answering: closed questions, decided as the server decides them.

A low loss can mean fluent captions and wrong letters, so checkpoints are compared by what they are
for. A closed question is answered by the likeliest of its valid first tokens, which is what the
constrained decoding of `fmau answer` returns, in a single forward pass. Reasoning is written out,
token by token, and the label at its end compared with the clip's.

Array suffixes: B questions, L tokens, V vocabulary.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fmau.core.errors import RecipeError, TrainingError
from fmau.core.records import Question
from fmau.core.taxonomy import Task
from fmau.dataset.examples.example import Example
from fmau.dataset.labels import written_action
from fmau.prompting.extraction import choices
from fmau.train.batches import Tensors


@dataclass(frozen=True, slots=True)
class ClosedQuestion:
    """A validation question: its place in the dataset, its task, and what may be answered.

    Attributes:
        index: of the example in its dataset.
        view: task name.
        choice_ids: first token of each valid answer.
        right: index of the gold answer among them.
    """

    index: int
    view: str
    choice_ids: tuple[int, ...]
    right: int


def closed_questions(
    examples: Sequence[Example], tokenizer: Any, limit: int, seed: int
) -> list[ClosedQuestion]:
    """A fixed subset of the closed questions among `examples`, the same at every validation.

    Args:
        limit: at most so many, equally many of each task as far as there are.

    Raises:
        RecipeError: two answers of a question begin with the same token.
    """
    by_view: dict[str, list[int]] = defaultdict(list)
    for index, example in enumerate(examples):
        if isinstance(example.ask, Question) and not example.ask.task.is_open:
            by_view[example.view].append(index)
    rng = np.random.default_rng(seed)
    drawn = [rng.permutation(indices).tolist() for _, indices in sorted(by_view.items())]
    chosen = [index for turn in _in_turn(drawn) for index in turn][:limit]
    return [_closed(index, examples[index], tokenizer) for index in sorted(chosen)]


@dataclass(frozen=True, slots=True)
class LabelQuestion:
    """A validation question whose reply ends in the clip's labels.

    Attributes:
        index: of the example in its dataset.
        code: of the micro-action that is shown, e.g. "B5".
    """

    index: int
    code: str


def label_questions(examples: Sequence[Example], limit: int, seed: int) -> list[LabelQuestion]:
    """A fixed subset, at most `limit`, of the reasoning questions among `examples`."""
    found = [
        LabelQuestion(index, action.code)
        for index, example in enumerate(examples)
        if example.view == Task.MARE and (action := written_action(example.answer))
    ]
    chosen = np.random.default_rng(seed).permutation(len(found))[:limit]
    return [found[place] for place in sorted(chosen)]


def right_answers(logits_BV: Tensor, questions: Sequence[ClosedQuestion]) -> list[bool]:
    """Whether the likeliest valid answer to each question is the right one."""
    hits = []
    for logits_V, question in zip(logits_BV, questions, strict=True):
        choice = int(logits_V[list(question.choice_ids)].argmax())
        hits.append(choice == question.right)
    return hits


def prompt_only(example: Tensors) -> Tensors:
    """An encoded example without its answer, ending where the model answers."""
    length = int((example["labels"][0] >= 0).int().argmax())
    cut = {"input_ids", "attention_mask", "mm_token_type_ids"}
    kept = {name: tensor[:, :length] if name in cut else tensor for name, tensor in example.items()}
    return {name: tensor for name, tensor in kept.items() if name not in {"labels", "weights"}}


def accuracies(
    questions: Sequence[ClosedQuestion], hits: Sequence[bool], labels: Sequence[bool] = ()
) -> dict[str, float]:
    """Shares of right answers in percent.

    Args:
        labels: whether each reply ended in the right label.

    Returns:
        "accuracy_TASK" of each closed task, "closed_accuracy", their plain mean, "accuracy_label"
        if labels were asked for, and "score", the plain mean of tasks and label.
    """
    by_view: dict[str, list[bool]] = defaultdict(list)
    for question, hit in zip(questions, hits, strict=True):
        by_view[question.view].append(hit)
    shares = {view: 100 * float(np.mean(by_view[view])) for view in sorted(by_view)}
    each = {f"accuracy_{view}": share for view, share in shares.items()}
    closed = {"closed_accuracy": float(np.mean(list(shares.values())))} if shares else {}
    if labels:
        each["accuracy_label"] = 100 * float(np.mean(labels))
    return {**each, **closed, "score": float(np.mean(list(each.values())))}


def _in_turn(lists: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """First items of all lists, then all second items, until all lists are used up."""
    for place in range(max(map(len, lists), default=0)):
        yield [items[place] for items in lists if place < len(items)]


def _closed(index: int, example: Example, tokenizer: Any) -> ClosedQuestion:
    assert isinstance(example.ask, Question)
    valid = choices(example.ask)
    firsts = tuple(tokenizer(choice, add_special_tokens=False)["input_ids"][0] for choice in valid)
    if len(set(firsts)) < len(firsts):
        raise RecipeError(
            f"the tokenizer of model.path begins two of the answers {', '.join(valid)} with the "
            "same token, so one step cannot tell them apart; use another checkpoint"
        )
    return ClosedQuestion(index, example.view, firsts, valid.index(example.answer))


@torch.no_grad()
def answer_closed(
    model: Any,
    dataset: Any,
    questions: Sequence[ClosedQuestion],
    collate: Any,
    batch_size: int,
    device: torch.device,
) -> list[bool]:
    """Put `questions` to the model; whether each is answered rightly.

    Raises:
        TrainingError: the model's logits are no numbers. A checkpoint is written after validation,
            so none is written of such a model.
    """
    hits: list[bool] = []
    for start in range(0, len(questions), batch_size):
        asked = questions[start : start + batch_size]
        batch = collate([prompt_only(dataset[question.index]) for question in asked])
        output = model(
            **{name: tensor.to(device) for name, tensor in batch.items()},
            logits_to_keep=1,
            use_cache=False,
        )
        logits_BV = output.logits[:, -1].float().cpu()
        if not torch.isfinite(logits_BV).all():
            raise TrainingError(
                "the model has diverged: its answers in validation are no numbers; the last "
                "checkpoint is intact; lower train.learning_rate"
            )
        hits += right_answers(logits_BV, asked)
    return hits


@torch.no_grad()
def answer_labels(
    model: Any,
    dataset: Any,
    questions: Sequence[LabelQuestion],
    collate: Any,
    batch_size: int,
    device: torch.device,
    *,
    max_tokens: int,
    tokenizer: Any,
    in_step: bool,
) -> list[bool]:
    """Let `model` write its reply to each question; whether it ends in the right label.

    Args:
        max_tokens: of a reply; a longer one is cut, and has no label then.
        in_step: go on until every process is done, as sharded weights need it.
    """
    hits: list[bool] = []
    for start in range(0, len(questions), batch_size):
        asked = questions[start : start + batch_size]
        batch = collate([prompt_only(dataset[question.index]) for question in asked])
        ids_BL = model.generate(
            **{name: tensor.to(device) for name, tensor in batch.items()},
            max_new_tokens=max_tokens,
            do_sample=False,
            repetition_penalty=1.0,
            synced_gpus=in_step,
        )
        length = batch["input_ids"].shape[1]
        replies = tokenizer.batch_decode(ids_BL[:, length:], skip_special_tokens=True)
        for reply, question in zip(replies, asked, strict=True):
            named = written_action(reply)
            hits.append(named is not None and named.code == question.code)
    return hits
