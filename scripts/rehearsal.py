"""Generated clips under the names that a question file asks about: a rehearsal without the data.

    python scripts/rehearsal.py data/mabench/mabench_data.json rehearsal/clips
    fmau answer recipes/zero_shot_tiny.yaml --set name=rehearsal --set data.clips=rehearsal/clips \\
        --set data.questions=data/mabench/mabench_data.json

The answers mean nothing. What is rehearsed is the job: its time, its memory, its interruptions.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from fmau.core.hardware import usable_cores
from fmau.core.workers import worker_pool
from fmau.dataset.questions import load_questions
from fmau.demo.mini.cast import cast_split
from fmau.demo.mini.write import write_clip


def main() -> None:
    """Render what is not there yet."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("questions", type=Path)
    options.add_argument("out", type=Path, help="folder for the clips")
    options.add_argument("--height", type=int, default=384, help="of the clips, in pixels")
    options.add_argument("--width", type=int, default=320)
    options.add_argument("--clips", type=int, help="only the first so many, by name")
    given = options.parse_args()
    names = sorted({question.clip for question in load_questions(given.questions).questions})
    names = names[: given.clips]
    given.out.mkdir(parents=True, exist_ok=True)
    cast = cast_split(max(7, len(names)), 1, np.random.default_rng(0))
    plans = [
        replace(clip.plan, name=name)
        for name, clip in zip(names, cast, strict=False)
        if not (given.out / f"{name}.mp4").exists()
    ]
    with worker_pool(usable_cores()) as pool:
        size = ([given.out] * len(plans), [given.height] * len(plans), [given.width] * len(plans))
        for done, path in enumerate(pool.map(write_clip, plans, *size), start=1):
            if done % 50 == 0 or done == len(plans):
                print(f"{done:,} of {len(plans):,} rendered, the last one {path}")


if __name__ == "__main__":
    main()
