"""Reads and scores prediction files of any origin, for `fmau score --questions --predictions`.

Accepted are the official submission format and its list of answers alone.
"""

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
    """Score a prediction file of any origin against a question file with gold answers.

    Raises:
        InputError: as `load_questions` and `load_predictions`.
    """
    file = load_questions(Path(questions))
    return score(file, load_predictions(Path(predictions), file))


def load_predictions(path: Path, questions: QuestionFile) -> dict[str, Answer]:
    """Read predictions as qid -> answer row, in file order.

    Accepted are `{"prompts": ..., "answers": [{"qid", "pred_answer"}, ...]}` and the list of such
    objects alone. A closed answer may be worded freely ("B. Head", "Yes."). A text that holds no
    valid answer, such as an empty one, gets the status "unparsed". Questions without a prediction
    are not an error: scoring counts them as unanswered.

    Raises:
        InputError: the file is missing, not JSON or not of this shape, or entries have an unknown
            or repeated qid or a prediction that is not text; every such entry is listed.
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
        task=str(question.task),
        fingerprint=fingerprint,
        status=found.status,
        answer=found.answer,
        reply=text,
        reason=found.reason,
    )
