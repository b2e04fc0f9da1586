"""An adapter through vLLM against the same adapter in Transformers, and merged into its weights.

The updates are random and large, so that an adapter which is silently ignored cannot pass.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fmau.demo.tiny import CHECKPOINT
from fmau.frames.clip import read_clip
from fmau.recipe import LoraBlock
from fmau.serve import Server, start_server
from fmau.serve.adapter import NAME, read_adapter
from tests.clips import write_clip
from tests.integration.tiny_served import (
    GREEDY_TOKENS,
    SIZE,
    ask,
    common_prefix,
    encoded,
    questions_about,
    tiny_recipe,
)
from tests.serve.support import free_port

pytestmark = [pytest.mark.server, pytest.mark.slow]


@pytest.fixture(scope="module")
def adapted() -> Any:
    """The tiny checkpoint with random updates on its language model."""
    import torch
    from transformers import Qwen3VLForConditionalGeneration

    from fmau.train.adapter import add_adapter

    torch.manual_seed(0)
    base = Qwen3VLForConditionalGeneration.from_pretrained(CHECKPOINT, dtype=torch.float32)
    model = add_adapter(base, LoraBlock(rank=4))
    for path, parameter in model.named_parameters():
        if ".lora_B." in path:
            torch.nn.init.normal_(parameter, std=0.05)
    return model.eval()


@pytest.fixture(scope="module")
def server(adapted: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("vllm")
    adapted.save_pretrained(folder / "adapter")
    recipe = tiny_recipe(folder, serve__port=free_port(8300))
    adapter = read_adapter(folder / "adapter", recipe.model)
    with start_server(recipe, log_path=folder / "server.log", adapter=adapter) as started:
        started.wait_ready()
        yield started


def test_served_applied_and_merged_adapters_say_the_same(
    server: Server, adapted: Any, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoProcessor

    processor = AutoProcessor.from_pretrained(CHECKPOINT)
    recipe = tiny_recipe(tmp_path)
    path = write_clip(tmp_path / "clip.mp4", 40, **SIZE)
    frames = read_clip(path, recipe.frames)
    questions = questions_about(tmp_path, ["clip"])

    def replies(model: Any) -> list[dict[str, list[Any]]]:
        found = []
        for question in questions:
            inputs = encoded(processor, question, frames)
            with torch.inference_mode():
                output = model.generate(
                    **inputs,
                    do_sample=False,
                    max_new_tokens=GREEDY_TOKENS,
                    output_logits=True,
                    return_dict_in_generate=True,
                )
            ids = output.sequences[0, inputs["input_ids"].shape[1] :].tolist()
            sure = [
                float(logits_BV[0].log_softmax(-1)[token])
                for logits_BV, token in zip(output.logits, ids, strict=True)
            ]
            found.append({"reply": ids, "logprobs": sure})
        return found

    served = [ask(server, q, frames, recipe, model=NAME) for q in questions]
    base = [ask(server, q, frames, recipe) for q in questions]
    applied = replies(adapted)
    with adapted.disable_adapter():
        assert share_of_equal_tokens(replies(adapted), base) >= 0.99
    same = [first["reply"] == second["reply"] for first, second in zip(applied, base, strict=True)]
    assert sum(same) < 0.9 * len(same), "the adapter changes the answers"
    assert share_of_equal_tokens(applied, served) >= 0.99
    merged = adapted.merge_and_unload()
    assert share_of_equal_tokens(replies(merged), served) >= 0.99


def share_of_equal_tokens(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> float:
    """Share of tokens before two replies to a question part, over all questions.

    As far as they are equal, their log-probabilities must be so too.
    """
    equal = 0
    for first, second in zip(one, other, strict=True):
        shared = common_prefix(first["reply"], second["reply"])
        equal += shared
        assert first["logprobs"][:shared] == pytest.approx(second["logprobs"][:shared], abs=0.01)
    pairs = zip(one, other, strict=True)
    return equal / sum(max(len(first["reply"]), len(second["reply"])) for first, second in pairs)
