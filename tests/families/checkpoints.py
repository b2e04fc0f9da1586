"""Small random checkpoints of each family's real architecture, with the tiny tokenizer.

The chat templates are written here in the manner of each family's own.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from fmau.core.torchvision_cpu import ensure_torchvision
from fmau.demo.tiny import CHECKPOINT
from fmau.demo.tiny.model import TEXT, VISION, new_processor

ensure_torchvision()

ASKS = "{{- '<|im_start|>assistant\\n' -}}"
"""The end of the tiny template: where the model answers."""

THINKS = (
    ASKS
    + "{%- if enable_thinking is defined and enable_thinking is false -%}"
    + "{{- '<think>\\n\\n</think>\\n\\n' -}}{%- else -%}{{- '<think>\\n' -}}{%- endif -%}"
)
"""The same for a model that thinks unless it is told not to."""

SPREAD = 8.0
"""Random weights give nearly equal scores to all tokens. A wider output head tells them apart, so
that rounding does not change the likeliest one."""


def tiny_tokenizer(*, thinks: bool = False) -> Any:
    """The tiny checkpoint's tokenizer; with thinking marks and a template that uses them."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(CHECKPOINT)
    if thinks:
        tokenizer.add_tokens(["<think>", "</think>"])
        assert ASKS in tokenizer.chat_template
        tokenizer.chat_template = tokenizer.chat_template.replace(ASKS, THINKS)
    return tokenizer


def of_tokens(tokenizer: Any) -> dict[str, int]:
    """The ids of Qwen's placeholders, as its configurations name them."""
    ids = tokenizer.convert_tokens_to_ids
    return {
        "image_token_id": ids("<|image_pad|>"),
        "video_token_id": ids("<|video_pad|>"),
        "vision_start_token_id": ids("<|vision_start|>"),
        "vision_end_token_id": ids("<|vision_end|>"),
    }


def in_text(tokenizer: Any) -> dict[str, Any]:
    """What a language model's configuration says of its tokenizer."""
    return {
        "vocab_size": len(tokenizer),
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": None,
    }


def qwen3_vl(folder: Path) -> Path:
    """Qwen3-VL: the tiny checkpoint itself."""
    del folder
    return CHECKPOINT


def qwen3_5(folder: Path) -> Path:
    """Qwen3.5: three layers of linear attention, one of full attention; it thinks."""
    from transformers import Qwen3_5Config, Qwen3_5ForConditionalGeneration

    tokenizer = tiny_tokenizer(thinks=True)
    config = Qwen3_5Config(
        text_config={
            "hidden_size": 128,
            "intermediate_size": 256,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 32,
            "linear_key_head_dim": 64,  # vLLM's kernels know 64 and 128
            "linear_value_head_dim": 64,
            "linear_num_key_heads": 2,
            "linear_num_value_heads": 4,
            "full_attention_interval": 4,
            "tie_word_embeddings": False,
            "max_position_embeddings": 8192,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10_000.0,
                "mrope_section": [6, 5, 5],
                "mrope_interleaved": True,
                "partial_rotary_factor": 1.0,
            },
            **in_text(tokenizer),
        },
        vision_config={
            **{key: value for key, value in VISION.items() if key != "deepstack_visual_indexes"},
            "out_hidden_size": 128,
        },
        tie_word_embeddings=False,
        **of_tokens(tokenizer),
    )
    return saved(Qwen3_5ForConditionalGeneration, config, new_processor(tokenizer), folder)


def qwen3_vl_moe(folder: Path) -> Path:
    """Qwen3-VL with mixtures of experts, as Qwen3-VL-30B-A3B."""
    from transformers import Qwen3VLMoeConfig, Qwen3VLMoeForConditionalGeneration

    tokenizer = tiny_tokenizer()
    config = Qwen3VLMoeConfig(
        text_config={
            **TEXT,
            "num_hidden_layers": 3,
            "num_experts": 4,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 128,
            "decoder_sparse_step": 1,
            "norm_topk_prob": True,  # as the published ones have it; vLLM reads it
            "tie_word_embeddings": False,
            **in_text(tokenizer),
        },
        vision_config=VISION,
        tie_word_embeddings=False,
        **of_tokens(tokenizer),
    )
    return saved(Qwen3VLMoeForConditionalGeneration, config, new_processor(tokenizer), folder)


def qwen2_5_vl(folder: Path) -> Path:
    """Qwen2.5-VL: windows in its vision tower, cells of 28 pixels."""
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
    )

    tokenizer = tiny_tokenizer()
    config = Qwen2_5_VLConfig(
        text_config={
            "hidden_size": 128,
            "intermediate_size": 256,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 8192,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10_000.0,
                "mrope_section": [4, 6, 6],
            },
            "tie_word_embeddings": False,
            **in_text(tokenizer),
        },
        vision_config={
            "depth": 2,
            "hidden_size": 128,
            "intermediate_size": 256,
            "num_heads": 4,
            "out_hidden_size": 128,
            "fullatt_block_indexes": [1],
        },
        tie_word_embeddings=False,
        **of_tokens(tokenizer),
    )
    pixels = {"patch_size": 14, "merge_size": 2, "temporal_patch_size": 2}
    processor = Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(**pixels),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(**pixels),
        chat_template=tokenizer.chat_template,
    )
    return saved(Qwen2_5_VLForConditionalGeneration, config, processor, folder)


def saved(model_class: Any, config: Any, processor: Any, folder: Path) -> Path:
    """Save a random model of a configuration, always the same one."""
    torch.manual_seed(0)
    model = model_class(config)
    model.get_output_embeddings().weight.data *= SPREAD
    model.to(torch.bfloat16).save_pretrained(folder)
    processor.save_pretrained(folder)
    # Published checkpoints have experts with inputs first. Transformers turns them when it loads,
    # but not when it saves; vLLM wants them as published.
    weights = folder / "model.safetensors"
    published = {
        name: tensor.transpose(1, 2).contiguous() if ".experts." in name else tensor
        for name, tensor in load_file(weights).items()
    }
    save_file(published, weights, metadata={"format": "pt"})
    return folder


MAKERS: dict[str, Callable[[Path], Path]] = {
    "qwen3_vl": qwen3_vl,
    "qwen3_vl_moe": qwen3_vl_moe,
    "qwen3_5": qwen3_5,
    "qwen2_5_vl": qwen2_5_vl,
}
"""`model_type` -> function that writes a checkpoint into a folder and gives its path."""
