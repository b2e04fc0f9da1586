"""The twelve questions of each clip, balanced so that their text does not reveal the answers.

`statements` lists all possible statements, `balance` and `choice` select among them, and `wording`
turns them into questions. `ask` makes rows like those of the official question files.
"""

from collections.abc import Sequence

from numpy.random import Generator

from fmau.core.taxonomy import OPEN_TASKS, YES_NO_TASKS, Task, action_by_code
from fmau.demo.mini.captions import describe, explain
from fmau.demo.mini.facts import Facts
from fmau.demo.mini.plan import ClipPlan
from fmau.demo.mini.questions import balance, choice, wording
from fmau.demo.mini.questions.statements import Statement, candidates

__all__ = ["Statement", "ask", "askable", "candidates"]

Row = dict[str, str]


def askable(facts: Facts, plan: ClipPlan) -> bool:
    """Whether the clip has enough statements for two questions of every yes/no task."""
    statements = candidates(facts, plan)
    return all(balance.enough(s for s in statements if s.task is task) for task in YES_NO_TASKS)


def ask(clips: Sequence[tuple[ClipPlan, Facts]], rng: Generator) -> list[Row]:
    """Twelve questions about each clip: CMAR, FMAR, MADU, MARE 1 each, SAD, MAD, MAS, PPR 2 each.

    Args:
        clips: plan and facts of every clip of the file; balance is reached over all of them, so a
            file of a few clips cannot be well balanced.
        rng: source of all randomness.

    Returns:
        Rows {"video", "task", "qid", "question", "answer"} in random order. Numbers in qids follow
        a random order of the clips.

    Raises:
        ValueError: a clip is not `askable`.
    """
    order = rng.permutation(len(clips))
    shuffled = [clips[index] for index in order]
    statements = [candidates(facts, plan) for plan, facts in shuffled]
    rows = [*_choice_rows(shuffled, rng), *_open_rows(shuffled, rng)]
    groups = [action_by_code()[plan.events[0].code].part for plan, _ in shuffled]
    for task in YES_NO_TASKS:
        pools = [[s for s in pool if s.task is task] for pool in statements]
        for number, pair in enumerate(balance.choose(pools, groups, rng)):
            rows += [
                _row(
                    shuffled[number][0],
                    task,
                    2 * number + place,
                    wording.word(statement, rng),
                    "Yes" if statement.truth else "No",
                )
                for place, statement in enumerate(pair)
            ]
    return [rows[index] for index in rng.permutation(len(rows))]


def _choice_rows(clips: Sequence[tuple[ClipPlan, Facts]], rng: Generator) -> list[Row]:
    """CMAR and FMAR questions."""
    codes = [plan.events[0].code for plan, _ in clips]
    rows = []
    for task, draw in ((Task.CMAR, choice.coarse_options), (Task.FMAR, choice.fine_options)):
        for number, (options, letter) in enumerate(draw(codes, rng)):
            lines = [f"{chr(ord('A') + place)}. {label}" for place, label in enumerate(options)]
            question = "\n".join([wording.pick(wording.STEMS[task], rng), *lines])
            rows.append(_row(clips[number][0], task, number, question, letter))
    return rows


def _open_rows(clips: Sequence[tuple[ClipPlan, Facts]], rng: Generator) -> list[Row]:
    """MADU and MARE questions with their references."""
    reference = {Task.MADU: describe, Task.MARE: explain}
    return [
        _row(
            plan,
            task,
            number,
            wording.pick(wording.STEMS[task], rng),
            reference[task](facts, plan),
        )
        for task in OPEN_TASKS
        for number, (plan, facts) in enumerate(clips)
    ]


def _row(plan: ClipPlan, task: Task, number: int, question: str, answer: str) -> Row:
    return {
        "video": f"{plan.name}.mp4",
        "task": task.value,
        "qid": f"{task.value}_{number:04d}",
        "question": question,
        "answer": answer,
    }
