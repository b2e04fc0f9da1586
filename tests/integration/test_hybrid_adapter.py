"""An adapter for Qwen3.5: trained, exported, served; its effect is that in Transformers."""

from pathlib import Path
from typing import Any

import pytest
import torch

from fmau.core.taxonomy import Task
from fmau.families.load import load_encoder, load_model
from fmau.frames.clip import read_clip
from fmau.prompting.conversation import VIDEO_PART, messages
from fmau.recipe import load_recipe
from fmau.serve import start_server
from fmau.serve.adapter import NAME, read_adapter
from fmau.train.export import export_adapter
from tests.answer.small_run import question
from tests.families.checkpoints import qwen3_5
from tests.integration.tiny_served import PROMPTS, ROUNDING, ask, behind_the_likeliest
from tests.serve.support import free_port
from tests.train.workshop import SEQUENCES, finished, furnish, recipe_file

pytestmark = [pytest.mark.server, pytest.mark.slow]

TOKENS = 12


def test_a_trained_adapter_changes_replies_as_in_transformers(tmp_path: Path) -> None:
    from peft import PeftModel

    workshop = furnish(tmp_path)
    qwen3_5(workshop / "model")
    steps = {"epochs": 2, "learning_rate": 0.05, "lora": {"rank": 4}, **SEQUENCES}
    file = recipe_file(workshop, "hybrid", dtype="bfloat16", **steps)
    adapter = finished(file) / "adapter"
    exported = export_adapter(adapter, scores={})
    # 3 x 5 projections of linear attention, 4 of attention, and 3 of each of four FFNs.
    assert exported.updates.layers == {"language": 3 * 5 + 4 + 4 * 3}
    assert exported.updates.idle == 0

    recipe = load_recipe(file, [f"serve.port={free_port(8500)}", "serve.max_num_seqs=16"])
    frames = read_clip(workshop / "clips" / "c0.mp4", recipe.frames)
    asked = [question(f"c{n}", task, n) for n, task in enumerate(Task)]

    def served(model: str) -> list[list[int]]:
        return [ask(server, one, frames, recipe, model)["reply"][:TOKENS] for one in asked]

    checked = read_adapter(adapter, recipe.model)
    log = tmp_path / "server.log"
    with start_server(recipe, log_path=log, adapter=checked) as server:
        server.wait_ready()
        from_base, from_adapter = served(recipe.model.path), served(NAME)

    encoder = load_encoder(recipe.model)
    base = load_model(recipe.model.path, None, torch.bfloat16)
    adapted: Any = PeftModel.from_pretrained(base, str(adapter)).eval()
    gaps = []
    for one, reply in zip(asked, from_adapter, strict=True):
        inputs = encoder.encode(messages(one, PROMPTS, VIDEO_PART), frames)
        gaps.append(behind_the_likeliest(adapted, inputs, reply))
    print(f"replies of {len(gaps)}: tokens at most {max(gaps):.2f} behind the likeliest")
    assert max(gaps) <= ROUNDING
    changed = sum(one != other for one, other in zip(from_base, from_adapter, strict=True))
    assert changed >= len(asked) / 2, "the adapter changes the replies"
