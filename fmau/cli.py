"""The command line: composes the stages and prints; every decision lies in the stages.

Heavy imports stand inside the commands, so that `fmau --help` and a mistyped path answer at once.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

from fmau.errors import FmauError, RecipeError, ServerError
from fmau.recipe import Recipe, load_recipe

if TYPE_CHECKING:
    from fmau.serve import Server

EXTRAS = {
    "mini": "mini",
    "check": "frames",
    "frames": "frames",
    "answer": "answer",
    "ask": "answer",
    "export": "train",
}
"""Command -> the extra with its optional packages; what is not listed needs none."""


class Commands(TyperGroup):
    """The commands; one whose packages are not installed says which extra to install."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the arguments name.

        Raises:
            FmauError: a package that it needs is not installed.
        """
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            package = str(error.name).partition(".")[0]
            if package == "fmau":
                raise  # our own mistake, and a traceback shows it best
            extra = EXTRAS.get(str(ctx.invoked_subcommand))
            what = f"fmau[{extra}]" if extra else "fmau"
            raise FmauError(
                f"fmau {ctx.invoked_subcommand} needs the package {package}, which is not "
                f"installed; pip install '{what}'"
            ) from error


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Fine-grained micro-action understanding with multimodal LLMs.",
)
# A pipe or a log file has no width of its own; there, tables get the room they need.
out = Console(width=None if sys.stdout.isatty() else 120)
err = Console(stderr=True)

RecipeFile = Annotated[Path, typer.Argument(metavar="RECIPE", help="Recipe, a YAML file.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Run folder, e.g. runs/NAME.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a recipe value: serve.port=9000"),
]
ServerUrl = Annotated[
    str | None,
    typer.Option("--server", metavar="URL", help="Ask this server instead of starting one."),
]
AdapterFolder = Annotated[
    Path | None,
    typer.Option("--adapter", metavar="DIR", help="LoRA adapter on the recipe's model."),
]

API_KEY = "FMAU_API_KEY"
"""Environment variable that holds the server's key: a secret belongs in no recipe or manifest."""


def main() -> None:
    """Run the command line; mistakes that people make are printed without a traceback."""
    try:
        app()
    except FmauError as error:
        err.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(1)


@app.command()
def mini(
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write.")],
    clips: Annotated[int, typer.Option(min=7, help="Test clips, 12 questions each.")] = 50,
    train_clips: Annotated[int, typer.Option(min=0, help="Training clips.")] = 200,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal benchmarks.")] = 0,
    sheet: Annotated[
        bool, typer.Option("--sheet", help="Also draw all 52 actions, as OUT/actions.png.")
    ] = False,
) -> None:
    """Write a mini benchmark: rendered clips, captions, questions with provable answers."""
    from fmau.mini.write import write_mini

    with _progress("rendering clips") as progress:
        write_mini(folder, clips=clips, train_clips=train_clips, seed=seed, progress=progress)
    if sheet:
        from fmau.mini.sheet import write_sheet
        from fmau.taxonomy import actions

        write_sheet(folder / "actions.png", [action.code for action in actions()], seed)
    out.print(
        f"{folder}: {clips} test clips with {12 * clips} questions, {train_clips} training clips "
        "with captions"
    )


@app.command()
def check(recipe_file: RecipeFile, overrides: Overrides = None) -> None:
    """Validate recipe, prompts, questions and clips; print the plan."""
    from fmau.check import check_recipe, plan_table

    recipe = load_recipe(recipe_file, overrides or ())
    with err.status("reading questions and clips"):
        plan = check_recipe(recipe)
    out.print(plan_table(recipe, plan))


@app.command()
def frames(
    recipe_file: RecipeFile,
    overrides: Overrides = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Also decode and check every frame in the cache.")
    ] = False,
) -> None:
    """Extract the frames of a recipe's training clips once. Run it again to go on."""
    from fmau.dataset.questions import clip_path
    from fmau.dataset.training import load_training_data
    from fmau.frames.cache import FrameCache, build_cache
    from fmau.runs.manifest import usable_cores

    recipe = load_recipe(recipe_file, overrides or ())
    if recipe.train is None:
        raise RecipeError(f"{recipe_file}: no train block, so there are no frames to extract")
    data = recipe.train.data
    with err.status("reading captions"):
        clips = load_training_data(recipe.train).clips()
    with _progress("extracting frames") as progress:
        summary = build_cache(
            data.cache,
            {clip: clip_path(data.clips, clip) for clip in clips},
            recipe.frames,
            workers=usable_cores(),
            progress=progress,
        )
    for reason in summary.failed.values():
        err.print(f"[yellow]no frames:[/] {escape(reason)}", highlight=False, soft_wrap=True)
    out.print(
        f"{data.cache}: {summary.done:,} clips extracted in {summary.seconds:.0f} s, "
        f"{summary.kept:,} were there, {len(summary.failed):,} failed"
    )
    if verify:
        with _progress("checking frames") as progress:
            FrameCache(data.cache).verify(workers=usable_cores(), progress=progress)
    if summary.failed and not data.skip_bad_clips:
        raise typer.Exit(1)


@app.command()
def export(
    adapter: Annotated[Path, typer.Argument(metavar="ADAPTER", help="Folder RUN/adapter.")],
    merge: Annotated[
        bool, typer.Option("--merge", help="Also write base model + adapter as one checkpoint.")
    ] = False,
    to: Annotated[
        Path | None, typer.Option("--out", help="Folder for it; default: RUN/merged.")
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Base model; default: the one it was trained on."),
    ] = None,
    runs: Annotated[
        list[Path] | None, typer.Option("--run", help="Run that answered with it, for the card.")
    ] = None,
) -> None:
    """Check an adapter against its base model, write its model card, and merge it on demand."""
    from fmau.export import export_adapter
    from fmau.report import score_run

    if to and not merge:
        raise typer.BadParameter("--out is for --merge")
    merge_to = (to or adapter.parent / "merged") if merge else None
    scores = {run.name: run.scores for run in map(score_run, runs or ())}
    with err.status("merging" if merge else "checking"):
        done = export_adapter(adapter, base=base, merge_to=merge_to, scores=scores)
    out.print(escape(done.text()), highlight=False)


@app.command()
def serve(
    recipe_file: RecipeFile, overrides: Overrides = None, adapter: AdapterFolder = None
) -> None:
    """Start vLLM for a recipe and keep it running until Ctrl-C; base model and adapter at once."""
    recipe = load_recipe(recipe_file, overrides or ())
    served = f"{recipe.model.path} and {adapter}" if adapter else recipe.model.path
    try:
        with _started(recipe, adapter) as server:
            out.print(f"{escape(served)} answer at {server.base_url}; Ctrl-C stops the server")
            server.wait_ended()
    except KeyboardInterrupt:
        out.print("stopped")


@app.command()
def answer(
    recipe_file: RecipeFile,
    overrides: Overrides = None,
    server: ServerUrl = None,
    adapter: AdapterFolder = None,
) -> None:
    """Put a recipe's questions to the model: RUN/answers.jsonl. Run it again to go on."""
    from fmau.answer import Summary, answer_questions, unanswered
    from fmau.dataset.questions import load_questions
    from fmau.prompts import load_prompts
    from fmau.runs import open_run

    recipe = load_recipe(recipe_file, overrides or ())
    prompts = load_prompts(recipe.prompt.set)
    questions = load_questions(recipe.data.questions).questions
    summary = Summary(total=len(questions), done_before=len(questions))
    with open_run(recipe, prompts, adapter=adapter) as run:
        if unanswered(run, recipe, questions):  # else a server would be started for nothing
            with _base_url(recipe, server, adapter) as url:
                summary = answer_questions(run, recipe, prompts, questions, url, api_key=_key())
    out.print(escape(summary.text()), highlight=False)
    out.print(f"answers: {recipe.run_folder / 'answers.jsonl'}")
    if not summary.complete:
        raise typer.Exit(1)


@app.command()
def score(
    run: Annotated[
        Path | None, typer.Argument(metavar="[RUN]", help="Run folder; or give both files.")
    ] = None,
    questions: Annotated[Path | None, typer.Option(help="Question file with answers.")] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="Prediction file in the official format.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print scores as JSON.")] = False,
) -> None:
    """Score a run, or any prediction file in the official format."""
    from fmau.dataset.questions import load_questions
    from fmau.report import print_scores, score_run
    from fmau.score import load_predictions
    from fmau.score import score as score_answers

    if run is not None and questions is None and predictions is None:
        name, scores = run.name, score_run(run).scores
    elif run is None and questions is not None and predictions is not None:
        file = load_questions(questions)
        name, scores = predictions.stem, score_answers(file, load_predictions(predictions, file))
    else:
        raise typer.BadParameter("give a RUN, or both --questions and --predictions")
    if as_json:
        print(scores.model_dump_json(indent=2))
    else:
        print_scores({name: scores}, out)


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders.")],
    to: Annotated[
        Path | None, typer.Option("--out", help="HTML file; default: report.html in the first RUN.")
    ] = None,
) -> None:
    """Write report.html and print Table 4."""
    from fmau.report import print_scores, score_run, write_report

    path = write_report(runs, to or runs[0] / "report.html")  # refuses runs that do not compare
    print_scores({scored.name: scored.scores for scored in map(score_run, runs)}, out)
    out.print(f"report: {path}")


@app.command()
def submit(
    run: RunFolder,
    team: Annotated[str, typer.Option(help="Team name; the file is TEAM_prediction.json.")],
    to: Annotated[Path, typer.Option("--out", help="Folder to write to.")] = Path("."),
) -> None:
    """Write and validate the challenge's submission file."""
    from fmau.submit import submit_run

    submission = submit_run(run, team, to)
    for warning in submission.warnings:
        err.print(f"[yellow]warning:[/] {escape(warning)}")
    out.print(f"submission: {submission.path}")


@app.command()
def ask(
    clip: Annotated[Path, typer.Argument(metavar="CLIP", help="Video file.")],
    question: Annotated[str, typer.Argument(help="In your own words.")],
    recipe_file: RecipeFile,
    overrides: Overrides = None,
    server: ServerUrl = None,
) -> None:
    """Ask one question about one clip."""
    from fmau.answer.single import ask_clip
    from fmau.frames.clip import read_clip
    from fmau.prompts import load_prompts

    recipe = load_recipe(recipe_file, overrides or ())
    prompts = load_prompts(recipe.prompt.set)
    frames = read_clip(clip, recipe.frames)
    with _base_url(recipe, server) as base_url:
        print(ask_clip(frames, question, recipe, prompts, base_url, api_key=_key()))


def _key() -> str | None:
    return os.environ.get(API_KEY)


@contextmanager
def _base_url(recipe: Recipe, given: str | None, adapter: Path | None = None) -> Iterator[str]:
    """The server to ask: the given one, one that runs at the recipe's port, or one of our own.

    A server that others started is asked first whether clips reach its model unchanged.
    """
    from fmau.serve import check_clips, local_url, running_model

    if given and not given.startswith(("http://", "https://")):
        raise typer.BadParameter(f"--server {given}: write http://HOST:PORT")
    address = (given or local_url(recipe.serve)).rstrip("/").removesuffix("/v1")
    running = running_model(address, _key())
    if running is not None:
        check_clips(address, running.name, recipe.frames, _key())
        yield address
    elif given:
        raise ServerError(
            f"{address}: no server answers; start one with fmau serve RECIPE, or leave --server out"
        )
    else:
        with _started(recipe, adapter) as server:
            yield server.base_url


@contextmanager
def _started(recipe: Recipe, adapter: Path | None = None) -> "Iterator[Server]":
    """A server of our own, ready; stopped when the block ends."""
    from fmau.serve import start_server

    log = recipe.run_folder / "server.log"
    with start_server(recipe, log_path=log, api_key=_key(), adapter=adapter) as server:
        with err.status("starting vLLM") as status:
            server.wait_ready(lambda line: status.update(f"starting vLLM: {escape(line[:90])}"))
        yield server


@contextmanager
def _progress(what: str) -> "Iterator[Callable[[int, int], None]]":
    """A progress bar as a function of (done, total)."""
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
