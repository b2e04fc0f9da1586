"""Judge a run or a calibration set, from its folder to `verdicts.jsonl`: what `fmau judge` does."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from fmau.core.errors import RunError, ServerError
from fmau.core.files import digest
from fmau.core.taxonomy import OPEN_TASKS, Task
from fmau.judge.embedded.run import judge_by_rule
from fmau.judge.engine import Progress, judge_calls, remaining
from fmau.judge.estimate import Estimate, estimate
from fmau.judge.items import JudgeItem, items_of
from fmau.judge.judges import EMBEDDED, EmbeddedJudge, Judge, LlmJudge
from fmau.judge.request import plan_calls
from fmau.judge.rubric import load_rubric
from fmau.judge.summary import JudgeSummary
from fmau.judge.verdicts import VerdictFile, introduce
from fmau.runs import VERDICTS, JudgeNote, reopen_run
from fmau.score.joined import Joined, read_joined
from fmau.serve.client import Endpoint, remote_endpoint
from fmau.serve.reach import Waiting, reached
from fmau.serve.reach import in_silence as starts_unseen

Reach = Callable[[], AbstractContextManager[Endpoint]]
"""Opens a context that gives the endpoint of a judge's model; starts a server if necessary."""

Shown = Callable[[], AbstractContextManager[Progress]]
"""Opens a display of the progress: how many calls are done."""


def in_silence() -> AbstractContextManager[Progress]:
    """A display that shows nothing."""
    return nullcontext(lambda _done, _total: None)


@contextmanager
def judge_reached(
    judge: LlmJudge, folder: Path, *, given: Sequence[str] = (), waiting: Waiting = starts_unseen
) -> Iterator[Endpoint]:
    """Give the endpoint of a judge's model: its API, or servers found by `fmau.serve.reach`.

    Args:
        folder: folder for the logs of started servers.
        given: addresses of servers; for a judge behind an API, another address of that API.
        waiting: display to show while servers start.

    Raises:
        ServerError: several addresses are given for an API, its key is unusable, or no server can
            be reached.
    """
    if judge.remote is not None:
        if len(given) > 1:
            raise ServerError("a judge behind an API has only one address; give --server once")
        yield remote_endpoint(judge.remote, given[0] if given else None)
        return
    assert judge.served is not None
    with reached(judge.served, folder, given=given, waiting=waiting) as endpoint:
        yield endpoint


def way_to(judge: Judge, folder: Path, given: Sequence[str], waiting: Waiting) -> Reach:
    """A function that opens the endpoint of a judge's model; arguments as for `judge_reached`."""

    def reach() -> AbstractContextManager[Endpoint]:
        assert isinstance(judge, LlmJudge), "the embedded rule asks no server"
        return judge_reached(judge, folder, given=given, waiting=waiting)

    return reach


def run_items(run: Joined, limit: int | None = None) -> list[JudgeItem]:
    """The answers of a run that can be judged, in the order of its question file.

    Args:
        limit: highest number of answers, an equal share from each open task; None for all.
    """
    items = items_of(run.questions, run.answers)
    if limit is None:
        return items
    own = [task for task in run.questions.own_tasks if task.is_open]
    found = [[item for item in items if item.task == task] for task in (*OPEN_TASKS, *own)]
    found = [some for some in found if some]
    dealt = [
        some[: limit // len(found) + (place < limit % len(found))]
        for place, some in enumerate(found)
    ]
    return [item for some in dealt for item in some]


def judge_note(judge: Judge) -> JudgeNote:
    """The manifest's note about a judge: its conditions and their fingerprint.

    Raises:
        RecipeError: the judge's model folder has no weights, or its rubric is not usable.
    """
    if isinstance(judge, EmbeddedJudge):
        conditions = judge.conditions()
    else:
        conditions = judge.conditions(load_rubric(judge.rubric))
    proxy = isinstance(judge, EmbeddedJudge)
    return JudgeNote(fingerprint=digest(conditions), conditions=conditions, proxy=proxy)


def judge_items(
    items: Sequence[JudgeItem],
    judge: Judge,
    note: JudgeNote,
    verdicts: VerdictFile,
    reach: Reach,
    shown: Shown = in_silence,
    *,
    unscored: bool = False,
) -> JudgeSummary:
    """Judge every item that has no final verdict in `verdicts`.

    Args:
        reach: opens the endpoint; called only if there are calls to make.
        shown: display to open when the judge's model is ready.
        unscored: ask again about answers whose verdict has no scores.

    Raises:
        ServerError: the judge's server cannot be reached, refuses every request, or gives no reply
            that holds scores.
        RunError: the verdicts cannot be written.
    """
    if isinstance(judge, EmbeddedJudge):
        done = frozenset(verdicts.done)
        return judge_by_rule(items, judge, note.fingerprint, done=done, append=verdicts.append)
    calls = plan_calls(items, judge, note.fingerprint)
    if not remaining(calls, verdicts.done, unscored=unscored):
        return JudgeSummary(len(calls), len(calls))
    with reach() as endpoint, shown() as progress:
        return judge_calls(
            calls,
            judge,
            load_rubric(judge.rubric),
            endpoint,
            done=verdicts.done,
            append=verdicts.append,
            progress=progress,
            unscored=unscored,
        )


def judge_run(
    folder: str | Path,
    judge: Judge = EMBEDDED,
    *,
    questions: str | Path | None = None,
    limit: int | None = None,
    unscored: bool = False,
    servers: Sequence[str] = (),
    waiting: Waiting = starts_unseen,
    shown: Shown = in_silence,
) -> JudgeSummary:
    """Judge the open answers of a run that have no final verdict yet: what `fmau judge` does.

    The verdicts are written to `folder`/verdicts.jsonl. After a stop, the same call continues.

    Args:
        judge: see `fmau.judge.judges.load_judge`; the embedded rule is only a proxy, not an LLM.
        questions: the question file; None for the one that the run's recipe names.
        limit: highest number of answers to judge, equally from each open task; None for all.
        unscored: ask an LLM again about answers whose verdict has no scores.
        servers: addresses of servers of the judge's model; if empty, running servers are found
            at its ports, or servers are started.
        waiting, shown: see `judge_reached` and `judge_items`.

    Raises:
        RunError: the folder has no run, there is nothing to judge, or it is not writable.
        InputError: the question file or a row has defects.
        RecipeError: the judge's model or rubric cannot be used.
        ServerError: the judge's server cannot be reached, refuses every request, or gives no reply
            that holds scores.
    """
    folder = Path(folder)
    joined = read_joined(folder, None if questions is None else Path(questions))
    items = run_items(joined, limit)
    if not items:
        raise RunError(
            f"{folder}: no open answer with a reference, so there is nothing to judge; the "
            "question file must contain the reference answers of its open tasks"
        )
    if isinstance(judge, EmbeddedJudge) and not any(isinstance(i.task, Task) for i in items):
        raise RunError(
            f"{folder}: the embedded judge has rules for MADU and MARE alone, and these open "
            "answers are to tasks of your own; name an LLM as judge (--judge)"
        )
    note = judge_note(judge)
    reach = way_to(judge, folder / f"judge-{judge.name}", servers, waiting)
    with reopen_run(folder, "judge") as run, VerdictFile(folder / VERDICTS) as verdicts:
        introduce(run, judge.name, note, verdicts)
        summary = judge_items(items, judge, note, verdicts, reach, shown, unscored=unscored)
        summary.stale = len(joined.stale)
        summary.without_reference = sum(
            question.task.is_open
            and question.qid in joined.answers
            and question.qid not in joined.questions.gold
            for question in joined.questions.questions
        )
        run.note(summary.facts())
    return summary


def estimate_run(items: Sequence[JudgeItem], judge: LlmJudge, note: JudgeNote) -> Estimate:
    """Estimate the work of judging all of `items`, including those that are judged already."""
    calls = plan_calls(items, judge, note.fingerprint)
    return estimate(calls, judge, load_rubric(judge.rubric))
