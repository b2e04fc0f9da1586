"""Hundreds of seeded runs under faults: python -m tests.faults --runs 300 --seed 0."""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.faults.trials import CLIPS, TRIALS, Trial

COLUMNS = ("runs", "questions", "starts", "lost", "doubled", "wrong", "untrue")


def main() -> int:
    """Print a Markdown table; 1 if anything was lost, doubled, wrong or untrue."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=300)
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    counts = {name: Counter[str]() for name in TRIALS}
    names = list(TRIALS)
    started = time.monotonic()
    for number in range(given.runs):
        name = names[number % len(names)]
        one(name, given.seed + number, counts[name])
        print(f"{number + 1} of {given.runs}: {name}", file=sys.stderr, flush=True)
    print(f"{given.runs} runs in {time.monotonic() - started:.0f} s, seed {given.seed}\n")
    print(f"| fault | {' | '.join(COLUMNS)} |")
    print(f"|---|{'---:|' * len(COLUMNS)}")
    for name, found in counts.items():
        print(f"| {name} | {' | '.join(str(found[column]) for column in COLUMNS)} |")
    total = sum(counts.values(), Counter[str]())
    print(f"| all | {' | '.join(str(total[column]) for column in COLUMNS)} |")
    return int(any(total[bad] for bad in ("lost", "doubled", "wrong", "untrue")))


def one(name: str, seed: int, counts: Counter[str]) -> None:
    """One trial, added to `counts`."""
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(Path(folder), seed)
        TRIALS[name](trial)
        finding = trial.finding()
    for text in trial.dishonest:
        print(f"{name}, seed {seed}: {text}", file=sys.stderr)
    if finding.failed and not trial.may_fail:
        trial.dishonest.append("questions failed that need not have")
    counts.update(
        {
            "runs": 1,
            "questions": 12 * CLIPS,
            "starts": trial.starts,
            "lost": len(finding.lost),
            "doubled": len(finding.doubled),
            "wrong": len(finding.wrong),
            "untrue": len(trial.dishonest),
        }
    )


if __name__ == "__main__":
    sys.exit(main())
