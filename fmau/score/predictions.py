"""Prediction files of any origin: the official submission format, or its bare list of answers."""

import hashlib
from pathlib import Path

from fmau.core.errors import InputError
from fmau.core.files import read_text
from fmau.core.records import Answer, Question, QuestionFile
from fmau.dataset.predictions import answer_entries, entry_problems, prediction_tree
from fmau.dataset.questions import load_questions
from fmau.prompting.extraction import extract
from fmau.score.compute import score
from fmau.score.scores import Scores


def score_predictions(questions: str | Path, predictions: str | Path) -> Scores:
    """Score a prediction file of any origin against a question file with answers.

    Raises:
        InputError: as `load_questions` and `load_predictions`.
    """
    file = load_questions(Path(questions))
    return score(file, load_predictions(Path(predictions), file))


def load_predictions(path: Path, questions: QuestionFile) -> dict[str, Answer]:
    """Read predictions as answer rows, in file order.

    Accepted are `{"prompts": ..., "answers": [{"qid", "pred_answer"}, ...]}` and the bare list of
    such objects. A closed answer may be worded freely ("B. Head", "Yes."); what cannot be read as
    an answer, an empty text included, gets the status "unparsed". Questions without a prediction
    are no error here: scoring counts them as unanswered.

    Raises:
        InputError: no such file, no JSON, not of this shape, or rows with an unknown or repeated
            qid or a prediction that is no text; the error lists every row.
    """
    text = read_text(path)
    entries = answer_entries(path, prediction_tree(path, text))
    asked = {question.qid: question for question in questions.questions}
    problems = list(entry_problems(path, entries, asked))
    if problems:
        raise InputError(problems)
    fingerprint = hashlib.sha256(text.encode()).hexdigest()
    rows = (_row(asked[e["qid"]], e["pred_answer"], fingerprint) for e in entries)
    return {row.qid: row for row in rows}


def _row(question: Question, text: str, fingerprint: str) -> Answer:
    found = extract(question, text)
    return Answer(
        qid=question.qid,
        clip=question.clip,
        task=question.task,
        fingerprint=fingerprint,
        status=found.status,
        answer=found.answer,
        reply=text,
        reason=found.reason,
    )
