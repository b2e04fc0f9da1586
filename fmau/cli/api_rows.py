"""What `fmau check` shows of a model behind an API: where it is, its key, what it would cost."""

from collections.abc import Iterator, Sequence

from fmau.core.records import Question
from fmau.frames.clip import ClipFrames
from fmau.prompting.prompts import PromptSet
from fmau.recipe import ApiBlock, Recipe


def estimate_text(
    recipe: Recipe, prompts: PromptSet, questions: Sequence[Question], frames: ClipFrames
) -> str | None:
    """The estimate for all questions of a recipe; None if its model is not behind an API."""
    if recipe.api is None:
        return None
    from fmau.answer.estimate import estimate_questions  # brings the client of servers

    return estimate_questions(recipe, prompts, questions, frames).text()


def api_rows(api: ApiBlock, model: str, estimate: str | None) -> Iterator[tuple[str, str]]:
    """Rows of the plan, as (label, text).

    Raises:
        ServerError: the key in the environment can stand in no HTTP header.
    """
    from fmau.serve.client import read_key

    key = "is set" if read_key(api.key_variable) else "is not set: requests go without a key"
    yield "model", f"{model}, behind the API {api.place}"
    yield "key", f"{api.key_variable} {key}"
    if estimate is not None:
        yield "estimate", estimate
