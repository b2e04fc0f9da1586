"""Reports: scores as tables on the terminal and as one HTML file. No torch, no network."""

from fmau.report.exports import write_exports
from fmau.report.html import write_report
from fmau.report.terminal import print_agreements, print_comparison, print_scores
from fmau.score.run import ScoredRun, compare_runs, score_run

__all__ = [
    "ScoredRun",
    "compare_runs",
    "print_agreements",
    "print_comparison",
    "print_scores",
    "score_run",
    "write_exports",
    "write_report",
]
