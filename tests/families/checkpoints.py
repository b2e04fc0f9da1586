"""Small random checkpoints of each family's real architecture, with the tiny tokenizer.

The chat templates are written here in the manner of each family's own.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from fmau.core.torchvision_cpu import ensure_torchvision
from fmau.demo.tiny import CHECKPOINT
from fmau.demo.tiny.model import TEXT, VISION, new_processor, placeholder_ids, text_settings

ensure_torchvision()

ASKS = "{{- '<|im_start|>assistant\\n' -}}"
"""The end of the tiny template: where the model answers."""

THINKS = (
    ASKS
    + "{%- if enable_thinking is defined and enable_thinking is false -%}"
    + "{{- '<think>\\n\\n</think>\\n\\n' -}}{%- else -%}{{- '<think>\\n' -}}{%- endif -%}"
)
"""The same for a model that thinks unless it is told not to."""

SPREAD = 4.0
"""How much wider the output head is made. Random weights give nearly equal scores to all tokens, so
that a wrong one would be near the right one; too wide a head makes rounding as large."""


def tiny_tokenizer(*, thinks: bool = False) -> Any:
    """The tiny checkpoint's tokenizer; with thinking marks and a template that uses them."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(CHECKPOINT)
    if thinks:
        tokenizer.add_tokens(["<think>", "</think>"])
        assert ASKS in tokenizer.chat_template
        tokenizer.chat_template = tokenizer.chat_template.replace(ASKS, THINKS)
    return tokenizer


def random_model(
    names: tuple[Any, Any],
    tokenizer: Any,
    text: dict[str, Any],
    vision: dict[str, Any],
    *,
    tied: bool = False,
) -> Any:
    """A random model, always the same one.

    Args:
        names: the classes of its configuration and of the model.
        text, vision: configurations of the two towers, without what depends on the tokenizer.
        tied: the output head is the table of embeddings.
    """
    config_class, model_class = names
    torch.manual_seed(0)
    return model_class(
        config_class(
            text_config=text | text_settings(tokenizer) | {"tie_word_embeddings": tied},
            vision_config=vision,
            tie_word_embeddings=tied,
            **placeholder_ids(tokenizer),
        )
    )


HYBRID = ["linear_attention", "linear_attention", "full_attention"] * 2


def hybrid_model(tokenizer: Any, layers: Sequence[str] = HYBRID, *, tied: bool = True) -> Any:
    """Qwen3.5: linear attention in most layers, full attention in some.

    Its processor is that of Qwen3-VL. vLLM's CPU build computes linear heads of 64 or 128 only.
    """
    from transformers import Qwen3_5Config, Qwen3_5ForConditionalGeneration

    text = {
        "hidden_size": TEXT["hidden_size"],
        "intermediate_size": TEXT["intermediate_size"],
        "num_hidden_layers": len(layers),
        "layer_types": list(layers),
        "num_attention_heads": 3,
        "num_key_value_heads": 1,
        "head_dim": 64,
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 4,
        "linear_key_head_dim": 64,
        "linear_value_head_dim": 64,
        "max_position_embeddings": 8192,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10_000.0,
            # A half of each head is turned: pairs for time, height and width.
            "partial_rotary_factor": 0.5,
            "mrope_section": [6, 5, 5],
            "mrope_interleaved": True,
        },
    }
    vision = {name: value for name, value in VISION.items() if name != "deepstack_visual_indexes"}
    names = (Qwen3_5Config, Qwen3_5ForConditionalGeneration)
    return random_model(names, tokenizer, text, vision, tied=tied)


def qwen3_vl(folder: Path) -> Path:
    """Qwen3-VL: the tiny checkpoint itself."""
    del folder
    return CHECKPOINT


def qwen3_5(folder: Path) -> Path:
    """Qwen3.5: three layers of linear attention, one of full attention; it thinks."""
    tokenizer = tiny_tokenizer(thinks=True)
    layers = ["linear_attention"] * 3 + ["full_attention"]
    return saved(hybrid_model(tokenizer, layers, tied=False), new_processor(tokenizer), folder)


def qwen3_vl_moe(folder: Path) -> Path:
    """Qwen3-VL with mixtures of experts, as Qwen3-VL-30B-A3B."""
    from transformers import Qwen3VLMoeConfig, Qwen3VLMoeForConditionalGeneration

    tokenizer = tiny_tokenizer()
    experts = {
        "num_hidden_layers": 3,
        "num_experts": 4,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": 128,
        "decoder_sparse_step": 1,
        "norm_topk_prob": True,  # as the published ones have it; vLLM reads it
    }
    names = (Qwen3VLMoeConfig, Qwen3VLMoeForConditionalGeneration)
    model = random_model(names, tokenizer, TEXT | experts, VISION)
    return saved(model, new_processor(tokenizer), folder)


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
    turned = {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [4, 6, 6]}
    text = TEXT | {"num_hidden_layers": 3, "rope_parameters": turned}
    vision = {
        "depth": 2,
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_heads": 4,
        "out_hidden_size": TEXT["hidden_size"],
        "fullatt_block_indexes": [1],
    }
    pixels = {"patch_size": 14, "merge_size": 2, "temporal_patch_size": 2}
    processor = Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(**pixels),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(**pixels),
        chat_template=tokenizer.chat_template,
    )
    names = (Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration)
    return saved(random_model(names, tokenizer, text, vision), processor, folder)


def saved(model: Any, processor: Any, folder: Path) -> Path:
    """Save a random model, whose head is not tied, as a checkpoint."""
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
