"""Answer all questions of a recipe: what `fmau answer` does, also for scripts and notebooks."""

from collections.abc import Sequence
from pathlib import Path

from fmau.answer.engine import answer_questions
from fmau.answer.pending import unanswered
from fmau.answer.ray import answer_on_ray
from fmau.answer.summary import Summary
from fmau.dataset.questions import load_questions
from fmau.frames.reader import ClipReader
from fmau.prompting.prompts import prompts_of
from fmau.recipe import Recipe
from fmau.runs import open_run
from fmau.serve.reach import Waiting, in_silence, reached


def answer_recipe(
    recipe: Recipe,
    *,
    servers: Sequence[str] = (),
    adapter: str | Path | None = None,
    ray: str | None = None,
    progress: bool = True,
    waiting: Waiting = in_silence,
) -> Summary:
    """Ask the model every question of a recipe that has no final answer yet.

    The answers are written to `recipe.run_folder`. After a stop, the same call continues there.

    Args:
        servers: addresses of servers to ask, "http://HOST:PORT". If empty, the servers that run
            at the recipe's ports; if none runs there, servers are started and stopped again.
        adapter: folder of a LoRA adapter for the recipe's model.
        ray: address of a Ray cluster to use instead of local servers; also "auto" or "local".
        progress: draw a progress bar on stderr.
        waiting: display to show while servers start.

    Raises:
        RecipeError: unusable prompts, or no weights in the model's or adapter's folder.
        InputError: the question file or `answers.jsonl` has defects.
        RunError: the run folder belongs to other conditions, another process holds it, or it is
            not writable.
        ServerError: no server can be reached, or the server fails the checks before a run.
    """
    prompts = prompts_of(recipe)
    adapter = None if adapter is None else Path(adapter)
    for given, option in ((adapter, "an adapter"), (ray, "a Ray cluster")):
        if given is not None:
            recipe.check_weights(option)
    questions = load_questions(recipe.data.questions).questions
    with open_run(recipe, prompts, adapter=adapter) as run:
        if ray is not None:
            return answer_on_ray(run, recipe, prompts, questions, ray, progress=progress)
        if not unanswered(run, recipe, questions):  # do not start a server for nothing
            return Summary(total=len(questions), done_before=len(questions))
        reader = ClipReader(recipe.frames, recipe.data.cache)
        folder = recipe.run_folder
        with reached(recipe, folder, given=servers, adapter=adapter, waiting=waiting) as endpoint:
            return answer_questions(
                run, recipe, prompts, questions, endpoint, progress=progress, reader=reader
            )
