"""Chooses which frames of a clip the model sees, by arithmetic on frame indices.

Policies, for N frames and `count` samples:

- endpoints: `count` indices evenly spread from the first frame to the last, both included. This
  is what Qwen's own processors do, and the default.
- midpoints: the clip is cut into `count` equal segments, and the middle frame of each is taken.
- interior: endpoints with `count` + 2 samples, without the first and the last one. It suits clips
  that begin and end without movement.
- first_n: the first `count` frames at `fps` frames per second, from the start of the clip. If the
  clip ends earlier, its last frame is repeated.

If a clip has fewer frames than `count`, frames are repeated, in order and evenly. A repeated frame
keeps its own time stamp.
"""

import numpy as np

from fmau.recipe import FramesBlock


def sample_indices(total_num_frames: int, spec: FramesBlock, source_fps: float) -> tuple[int, ...]:
    """Indices of the sampled frames: `spec.count` numbers in 0..N-1, ascending, maybe repeated.

    Args:
        total_num_frames: N, the number of frames of the clip, at least 1.
        spec: policy, count and, for "first_n", fps.
        source_fps: frames per second of the clip; only policy "first_n" uses it.
    """
    assert total_num_frames >= 1
    last = total_num_frames - 1
    if spec.policy == "endpoints":
        # numpy's round() takes the even number on ties, as Qwen3VLVideoProcessor.sample_frames.
        positions = np.linspace(0, last, spec.count).round()
    elif spec.policy == "midpoints":
        positions = np.floor((np.arange(spec.count) + 0.5) * total_num_frames / spec.count)
    elif spec.policy == "interior":
        positions = np.linspace(0, last, spec.count + 2)[1:-1].round()
    else:
        assert spec.fps is not None, "the recipe checks that first_n comes with fps"
        positions = np.minimum((np.arange(spec.count) * source_fps / spec.fps).round(), last)
    return tuple(int(position) for position in positions)
