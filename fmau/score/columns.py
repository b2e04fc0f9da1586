"""The measures that two sets of answers are compared in, as columns of paired values."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fmau.core.records import LEVEL_MAX, LEVELS, Answer, QuestionFile, Verdict
from fmau.core.taxonomy import AnyTask
from fmau.score.breakdowns import LABEL, fmar_columns
from fmau.score.comparison import Test
from fmau.score.compute import closed_outcomes
from fmau.score.judged import points_of


@dataclass(frozen=True, slots=True)
class Column:
    """One measure.

    Attributes:
        rows: for each question (clip, value in the first set, value in the second set).
        best: the best value.
        top: the best value as it is shown: 100 percent, or level 5.
        test: the test of its differences.
    """

    name: str
    rows: Sequence[tuple[str, float, float]]
    best: float
    top: float
    test: Test

    @property
    def scale(self) -> float:
        """What a value is multiplied with to be shown."""
        return self.top / self.best


def closed_column(
    questions: QuestionFile,
    first: Mapping[str, Answer],
    second: Mapping[str, Answer],
    task: AnyTask,
) -> Column:
    """Whether each question of a closed task is answered right; no rows without gold."""
    pairs = zip(
        closed_outcomes(questions, first, task),
        closed_outcomes(questions, second, task),
        strict=True,
    )
    rows = [(clip, float(one), float(other)) for (clip, one), (_, other) in pairs]
    return Column(str(task), rows, 1, 100, _test_for(rows))


def by_label_column(
    questions: QuestionFile, first: Mapping[str, Answer], second: Mapping[str, Answer]
) -> Column:
    """The same of FMAR, where every option with the label of the right one is right."""
    columns = (fmar_columns(questions, answers)[LABEL] for answers in (first, second))
    pairs = zip(*columns, strict=True)
    rows = [(clip, float(one), float(other)) for (clip, one), (_, other) in pairs]
    return Column(LABEL, rows, 1, 100, _test_for(rows))


def _test_for(rows: Sequence[tuple[str, float, float]]) -> Test:
    """Choose the test: McNemar's needs independent pairs, which is one question per clip."""
    alone = len({clip for clip, _, _ in rows}) == len(rows)
    return "McNemar exact" if alone else "sign flips over clips"


def level_columns(
    questions: QuestionFile,
    answers: tuple[Mapping[str, Answer], Mapping[str, Answer]],
    verdicts: tuple[Sequence[Verdict], Sequence[Verdict]] | None,
    tasks: Sequence[AnyTask],
) -> list[Column]:
    """One column per task and level; empty if some level has no answer scored in both sets."""
    if verdicts is None:
        return []
    both = [points_of(questions, *given, tasks) for given in zip(answers, verdicts, strict=True)]
    columns = []
    for task in tasks:
        for level in LEVELS:
            pairs = zip(both[0][task, level], both[1][task, level], strict=True)
            rows = [
                (one.clip, one.score, other.score)
                for one, other in pairs
                if one.score is not None and other.score is not None
            ]
            name = f"{task} L{level}"
            columns.append(Column(name, rows, LEVEL_MAX, LEVEL_MAX, "sign flips over clips"))
    return columns if all(column.rows for column in columns) else []


def own_level_columns(
    questions: QuestionFile,
    answers: tuple[Mapping[str, Answer], Mapping[str, Answer]],
    verdicts: tuple[Sequence[Verdict], Sequence[Verdict]] | None,
) -> list[Column]:
    """The levels of each open task of one's own that has answers scored in both sets."""
    found = [
        level_columns(questions, answers, verdicts, [task])
        for task in questions.own_tasks
        if task.is_open
    ]
    return [column for columns in found for column in columns]


def unscored(questions: QuestionFile, levels: Sequence[Column]) -> int:
    """Number of open questions without a score at every level in both sets; 0 without levels."""
    if not levels:
        return 0
    asked = Counter(str(question.task) for question in questions.questions)
    scored: dict[str, int] = {}
    for column in levels:
        task = column.name.rpartition(" L")[0]
        scored[task] = min(len(column.rows), scored.get(task, len(column.rows)))
    return sum(asked[task] - count for task, count in scored.items())
