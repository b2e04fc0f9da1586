"""Questions about one clip that give each other's answers away."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from fmau.core.lexicon import AXES, RELATION_OPPOSITES, SHORT, TIME_OPPOSITES
from fmau.core.records import Question, QuestionFile
from fmau.core.taxonomy import YES_NO_TASKS, AnyTask, Task, action_by_label
from fmau.dataset.labels import written_action
from fmau.score.audit.check import Check, check, percent
from fmau.score.breakdowns import gold_labels

_SHORT_FORMS = tuple(
    (SHORT[one], SHORT[other]) for one, other in AXES.values() if {one, other} <= set(SHORT)
)
_ANTONYMS = (*AXES.values(), *_SHORT_FORMS, *TIME_OPPOSITES, *RELATION_OPPOSITES)
"""Pairs of words; exchanging the two turns a question into its opposite."""

_NEGATIONS = re.compile(r"\b(?:not|n't|never|no)\b ?")


def duplicate_question(questions: QuestionFile) -> Check:
    """Questions that are asked twice in the same words about the same clip.

    The same words about two clips are not a defect: the open tasks have only few wordings.
    """
    first: dict[tuple[object, ...], str] = {}
    repeated = []
    wordings: defaultdict[AnyTask, set[str]] = defaultdict(set)
    for question in questions.questions:
        key = (question.clip, question.task, _plain(question.stem), question.options)
        if key in first:
            repeated += [first[key], question.qid]
        first.setdefault(key, question.qid)
        wordings[question.task].add(_plain(question.stem))
    return check(
        "duplicate-question",
        repeated,
        "the same question is asked twice about one clip, so one answer counts twice",
        wordings_per_task={str(task): len(found) for task, found in sorted(wordings.items())},
    )


def opposite_pair(questions: QuestionFile) -> Check:
    """Yes/no questions of one clip and task that say opposite things.

    Where gold answers are known, `opposite_answers_percent` says how often two questions of one
    clip and task have opposite answers. Call this share o. Who answers the first question right
    with probability p, and gives the opposite answer to the second, is right on the second with
    probability p o + (1 - p)(1 - o). Who knows the first answer for sure reaches o; a guess, 1/2.
    """
    pairs = list(_pairs(questions))
    opposite = [(one, other) for one, other in pairs if _are_opposite(one.stem, other.stem)]
    known = [
        (questions.gold[one.qid], questions.gold[other.qid], one.task)
        for one, other in pairs
        if one.qid in questions.gold and other.qid in questions.gold
    ]
    per_task = Counter(task for *_, task in known)
    differing = Counter(task for one, other, task in known if one != other)
    return check(
        "opposite-pair",
        [question.qid for pair in opposite for question in pair],
        "two questions of one clip and task say opposite things, so one answer tells the other",
        pairs_of_one_task_and_clip=len(pairs),
        pairs_with_gold=len(known),
        opposite_answers_percent=percent(differing.total(), per_task.total()),
        opposite_answers_per_task_percent={
            str(task): percent(differing[task], count) for task, count in per_task.items()
        },
        second_of_a_pair_right_if_first_is_known_percent=percent(
            max(differing.total(), per_task.total() - differing.total()), per_task.total()
        ),
    )


def label_named(questions: QuestionFile) -> Check:
    """Questions that name the action of their clip in their text; options do not count.

    The action is taken from the gold answers of FMAR and MARE, or from the only FMAR option with a
    class code.
    """
    shown = gold_labels(questions, Task.FMAR)
    for question in questions.questions:
        if question.task is Task.MARE and (text := questions.gold.get(question.qid)):
            if action := written_action(text):
                shown.setdefault(question.clip, action.label)
        elif question.task is Task.FMAR and question.clip not in shown:
            coded = [option.label for option in question.options if option.class_code]
            if len(coded) == 1:
                shown[question.clip] = coded[0]
    naming = [q for q in questions.questions if (own := shown.get(q.clip)) and _names(q, own)]
    any_label = [
        question
        for question in questions.questions
        if any(_names(question, label) for label in action_by_label())
    ]
    return check(
        "label-named",
        [question.qid for question in naming],
        "the question names the action that its clip shows, which another question asks for",
        clips_with_known_action=len(shown),
        clips_given_away=len({question.clip for question in naming}),
        per_task=dict(Counter(str(question.task) for question in naming)),
        questions_that_name_any_action=len(any_label),
        any_named_action_is_right_percent=percent(
            sum(question in naming for question in any_label if question.clip in shown),
            sum(question.clip in shown for question in any_label),
        ),
    )


def _pairs(questions: QuestionFile) -> Iterator[tuple[Question, Question]]:
    """All pairs of yes/no questions of one clip and task."""
    groups: defaultdict[tuple[str, Task], list[Question]] = defaultdict(list)
    for question in questions.questions:
        if question.task in YES_NO_TASKS:
            groups[question.clip, question.task].append(question)
    for group in groups.values():
        for place, one in enumerate(group):
            for other in group[place + 1 :]:
                yield one, other


def _are_opposite(one: str, other: str) -> bool:
    """Whether one text becomes the other if a negation is left out, or two antonyms are exchanged.

    Antonyms are exchanged at every place where either of the two stands.
    """
    first, second = _plain(one), _plain(other)
    if first == second:
        return False
    if _NEGATIONS.sub("", first) == _NEGATIONS.sub("", second):
        return True
    return any(_exchanged(first, *pair) == second for pair in _ANTONYMS)


def _exchanged(text: str, one: str, other: str) -> str:
    swap = {one: other, other: one}
    pattern = rf"\b(?:{re.escape(one)}|{re.escape(other)})\b"
    return re.sub(pattern, lambda match: swap[match[0]], text)


def _names(question: Question, label: str) -> bool:
    """Whether the text of the question contains the label."""
    return re.search(rf"\b{re.escape(label.lower())}\b", question.stem.lower()) is not None


def _plain(text: str) -> str:
    """The text in small letters, with single spaces."""
    return " ".join(text.lower().split())
