"""How well a classifier answers that sees the words of a question and nothing else.

Words and parts of words (TF-IDF) into a logistic regression; for multiple choice, every option is a
case of its own, and the likeliest is chosen. Cross-validated with whole clips held out, so that no
question is answered from another one about its clip.
"""

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline, make_union

from fmau.core.records import Question, QuestionFile
from fmau.core.taxonomy import CLOSED_TASKS
from fmau.score.audit.check import Check, check
from fmau.score.breakdowns import chance
from fmau.score.tally import Tally

FOLDS = 5
SEED = 0
LEAST_CLIPS = 20
"""With fewer clips a classifier has nothing to learn from."""


def blind_classifier(questions: QuestionFile) -> Check:
    """Tasks that a text-only classifier answers better than chance."""
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
    """Whether each question is answered right by a classifier that never saw its clip."""
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
    if len(set(labels)) < 2:  # one answer to everything: the best guess is the same again
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
    """(text, answer it stands for): one per option, or the question for Yes."""
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
