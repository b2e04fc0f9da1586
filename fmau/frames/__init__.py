"""From a video file to the few frames that a model sees: sampled, decoded, resized, timed."""
