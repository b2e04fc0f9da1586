"""A small random model of Qwen3.5: linear attention in most layers, full attention in some."""

from typing import Any

import torch
from transformers import Qwen3_5Config, Qwen3_5ForConditionalGeneration

from fmau.demo.tiny.model import TEXT, VISION

LAYERS = ["linear_attention", "linear_attention", "full_attention"] * 2


def hybrid_model(tokenizer: Any, seed: int = 0) -> Any:
    """A new `Qwen3_5ForConditionalGeneration` with the special token ids of a tokenizer.

    Its processor is that of Qwen3-VL. vLLM's CPU build computes linear heads of 64 or 128 only.
    """
    torch.manual_seed(seed)
    ids = tokenizer.convert_tokens_to_ids
    text = {
        "hidden_size": TEXT["hidden_size"],
        "intermediate_size": TEXT["intermediate_size"],
        "num_hidden_layers": len(LAYERS),
        "layer_types": LAYERS,
        "num_attention_heads": 3,
        "num_key_value_heads": 1,
        "head_dim": 64,
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 4,
        "linear_key_head_dim": 64,
        "linear_value_head_dim": 64,
        "max_position_embeddings": 8192,
        "tie_word_embeddings": True,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10_000.0,
            # A half of each head is turned: pairs for time, height and width.
            "partial_rotary_factor": 0.5,
            "mrope_section": [6, 5, 5],
            "mrope_interleaved": True,
        },
        "vocab_size": len(tokenizer),
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": None,
    }
    vision = {name: value for name, value in VISION.items() if name != "deepstack_visual_indexes"}
    config = Qwen3_5Config(
        text_config=text,
        vision_config=vision,
        image_token_id=ids("<|image_pad|>"),
        video_token_id=ids("<|video_pad|>"),
        vision_start_token_id=ids("<|vision_start|>"),
        vision_end_token_id=ids("<|vision_end|>"),
        tie_word_embeddings=True,
    )
    return Qwen3_5ForConditionalGeneration(config)
