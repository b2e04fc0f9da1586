"""Commands that run models: serve, answer, ask, export."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from fmau.cli.app import AdapterFolder, Overrides, RecipeFile, ServerUrls, app, err, out
from fmau.cli.servers import starting
from fmau.core.errors import RecipeError
from fmau.core.output import printable
from fmau.recipe import load_recipe

if TYPE_CHECKING:
    from fmau.score import ScoredRun


@app.command()
def export(
    adapter: Annotated[Path, typer.Argument(metavar="ADAPTER", help="Folder RUN/adapter.")],
    merge: Annotated[
        bool, typer.Option("--merge", help="Also write base model + adapter as one checkpoint.")
    ] = False,
    to: Annotated[
        Path | None, typer.Option("--out", help="Folder for --merge; default: RUN/merged.")
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Base model; default: the one it was trained on."),
    ] = None,
    runs: Annotated[
        list[Path] | None,
        typer.Option("--run", help="Run with this adapter; the model card shows its scores."),
    ] = None,
) -> None:
    """Check an adapter against its base model, write its model card; with --merge, merge both."""
    from fmau.cli.results import print_notes
    from fmau.score import score_run
    from fmau.train.export import export_adapter

    if to and not merge:
        raise typer.BadParameter("--out needs --merge")
    merge_to = (to or adapter.parent / "merged") if merge else None
    scored = [score_run(run) for run in runs or ()]
    print_notes(*scored)
    _warn_of_others(adapter, scored)
    scores = {run.name: run.scores for run in scored}
    with err.status("merging" if merge else "checking"):
        done = export_adapter(adapter, base=base, merge_to=merge_to, scores=scores)
    out.print(escape(done.text()), highlight=False)


def _warn_of_others(adapter: Path, scored: Sequence["ScoredRun"]) -> None:
    """Warn of runs that were not answered with this adapter. A merged model's run is one of them,
    so they are not refused."""
    from fmau.runs import folder_digest

    digest = folder_digest(adapter) if scored else None
    for run in scored:
        if run.manifest.conditions.get("adapter") != digest:
            text = (
                f"{run.name} was not answered with {adapter}, but the model card shows its scores"
            )
            err.print(f"[yellow]warning:[/] {escape(text)}", highlight=False, soft_wrap=True)


@app.command(hidden=True, context_settings={"ignore_unknown_options": True})
def train(
    recipe_file: RecipeFile, others: Annotated[list[str] | None, typer.Argument()] = None
) -> None:
    """Say how training is started: it needs its own processes, one per GPU."""
    further = "".join(f" {one}" for one in others or ())
    raise RecipeError(
        "training is started by accelerate, which starts one process per GPU: accelerate launch "
        f"--config_file recipes/accelerate/single.yaml -m fmau.train {recipe_file}{further} "
        "(recipes/README.md has the configs for several GPUs)"
    )


@app.command()
def serve(
    recipe_file: RecipeFile, overrides: Overrides = None, adapter: AdapterFolder = None
) -> None:
    """Run vLLM for a recipe until Ctrl-C: one server per GPU, with base model and adapter."""
    from fmau.serve.reach import started

    recipe = load_recipe(recipe_file, overrides or ())
    served = f"{recipe.model.path} and {adapter}" if adapter else recipe.model.path
    try:
        with started(recipe, recipe.run_folder, adapter, starting) as fleet:
            addresses = ", ".join(fleet.base_urls)
            out.print(f"{escape(served)} served at {addresses}; Ctrl-C stops the server")
            fleet.wait_ended(lambda error: err.print(f"[yellow]lost:[/] {escape(str(error))}"))
    except KeyboardInterrupt:
        out.print("stopped")


@app.command()
def answer(
    recipe_file: RecipeFile,
    overrides: Overrides = None,
    server: ServerUrls = None,
    adapter: AdapterFolder = None,
    ray: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Use a Ray cluster: its address, auto, or local."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print requests, tokens and cost of an API.")
    ] = False,
) -> None:
    """Ask the model a recipe's questions: RUN/answers.jsonl. Run it again to continue."""
    from fmau.answer import answer_recipe
    from fmau.answer.estimate import estimate_left

    if ray is not None and server:
        raise typer.BadParameter(
            "give only one of --ray and --server: on a cluster each actor starts its own server"
        )
    recipe = load_recipe(recipe_file, overrides or ())
    if dry_run:
        out.print(escape(estimate_left(recipe).text()), highlight=False)
        return
    summary = answer_recipe(
        recipe, servers=server or (), adapter=adapter, ray=ray, waiting=starting
    )
    out.print(escape(summary.text()), highlight=False)
    out.print(f"answers: {recipe.run_folder / 'answers.jsonl'}")
    if not summary.complete:
        raise typer.Exit(1)


@app.command()
def ask(
    clip: Annotated[Path, typer.Argument(metavar="CLIP", help="Video file.")],
    question: Annotated[
        str, typer.Argument(metavar="QUESTION", help="Question in your own words.")
    ],
    recipe_file: RecipeFile,
    overrides: Overrides = None,
    server: ServerUrls = None,
) -> None:
    """Ask one question about one clip."""
    from fmau.answer.single import ask_clip
    from fmau.frames.clip import read_clip
    from fmau.prompting.prompts import prompts_of
    from fmau.serve.reach import reached

    if clip.suffix in {".yaml", ".yml"} or Path(question).suffix in {".yaml", ".yml"}:
        raise typer.BadParameter("the order is CLIP QUESTION RECIPE")
    recipe = load_recipe(recipe_file, overrides or ())
    prompts = prompts_of(recipe)
    frames = read_clip(clip, recipe.frames)
    with reached(recipe, recipe.run_folder, given=server or (), waiting=starting) as endpoint:
        print(printable(ask_clip(frames, question, recipe, prompts, endpoint)))
