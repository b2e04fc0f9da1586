"""Which frames of a clip are shown to the model. Pure arithmetic on frame indices.

Policies, for N frames and `count` samples:

- endpoints: `count` indices evenly spread from the first frame to the last, both included. This
  is what Qwen's own processors do, and the default.
- midpoints: the clip is cut into `count` equal segments, and the middle frame of each is taken.
- interior: like endpoints with two more samples, of which the first and last are dropped, for
  clips that begin and end with stillness.
- first_n: the first `count` frames at `fps` frames per second from the start, the last
  frame repeated where the clip ends sooner.

Clips with fewer frames than `count` repeat frames, in order and evenly: the time stamps of the
repeats are those of the frames repeated, so nothing claims to be at a time where it was not.
"""

import numpy as np

from fmau.recipe import FramesBlock


def sample_indices(total_num_frames: int, spec: FramesBlock, source_fps: float) -> tuple[int, ...]:
    """Indices of the sampled frames: `spec.count` numbers in 0..N-1, in order, repeats allowed.

    Args:
        total_num_frames: N, frames in the clip, at least 1.
        spec: policy and count.
        source_fps: frames per second of the clip; used by policy "first_n" alone.
    """
    assert total_num_frames >= 1
    last = total_num_frames - 1
    if spec.policy == "endpoints":
        # round() to even on ties, as numpy does in Qwen3VLVideoProcessor.sample_frames.
        positions = np.linspace(0, last, spec.count).round()
    elif spec.policy == "midpoints":
        positions = np.floor((np.arange(spec.count) + 0.5) * total_num_frames / spec.count)
    elif spec.policy == "interior":
        positions = np.linspace(0, last, spec.count + 2)[1:-1].round()
    else:
        assert spec.fps is not None, "the recipe checks that first_n comes with fps"
        positions = np.minimum((np.arange(spec.count) * source_fps / spec.fps).round(), last)
    return tuple(int(position) for position in positions)
