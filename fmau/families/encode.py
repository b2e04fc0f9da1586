"""Encodes a conversation for Transformers: token ids and pixel values, exactly as vLLM makes them.

Training uses it. Three mistakes are possible here, and none would give an error:

- Without metadata the processor assumes 24 fps and writes wrong times into the prompt.
- It treats the pixel limits of its configuration as a budget for the whole clip and resizes frames
  to it. How it divides the budget differs between releases, so resizing is switched off.
- Since release 5.10 it keeps the template's vision start/end pair around the whole video, outside
  the pairs around each group of frames. So a model must be trained and served with one version.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from fmau.frames.clip import ClipFrames
from fmau.prompting.conversation import Message

if TYPE_CHECKING:
    from transformers import Qwen3VLProcessor


def encode(
    processor: "Qwen3VLProcessor",
    messages: Sequence[Message],
    frames: ClipFrames,
    *,
    add_generation_prompt: bool,
) -> dict[str, torch.Tensor]:
    """Turn one conversation about one clip into the inputs of `Qwen3VLForConditionalGeneration`.

    Args:
        messages: the conversation, with `fmau.prompting.conversation.VIDEO_PART` as the video. For
            training it ends with an assistant turn.
        frames: the clip's frames.
        add_generation_prompt: end the tokens where the assistant's answer begins, for generation.

    Returns:
        input_ids, attention_mask and mm_token_type_ids, (1, tokens) each; pixel_values_videos,
        (patches, channels x 2 frames x 16 x 16); video_grid_thw, (1, 3): frame pairs, and rows
        and columns of patches.
    """
    text = processor.apply_chat_template(
        list(messages), tokenize=False, add_generation_prompt=add_generation_prompt
    )
    metadata = {
        "total_num_frames": frames.total_num_frames,
        "fps": frames.fps,
        "duration": frames.duration_s,
        "frames_indices": list(frames.indices),
        "height": frames.height,
        "width": frames.width,
    }
    pixels_TCHW = torch.from_numpy(frames.pixels_THWC()).permute(0, 3, 1, 2)
    batch: dict[str, Any] = processor(
        text=[text],
        videos=[pixels_TCHW],
        video_metadata=[metadata],
        do_sample_frames=False,
        do_resize=False,
        # Has no effect without resizing; given to avoid a warning of the processor.
        cap_pixels_per_frame=False,
        return_tensors="pt",
    )
    return dict(batch)
