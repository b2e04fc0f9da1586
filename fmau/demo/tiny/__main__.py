"""`python -m fmau.demo.tiny OUT`: train a tiny checkpoint from a seed, in one or two hours.

It has three steps: vocabulary, rendered lessons, training. Their results are kept in WORK and not
made again. Machines round differently, so another machine gives another checkpoint of about the
same accuracy. The shipped checkpoint was trained with an older version of the first six stages:
without mirrored lessons and without the pointer read-out. A new one should be as good, but this has
not been tried.
"""

import argparse
from pathlib import Path

from transformers import AutoProcessor

from fmau.core.files import whole_folder
from fmau.demo.tiny.lessons import LessonPool, build_pool, corpus
from fmau.demo.tiny.model import new_model, new_processor
from fmau.demo.tiny.tokenizer import train_tokenizer
from fmau.demo.tiny.train import train
from fmau.prompting.prompts import load_prompts
from fmau.recipe import FramesBlock

FRAMES = FramesBlock(min_pixels_per_frame=192 * 160, max_pixels_per_frame=192 * 160)
"""Frame settings of every recipe with the tiny checkpoint, which was trained on this size only."""

VOCABULARY = 1536


def main() -> None:
    """Parse the command line and run the steps."""
    parser = argparse.ArgumentParser(prog="python -m fmau.demo.tiny", description=__doc__)
    parser.add_argument("out", type=Path, help="folder for the checkpoint")
    parser.add_argument("--work", type=Path, default=Path("build/tiny"), help="intermediate files")
    parser.add_argument("--clips", type=int, default=8320, help="clips to learn from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2, help="rendering processes")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    prompts = load_prompts("brief")

    vocabulary = options.work / "processor"
    if not vocabulary.exists():
        texts = corpus([prompts, load_prompts("zero_shot")], clips=520, seed=options.seed)
        with whole_folder(vocabulary) as folder:
            new_processor(train_tokenizer(texts, VOCABULARY)).save_pretrained(folder)
    processor = AutoProcessor.from_pretrained(vocabulary, trust_remote_code=False)

    lessons = options.work / "lessons"
    if not lessons.exists():
        build_pool(
            lessons,
            clips=options.clips,
            # Mini benchmarks use small seeds. The lessons must not show the same people.
            seed=10_000_019 + options.seed,
            prompts=prompts,
            spec=FRAMES,
            workers=options.workers,
        )
    model = new_model(processor.tokenizer, options.seed)
    train(
        model,
        processor,
        LessonPool(lessons),
        seed=options.seed,
        work=options.work,
        out=options.out,
    )


if __name__ == "__main__":
    main()
