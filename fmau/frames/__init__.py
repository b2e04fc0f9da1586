"""From a video file to the few frames a model sees: sampled, decoded, resized, exactly timed."""
