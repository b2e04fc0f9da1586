"""Writes and checks the challenge's submission file, for `fmau submit`.

It refuses to write an incomplete or invalid file.

Format: `{"prompts": [{"task", "system_prompt"}, ...], "answers": [{"qid", "pred_answer"}, ...]}`,
where "prompts" has every task once and "answers" has every qid of the question file once.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fmau.core.errors import InputError, Problem, RunError, problems_of
from fmau.core.files import make_folder, read_text, write_whole
from fmau.core.records import Answer, Question
from fmau.core.taxonomy import Task
from fmau.dataset.predictions import answer_entries, entry_problems, prediction_tree
from fmau.prompting.extraction import choices
from fmau.prompting.prompts import PromptSet
from fmau.runs import FINAL, Manifest
from fmau.runs.manifest import MANIFEST
from fmau.score.joined import read_joined

ADAPTER_WARNING = (
    "this run used a LoRA adapter: Track 3 of the MAC 2026 challenge forbids fine-tuning, so do "
    "not enter this file there"
)

AGAIN = "run `fmau answer` again: it asks every missing or failed question"
AGAIN_WITH_THE_KIT = (
    "let the starter kit answer it, then take the new output over (fmau import-kit)"
)

_TEAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Submission:
    """A written submission.

    Attributes:
        path: the file.
        warnings: texts that the team should read before it sends the file.
    """

    path: Path
    warnings: tuple[str, ...] = ()


def submit_run(
    run_folder: str | Path,
    team: str,
    out_folder: str | Path = ".",
    questions: str | Path | None = None,
) -> Submission:
    """Write a run's answers as `out_folder`/TEAM_prediction.json; an older file is replaced.

    The prompts are taken from the run's manifest, so they are those that gave the answers.

    Args:
        questions: the question file; None for the one that the run's recipe names.

    Raises:
        RunError: the folder holds no run, the team name is bad, or the file cannot be written.
        InputError: some questions have no valid answer; each is named with the reason.
    """
    run_folder, out_folder = Path(run_folder), Path(out_folder)
    run = read_joined(run_folder, None if questions is None else Path(questions))
    prompts = _prompts(run_folder, run.manifest)
    asked = run.questions.questions
    again = AGAIN_WITH_THE_KIT if run.manifest.conditions.get("origin") else AGAIN
    path = write_submission(
        asked, run.answers, prompts, team, out_folder, stale=run.stale, again=again
    )
    if problems := validate_submission(path, asked):  # the file itself, as it will be sent
        raise InputError(problems)
    return Submission(path, (ADAPTER_WARNING,) if run.manifest.adapter else ())


def _prompts(run_folder: Path, manifest: Manifest) -> PromptSet:
    if "prompts" not in manifest.conditions:
        raise RunError(
            f"{run_folder}: the prompts of its answers are not known, and the challenge asks for "
            "them; import the kit again, with its prompts.py (fmau import-kit)"
        )
    try:
        return PromptSet.model_validate(manifest.conditions["prompts"])
    except ValidationError as error:
        raise RunError(
            f"{run_folder / MANIFEST}: damaged: the prompts in its conditions cannot be used "
            f"({problems_of(error, PromptSet, 'prompts')[0]}); restore it from a copy, or move the "
            "folder aside and answer again"
        ) from None


def write_submission(
    questions: Sequence[Question],
    answers: Mapping[str, Answer],
    prompts: PromptSet,
    team: str,
    out_folder: Path,
    *,
    stale: Collection[str] = (),
    again: str = AGAIN,
) -> Path:
    """Write `out_folder`/TEAM_prediction.json, with the answers in the order of the questions.

    Args:
        questions: every question that must be answered.
        answers: qid -> answer row.
        prompts: the prompts that the questions were asked with.
        team: letters, digits, "_" and "-".
        stale: qids whose row does not answer the question as it is now; they have no answer.
        again: what to do about questions without an answer, for people.

    Raises:
        RunError: the team name is bad, or the file cannot be written.
        InputError: some questions have no valid answer; each is named with the reason.
    """
    if not _TEAM.fullmatch(team):
        raise RunError(
            f"team name {team!r}: use only the letters A-Z and a-z, digits, _ and -, and begin "
            "with a letter or digit"
        )
    own = dict.fromkeys(str(q.task) for q in questions if not isinstance(q.task, Task))
    if own:
        raise RunError(
            f"the question file has tasks that the challenge does not have ({', '.join(own)}); "
            "name a file of its questions alone (--questions FILE)"
        )
    stale = frozenset(stale)
    problems = [
        problem
        for question in questions
        if (problem := _defect(question, answers.get(question.qid), question.qid in stale, again))
    ]
    if problems:
        raise InputError(problems)
    tree = {
        "prompts": [
            {"task": str(task), "system_prompt": full_prompt(prompts, task)} for task in Task
        ],
        "answers": [
            {"qid": question.qid, "pred_answer": answers[question.qid].answer}
            for question in questions
        ],
    }
    path = out_folder / f"{team}_prediction.json"
    make_folder(out_folder)
    write_whole(path, json.dumps(tree, ensure_ascii=False, indent=2) + "\n")
    return path


def full_prompt(prompts: PromptSet, task: Task) -> str:
    """All instructions that questions of a task are asked with; `{question}` is the placeholder.

    fmau sends one part as the system message and the rest beside the clip. The organisers ask for
    everything that instructs the model, so all parts are joined here.
    """
    parts = [prompts.system_of(task), prompts.common, prompts.tasks[task]]
    return "\n\n".join(part for part in parts if part)


def validate_submission(path: Path, questions: Sequence[Question]) -> list[Problem]:
    """List all defects of a submission file, made by fmau or not; empty if it can be sent.

    A closed answer must be exactly one valid letter, or "Yes" or "No".
    """
    try:
        tree = prediction_tree(path, read_text(path))
        entries = answer_entries(path, tree)
    except InputError as error:
        return list(error.problems)
    asked = {question.qid: question for question in questions}
    problems = [*_prompt_problems(path, tree), *entry_problems(path, entries, asked)]
    given: dict[str, Any] = {
        entry["qid"]: entry.get("pred_answer")
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("qid"), str)
    }
    for question in questions:
        if question.qid not in given:
            problems.append(Problem(question.qid, "is not answered", "answer every question"))
        elif isinstance(given[question.qid], str):
            problems += _text_problems(question, given[question.qid])
    return problems


def _defect(
    question: Question, row: Answer | None, is_stale: bool, ask_again: str
) -> Problem | None:
    """The reason why a question cannot be submitted; None if it can."""
    if is_stale:
        what = "the answer is stale: it was given to another question or under other conditions"
        return Problem(question.qid, what, ask_again)
    if row is None:
        return Problem(question.qid, "is not answered", ask_again)
    if row.answer is None:
        # Decoding is greedy, so asking again would give the same bad reply.
        changed = "change the prompt or answer.max_tokens_open, and answer again under another name"
        remedy = changed if row.status in FINAL else ask_again
        return Problem(question.qid, f"has no answer ({row.status}: {row.reason})", remedy)
    return next(_text_problems(question, row.answer), None)


def _text_problems(question: Question, text: str) -> Iterator[Problem]:
    allowed = choices(question)
    if not text.strip():
        yield Problem(question.qid, "the answer is empty", "every answer needs text")
    elif allowed and text not in allowed:
        remedy = f"valid answers are {', '.join(allowed)}"
        yield Problem(question.qid, f"the answer is {text!r}", remedy)


def _prompt_problems(path: Path, tree: Any) -> Iterator[Problem]:
    where = f"{path} prompts"
    prompts = tree.get("prompts") if isinstance(tree, dict) else None
    if not isinstance(prompts, list):
        remedy = 'write [{"task": ..., "system_prompt": ...}, ...], one entry per task'
        yield Problem(where, "is missing or is not a list", remedy)
        return
    tasks = [entry.get("task") if isinstance(entry, dict) else None for entry in prompts]
    for entry, task in zip(prompts, tasks, strict=True):
        if task not in list(Task):
            yield Problem(where, f"unknown task {task!r}", f"tasks are {', '.join(Task)}")
        elif not isinstance(text := entry.get("system_prompt"), str) or not text.strip():
            yield Problem(f"{where} {task}", "the system prompt is empty", "write the text used")
    for task in Task:
        if (times := tasks.count(task)) != 1:
            what = f"has {times} entries"
            yield Problem(f"{where} {task}", what, "write exactly one entry per task")
