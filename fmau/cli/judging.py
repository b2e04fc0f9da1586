"""The command `fmau judge`: judge a run, estimate the cost, calibrate a judge."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from fmau.cli.app import Overrides, QuestionsFile, ServerUrls, app, err, out, progress_bar
from fmau.cli.servers import starting

if TYPE_CHECKING:
    from fmau.judge.judges import Judge

CALIBRATION = Path("runs/calibration")

PROXY_NOTE = (
    "judged by the embedded rule, a proxy: it is not an LLM judge, and Table 4 never shows its "
    "scores; choose an LLM judge with --judge"
)


@app.command()
def judge(
    run: Annotated[Path | None, typer.Argument(metavar="[RUN]", help="Run folder.")] = None,
    judge_file: Annotated[
        Path | None,
        typer.Option(
            "--judge",
            metavar="JUDGE",
            help="Name or file of a judge; default: the embedded rule.",
        ),
    ] = None,
    questions: QuestionsFile = None,
    overrides: Overrides = None,
    server: ServerUrls = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Judge at most this many answers, half per task.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print calls, tokens and cost.")
    ] = False,
    retry_unscored: Annotated[
        bool,
        typer.Option("--retry-unscored", help="Also ask again where a verdict has no scores."),
    ] = False,
    calibrate: Annotated[
        Path | None,
        typer.Option(metavar="QUESTIONS", help="Judge altered references of this file instead."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="References for --calibrate.")] = 50,
    seed: Annotated[int, typer.Option(help="Random seed for --calibrate.")] = 0,
    humans: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help='Human scores, [{"qid", "level", "score"}, ...].'),
    ] = None,
) -> None:
    """Judge a run's open answers, 0-5 at 3 levels: RUN/verdicts.jsonl. Run it again to continue."""
    from fmau.judge.judges import EMBEDDED, load_judge

    if (run is None) == (calibrate is None):
        raise typer.BadParameter("give a RUN, or --calibrate QUESTIONS")
    if questions is not None and calibrate is not None:
        raise typer.BadParameter("--questions needs a RUN; --calibrate names its question file")
    who = load_judge(judge_file, overrides or ()) if judge_file else EMBEDDED
    if calibrate is not None:
        _calibrate(who, calibrate, count, seed, server)
        return
    assert run is not None
    if dry_run:
        _estimate(who, run, questions, limit)
        return
    complete = _judge_run(who, run, questions, limit, server, unscored=retry_unscored)
    _print_agreement(who.name, run, questions, humans)
    if not complete:
        raise typer.Exit(1)


def _judge_run(
    who: "Judge",
    folder: Path,
    questions: Path | None,
    limit: int | None,
    server: list[str] | None,
    *,
    unscored: bool,
) -> bool:
    from fmau.judge.judges import EmbeddedJudge
    from fmau.judge.session import judge_run
    from fmau.runs import VERDICTS

    shown = partial(progress_bar, "judging")
    summary = judge_run(
        folder,
        who,
        questions=questions,
        limit=limit,
        unscored=unscored,
        servers=server or (),
        waiting=starting,
        shown=shown,
    )
    out.print(escape(summary.text()), highlight=False)
    if isinstance(who, EmbeddedJudge):
        err.print(f"[yellow]note:[/] {PROXY_NOTE}", highlight=False)
    out.print(f"verdicts: {folder / VERDICTS}; fmau score {folder} shows the levels")
    return summary.complete


def _estimate(who: "Judge", folder: Path, questions: Path | None, limit: int | None) -> None:
    from fmau.judge.judges import LlmJudge
    from fmau.judge.session import estimate_run, judge_note, run_items
    from fmau.score.joined import read_joined

    items = run_items(read_joined(folder, questions), limit)
    out.print(f"{len(items):,} answers to judge")
    if isinstance(who, LlmJudge):
        out.print(estimate_run(items, who, judge_note(who)).text(), highlight=False)
    else:
        out.print("the embedded rule calls no model")


def _calibrate(
    who: "Judge", questions: Path, count: int, seed: int, server: list[str] | None
) -> None:
    from fmau.judge.calibrate import calibrate_judge, print_calibration

    shown = partial(progress_bar, "judging")
    folder = CALIBRATION / who.name
    report, summary = calibrate_judge(
        who,
        questions,
        folder,
        count=count,
        seed=seed,
        servers=server or (),
        waiting=starting,
        shown=shown,
    )
    out.print(escape(summary.text()), highlight=False)
    print_calibration(report, out)
    out.print(f"calibration: {folder / 'calibration.json'}")
    if not summary.complete:
        raise typer.Exit(1)


def _print_agreement(judge: str, folder: Path, questions: Path | None, humans: Path | None) -> None:
    """Print how a judge agrees with the run's other judges, and with human scores."""
    from fmau.judge.calibrate import load_human_scores
    from fmau.report import print_agreements
    from fmau.score.agreement import agreements, judge_agreement
    from fmau.score.joined import read_joined
    from fmau.score.levels import scores_of

    verdicts = read_joined(folder, questions).verdicts
    judges = sorted({row.judge for row in verdicts})
    found = [pair for pair in agreements(verdicts, judges) if judge in (pair.first, pair.second)]
    if humans is not None:
        own = scores_of(row for row in verdicts if row.judge == judge)
        found.append(judge_agreement(judge, own, "people", load_human_scores(humans)))
    if found:
        print_agreements(f"{folder.name}: how its judges agree", found, out)
