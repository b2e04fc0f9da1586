"""Reports: scores as tables on the terminal, as one HTML file, and as files for other programs.

`fmau score`, `report`, `compare` and `judge` use it. It imports no torch and uses no network.
"""

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
