"""Reads a run's rows together with the questions that they answer; `run.py`, `submission.py` and
`fmau judge` use it.

A qid alone does not prove that a row answers a question: a question file may have been issued again
with other options or references under the same qids. So each row is checked by its fingerprint, as
`fmau answer` and `fmau judge` do. Rows that do not fit the questions as they are now are set aside.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fmau.core.errors import InputError, Problem, RunError
from fmau.core.records import Answer, AnswerStatus, Question, QuestionFile, Verdict
from fmau.dataset.clips import clip_bytes
from fmau.dataset.questions import load_questions
from fmau.prompting.extraction import visible_answer
from fmau.runs import (
    VERDICTS,
    Manifest,
    read_answers,
    read_manifest,
    read_rows,
    row_mark,
    verdict_fingerprint,
)

NAMED = 5
"""Number of qids that a note names."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A run's questions with the rows that answer them.

    Attributes:
        manifest: conditions and sessions of the run.
        file: path of the question file.
        questions: its questions, with gold answers, if any.
        answers: qid -> latest answer row; only rows that answer the question as it is now.
        verdicts: the latest row of every call of a judge; only verdicts on these answers.
        stale: qids whose latest row answers the question as it was before, or was given under other
            conditions; in the order of the rows.
        stale_verdicts: number of calls whose latest verdict is on another answer or reference.
        unasked: number of rows whose qid the question file does not have.
        unproven: number of rows in `answers` that cannot be checked: rows of fmau 0.1.0 about clips
            that are not at hand.
    """

    manifest: Manifest
    file: Path
    questions: QuestionFile
    answers: Mapping[str, Answer]
    verdicts: tuple[Verdict, ...]
    stale: tuple[str, ...]
    stale_verdicts: int
    unasked: int
    unproven: int

    @property
    def notes(self) -> tuple[str, ...]:
        """For people: one text for each kind of row that was left out or could not be checked."""
        notes = []
        if self.stale:
            named = ", ".join(self.stale[:NAMED]) + (", ..." if len(self.stale) > NAMED else "")
            notes.append(
                f"left out: {_counted(len(self.stale), 'stale row')} ({named}), given to an "
                "earlier form of these questions or under other conditions; fmau answer asks "
                "them again"
            )
        if self.stale_verdicts:
            notes.append(
                f"left out: {_counted(self.stale_verdicts, 'stale verdict')}, on another answer or "
                "reference; fmau judge makes these calls again"
            )
        if self.unasked:
            notes.append(
                f"left out: {_counted(self.unasked, 'row')} with a qid that is not in the question "
                "file"
            )
        if self.unproven:
            notes.append(
                f"not checked: {_counted(self.unproven, 'row')} of fmau 0.1.0; whether it answers "
                "the question as it is now can only be checked where its clip is"
            )
        return tuple(notes)


def read_joined(folder: Path, file: Path | None = None) -> Joined:
    """Read a run folder, and check each row against its question.

    Args:
        file: the question file; None for the one that the run's recipe names.

    Raises:
        RunError: the folder holds no run, a file cannot be read, the recipe's question file is
            missing, or no row answers a question as it is now.
        InputError: the question file, `answers.jsonl` or `verdicts.jsonl` has defects, or rows
            contradict their questions; each is named.
    """
    manifest = read_manifest(folder)
    path = file or _recipes_file(folder, manifest)
    questions = load_questions(path)
    rows = read_answers(folder)
    asked = {question.qid: question for question in questions.questions}
    clips = manifest.recipe["data"].get("clips")
    answers: dict[str, Answer] = {}
    stale: list[str] = []
    unproven = 0
    for row in rows:
        if row.qid not in asked:
            continue
        current = _is_current(row, asked[row.qid], manifest.fingerprint, clips)
        if current is False:
            stale.append(row.qid)
        else:
            answers[row.qid] = row
            unproven += current is None
    if rows and not answers:
        raise RunError(
            f"{folder}: none of its {len(rows):,} rows answers a question of {path} as it is now; "
            "name the question file that they answer (--questions FILE), or run fmau answer again"
        )
    verdicts, old = _current_verdicts(folder, manifest, questions, answers)
    if problems := contradictions(asked, [*answers.values(), *verdicts]):
        raise InputError(problems)
    return Joined(
        manifest,
        path,
        questions,
        answers,
        verdicts,
        tuple(stale),
        old,
        unasked=len(rows) - len(answers) - len(stale),
        unproven=unproven,
    )


def open_answers(
    questions: QuestionFile, answers: Mapping[str, Answer]
) -> Iterator[tuple[Question, str, str]]:
    """Yield the answers that can be judged, in file order: open, with a reference and a text.

    Args:
        answers: qid -> answer row.

    Yields:
        The question, its reference, and the answer without the model's thinking.
    """
    for question in questions.questions:
        row = answers.get(question.qid)
        text = visible_answer(row) if row and question.task.is_open else None
        if text is not None and question.qid in questions.gold:
            yield question, questions.gold[question.qid], text


def replaced_clips(
    manifest: Manifest, questions: QuestionFile, answers: Mapping[str, Answer]
) -> list[str]:
    """The clips whose file has another size now than when a question about them was asked.

    A clip that is not at hand, or that could not be read then, is left out.
    """
    folder = Path(manifest.recipe["data"]["clips"])
    sizes = {q.clip: clip_bytes(folder, q.file) for q in questions.questions}
    replaced: list[str] = []
    for question in questions.questions:
        row, size = answers.get(question.qid), sizes[question.clip]
        if row is None or row.status is AnswerStatus.CLIP_FAILED or size is None:
            continue
        if row.fingerprint != row_mark(manifest.fingerprint, question, size).fingerprint:
            replaced.append(question.clip)
    return list(dict.fromkeys(replaced))


def contradictions(
    asked: Mapping[str, Question], rows: Iterable[Answer | Verdict]
) -> list[Problem]:
    """The rows that name another clip or task than their question does.

    Args:
        asked: qid -> question, for the qid of every row.
    """
    problems = []
    for row in rows:
        question = asked[row.qid]
        if (row.clip, row.task) != (question.clip, str(question.task)):
            what = f"the row is about {row.task} and the clip {row.clip!r}, the question about "
            what += f"{question.task} and {question.clip!r}"
            remedy = "one of the two files was changed by hand; restore it from a copy"
            problems.append(Problem(row.qid, what, remedy))
    return problems


def _counted(count: int, what: str) -> str:
    """ "1 row", "2 rows"."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _recipes_file(folder: Path, manifest: Manifest) -> Path:
    """The question file that a run's recipe names; it must exist."""
    path = Path(manifest.recipe["data"]["questions"])
    if not path.exists():
        raise RunError(
            f"{path}: no such file; the recipe of {folder} names it, and a relative path is "
            "relative to the folder where fmau answer was started. Start this command there, or "
            "name the question file with --questions FILE"
        )
    return path


def _is_current(row: Answer, question: Question, run: str, clips: str | None) -> bool | None:
    """Whether a row answers the question as it is now, about a clip of any size; None if that
    cannot be known.

    Rows of fmau 0.1.0 have only the fingerprint with the clip's size, so the clip is needed.

    Args:
        run: fingerprint of the run's conditions.
        clips: folder of the clips, if it is known.
    """
    if row.fingerprint_without_clip is not None:
        return row.fingerprint_without_clip == row_mark(run, question, None).without_clip
    if row.fingerprint == row_mark(run, question, None).fingerprint:
        return True
    size = None if clips is None else clip_bytes(Path(clips), question.file)
    return None if size is None else row.fingerprint == row_mark(run, question, size).fingerprint


def _current_verdicts(
    folder: Path, manifest: Manifest, questions: QuestionFile, answers: Mapping[str, Answer]
) -> tuple[tuple[Verdict, ...], int]:
    """The latest verdict of every call about the present answers, and the number of other calls.

    All rows are searched, not only the latest of each call: if an answer changes and changes back,
    its first verdict counts again, and `fmau judge` makes no new one.
    """
    cases = {
        question.qid: (question.qid, str(question.task), question.stem, reference, text)
        for question, reference, text in open_answers(questions, answers)
    }
    judges = {name: note.fingerprint for name, note in manifest.judges.items()}
    calls = set()
    current: dict[tuple[str, str, tuple[int, ...], int], Verdict] = {}
    for row in read_rows(folder / VERDICTS, Verdict):
        call = (row.judge, row.qid, row.levels, row.sample)
        calls.add(call)
        if row.judge in judges and row.qid in cases:
            given = (judges[row.judge], cases[row.qid], row.levels, row.sample)
            if row.fingerprint == verdict_fingerprint(*given):
                current[call] = row
    return tuple(current.values()), len(calls) - len(current)
