"""The command that judges, and what tells how far a judge can be trusted."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from fmau.cli.app import Overrides, ServerUrls, app, err, out, progress_bar
from fmau.cli.servers import starting
from fmau.core.errors import RunError
from fmau.core.files import make_folder, write_whole

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from fmau.judge.judges import Judge
    from fmau.judge.session import Reach
    from fmau.serve.client import Endpoint

PROXY_NOTE = (
    "judged by the embedded rule, a proxy: it is no LLM judge and never stands in Table 4; "
    "name one with --judge"
)


@app.command()
def judge(
    run: Annotated[Path | None, typer.Argument(metavar="[RUN]", help="Run folder.")] = None,
    judge_file: Annotated[
        Path | None,
        typer.Option(
            "--judge",
            metavar="JUDGE",
            help="Who judges, a name or a file; default: the embedded rule.",
        ),
    ] = None,
    overrides: Overrides = None,
    server: ServerUrls = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Judge so many answers, half of each task.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what judging would take and cost.")
    ] = False,
    calibrate: Annotated[
        Path | None,
        typer.Option(metavar="QUESTIONS", help="Judge altered references of this file instead."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="References that --calibrate uses.")] = 50,
    seed: Annotated[int, typer.Option(help="Of --calibrate.")] = 0,
    humans: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help='Human scores, [{"qid", "level", "score"}, ...].'),
    ] = None,
) -> None:
    """Score a run's open answers 0-5 at three levels: RUN/verdicts.jsonl. Run it again to go on."""
    from fmau.judge.judges import EMBEDDED, load_judge

    if (run is None) == (calibrate is None):
        raise typer.BadParameter("give a RUN, or --calibrate QUESTIONS")
    who = load_judge(judge_file, overrides or ()) if judge_file else EMBEDDED
    if calibrate is not None:
        _calibrate(who, calibrate, count, seed, server)
        return
    assert run is not None
    if dry_run:
        _estimate(who, run, limit)
        return
    complete = _judge_run(who, run, limit, server)
    _print_agreement(who.name, run, humans)
    if not complete:
        raise typer.Exit(1)


def _judge_run(who: "Judge", folder: Path, limit: int | None, server: list[str] | None) -> bool:
    from fmau.judge.session import judge_items, judge_note, run_items
    from fmau.judge.verdicts import VerdictFile, introduce
    from fmau.runs import VERDICTS, reopen_run

    items = run_items(folder, limit)
    if not items:
        raise RunError(
            f"{folder}: no open answer with a reference, so there is nothing to judge; the "
            "question file must hold the answers of MADU and MARE"
        )
    note = judge_note(who)
    logs = folder / f"judge-{who.name}"
    with reopen_run(folder, "judge") as run, VerdictFile(folder / VERDICTS) as verdicts:
        introduce(run, who.name, note, verdicts)
        summary = judge_items(
            items, who, note, verdicts, _way_to(who, logs, server), partial(progress_bar, "judging")
        )
        run.note(summary.facts())
    out.print(escape(summary.text()), highlight=False)
    if note.proxy:
        err.print(f"[yellow]note:[/] {PROXY_NOTE}", highlight=False)
    out.print(f"verdicts: {folder / VERDICTS}; fmau score {folder} shows the levels")
    return summary.complete


def _estimate(who: "Judge", folder: Path, limit: int | None) -> None:
    from fmau.judge.judges import LlmJudge
    from fmau.judge.session import estimate_run, judge_note, run_items

    items = run_items(folder, limit)
    out.print(f"{len(items):,} answers to judge")
    if isinstance(who, LlmJudge):
        out.print(estimate_run(items, who, judge_note(who)).text(), highlight=False)
    else:
        out.print("the embedded rule calls no model")


def _calibrate(
    who: "Judge", questions: Path, count: int, seed: int, server: list[str] | None
) -> None:
    from fmau.dataset.questions import load_questions
    from fmau.judge.calibrate import calibration_items, calibration_report, print_calibration
    from fmau.judge.session import judge_items, judge_note
    from fmau.judge.verdicts import VerdictFile
    from fmau.runs import VERDICTS
    from fmau.score.levels import scores_of

    items = calibration_items(load_questions(questions), count=count, seed=seed)
    folder = Path("runs/calibration") / who.name
    make_folder(folder)
    answers = [item.item for item in items]
    note = judge_note(who)
    with VerdictFile(folder / VERDICTS) as verdicts:
        summary = judge_items(
            answers,
            who,
            note,
            verdicts,
            _way_to(who, folder, server),
            partial(progress_bar, "judging"),
        )
        scores = scores_of(verdicts.of(answers, who, note))
    out.print(escape(summary.text()), highlight=False)
    report = calibration_report(items, scores)
    write_whole(folder / "calibration.json", report.model_dump_json(indent=2) + "\n")
    print_calibration(report, out)
    out.print(f"calibration: {folder / 'calibration.json'}")
    if not summary.complete:
        raise typer.Exit(1)


def _print_agreement(judge: str, folder: Path, humans: Path | None) -> None:
    """How a judge agrees with the run's other judges, and with people."""
    from fmau.judge.calibrate import load_human_scores
    from fmau.report import print_agreements
    from fmau.runs import read_verdicts
    from fmau.score.agreement import agreements, judge_agreement
    from fmau.score.levels import scores_of

    verdicts = read_verdicts(folder)
    judges = sorted({row.judge for row in verdicts})
    found = [pair for pair in agreements(verdicts, judges) if judge in (pair.first, pair.second)]
    if humans is not None:
        own = scores_of(row for row in verdicts if row.judge == judge)
        found.append(judge_agreement(judge, own, "people", load_human_scores(humans)))
    if found:
        print_agreements(f"{folder.name}: how its judges agree", found, out)


def _way_to(who: "Judge", logs: Path, given: list[str] | None) -> "Reach":
    """Opens the way to the judge's model, with a status line while its server starts."""
    from fmau.judge.judges import LlmJudge
    from fmau.judge.session import judge_reached

    def reach() -> "AbstractContextManager[Endpoint]":
        assert isinstance(who, LlmJudge), "the embedded rule asks no server"
        return judge_reached(who, logs, given=given or (), waiting=starting)

    return reach
