"""Validation during training: the model answers questions, and its accuracy is measured.

Checkpoints are compared by accuracy, not by loss: a low loss can go with fluent captions and wrong
letters. For a closed question, one forward pass gives the scores of the first tokens of its valid
answers, and the token with the highest score is the answer; the constrained decoding of
`fmau answer` chooses the same one. For a reasoning question (MARE) the model generates its reply,
and the label at the end of the reply is compared with the clip's label.

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
    """A closed question of the validation set.

    Attributes:
        index: index of its example in the dataset.
        view: task name.
        choice_ids: id of the first token of each valid answer.
        right: index of the gold answer in `choice_ids`.
    """

    index: int
    view: str
    choice_ids: tuple[int, ...]
    right: int


def closed_questions(
    examples: Sequence[Example], tokenizer: Any, limit: int, seed: int
) -> list[ClosedQuestion]:
    """Choose a fixed random subset of the closed questions, the same for every validation.

    Args:
        limit: the most questions to choose. Tasks get equal numbers, as long as they have enough.

    Raises:
        RecipeError: two valid answers of a question begin with the same token.
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
    """A reasoning question (MARE) of the validation set; its reply should end in the clip's labels.

    Attributes:
        index: index of its example in the dataset.
        code: code of the micro-action that the clip shows, e.g. "B5".
    """

    index: int
    code: str


def label_questions(examples: Sequence[Example], limit: int, seed: int) -> list[LabelQuestion]:
    """Choose a fixed random subset, at most `limit`, of the reasoning questions in `examples`."""
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
    """Cut an encoded example before its answer, so that the model can answer it."""
    length = int((example["labels"][0] >= 0).int().argmax())
    cut = {"input_ids", "attention_mask", "mm_token_type_ids"}
    kept = {name: tensor[:, :length] if name in cut else tensor for name, tensor in example.items()}
    return {name: tensor for name, tensor in kept.items() if name not in {"labels", "weights"}}


def accuracies(
    questions: Sequence[ClosedQuestion], hits: Sequence[bool], labels: Sequence[bool] = ()
) -> dict[str, float]:
    """Compute accuracies in percent.

    Args:
        hits: whether the answer to each question is right.
        labels: whether each reply to a reasoning question ends in the right label.

    Returns:
        "accuracy_TASK" for each closed task; "closed_accuracy", the plain mean of these;
        "accuracy_label" if there are `labels`; "score", the plain mean of all task accuracies and
        the label accuracy.
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
    """Yield the first items of all lists, then all second items, until all lists are used up."""
    for place in range(max(map(len, lists), default=0)):
        yield [items[place] for items in lists if place < len(items)]


def _closed(index: int, example: Example, tokenizer: Any) -> ClosedQuestion:
    assert isinstance(example.ask, Question)
    valid = choices(example.ask)
    firsts = tuple(tokenizer(choice, add_special_tokens=False)["input_ids"][0] for choice in valid)
    if len(set(firsts)) < len(firsts):
        raise RecipeError(
            f"the tokenizer of model.path gives two of the answers {', '.join(valid)} the same "
            "first token, but validation tells answers apart by their first token; use another "
            "checkpoint"
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
    """Answer closed questions; returns whether each answer is right.

    Raises:
        TrainingError: some logits are not finite. Validation runs before a checkpoint is written,
            so a model in this state is never saved.
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
                "the model has diverged: its logits in validation are not finite numbers; lower "
                "train.learning_rate and start again (the last checkpoint is intact)"
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
    """Generate a reply to each reasoning question; returns whether each ends in the right label.

    Args:
        max_tokens: longest reply; a longer one is cut off before its label and counts as wrong.
        in_step: keep generating until all processes have finished, as sharded weights require.
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
