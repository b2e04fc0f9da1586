"""The command line: each command calls a stage and prints its result; the logic is in the stages.

Slow imports are inside the commands, so that `fmau --help` or a wrong path is answered at once.
"""

# Importing these modules adds their commands to `app`.
from fmau.cli import data, judging, kit, models, recipes, results, runs  # noqa: F401
from fmau.cli.app import app
from fmau.core.output import run_command

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line."""
    run_command(app)
