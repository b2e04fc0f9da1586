"""Answer questions on a Ray cluster, for sets much larger than the benchmark (`--ray`).

One row of the Ray dataset is one clip with its questions. Ray Data streams these rows through
actors. Each actor starts one vLLM server on the GPU that Ray assigned to it. The actor answers one
batch of clips at a time, with the same engine that a single machine uses. It returns rows of
`answers.jsonl`, and only the driver (this process) writes them. So the run folder looks the same,
and a stopped run is resumed in the same way.
"""

import json
import logging
import math
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib import util
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from fmau.answer.cache_report import CacheReport
from fmau.answer.engine import answer_clips
from fmau.answer.order import ClipQuestions, by_clip
from fmau.answer.pending import Pending, pending_clips
from fmau.answer.progress import AnswerProgress
from fmau.answer.summary import Summary
from fmau.core.errors import ServerError
from fmau.core.records import Answer, Question, RowMark
from fmau.frames.reader import ClipReader
from fmau.prompting.prompts import PromptSet
from fmau.recipe import Recipe
from fmau.runs import Run
from fmau.serve import replicas, start_server
from fmau.serve.adapter import read_adapter
from fmau.serve.client import Endpoint

LOCAL = "local"
BATCH_ROUNDS = 16
"""Batch size of an actor, in multiples of `clips_in_flight`. At the end of each batch fewer clips
are in flight, so large batches use the server better."""

_QUESTIONS = TypeAdapter(tuple[Question, ...])
_CACHE_REPORT = TypeAdapter(CacheReport)


def answer_on_ray(
    run: Run,
    recipe: Recipe,
    prompts: PromptSet,
    questions: Sequence[Question],
    address: str,
    *,
    progress: bool = True,
) -> Summary:
    """Do the same as `answer_questions`, with one server per GPU of the cluster.

    `serve.replicas` in the recipe sets another number of servers.

    Args:
        address: address of the cluster; "auto" for the cluster that this machine belongs to,
            "local" to start a cluster here.

    Raises:
        ServerError: the package ray is missing; or an actor's server did not start, or failed
            twice on the same clips.
        RunError: the rows cannot be written.
        RecipeError, InputError: the servers would not apply the run's adapter.
    """
    if util.find_spec("ray") is None:
        raise ServerError("--ray needs the package ray; pip install 'fmau[ray]'")
    import ray

    summary = Summary(len(questions))
    items = [_item(asked) for asked in pending_clips(run, recipe, by_clip(questions), summary)]
    if not items:
        return summary
    if run.adapter:
        read_adapter(Path(run.adapter), recipe.model)  # actors would raise it inside their errors
    started = time.monotonic()
    ray.init(
        address=None if address == LOCAL else address,
        log_to_driver=False,
        logging_level=logging.WARNING,
    )
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    ray.data.DataContext.get_current().enable_progress_bars = False  # we draw ours
    try:
        with AnswerProgress(summary, shown=progress) as bar:
            for row, report in _answered(items, recipe, prompts, run.adapter):
                run.append(row)
                summary.count(row)
                bar.advance(row.status)
                if report is not None:
                    summary.cache_report.add(report)
    except ray.exceptions.RayError as error:
        last = str(error).strip().splitlines()[-1]
        raise ServerError(
            f"the Ray cluster failed: {last}; the rows written so far are safe, run the same "
            "command again to continue"
        ) from error
    finally:
        ray.shutdown()
        summary.seconds = round(time.monotonic() - started, 3)
        run.note(summary.facts() | {"ray": address})
    return summary


def _answered(
    items: Sequence[Mapping[str, str]], recipe: Recipe, prompts: PromptSet, adapter: str | None
) -> Iterator[tuple[Answer, CacheReport | None]]:
    """Yield rows as the actors return them; the first row of a batch has the batch's report."""
    import ray

    gpus = int(ray.cluster_resources().get("GPU", 0))
    servers = replicas(recipe.serve, gpus)
    batch = min(BATCH_ROUNDS * recipe.answer.clips_in_flight, math.ceil(len(items) / servers))
    dataset = ray.data.from_items(list(items), override_num_blocks=math.ceil(len(items) / batch))
    answered = dataset.map_batches(
        AnswerActor,
        fn_constructor_args=(
            _with_absolute_paths(recipe).model_dump(mode="json"),
            prompts.model_dump(mode="json"),
            adapter and str(Path(adapter).resolve()),
        ),
        compute=ray.data.ActorPoolStrategy(size=servers),
        batch_size=batch,
        num_gpus=1 if gpus else 0,
        num_cpus=1,
    )
    for columns in answered.iter_batches(batch_size=None):
        for row, report in zip(columns["row"], columns["cache_report"], strict=True):
            found = _CACHE_REPORT.validate_json(report) if report else None
            yield Answer.model_validate_json(row), found


class AnswerActor:
    """One vLLM server and the engine that asks it. Ray creates one actor per GPU and calls it."""

    def __init__(
        self, recipe: dict[str, Any], prompts: dict[str, Any], adapter: str | None
    ) -> None:
        self.recipe = Recipe.model_validate(recipe)
        self.prompts = PromptSet.model_validate(prompts)
        self.adapter = adapter
        self.reader = ClipReader(self.recipe.frames, self.recipe.data.cache)
        self.log = Path(tempfile.mkdtemp(prefix="fmau-server-")) / "server.log"
        self._start()

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[str]]:
        """Answer a batch of clips. If the server fails, restart it once and try again.

        Args:
            batch: the columns that `_item` describes, one entry per clip.

        Returns:
            "row": rows of `answers.jsonl` as JSON; "cache_report": the report of the whole batch
            beside the first row, "" beside the others.
        """
        try:
            return self._answer(batch)
        except ServerError:
            self.server.stop()
            self._start()
            return self._answer(batch)

    def _answer(self, batch: Mapping[str, Any]) -> dict[str, list[str]]:
        clips = [
            ClipQuestions(str(clip), _QUESTIONS.validate_json(questions))
            for clip, questions in zip(batch["clip"], batch["questions"], strict=True)
        ]
        marks: dict[str, RowMark] = {}
        for of_clip in batch["marks"]:
            marks |= {qid: RowMark(*mark) for qid, mark in json.loads(of_clip).items()}
        collected = _Collected(self.adapter, marks)
        summary = answer_clips(
            collected,
            self.recipe,
            self.prompts,
            clips,
            Endpoint(self.server.base_url, logs=(self.log,)),
            total=len(marks),
            progress=False,
            reader=self.reader,
        )
        rows = [row.model_dump_json() for row in collected.answers]
        took = _CACHE_REPORT.dump_json(summary.cache_report).decode()
        return {"row": rows, "cache_report": [took, *[""] * (len(rows) - 1)]}

    def _start(self) -> None:
        serve = self.recipe.serve.model_copy(update={"host": "127.0.0.1", "port": _free_port()})
        recipe = self.recipe.model_copy(update={"serve": serve})
        adapter = read_adapter(Path(self.adapter), recipe.model) if self.adapter else None
        self.server = start_server(recipe, log_path=self.log, adapter=adapter)
        self.server.wait_ready()


class _Collected:
    """Collects rows in memory, in place of a run folder.

    Attributes:
        answers: the rows collected so far.
    """

    def __init__(self, adapter: str | None, marks: Mapping[str, RowMark]) -> None:
        self.adapter = adapter
        self.answers: list[Answer] = []
        self._marks = marks

    def row_mark(self, question: Question, clip_bytes: int | None) -> RowMark:
        """The fingerprints that the driver computed."""
        return self._marks[question.qid]

    def is_done(self, qid: str, row_fingerprint: str) -> bool:
        """Always False: the driver sends only unanswered questions."""
        return False

    def append(self, answer: Answer) -> None:
        """Collect one row."""
        self.answers.append(answer)

    def note(self, facts: dict[str, Any]) -> None:
        """Do nothing: the driver notes the facts of all actors together."""


def _item(asked: Pending) -> dict[str, str]:
    """One dataset row: a clip, its questions and the marks of their rows (by qid) as JSON."""
    questions = tuple(question for question, _ in asked.questions)
    return {
        "clip": asked.clip,
        "questions": _QUESTIONS.dump_json(questions).decode(),
        "marks": json.dumps({question.qid: mark for question, mark in asked.questions}),
    }


def _with_absolute_paths(recipe: Recipe) -> Recipe:
    """The recipe with absolute paths, because an actor has another working directory."""
    model, data = recipe.model, recipe.data
    if Path(model.path).is_dir():
        model = model.model_copy(update={"path": str(Path(model.path).resolve())})
    cache = data.cache and data.cache.resolve()
    data = data.model_copy(update={"clips": data.clips.resolve(), "cache": cache})
    return recipe.model_copy(update={"model": model, "data": data})


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
