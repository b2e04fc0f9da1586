"""The tiny model's configuration: every part of Qwen3-VL, as small as it can be and still learn.

Equal to the real model: patch 16, spatial merge 2, temporal patch 2, deepstack, grouped-query
attention, interleaved multimodal RoPE, learned position grid. The output head is tied, as in some
of the real models.
"""

from pathlib import Path

import torch
from transformers import (
    GenerationConfig,
    PreTrainedTokenizerFast,
    Qwen2VLImageProcessor,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
)

TEXT = {
    "hidden_size": 192,
    "intermediate_size": 384,
    "num_hidden_layers": 6,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "max_position_embeddings": 8192,
    "tie_word_embeddings": True,
    "rope_parameters": {
        "rope_type": "default",
        "rope_theta": 10_000.0,
        # Rotary pairs for time, height and width; they sum to head_dim / 2.
        "mrope_section": [6, 5, 5],
        "mrope_interleaved": True,
    },
}
VISION = {
    "depth": 4,
    "hidden_size": 160,
    "intermediate_size": 480,
    "num_heads": 5,
    "out_hidden_size": TEXT["hidden_size"],
    "num_position_embeddings": 16 * 16,
    "deepstack_visual_indexes": [1],
}


def text_settings(tokenizer: PreTrainedTokenizerFast) -> dict[str, int | None]:
    """What a language model's configuration says of its tokenizer."""
    return {
        "vocab_size": len(tokenizer),
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": None,
    }


def placeholder_ids(tokenizer: PreTrainedTokenizerFast) -> dict[str, int]:
    """The ids of Qwen's placeholders for pictures, as its configurations name them."""
    ids = tokenizer.convert_tokens_to_ids
    return {
        "image_token_id": ids("<|image_pad|>"),
        "video_token_id": ids("<|video_pad|>"),
        "vision_start_token_id": ids("<|vision_start|>"),
        "vision_end_token_id": ids("<|vision_end|>"),
    }


def new_model(tokenizer: PreTrainedTokenizerFast, seed: int) -> Qwen3VLForConditionalGeneration:
    """Make the model with random weights and the special token ids of the tokenizer."""
    torch.manual_seed(seed)
    config = Qwen3VLConfig(
        text_config=TEXT | text_settings(tokenizer),
        vision_config=VISION,
        tie_word_embeddings=True,
        **placeholder_ids(tokenizer),
    )
    model = Qwen3VLForConditionalGeneration(config)
    model.generation_config = GenerationConfig(
        do_sample=False,
        eos_token_id=[tokenizer.eos_token_id, tokenizer.pad_token_id],
        pad_token_id=tokenizer.pad_token_id,
    )
    return model


def new_processor(tokenizer: PreTrainedTokenizerFast) -> Qwen3VLProcessor:
    """Make Qwen3-VL's processor with our tokenizer and Qwen3-VL's pixel scaling."""
    pixels = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "patch_size": 16}
    return Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(merge_size=2, temporal_patch_size=2, **pixels),
        tokenizer=tokenizer,
        video_processor=Qwen3VLVideoProcessor(merge_size=2, temporal_patch_size=2, **pixels),
        chat_template=tokenizer.chat_template,
    )


def save_checkpoint(
    model: Qwen3VLForConditionalGeneration, processor: Qwen3VLProcessor, out: Path
) -> None:
    """Save the weights in bfloat16 (CPUs compute in float32), and the processor's files."""
    out.mkdir(parents=True, exist_ok=True)
    half = {name: tensor.to(torch.bfloat16) for name, tensor in model.state_dict().items()}
    model.save_pretrained(out, state_dict=half)
    processor.save_pretrained(out)
