"""fmau: fine-grained micro-action understanding with multimodal LLMs.

    import fmau

    recipe = fmau.load_recipe("zero_shot_qwen3_vl_8b")
    fmau.answer_recipe(recipe)
    run = fmau.score_run(recipe.run_folder)
    print(run.scores.closed_avg)

The names below are what the commands use; docs/python.md shows them at work. Each is loaded from
its room when it is first asked for, so that `import fmau` takes no time.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fmau.answer import answer_recipe
    from fmau.cli.check import check_recipe
    from fmau.core.errors import FmauError
    from fmau.dataset.questions import load_questions
    from fmau.judge.judges import load_judge
    from fmau.judge.session import judge_run
    from fmau.prompting.prompts import load_prompts
    from fmau.recipe import Recipe, load_recipe
    from fmau.report import write_exports, write_report
    from fmau.report.exports import answers_frame, table4_frame
    from fmau.score import (
        ScoredRun,
        Scores,
        compare_runs,
        score_predictions,
        score_run,
    )
    from fmau.score.submission import submit_run

_HOMES = {
    "FmauError": "fmau.core.errors",
    "Recipe": "fmau.recipe",
    "ScoredRun": "fmau.score",
    "Scores": "fmau.score",
    "answer_recipe": "fmau.answer",
    "answers_frame": "fmau.report.exports",
    "check_recipe": "fmau.cli.check",
    "compare_runs": "fmau.score",
    "judge_run": "fmau.judge.session",
    "load_judge": "fmau.judge.judges",
    "load_prompts": "fmau.prompting.prompts",
    "load_questions": "fmau.dataset.questions",
    "load_recipe": "fmau.recipe",
    "score_predictions": "fmau.score",
    "score_run": "fmau.score",
    "submit_run": "fmau.score.submission",
    "table4_frame": "fmau.report.exports",
    "write_exports": "fmau.report",
    "write_report": "fmau.report",
}

__version__ = version("fmau")
__all__ = [
    "FmauError",
    "Recipe",
    "ScoredRun",
    "Scores",
    "__version__",
    "answer_recipe",
    "answers_frame",
    "check_recipe",
    "compare_runs",
    "judge_run",
    "load_judge",
    "load_prompts",
    "load_questions",
    "load_recipe",
    "score_predictions",
    "score_run",
    "submit_run",
    "table4_frame",
    "write_exports",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fmau' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
