"""Chooses which frames of a clip the model sees, by arithmetic on frame indices.

Policies, for N frames and `count` samples:

- endpoints: `count` indices evenly spread from the first frame to the last, both included. This
  is what Qwen's own processors do, and the default.
- midpoints: the clip is cut into `count` equal segments, and the middle frame of each is taken.
- interior: endpoints with `count` + 2 samples, without the first and the last one. It suits clips
  that begin and end without movement.
- first_n: the first `count` frames at `fps` frames per second, from the start of the clip. If the
  clip ends earlier, its last frame is repeated.
- stride: every k-th frame from the start, where k is the whole number nearest to one frame in
  1 / `fps` seconds, or N // `count` if that is less. So a clip shorter than `count` / `fps` seconds
  is covered nearly whole, and the end of a longer one is not seen. This is the rule of the
  challenge's starter kit, with 8 frames at 3 fps.

If a clip has fewer frames than `count`, frames are repeated, in order and evenly. A repeated frame
keeps its own time stamp.
"""

import numpy as np

from fmau.recipe import FramesBlock


def sample_indices(total_num_frames: int, spec: FramesBlock, source_fps: float) -> tuple[int, ...]:
    """Indices of the sampled frames: `spec.count` numbers in 0..N-1, ascending, maybe repeated.

    Args:
        total_num_frames: N, the number of frames of the clip, at least 1.
        spec: policy, count and, for "first_n" and "stride", fps.
        source_fps: frames per second of the clip; only these two policies use it.
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
    elif spec.policy == "stride":
        assert spec.fps is not None, "the recipe checks that stride comes with fps"
        stride = max(1, min(round(source_fps / spec.fps), total_num_frames // spec.count))
        positions = np.minimum(np.arange(spec.count) * stride, last)
    else:
        assert spec.fps is not None, "the recipe checks that first_n comes with fps"
        positions = np.minimum((np.arange(spec.count) * source_fps / spec.fps).round(), last)
    return tuple(int(position) for position in positions)
