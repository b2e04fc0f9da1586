"""What answers that never look at the clip would score."""

from collections import Counter
from collections.abc import Sequence

from fmau.core.records import Gold, Question
from fmau.core.taxonomy import Task
from fmau.score.confusion import label_of
from fmau.score.scores import Baseline


def chance(task: Task) -> float | None:
    """Percent right when guessing uniformly among the options; None for open tasks."""
    if task.is_open:
        return None
    return 100 / (task.option_count or 2)


def majority(task: Task, questions: Sequence[Question], gold: Gold) -> Baseline | None:
    """The best constant answer to a closed task on this very file; None without gold.

    CMAR is counted by part, since all seven parts stand in every question under shuffled letters.
    FMAR is counted by letter: its five options differ from question to question, so no one action
    could always be chosen. Ties go to the answer that sorts first.
    """
    answers = Counter(
        label_of(question, gold[question.qid]) if task is Task.CMAR else gold[question.qid]
        for question in questions
        if question.task is task and question.qid in gold
    )
    if task.is_open or not answers:
        return None
    answer, count = min(answers.items(), key=lambda item: (-item[1], item[0]))
    return Baseline(answer=answer, percent=100 * count / answers.total())
