"""A judge asked about altered references: what `fmau judge --calibrate` does."""

from collections.abc import Sequence
from pathlib import Path

from fmau.core.files import make_folder, write_whole
from fmau.dataset.questions import load_questions
from fmau.judge.calibrate.items import calibration_items
from fmau.judge.calibrate.report import CalibrationReport, calibration_report
from fmau.judge.judges import Judge
from fmau.judge.session import Shown, in_silence, judge_items, judge_note, way_to
from fmau.judge.summary import JudgeSummary
from fmau.judge.verdicts import VerdictFile
from fmau.runs import VERDICTS
from fmau.score.levels import scores_of
from fmau.serve.reach import Waiting
from fmau.serve.reach import in_silence as starts_unseen

CALIBRATION = "calibration.json"


def calibrate_judge(
    judge: Judge,
    questions: Path,
    folder: Path,
    *,
    count: int = 50,
    seed: int = 0,
    servers: Sequence[str] = (),
    waiting: Waiting = starts_unseen,
    shown: Shown = in_silence,
) -> tuple[CalibrationReport, JudgeSummary]:
    """Have a judge score altered references, and see how far it obeys the rubric.

    The verdicts are in `folder`/verdicts.jsonl, the report in `folder`/calibration.json; the same
    call goes on where an earlier one stopped.

    Args:
        questions: question file with the references of MADU and MARE.
        count: references that are used; all of them if there are fewer.
        seed: of the choice of references and alterations.
        servers, waiting, shown: as for `fmau.judge.session.judge_run`.

    Raises:
        FmauError: the file holds no reference.
        InputError, RecipeError, RunError, ServerError: as for `judge_run`.
    """
    items = calibration_items(load_questions(questions), count=count, seed=seed)
    answers = [item.item for item in items]
    note = judge_note(judge)
    make_folder(folder)
    with VerdictFile(folder / VERDICTS) as verdicts:
        reach = way_to(judge, folder, servers, waiting)
        summary = judge_items(answers, judge, note, verdicts, reach, shown)
        scores = scores_of(verdicts.of(answers, judge, note))
    report = calibration_report(items, scores)
    write_whole(folder / CALIBRATION, report.model_dump_json(indent=2) + "\n")
    return report, summary
