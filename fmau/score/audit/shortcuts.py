"""Ways to answer without seeing the clip: marked options, frequent answers, telling words.

The text-only classifier is a logistic regression over the TF-IDF of words and parts of words. In
multiple choice it rates each option by itself, and the option with the highest rating is its
answer. It is cross-validated over clips: no question is answered by a classifier that was trained
on another question about the same clip.
"""

from collections import Counter
from typing import Any

import numpy as np
from scipy import stats
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from statsmodels.stats.multitest import multipletests

from fmau.core.records import Question, QuestionFile
from fmau.core.taxonomy import CLOSED_TASKS, Task, parts
from fmau.score.audit.check import Check, check, percent
from fmau.score.breakdowns import chance, gold_counts, label_of, majority
from fmau.score.intervals import wilson
from fmau.score.tally import Tally


def label_code_suffix(questions: QuestionFile) -> Check:
    """Options with a class code; if one option alone has one, how often it is the gold answer."""
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
    """Questions that list a label twice, and how often this label is the gold answer."""
    twice = {
        question.qid: labels for question in questions.questions if (labels := _repeated(question))
    }
    by_qid = {question.qid: question for question in questions.questions}
    known = [qid for qid in twice if qid in questions.gold]
    right = sum(
        label_of(by_qid[qid], questions.gold[qid]).casefold() in twice[qid] for qid in known
    )
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


ALPHA = 0.01
"""Answers of a task are called skewed if p, after Holm's adjustment over tasks, is below this."""


def class_prior(questions: QuestionFile) -> Check:
    """Tasks whose gold answers are not equally frequent, by a chi-square test.

    What is counted: Yes and No, the seven groups (CMAR), and letters (FMAR, because its options
    differ from question to question).
    """
    found: dict[Task, dict[str, Any]] = {}
    for task in CLOSED_TASKS:
        counts = gold_counts(task, questions.questions, questions.gold)
        if not counts:
            continue
        classes = _classes(task)
        p = stats.chisquare([counts[name] for name in classes]).pvalue
        base = majority(task, questions.questions, questions.gold)
        assert base is not None, "there is gold"
        interval = wilson(max(counts.values()), counts.total())
        found[task] = {
            "most_frequent": base.answer,
            "percent": round(base.percent, 1),
            "interval_percent": [round(interval.low, 1), round(interval.high, 1)],
            "chance_percent": round(chance(task) or 0, 1),
            "p": float(p),
        }
    if found:
        adjusted = multipletests([row["p"] for row in found.values()], method="holm")[1]
        for row, p in zip(found.values(), adjusted, strict=True):
            row["p_holm"] = float(p)
    skewed = {task for task, row in found.items() if row["p_holm"] < ALPHA}
    return check(
        "class-prior",
        [q.qid for q in questions.questions if q.task in skewed and q.qid in questions.gold],
        "an answer of this task is right more often than others: guessing it beats chance",
        skewed_tasks=sorted(map(str, skewed)),
        per_task={str(task): row for task, row in found.items()},
    )


def _classes(task: Task) -> list[str]:
    if task is Task.CMAR:
        return [part.label for part in parts()]
    return list("ABCDE") if task is Task.FMAR else ["Yes", "No"]


FOLDS = 5
SEED = 0
LEAST_CLIPS = 20
"""With fewer clips than this there is too little to train a classifier on."""


def blind_classifier(questions: QuestionFile) -> Check:
    """Tasks that a text-only classifier answers better than chance: the whole interval is above."""
    outcomes = {}
    for task in CLOSED_TASKS:
        asked = [q for q in questions.questions if q.task is task and q.qid in questions.gold]
        if len({question.clip for question in asked}) >= LEAST_CLIPS:
            outcomes[task] = list(zip(asked, _answered(asked, questions), strict=True))
    tally = Tally(
        {str(task): [(q.clip, right) for q, right in rows] for task, rows in outcomes.items()}
    )
    facts, above = {}, set()
    for task in outcomes:
        accuracy = tally.accuracy(str(task))
        assert accuracy is not None, "there is gold"
        found = accuracy.clustered
        assert found is not None, "there are several clips"
        guess = chance(task) or 0.0
        if found.low > guess:
            above.add(task)
        facts[str(task)] = {
            "percent": round(accuracy.percent, 1),
            "interval_percent": [round(edge, 1) for edge in (found.low, found.high)],
            "chance_percent": round(guess, 1),
        }
    return check(
        "blind-classifier",
        [q.qid for q in questions.questions if q.task in above and q.qid in questions.gold],
        "a classifier that reads the words alone beats chance at this task",
        better_than_chance=sorted(map(str, above)),
        per_task=facts or f"needs gold answers about at least {LEAST_CLIPS} clips",
    )


def _answered(asked: list[Question], questions: QuestionFile) -> list[bool]:
    """For each question, whether a classifier trained on other clips answers it right."""
    clips = [question.clip for question in asked]
    right = np.zeros(len(asked), dtype=bool)
    for train, test in GroupKFold(FOLDS).split(asked, groups=clips):
        known = [asked[place] for place in train]
        answers = _answers(known, [asked[place] for place in test], questions)
        for place, answer in zip(test, answers, strict=True):
            right[place] = answer == questions.gold[asked[place].qid]
    return right.tolist()


def _answers(known: list[Question], asked: list[Question], questions: QuestionFile) -> list[str]:
    """What a classifier trained on `known` answers to `asked`."""
    texts, labels = [], []
    for question in known:
        for text, answer in _cases(question):
            texts.append(text)
            labels.append(int(questions.gold[question.qid] == answer))
    if len(set(labels)) < 2:  # all known answers are the same, so give it again
        return [questions.gold[known[0].qid]] * len(asked)
    model = _classifier().fit(texts, labels)
    answers = []
    for question in asked:
        cases = _cases(question)
        chances = model.predict_proba([text for text, _ in cases])[:, 1]
        if len(cases) == 1:
            answers.append("Yes" if chances[0] >= 0.5 else "No")
        else:
            answers.append(cases[int(np.argmax(chances))][1])
    return answers


def _cases(question: Question) -> list[tuple[str, str]]:
    """What the classifier rates: (text, the answer that it would mean), one for each option.

    A yes/no question is one case, which means "Yes".
    """
    if not question.options:
        return [(question.stem, "Yes")]
    labels = [option.label.lower() for option in question.options]
    return [
        (
            f"{question.stem} option {option.label} place{option.letter} "
            f"code{bool(option.class_code)} copies{labels.count(option.label.lower())}",
            option.letter,
        )
        for option in question.options
    ]


def _classifier() -> Pipeline:
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), max_features=20_000)
    return make_pipeline(
        make_union(words, letters), LogisticRegression(C=4.0, max_iter=300, random_state=SEED)
    )
