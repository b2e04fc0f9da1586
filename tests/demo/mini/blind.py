"""Classifiers that see the text of questions and never a clip."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from statsmodels.stats.proportion import proportion_confint

CHOICES = {"CMAR": 7, "FMAR": 5}
MODELS = {
    "logistic regression": LogisticRegression(C=10, max_iter=2000),
    "naive Bayes": MultinomialNB(alpha=0.3),
}


def hits(
    model: ClassifierMixin, train: Sequence[dict[str, str]], test: Sequence[dict[str, str]]
) -> NDArray[np.bool_]:
    """Which rows of `test` are answered rightly after training on `train` (rows of one task)."""
    predict = _choose if train[0]["task"] in CHOICES else _classify
    return predict(model, train, test)


def interval(right: NDArray[np.bool_], looks: int = 1) -> tuple[float, float]:
    """95 % Wilson interval of an accuracy, as one of so many looks (Bonferroni)."""
    low, high = proportion_confint(
        int(right.sum()), len(right), alpha=0.05 / looks, method="wilson"
    )
    return float(low), float(high)


def _pipeline(model: ClassifierMixin) -> ClassifierMixin:
    return make_pipeline(TfidfVectorizer(ngram_range=(1, 3), token_pattern=r"[\w-]+"), model)


def _classify(
    model: ClassifierMixin, train: Sequence[dict[str, str]], test: Sequence[dict[str, str]]
) -> NDArray[np.bool_]:
    pipeline = _pipeline(model).fit([r["question"] for r in train], [r["answer"] for r in train])
    return pipeline.predict([r["question"] for r in test]) == [r["answer"] for r in test]


def _choose(
    model: ClassifierMixin, train: Sequence[dict[str, str]], test: Sequence[dict[str, str]]
) -> NDArray[np.bool_]:
    """Score every option by itself (its text, letter, and the other options beside it)."""
    texts, right = zip(*(pair for row in train for pair in _options(row)), strict=True)
    pipeline = _pipeline(model).fit(texts, right)
    hits = []
    for row in test:
        options, truths = zip(*_options(row), strict=True)
        hits.append(truths[int(pipeline.predict_proba(options)[:, 1].argmax())])
    return np.array(hits)


def _options(row: dict[str, str]) -> list[tuple[str, bool]]:
    """(features of an option as words, whether it is the answer) for each option of a row."""
    stem, *lines = row["question"].split("\n")
    labels = [re.sub(r"\W+", "_", line[3:]) for line in lines]
    described = []
    for line, label in zip(lines, labels, strict=True):
        beside = " ".join(f"{label}+{other}" for other in sorted(labels))
        described.append((f"letter{line[0]} {label} {beside} {stem}", line[0] == row["answer"]))
    return described
