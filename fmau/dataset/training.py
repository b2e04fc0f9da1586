"""Which examples are learned and which are validated on."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fmau.core.taxonomy import CLOSED_TASKS, Task
from fmau.dataset.captions import load_captions
from fmau.dataset.dialogues import load_dialogues
from fmau.dataset.examples import build_examples
from fmau.dataset.examples.example import Example
from fmau.dataset.questions import load_questions
from fmau.dataset.splits import refuse_benchmark, split_by_participant
from fmau.recipe import TrainBlock

VALIDATED_VIEWS = {str(task): 1.0 for task in (*CLOSED_TASKS, Task.MARE)}
"""What validation asks of each validation clip, whatever the mixture learns from: the closed tasks,
and the reasoning whose reply ends in the clip's labels."""


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The examples of a recipe.

    Attributes:
        train: what is learned.
        validation: `VALIDATED_VIEWS` of clips of other participants.
        skipped: view -> examples wished for that the captions do not yield.
    """

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    skipped: Mapping[str, int]

    def counts(self) -> dict[str, int]:
        """View -> number of training examples."""
        return dict(sorted(Counter(example.view for example in self.train).items()))

    def sequences(self, examples_per_sequence: int) -> list[tuple[Example, ...]]:
        """The training examples in groups of one clip each, at most so many in one.

        Groups of a clip are as equal in size as can be and mix its views.
        """
        of_clip: dict[str, list[Example]] = {}
        for example in self.train:
            of_clip.setdefault(example.clip, []).append(example)
        groups = []
        for examples in of_clip.values():
            count = -(-len(examples) // examples_per_sequence)
            # Examples come view by view: dealing them out gives each group some of every view.
            groups += [tuple(examples[number::count]) for number in range(count)]
        return groups

    def clips(self) -> list[str]:
        """Names of all clips, sorted."""
        return sorted({example.clip for example in (*self.train, *self.validation)})

    def without(self, clips: set[str]) -> "TrainingData":
        """The examples about all other clips."""
        return replace(
            self,
            train=_without(self.train, clips),
            validation=_without(self.validation, clips),
        )


def load_training_data(train: TrainBlock) -> TrainingData:
    """Read the recipe's files and derive its examples.

    Raises:
        InputError: malformed files, clips without participant, or clips of a benchmark, all named.
    """
    captions = load_captions(train.data.captions) if train.data.captions else ()
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
    return TrainingData(
        train=(*derived.examples, *_without(dialogues, held_out)),
        validation=validation.examples,
        skipped=derived.skipped,
    )


def _without(examples: Sequence[Example], clips: set[str]) -> tuple[Example, ...]:
    return tuple(example for example in examples if example.clip not in clips)
