"""The small tokenizer keeps every text and lays turns out as Qwen's chat models do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmau.demo.tiny.tokenizer import SPECIAL_TOKENS, train_tokenizer

TOKENIZER = train_tokenizer(["Does the left hand move upward?", "A. Head\nB. Body"], 320)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_survives(text: str) -> None:
    ids = TOKENIZER(text, add_special_tokens=False)["input_ids"]
    assert TOKENIZER.decode(ids) == text


@pytest.mark.parametrize("token", SPECIAL_TOKENS)
def test_special_tokens_are_one_id_each(token: str) -> None:
    assert len(TOKENIZER(f"a{token}b", add_special_tokens=False)["input_ids"]) == 3


def test_digits_are_tokens_of_their_own() -> None:
    assert len(TOKENIZER("12", add_special_tokens=False)["input_ids"]) == 2


def test_turns_are_laid_out_as_in_qwen_chat_models() -> None:
    turns = [
        {"role": "system", "content": "Watch."},
        {
            "role": "user",
            "content": [{"type": "video"}, {"type": "text", "text": "Who?"}],
        },
        {"role": "assistant", "content": [{"type": "text", "text": "She."}]},
    ]
    assert TOKENIZER.apply_chat_template(turns, tokenize=False) == (
        "<|im_start|>system\nWatch.<|im_end|>\n"
        "<|im_start|>user\n<|vision_start|><|video_pad|><|vision_end|>Who?<|im_end|>\n"
        "<|im_start|>assistant\nShe.<|im_end|>\n"
    )
    asked = TOKENIZER.apply_chat_template(turns[:2], tokenize=False, add_generation_prompt=True)
    assert asked.endswith("<|im_end|>\n<|im_start|>assistant\n")
