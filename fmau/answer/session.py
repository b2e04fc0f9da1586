"""From a recipe to its `answers.jsonl`: what `fmau answer` does, for any caller."""

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
    """Put every question of a recipe that has no final answer yet to the model.

    The answers are in `recipe.run_folder`; the same call goes on where an earlier one stopped.

    Args:
        servers: addresses of servers to ask, "http://HOST:PORT"; none for those at the recipe's
            ports, or, where none runs, for some that are started and stopped again.
        adapter: folder of a LoRA adapter on the recipe's model.
        ray: address of a Ray cluster to use instead of servers here: "auto", "local", an address.
        progress: draw a progress bar on stderr.
        waiting: shown while servers start.

    Raises:
        RecipeError: unusable prompts, or no weights in the model's or adapter's folder.
        InputError: the question file or `answers.jsonl` has defects.
        RunError: the run folder is of other conditions, held by another process, or not writable.
        ServerError: no server can be reached, or it is not fit to answer.
    """
    prompts = prompts_of(recipe)
    adapter = None if adapter is None else Path(adapter)
    questions = load_questions(recipe.data.questions).questions
    with open_run(recipe, prompts, adapter=adapter) as run:
        if ray is not None:
            return answer_on_ray(run, recipe, prompts, questions, ray, progress=progress)
        if not unanswered(run, recipe, questions):  # else a server would be started for nothing
            return Summary(total=len(questions), done_before=len(questions))
        reader = ClipReader(recipe.frames, recipe.data.cache)
        folder = recipe.run_folder
        with reached(recipe, folder, given=servers, adapter=adapter, waiting=waiting) as endpoint:
            return answer_questions(
                run, recipe, prompts, questions, endpoint, progress=progress, reader=reader
            )
