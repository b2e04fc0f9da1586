"""Configurations of the published models, from their sizes."""

from transformers import Qwen3VLConfig

VOCABULARY = 151_936


def _config(
    layers: int, hidden: int, ffn: int, heads: int, *, vision: tuple[int, int, int], tied: bool
) -> Qwen3VLConfig:
    depth, wide, wide_ffn = vision
    text = {
        "num_hidden_layers": layers,
        "hidden_size": hidden,
        "intermediate_size": ffn,
        "num_attention_heads": heads,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "vocab_size": VOCABULARY,
        "tie_word_embeddings": tied,
    }
    tower = {
        "depth": depth,
        "hidden_size": wide,
        "intermediate_size": wide_ffn,
        "num_heads": 16,
        "out_hidden_size": hidden,
        "deepstack_visual_indexes": [5, 11, 17] if depth == 24 else [8, 16, 24],
    }
    return Qwen3VLConfig(text_config=text, vision_config=tower, tie_word_embeddings=tied)


LARGE_TOWER = (27, 1152, 4304)
QWEN3_VL_4B = _config(36, 2560, 9728, 32, vision=(24, 1024, 4096), tied=True)
QWEN3_VL_8B = _config(36, 4096, 12288, 32, vision=LARGE_TOWER, tied=False)
QWEN3_VL_32B = _config(64, 5120, 25600, 64, vision=LARGE_TOWER, tied=False)
