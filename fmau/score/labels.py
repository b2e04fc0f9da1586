"""MARE by the labels that an answer ends in: deterministic, and beside any judge."""

from collections.abc import Mapping

from fmau.core.records import Answer, QuestionFile
from fmau.core.taxonomy import Action, Task
from fmau.dataset.labels import written_action
from fmau.prompting.extraction import visible_answer
from fmau.score.scores import LabelMatch
from fmau.score.tally import Tally


def label_match(questions: QuestionFile, answers: Mapping[str, Answer]) -> LabelMatch | None:
    """How often a MARE answer ends in the reference's micro-action, or in its body part.

    An answer without a label is not right. None if no reference names a micro-action.
    """
    fine, coarse, unlabelled = [], [], 0
    for question in questions.questions:
        reference = questions.gold.get(question.qid)
        gold = written_action(reference) if reference and question.task is Task.MARE else None
        if gold is None:
            continue
        named = _named(answers.get(question.qid))
        unlabelled += named is None
        fine.append((question.clip, named == gold))
        coarse.append((question.clip, named is not None and named.part == gold.part))
    tally = Tally({"fine": fine, "coarse": coarse})
    fine_accuracy, coarse_accuracy = tally.accuracy("fine"), tally.accuracy("coarse")
    if fine_accuracy is None or coarse_accuracy is None:
        return None
    return LabelMatch(fine=fine_accuracy, coarse=coarse_accuracy, unlabelled=unlabelled)


def _named(row: Answer | None) -> Action | None:
    text = visible_answer(row) if row else None
    return written_action(text) if text else None
