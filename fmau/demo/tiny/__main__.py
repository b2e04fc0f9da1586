"""`python -m fmau.demo.tiny OUT`: make the tiny checkpoint again, from a seed, in an hour or two.

Three steps, each kept in WORK and not repeated: vocabulary, rendered lessons, training. Machines
differ in rounding, so another machine gives another checkpoint of about the same skill. The one
that ships went through its first six stages before lessons were mirrored and before the pointer was
among the read-outs; made anew it should be no worse, but that has not been tried.
"""

import argparse
from pathlib import Path

from transformers import AutoProcessor

from fmau.demo.tiny.lessons import LessonPool, build_pool, corpus
from fmau.demo.tiny.model import new_model, new_processor
from fmau.demo.tiny.tokenizer import train_tokenizer
from fmau.demo.tiny.train import train
from fmau.prompting.prompts import load_prompts
from fmau.recipe import FramesBlock

FRAMES = FramesBlock(min_pixels_per_frame=192 * 160, max_pixels_per_frame=192 * 160)
"""Of every recipe that uses the tiny checkpoint: it has seen no other size."""

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
        new_processor(train_tokenizer(texts, VOCABULARY)).save_pretrained(vocabulary)
    processor = AutoProcessor.from_pretrained(vocabulary)

    lessons = options.work / "lessons"
    if not lessons.exists():
        build_pool(
            lessons,
            clips=options.clips,
            # Mini benchmarks are cast from small seeds; lessons must not repeat their people.
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
