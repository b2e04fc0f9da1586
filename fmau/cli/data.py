"""Commands about data: mini, check, frames, audit."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from fmau.cli.app import Overrides, RecipeFile, app, err, out, progress_bar
from fmau.core.errors import RecipeError
from fmau.core.output import print_json
from fmau.recipe import FramesBlock, load_recipe


@app.command()
def mini(
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write.")],
    clips: Annotated[int, typer.Option(min=7, help="Test clips, 12 questions each.")] = 50,
    train_clips: Annotated[int, typer.Option(min=0, help="Training clips.")] = 200,
    seed: Annotated[int, typer.Option(help="The same seed gives the same benchmark.")] = 0,
    sheet: Annotated[
        bool, typer.Option("--sheet", help="Also draw all 52 actions, as OUT/actions.png.")
    ] = False,
) -> None:
    """Write a mini benchmark: rendered clips, captions, questions with provable answers."""
    from fmau.demo.mini.write import write_mini

    with progress_bar("rendering clips") as progress:
        write_mini(folder, clips=clips, train_clips=train_clips, seed=seed, progress=progress)
    if sheet:
        from fmau.core.taxonomy import actions
        from fmau.demo.mini.sheet import write_sheet

        write_sheet(folder / "actions.png", [action.code for action in actions()], seed)
    out.print(
        f"{folder}: {clips} test clips with {12 * clips} questions, {train_clips} training clips "
        "with captions"
    )


@app.command()
def check(recipe_file: RecipeFile, overrides: Overrides = None) -> None:
    """Validate recipe, prompts, questions and clips; print the plan."""
    from fmau.cli.check import check_recipe, plan_table

    recipe = load_recipe(recipe_file, overrides or ())
    with err.status("reading questions and clips"):
        plan = check_recipe(recipe)
    out.print(plan_table(recipe, plan))


@app.command()
def frames(
    recipe_file: RecipeFile,
    overrides: Overrides = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Also check every frame, and decode every clip a second time."
        ),
    ] = False,
) -> None:
    """Extract a recipe's frames into data.cache and train.data.cache. Run it again to continue."""
    from fmau.dataset.questions import load_questions
    from fmau.dataset.training import load_training_data

    recipe = load_recipe(recipe_file, overrides or ())
    asked, train = recipe.data, recipe.train
    if asked.cache is None and train is None:
        raise RecipeError(
            f"{recipe_file}: no data.cache and no train block, so there are no frames to extract; "
            "for the clips of the questions: --set data.cache=FOLDER"
        )
    complete = True
    if asked.cache is not None:
        with err.status("reading questions"):
            questions = load_questions(asked.questions).questions
        files = {question.clip: question.file for question in questions}
        complete &= _extract(asked.cache, asked.clips, files, recipe.frames, verify=verify)
    if train is not None:
        with err.status("reading captions"):
            files = {clip: clip for clip in load_training_data(train).clips()}
        data = train.data
        found = _extract(data.cache, data.clips, files, recipe.frames, verify=verify)
        complete &= found or data.skip_bad_clips
    if not complete:
        raise typer.Exit(1)


def _extract(
    cache: Path, folder: Path, files: Mapping[str, str], spec: FramesBlock, *, verify: bool
) -> bool:
    """Extract clips into a cache and print a summary. Returns whether all clips are in it."""
    from fmau.core.hardware import usable_cores
    from fmau.dataset.clips import clip_paths
    from fmau.frames.cache import FrameCache, build_cache, recheck

    paths, unclear = clip_paths(folder, files)
    with progress_bar("extracting frames") as progress:
        summary = build_cache(cache, paths, spec, workers=usable_cores(), progress=progress)
    failed = {**unclear, **summary.failed}
    for reason in failed.values():
        err.print(f"[yellow]no frames:[/] {escape(reason)}", highlight=False, soft_wrap=True)
    out.print(
        f"{cache}: {summary.done:,} clips extracted in {summary.seconds:.0f} s, "
        f"{summary.kept:,} were there already, {len(failed):,} failed"
    )
    if verify:
        with progress_bar("checking frames") as progress:
            FrameCache(cache).verify(workers=usable_cores(), progress=progress)
        with progress_bar("decoding clips again") as progress:
            found = recheck(FrameCache(cache), paths, workers=usable_cores(), progress=progress)
        out.print(
            f"{cache}: {found.equal:,} clips decoded again by decord, with the same frames; "
            f"{found.left_out:,} left out, because decord cannot be relied on for them"
        )
    return not failed


@app.command()
def audit(
    questions: Annotated[Path, typer.Argument(metavar="QUESTIONS", help="Question file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Find defects of a question file, and shortcuts that give answers without the clips."""
    from fmau.score.audit import audit_questions, print_audit

    with err.status("auditing"):
        found = audit_questions(questions)
    if as_json:
        print_json(found)
    else:
        print_audit(found, out)
