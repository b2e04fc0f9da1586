"""Encodes a conversation for Transformers: token ids and pixel values, exactly as vLLM makes them.

Training uses it. Mistakes are possible here that would give no error:

- Without metadata a processor assumes a frame rate and writes wrong times into the prompt.
- It treats the pixel limits of its configuration as a budget for the whole clip and resizes frames
  to it. How it divides the budget differs between releases, so resizing is switched off.
- Since release 5.10 Qwen's processors keep the template's vision start/end pair around the whole
  video, outside the pairs around each group of frames. So a model must be trained and served with
  one version.
- A template that thinks opens the answer with a thinking mark, unless it is told not to. An answer
  that is rendered as a whole turn can lose what stood there, or gain it. So the tokens to learn are
  the answer's own, after the prompt that asks for it, and the token that ends the turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from fmau.families.family import Family
from fmau.frames.clip import ClipFrames
from fmau.prompting.conversation import Message


@dataclass(frozen=True, slots=True)
class Encoder:
    """Turns conversations about a clip into the inputs of a model.

    Conversations have `fmau.prompting.conversation.VIDEO_PART` in the place of the video.

    Attributes:
        family: the model's family.
        processor: Transformers' processor of the checkpoint.
    """

    family: Family
    processor: Any

    def prompt(self, messages: Sequence[Message]) -> str:
        """The prompt as text, up to the point where the model answers without thinking."""
        text: str = self.processor.apply_chat_template(
            list(messages),
            tokenize=False,
            add_generation_prompt=True,
            **self.family.template_settings(thinking=False),
        )
        return text

    def tokens(self, text: str) -> list[int]:
        """Token ids of a text, without special tokens before or after it."""
        ids: list[int] = self.processor.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def answer(self, answer: str) -> list[int]:
        """Token ids to learn: those of an answer, and of the end of the turn.

        The answer is stripped: leading white space could merge with the prompt into one token, and
        the model would see another prompt in training than when it is asked.
        """
        return [*self.tokens(answer.strip()), self.token(self.family.end_of_turn)]

    def token(self, text: str) -> int:
        """The id of a special token."""
        found: int = self.processor.tokenizer.convert_tokens_to_ids(text)
        return found

    @property
    def video_token(self) -> int:
        """The id of the placeholder of one visual token."""
        return self.token(self.family.video_token)

    def after_clip(self, messages: Sequence[Message]) -> list[int]:
        """Token ids of a prompt from behind the clip's last token to the end."""
        return self.tokens(self.prompt(messages).rpartition(self.family.video_end)[2])

    def up_to_clip(self, ids: Sequence[int]) -> list[int]:
        """The token ids of a prompt up to the clip's last token."""
        reversed_ids = list(ids)[::-1]
        return list(ids)[: len(ids) - reversed_ids.index(self.token(self.family.video_end))]

    def encode(self, messages: Sequence[Message], frames: ClipFrames) -> dict[str, torch.Tensor]:
        """Encode a prompt with its clip.

        Returns:
            The inputs of the model: input_ids, (1, tokens); attention_mask and others of that
            shape; the pixels, in the form of the family. For Qwen3-VL: pixel_values_videos,
            (patches, channels x 2 frames x 16 x 16); video_grid_thw, (1, 3): frame pairs, and rows
            and columns of patches.
        """
        metadata = {
            "total_num_frames": frames.total_num_frames,
            "fps": frames.fps,
            "duration": frames.duration_s,
            "frames_indices": list(frames.indices),
            "height": frames.height,
            "width": frames.width,
        }
        pixels_TCHW = torch.from_numpy(frames.pixels_THWC()).permute(0, 3, 1, 2)
        batch: dict[str, Any] = self.processor(
            text=[self.prompt(messages)],
            videos=[pixels_TCHW],
            video_metadata=[metadata],
            return_tensors="pt",
            **self.family.encoding,
        )
        return dict(batch)
