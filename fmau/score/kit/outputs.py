"""A starter kit's prediction file: its answers, the questions they answer, and answer rows of them.

The kit has written two formats: {"prompts": [...], "answers": [...]}, and before that the list of
answers alone, with further keys in each. Both give the same answers here. A question that failed
has an empty answer in both; so has one whose reply was empty. Either way the model gave no answer,
so its row says that the request failed, and not that a reply could not be read.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmau.core.errors import InputError, RunError
from fmau.core.files import read_text
from fmau.core.parsing import lines_of_list
from fmau.core.records import Answer, AnswerStatus, Question, QuestionFile
from fmau.core.taxonomy import TASK_ALIASES, Task
from fmau.dataset.clips import clip_bytes
from fmau.dataset.predictions import answer_entries, entry_problems, prediction_tree
from fmau.dataset.questions import survey_questions
from fmau.prompting.extraction import extract
from fmau.runs import row_mark
from fmau.score.kit.prompts import KitPrompts, Spelling, prompts_in

EMPTY = "the kit wrote an empty answer: its request failed, or the reply was empty"


@dataclass(frozen=True, slots=True)
class KitQuestions:
    """A question file as a kit uses it.

    Attributes:
        path: the file.
        file: its questions, with gold answers, if any.
        asked: qid -> question.
        spelled: task -> the name that its first row in the file has.
    """

    path: Path
    file: QuestionFile
    asked: Mapping[str, Question]
    spelled: Spelling

    def present_qid(self, qid: Any) -> Any:
        """The qid that the file has for a qid of the kit's first question file (CMAC_0001)."""
        if not isinstance(qid, str) or qid in self.asked:
            return qid
        prefix, _, number = qid.partition("_")
        renamed = f"{TASK_ALIASES.get(prefix)}_{number}"
        return renamed if renamed in self.asked else qid


@dataclass(frozen=True, slots=True)
class Output:
    """A prediction file as it was read; its entries are not checked yet.

    Attributes:
        path: the file.
        sha256: of its text, hex.
        prompts: the prompts in it; None for the list format.
        entries: the answers.
        lines: number of the line where each entry begins.
    """

    path: Path
    sha256: str
    prompts: KitPrompts | None
    entries: Sequence[Any]
    lines: Sequence[int]

    def strangers(self, questions: KitQuestions) -> int:
        """Number of entries whose qid the question file lacks."""
        qids = [entry.get("qid") for entry in self.entries if isinstance(entry, dict)]
        texts = (questions.present_qid(qid) for qid in qids if isinstance(qid, str))
        return sum(qid not in questions.asked for qid in texts)

    def answers(self, questions: KitQuestions) -> dict[str, str]:
        """The answers as qid -> text, in file order, under the qids of the question file.

        Raises:
            InputError: entries have an unknown or repeated qid, or an answer that is not text; each
                is named with its line and qid.
        """
        entries = [
            {**entry, "qid": questions.present_qid(entry.get("qid"))}
            if isinstance(entry, dict)
            else entry
            for entry in self.entries
        ]
        problems = list(entry_problems(self.path, entries, questions.asked, self.lines))
        if problems:
            raise InputError(problems)
        return {entry["qid"]: entry["pred_answer"] for entry in entries}


def read_questions(path: Path) -> KitQuestions:
    """Read a question file, and how it spells the tasks.

    Raises:
        InputError: the file is missing, is not a JSON list, or has malformed rows.
    """
    survey = survey_questions(path)
    if survey.problems:
        raise InputError(problem for _, problem in survey.problems)
    spelled: dict[Task, str] = {}
    for question, row in zip(survey.sound.questions, survey.rows, strict=True):
        if isinstance(question.task, Task):
            spelled.setdefault(question.task, row["task"])
    asked = {question.qid: question for question in survey.sound.questions}
    return KitQuestions(path, survey.sound, asked, spelled)


def read_output(path: Path) -> Output:
    """Read a prediction file of either format.

    Raises:
        InputError: the file is missing, not JSON, or has no list of answers, or its prompts are
            malformed.
    """
    text = read_text(path)
    tree = prediction_tree(path, text)
    entries = answer_entries(path, tree)
    lines = lines_of_list(text, "answers" if isinstance(tree, dict) else None)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return Output(path, sha256, prompts_in(path, tree), entries, lines)


def questions_of(output: Output, files: Sequence[KitQuestions], folder: Path) -> KitQuestions:
    """The file whose questions a prediction file answers: the smallest that has all its qids.

    Args:
        files: the question files to choose from.
        folder: where they were looked for; errors name it.

    Raises:
        RunError: there is none.
    """
    fitting = [file for file in files if not output.strangers(file)]
    if fitting:
        return min(fitting, key=lambda file: len(file.asked))
    tried = ", ".join(f"{file.path.name} lacks {output.strangers(file):,}" for file in files)
    raise RunError(
        f"{output.path}: no question file in {folder} has all of its {len(output.entries):,} qids "
        f"({tried or 'none is there'}); name the one that was asked: --questions FILE"
    )


def answer_rows(
    answers: Mapping[str, str], questions: KitQuestions, fingerprint: str, clips: Path | None
) -> list[Answer]:
    """The rows of a run.

    Args:
        answers: qid -> text, of `Output.answers`.
        fingerprint: of the run's conditions.
        clips: folder of the clips; None if they are not at hand.
    """
    rows = []
    for qid, text in answers.items():
        question = questions.asked[qid]
        size = None if clips is None else clip_bytes(clips, question.file)
        mark = row_mark(fingerprint, question, size)
        if not text.strip():
            rows.append(Answer.failed(question, mark, AnswerStatus.REQUEST_FAILED, EMPTY))
            continue
        found = extract(question, text)
        rows.append(
            Answer.about(
                question,
                mark,
                status=found.status,
                answer=found.answer,
                reply=text,
                reason=found.reason,
            )
        )
    return rows
