"""A `transformers.Trainer` with fmau's loss, learning rates, validation and checkpoint handling.

`fmau.train.run` builds it and runs it.

Array suffixes: B sequences, K positions whose logits predict an answer token.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.utils.data import RandomSampler
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.integrations import is_deepspeed_zero3_enabled

from fmau.core.errors import TrainingError
from fmau.recipe import TrainBlock
from fmau.train.adapter import parameter_groups
from fmau.train.batches import Collator, ExampleDataset, Tensors
from fmau.train.checkpoints import (
    best_checkpoint,
    mark_complete,
    remove_incomplete,
    remove_old,
)
from fmau.train.packing import IGNORED
from fmau.train.validation import (
    ClosedQuestion,
    LabelQuestion,
    accuracies,
    answer_closed,
    answer_labels,
)

WRITE_FAILED = ("PytorchStreamWriter", "iostream error")
"""Texts in the bare RuntimeError that `torch.save` raises when the disk is full or failing."""

Q = TypeVar("Q", ClosedQuestion, LabelQuestion)


class AdapterTrainer(Trainer):  # type: ignore[misc] # transformers is untyped here
    """`transformers.Trainer` for one adapter.

    Args:
        train: the recipe's train block.
        questions, label_questions: the questions answered at each validation; their indices refer
            to `eval_dataset`.
        collate_questions: makes a batch of questions.
        tokenizer: decodes the replies to `label_questions`.
        max_reply_tokens: longest reply to a label question.
        kwargs: passed to `transformers.Trainer`.
    """

    control: TrainerControl

    def __init__(
        self,
        *,
        train: TrainBlock,
        questions: list[ClosedQuestion],
        label_questions: list[LabelQuestion],
        collate_questions: Collator,
        tokenizer: Any,
        max_reply_tokens: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.train_block = train
        self.questions = questions
        self.label_questions = label_questions
        self.tokenizer = tokenizer
        self.max_reply_tokens = max_reply_tokens
        self.collate_questions = collate_questions
        # Tells the Trainer not to divide the loss by the number of accumulated micro-batches:
        # `compute_loss` already divides by the total weight of all of them.
        self.loss_is_scaled_for_ga = True

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Write a checkpoint; delete it again if it cannot be written completely.

        Raises:
            TrainingError: the disk is full or failing.
        """
        try:
            super()._save_checkpoint(model, trial)
        except (OSError, SafetensorError) as error:
            self._give_up(str(error))
        except RuntimeError as error:
            if not any(sign in str(error) for sign in WRITE_FAILED):
                raise
            self._give_up("the disk is full or failing")

    def _give_up(self, reason: str) -> None:
        folder = Path(self.args.output_dir)
        remove_incomplete(folder)
        raise TrainingError(
            f"{folder}: the checkpoint of step {self.state.global_step} cannot be written "
            f"({reason}); make room on the disk and run the same command again, it continues "
            "from the last checkpoint"
        ) from None

    def _get_train_sampler(self, train_dataset: Any = None) -> RandomSampler:
        """Draw sequences in a new order each epoch, as many as fill whole batches.

        `TrainBlock.steps` says why.
        """
        dataset = train_dataset if train_dataset is not None else self.train_dataset
        return RandomSampler(
            dataset, num_samples=len(dataset) - len(dataset) % self.train_block.batch_size
        )

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """Create AdamW with one parameter group per tower."""
        groups = parameter_groups(model if model is not None else self.model, self.train_block)
        self.optimizer = torch.optim.AdamW(groups, lr=self.train_block.learning_rate)
        return self.optimizer

    def get_batch_samples(
        self, epoch_iterator: Any, num_batches: int, device: torch.device
    ) -> tuple[list[Tensors], Tensor | int | None]:
        """The micro-batches of one step, and the total label weight over all processes.

        Raises:
            TrainingError: the cached frames of a clip are damaged.
        """
        try:
            batches, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
        except TrainingError as error:
            # An error from a loader process carries a traceback before its own text.
            reason = str(error).rpartition("TrainingError: ")[2].strip()
            raise TrainingError(
                f"{reason}; then start training again: it continues from the last checkpoint in "
                f"{self.args.output_dir}"
            ) from None
        weight = sum((batch["weights"].sum() for batch in batches), torch.zeros(())).to(device)
        return batches, self.accelerator.gather(weight[None]).sum()

    def compute_loss(
        self,
        model: nn.Module,
        inputs: Tensors,
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """Weighted mean cross-entropy of the answer tokens, over the whole optimizer step.

        DDP and ZeRO average gradients over the processes. The loss is multiplied by the number of
        processes, so that the average becomes the sum.

        Raises:
            TrainingError: the loss is not finite.
        """
        labels, weights = inputs.pop("labels"), inputs.pop("weights")
        # Compute logits only where they predict an answer token: logits of whole prompts over
        # the whole vocabulary would take most of the memory.
        places_K = (labels[:, 1:] != IGNORED).any(dim=0).nonzero()[:, 0]
        output = model(**inputs, logits_to_keep=places_K, use_cache=False)
        loss_BK = nn.functional.cross_entropy(
            output.logits.transpose(1, 2).float(),
            labels[:, places_K + 1],
            ignore_index=IGNORED,
            reduction="none",
        )
        total = (loss_BK * weights[:, places_K + 1]).sum()
        loss = total * self.accelerator.num_processes / num_items_in_batch
        if not torch.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss.item()} at step {self.state.global_step + 1}; the last "
                f"checkpoint in {self.args.output_dir} is intact; lower train.learning_rate, or "
                "look for damaged frames with fmau frames RECIPE --verify"
            )
        return (loss, output) if return_outputs else loss

    def evaluate(self, *_: Any, metric_key_prefix: str = "eval", **__: Any) -> dict[str, float]:
        """Answer the validation questions and log the accuracies; each process answers a part."""
        assert isinstance(self.eval_dataset, ExampleDataset)
        batches = (
            self.collate_questions,
            self.args.per_device_eval_batch_size,
            self.args.device,
        )
        self.model.eval()
        hits = answer_closed(
            self.model_wrapped, self.eval_dataset, self._share(self.questions), *batches
        )
        labels = answer_labels(
            self.accelerator.unwrap_model(self.model_wrapped),
            self.eval_dataset,
            self._share(self.label_questions),
            *batches,
            max_tokens=self.max_reply_tokens,
            tokenizer=self.tokenizer,
            in_step=is_deepspeed_zero3_enabled() or self.is_fsdp_enabled,
        )
        self.model.train()
        scores = accuracies(
            self.questions,
            self._gathered(hits, len(self.questions)),
            self._gathered(labels, len(self.label_questions)),
        )
        metrics = {f"{metric_key_prefix}_{name}": value for name, value in scores.items()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics

    def _share(self, questions: Sequence[Q]) -> list[Q]:
        """The questions that this process answers.

        All processes get the same number (some questions repeat), because with ZeRO-3 all must run
        equally many forward passes.
        """
        world, rank = self.accelerator.num_processes, self.accelerator.process_index
        share = math.ceil(len(questions) / world)
        return [questions[(rank * share + k) % len(questions)] for k in range(share)]

    def _gathered(self, hits: list[bool], count: int) -> list[bool]:
        """Gather the results of all processes and drop those of repeated questions at the end."""
        if not hits:
            return []
        gathered = self.accelerator.gather(torch.tensor(hits, device=self.args.device))
        kept: list[bool] = gathered[:count].tolist()
        return kept

    def outcome(self) -> dict[str, Any]:
        """Steps taken, the step whose weights were kept, and its accuracies in percent.

        "best_step" is None without validation.
        """
        best = self.state.best_global_step
        measured = [row for row in self.state.log_history if "eval_score" in row]
        kept: dict[str, Any] = next((row for row in measured if row["step"] == best), {})
        validation = {
            name.removeprefix("eval_"): value
            for name, value in kept.items()
            if name.endswith(("_score", "_accuracy")) or name.startswith("eval_accuracy_")
        }
        return {
            "steps": self.state.global_step,
            "best_step": best if kept else None,
            "validation": validation,
        }


class CompleteMarker(TrainerCallback):  # type: ignore[misc] # as above
    """Marks a checkpoint as complete once all processes have written their files, then deletes
    older ones.

    Args:
        wait_for_everyone: waits until all processes call it.
        sharing: see `fmau.train.checkpoints.Mark`.
    """

    def __init__(self, wait_for_everyone: Callable[[], None], sharing: str) -> None:
        self.wait_for_everyone = wait_for_everyone
        self.sharing = sharing

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Called when the state of a checkpoint has been loaded.

        The state names the best checkpoint by a path, which is wrong once the run has been moved:
        the Trainer would then keep the last weights instead of the best ones.
        """
        if state.best_global_step:
            state.best_model_checkpoint = str(_checkpoint(args, state.best_global_step))

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Called after this process has written its files of a checkpoint."""
        self.wait_for_everyone()
        if state.is_world_process_zero:
            last = _checkpoint(args, state.global_step)
            mark_complete(last, sharing=self.sharing, processes=args.world_size)
            remove_old(Path(args.output_dir), best_checkpoint(last))


def _checkpoint(args: TrainingArguments, steps: int) -> Path:
    return Path(args.output_dir) / f"checkpoint-{steps}"
