"""Option lines that give the answer away."""

from collections import Counter

from fmau.core.records import Question, QuestionFile
from fmau.core.taxonomy import Task
from fmau.score.audit.check import Check, check, percent


def label_code_suffix(questions: QuestionFile) -> Check:
    """Options with a class code, and how often the only one in its row is the gold answer."""
    coded = {
        question.qid: [option.letter for option in question.options if option.class_code]
        for question in questions.questions
    }
    found = [qid for qid, letters in coded.items() if letters]
    single = {qid: letters[0] for qid, letters in coded.items() if len(letters) == 1}
    known = [qid for qid in single if qid in questions.gold]
    right = sum(questions.gold[qid] == single[qid] for qid in known)
    fmar = sum(question.task is Task.FMAR for question in questions.questions)
    return check(
        "label-code-suffix",
        found,
        "an option carries a class code, which marks it among the others",
        with_one_code=len(single),
        with_one_code_and_gold=len(known),
        gold_has_the_code_percent=percent(right, len(known)),
        share_of_fmar_percent=percent(len(found), fmar),
    )


def duplicate_option(questions: QuestionFile) -> Check:
    """Rows that list a label twice, and how often that label is the gold answer."""
    twice = {
        question.qid: labels for question in questions.questions if (labels := _repeated(question))
    }
    by_qid = {question.qid: question for question in questions.questions}
    known = [qid for qid in twice if qid in questions.gold]
    right = sum(_label(by_qid[qid], questions.gold[qid]) in twice[qid] for qid in known)
    return check(
        "duplicate-option",
        twice,
        "an option's label is listed twice; the strict letter is a toss-up, the label a hint",
        with_gold=len(known),
        gold_is_the_duplicate_percent=percent(right, len(known)),
    )


def _repeated(question: Question) -> set[str]:
    counts = Counter(option.label.casefold() for option in question.options)
    return {label for label, count in counts.items() if count > 1}


def _label(question: Question, letter: str) -> str:
    return next(o.label.casefold() for o in question.options if o.letter == letter)
