"""Reads the training data of a recipe and splits it into training and validation examples.

Training and `fmau check` use it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fmau.core.errors import InputError, Problem
from fmau.core.taxonomy import CLOSED_TASKS, Task
from fmau.dataset.captions import CaptionedClip, load_captions
from fmau.dataset.dialogues import load_dialogues
from fmau.dataset.examples import build_examples
from fmau.dataset.examples.example import Example
from fmau.dataset.questions import load_questions
from fmau.dataset.splits import refuse_benchmark, split_by_participant
from fmau.recipe import TrainBlock, TrainDataBlock

VALIDATED_VIEWS = {str(task): 1.0 for task in (*CLOSED_TASKS, Task.MARE)}
"""The views derived from every validation clip, whatever the mixture is: the closed tasks, and
MARE, whose replies end in the clip's labels."""


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The examples of a recipe.

    Attributes:
        train: the training examples.
        validation: examples of `VALIDATED_VIEWS` about clips of other participants.
        skipped: view -> number of examples that the mixture asks for but the captions do not allow.
    """

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    skipped: Mapping[str, int]

    def counts(self) -> dict[str, int]:
        """View -> number of training examples."""
        return dict(sorted(Counter(example.view for example in self.train).items()))

    def sequences(self, examples_per_sequence: int) -> list[tuple[Example, ...]]:
        """The training examples in groups about one clip each.

        A group has at most `examples_per_sequence` examples. The groups of a clip have nearly equal
        sizes and mix its views.
        """
        of_clip: dict[str, list[Example]] = {}
        for example in self.train:
            of_clip.setdefault(example.clip, []).append(example)
        groups = []
        for examples in of_clip.values():
            count = -(-len(examples) // examples_per_sequence)
            # Examples are sorted by view; taking every count-th one mixes the views of a group.
            groups += [tuple(examples[number::count]) for number in range(count)]
        return groups

    def clips(self) -> list[str]:
        """Names of all clips, sorted."""
        return sorted({example.clip for example in (*self.train, *self.validation)})

    def without(self, clips: set[str]) -> "TrainingData":
        """A copy without the examples about these clips."""
        return replace(
            self,
            train=_without(self.train, clips),
            validation=_without(self.validation, clips),
        )


def load_training_data(train: TrainBlock) -> TrainingData:
    """Read the recipe's files and derive its examples.

    Raises:
        InputError: files are malformed, clips have no participant, clips belong to a benchmark (all
            are named), or the held-out clips yield no question to validate with.
    """
    captions = _captions(train.data)
    dialogues = load_dialogues(train.data.dialogues) if train.data.dialogues else ()
    named = [*(clip.clip for clip in captions), *(example.clip for example in dialogues)]
    benchmark = {
        question.clip: path
        for path in train.data.benchmarks
        for question in load_questions(path).questions
    }
    refuse_benchmark(named, benchmark)
    split = split_by_participant(captions, train.data.validation_share, train.seed)
    mixture = {str(view): mean for view, mean in train.mixture.items()}
    derived = build_examples(split.train, mixture, train.seed)
    validation = build_examples(split.validation, VALIDATED_VIEWS, train.seed + 1)
    held_out = {clip.clip for clip in split.validation}
    data = TrainingData(
        train=(*derived.examples, *_without(dialogues, held_out)),
        validation=validation.examples,
        skipped=derived.skipped,
    )
    require_validation(train, data)
    return data


def require_validation(train: TrainBlock, data: TrainingData) -> None:
    """Check that the validation clips, if there should be any, yield a question to ask.

    Raises:
        InputError: they yield none. Without this error the last weights would be kept as the best.
    """
    if train.data.validation_share == 0:
        return
    replies = sum(example.view == Task.MARE for example in data.validation)
    closed = len(data.validation) - replies
    if not (closed and train.validation_examples) and not (replies and train.validation_replies):
        what = (
            f"the held-out clips yield {closed} closed question(s) and {replies} for a full reply, "
            f"of which at most {train.validation_examples} and {train.validation_replies} are asked"
        )
        remedy = (
            "add labels ('coarse', 'fine') to the captions, raise train.validation_examples or "
            "train.validation_replies, or set train.data.validation_share to 0, which keeps the "
            "last weights"
        )
        raise InputError([Problem("validation", what, remedy)])


def _captions(data: TrainDataBlock) -> tuple[CaptionedClip, ...]:
    if data.captions is None:
        return ()
    return load_captions(
        data.captions,
        participant_pattern=data.participant_pattern,
        label_pattern=data.label_pattern,
    )


def _without(examples: Sequence[Example], clips: set[str]) -> tuple[Example, ...]:
    return tuple(example for example in examples if example.clip not in clips)
