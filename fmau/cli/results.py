"""Commands about results: score, report, compare, submit."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from fmau.cli.app import QuestionsFile, RunFolder, app, err, out
from fmau.core.output import print_json

if TYPE_CHECKING:
    from fmau.report.thumbnails import StripOf
    from fmau.score import ScoredRun


@app.command()
def score(
    run: Annotated[
        Path | None, typer.Argument(metavar="[RUN]", help="Run folder; or give two files.")
    ] = None,
    questions: QuestionsFile = None,
    predictions: Annotated[
        Path | None, typer.Option(help="Prediction file in the official format.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print scores as JSON.")] = False,
) -> None:
    """Score a run, or any prediction file in the official format."""
    from fmau.dataset.questions import load_questions
    from fmau.report import print_scores
    from fmau.score import load_predictions, score_run
    from fmau.score import score as score_answers
    from fmau.score.unread import unread_notes

    if run is not None and predictions is None:
        scored = score_run(run, questions)
        name, scores = run.name, scored.scores
        print_notes(scored)
    elif run is None and questions is not None and predictions is not None:
        file = load_questions(questions)
        answers = load_predictions(predictions, file)
        name, scores = predictions.stem, score_answers(file, answers)
        _note(name, unread_notes(file, answers))
    else:
        raise typer.BadParameter("give a RUN, or both --questions and --predictions")
    if as_json:
        print_json(scores)
    else:
        print_scores({name: scores}, out)


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders.")],
    to: Annotated[
        Path | None, typer.Option("--out", help="HTML file; default: report.html in the first RUN.")
    ] = None,
    frames: Annotated[
        bool, typer.Option(help="Show each clip's frames; needs the clips of the first RUN.")
    ] = True,
    exports: Annotated[
        Path | None,
        typer.Option("--export", help="Folder for Table 4 as md, csv, tex, and answers.parquet."),
    ] = None,
    paper_rows: Annotated[
        bool, typer.Option(help="Begin the exported tables with the paper's rows.")
    ] = True,
    questions: QuestionsFile = None,
) -> None:
    """Write report.html and print Table 4."""
    from fmau.report import print_scores, write_exports, write_report
    from fmau.score import told_apart

    scored = told_apart(_belonging(runs, questions))
    print_notes(*scored)
    strip_of = _strips(runs[0], scored[0]) if frames else None
    path = write_report(scored, to or runs[0] / "report.html", strip_of)
    blind = {run.name for run in scored if run.blind}
    print_scores({run.name: run.scores for run in scored}, out, blind)
    out.print(f"report: {path}")
    for file in write_exports(scored, exports, paper_rows=paper_rows) if exports else ():
        out.print(f"export: {file}")


def _belonging(folders: list[Path], questions: Path | None) -> list["ScoredRun"]:
    """The scored runs of a report. Of several folders (runs/*), those that are no run, have no
    answers or answered other questions than the first are left out, each with a note.

    Raises:
        RunError: no run is left; with one folder, why it is not.
    """
    from fmau.core.errors import RunError
    from fmau.score import score_run

    scored: list[ScoredRun] = []
    reasons = []
    for folder in folders:
        try:
            run = score_run(folder, questions)
        except RunError as error:
            reasons.append(str(error))
            continue
        if scored and run.questions != scored[0].questions:
            reasons.append(f"{folder}: answered other questions than {scored[0].name}")
        else:
            scored.append(run)
    if not scored:
        raise RunError("\n".join(reasons))
    for reason in reasons:
        err.print(f"[yellow]left out:[/] {escape(reason)}", highlight=False, soft_wrap=True)
    return scored


def print_notes(*runs: "ScoredRun") -> None:
    """Print on stderr which rows of the runs were left out, and which replies cannot be read."""
    for run in runs:
        _note(run.name, run.notes)


def _note(name: str, notes: Sequence[str]) -> None:
    for note in notes:
        err.print(f"[yellow]note:[/] {escape(f'{name}: {note}')}", highlight=False, soft_wrap=True)


def _strips(folder: Path, run: "ScoredRun") -> "StripOf | None":
    """A function that gives a clip's frames as the model saw them. None, with a note on stderr, if
    that is not possible."""
    try:
        from fmau.report.strips import strips_of
    except ModuleNotFoundError as error:
        err.print(
            f"[yellow]note:[/] no frames are shown, because the package {error.name} is missing; "
            "pip install 'fmau\\[frames]'"
        )
        return None
    from fmau.score.joined import replaced_clips

    def note(text: str) -> None:
        err.print(f"[yellow]note:[/] {escape(text)}", soft_wrap=True)

    strip_of = strips_of(folder, run.questions.questions, note)
    if strip_of and (clips := replaced_clips(run.manifest, run.questions, run.answers)):
        named = ", ".join(clips[:3]) + (", ..." if len(clips) > 3 else "")
        note(
            f"the files of {len(clips):,} clips are not those that the model was shown ({named}); "
            "the report shows them as they are now"
        )
    return strip_of


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(metavar="RUN_A", help="Run folder.")],
    second: Annotated[Path, typer.Argument(metavar="RUN_B", help="Run folder.")],
    questions: QuestionsFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Test whether RUN_B is better than RUN_A: paired tests, per task and overall."""
    from fmau.report import print_comparison
    from fmau.score import compare_runs, score_run

    one, other = score_run(first, questions), score_run(second, questions)
    print_notes(one, other)
    found = compare_runs(one, other)
    if as_json:
        print_json(found)
    else:
        print_comparison(found, out)


@app.command()
def submit(
    run: RunFolder,
    team: Annotated[str, typer.Option(help="Team name; the file is TEAM_prediction.json.")],
    to: Annotated[Path, typer.Option("--out", help="Folder to write to.")] = Path("."),
    questions: QuestionsFile = None,
) -> None:
    """Write and validate the challenge's submission file."""
    from fmau.score.submission import submit_run

    submission = submit_run(run, team, to, questions)
    for warning in submission.warnings:
        err.print(f"[yellow]warning:[/] {escape(warning)}")
    out.print(f"submission: {submission.path}")
