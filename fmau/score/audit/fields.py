"""Fields, ids and labels that contradict each other."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from fmau.core.records import QuestionFile
from fmau.core.taxonomy import TASK_ALIASES, AnyTask, Task
from fmau.core.texts import text_fault, whole
from fmau.dataset.labels import written_action
from fmau.dataset.questions import Survey
from fmau.score.audit.check import Check, check
from fmau.score.breakdowns import gold_labels


def schema(survey: Survey) -> Check:
    """Rows that the reader of question files refuses, and contradictions that it lets pass."""
    refused = [(name, problem.what) for name, problem in survey.problems]
    found = [
        *refused,
        *_spellings(survey.rows),
        *_unfit_texts(survey.rows),
        *_prefixes(survey.sound),
        *_incomplete_clips(survey.sound),
        *_contradictions(survey.sound),
    ]
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    for qid, what in found:
        kinds[what].append(qid)
    return check(
        "schema",
        [qid for qid, _ in found],
        "a field, id or label does not fit the format or the rest of the file",
        refused_by_the_reader=len({qid for qid, _ in refused}),
        defects={what: len(qids) for what, qids in kinds.items()},
        examples={what: qids[:5] for what, qids in kinds.items()},
    )


def _spellings(rows: tuple[Any, ...]) -> Iterator[tuple[str, str]]:
    """Clip fields with two names in one file, of which the rarer is reported; old task names."""
    objects = [row for row in rows if isinstance(row, dict)]
    holders = {key: [row for row in objects if row.get(key)] for key in ("video", "video_name")}
    rarer = min(holders, key=lambda key: len(holders[key]))
    if all(holders.values()):
        for row in holders[rarer]:
            yield _qid(row), f"uses {rarer!r} where most rows use the other name"
    for row in objects:
        if isinstance(task := row.get("task"), str) and task in TASK_ALIASES:
            yield _qid(row), f"task {task!r} is an earlier name"


def _unfit_texts(rows: tuple[Any, ...]) -> Iterator[tuple[str, str]]:
    """Questions that are not asked in exactly the letters of the file, see `fmau.core.texts`."""
    for row in rows:
        text = row.get("question") if isinstance(row, dict) else None
        if isinstance(text, str) and (fault := text_fault(text)):
            yield _qid(row), fault[0]


def _qid(row: dict[str, Any]) -> str:
    return whole(str(row.get("qid")))


def _prefixes(questions: QuestionFile) -> Iterator[tuple[str, str]]:
    """Questions whose qid begins with the name of another task."""
    known = {task.value: task for task in Task} | TASK_ALIASES
    for question in questions.questions:
        prefix = question.qid.rpartition("_")[0]
        if known.get(prefix, question.task) is not question.task:
            yield question.qid, f"the qid says {prefix}, the task is {question.task}"


def _incomplete_clips(questions: QuestionFile) -> Iterator[tuple[str, str]]:
    """Questions of clips that have more or fewer questions of a task than the benchmark asks."""
    of_clip: defaultdict[str, list[str]] = defaultdict(list)
    counts: defaultdict[str, Counter[AnyTask]] = defaultdict(Counter)
    for question in questions.questions:
        of_clip[question.clip].append(question.qid)
        counts[question.clip][question.task] += 1
    for clip, qids in of_clip.items():
        odd = [str(task) for task in Task if counts[clip][task] != task.per_clip]
        if odd:
            for qid in qids:
                yield qid, f"its clip has too many or too few of {', '.join(odd)}"


def _contradictions(questions: QuestionFile) -> Iterator[tuple[str, str]]:
    """MARE references without a label, or with one that the clip's other answers contradict."""
    fine, coarse = gold_labels(questions, Task.FMAR), gold_labels(questions, Task.CMAR)
    for question in questions.questions:
        reference = questions.gold.get(question.qid)
        if question.task is not Task.MARE or reference is None:
            continue
        action = written_action(reference)
        if action is None:
            yield question.qid, "the reference ends in no marked label of the taxonomy"
            continue
        if fine.get(question.clip, action.label).lower() != action.label.lower():
            yield question.qid, "the reference's action is not FMAR's"
        if coarse.get(question.clip, action.part).lower() != action.part.lower():
            yield question.qid, "the reference's body part is not CMAR's"
