"""Reports: scores as tables on the terminal and as one HTML file. No torch, no network."""

from fmau.report.exports import write_exports
from fmau.report.html import write_report
from fmau.report.terminal import print_agreements, print_comparison, print_scores

__all__ = [
    "print_agreements",
    "print_comparison",
    "print_scores",
    "write_exports",
    "write_report",
]
