"""Packed sequences against their conversations one by one: losses and gradients of the adapter."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from fmau.core.records import Question
from fmau.core.taxonomy import Task
from fmau.dataset.examples.example import Example
from fmau.families.encode import Encoder
from fmau.families.load import load_encoder, load_model
from fmau.recipe import LoraBlock, ModelBlock
from fmau.train.adapter import add_adapter
from fmau.train.batches import (
    Collator,
    SequenceDataset,
    collate_sequences,
    conversation,
    encode_example,
)
from fmau.train.branches import allow_branches
from fmau.train.packing import IGNORED
from tests.clips import drawn_frames
from tests.families.checkpoints import MAKERS
from tests.processors import PROMPTS

pytestmark = pytest.mark.slow

FRAMES = drawn_frames()
GROUPS = [
    [
        Example("c", "x", "Which part moves most, and where to?", "The head."),
        Example("c", "SAD", Question("q", "c", Task.SAD, "Does it move?"), "No"),
        Example("c", "x", "Hm?", "The left hand moves up to the face, and then it rests there."),
    ],
    [
        Example("c", "MAS", Question("r", "c", Task.MAS, "Does the head move first?"), "Yes"),
        Example("c", "x", "What is seen?", "A nod"),
    ],
]
EXPONENT = 0.5


@pytest.fixture(scope="module", params=["qwen3_vl", "qwen3_5"])
def parts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Folder and encoder of a checkpoint of each kind: attention alone, and hybrid."""
    folder = MAKERS[request.param](tmp_path_factory.mktemp("model") / "m")
    return folder, load_encoder(ModelBlock(path=str(folder), dtype="float32"))


def adapted(folder: Path, dtype: torch.dtype, *, checkpointing: bool, attention: str) -> Any:
    """The model with an adapter whose updates are not zero; no dropout."""
    model = load_model(str(folder), None, dtype, attn_implementation=attention)
    allow_branches(model)
    model.config.use_cache = False
    if checkpointing:
        model.enable_input_require_grads()
        model.gradient_checkpointing_enable({"use_reentrant": False})
    torch.manual_seed(1)
    adapted = add_adapter(model, LoraBlock(rank=4, vision=True, merger=True))
    for path, parameter in adapted.named_parameters():
        if ".lora_B." in path:
            torch.nn.init.normal_(parameter, std=0.02)
    return adapted.train()


def loss_of(model: Any, batch: dict[str, Any]) -> Tensor:
    """The weighted sum of the losses of a batch's learned tokens."""
    batch = dict(batch)
    labels, weights = batch.pop("labels"), batch.pop("weights")
    logits = model(**batch, use_cache=False).logits[:, :-1].float()
    losses = torch.nn.functional.cross_entropy(
        logits.transpose(1, 2), labels[:, 1:], ignore_index=IGNORED, reduction="none"
    )
    return (losses * weights[:, 1:]).sum()


def gradients(model: Any) -> dict[str, Tensor]:
    found = {
        path: parameter.grad.float()
        for path, parameter in model.named_parameters()
        if parameter.grad is not None
    }
    model.zero_grad()
    return found


def one_by_one(model: Any, encoder: Encoder) -> float:
    collate = Collator(encoder.processor.tokenizer.pad_token_id)
    total = 0.0
    for group in GROUPS:
        for example in group:
            turns = conversation(example, PROMPTS)
            encoded = encode_example(encoder, turns, example.answer, FRAMES, EXPONENT)
            loss = loss_of(model, collate([encoded]))
            loss.backward()
            total += loss.item()
    return total


def packed(model: Any, encoder: Encoder) -> float:
    sequences = SequenceDataset(
        GROUPS,
        cache={"c": FRAMES},
        encoder=encoder,
        prompts=PROMPTS,
        length_exponent=EXPONENT,
        config=model.get_base_model().config,
    )
    loss = loss_of(model, collate_sequences([sequences[0], sequences[1]]))
    loss.backward()
    return loss.item()


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize(
    ("dtype", "close", "closer"),
    [(torch.float32, 1e-5, 1e-4), (torch.bfloat16, 2e-2, 8e-2)],
    ids=["fp32", "bf16"],
)
def test_packed_equals_one_by_one(
    parts: Any,
    attention: str,
    checkpointing: bool,
    dtype: torch.dtype,
    close: float,
    closer: float,
) -> None:
    """`close` bounds the relative difference of losses; `closer` that of all gradients together."""
    folder, encoder = parts
    model = adapted(folder, dtype, checkpointing=checkpointing, attention=attention)
    alone = one_by_one(model, encoder)
    wanted = gradients(model)
    together = packed(model, encoder)
    found = gradients(model)
    assert together == pytest.approx(alone, rel=close)
    assert found.keys() == wanted.keys()
    away = torch.stack([(found[path] - wanted[path]).norm() for path in wanted]).norm()
    size = torch.stack([gradient.norm() for gradient in wanted.values()]).norm()
    print(
        f"{folder.name} {attention} {dtype} checkpointing={checkpointing}: loss {together:.4f} "
        f"against {alone:.4f}, gradients {away:.2e} apart of {size:.2e}"
    )
    assert away <= closer * size


def test_a_token_changes_nothing_before_it_nor_in_other_branches(parts: Any) -> None:
    folder, encoder = parts
    model = adapted(folder, torch.float32, checkpointing=False, attention="sdpa").eval()
    sequences = SequenceDataset(
        GROUPS,
        cache={"c": FRAMES},
        encoder=encoder,
        prompts=PROMPTS,
        length_exponent=EXPONENT,
        config=model.get_base_model().config,
    )
    batch = collate_sequences([sequences[0]])
    (layout,) = batch["layouts"]
    del batch["labels"], batch["weights"]
    starts = [layout.prefix, layout.prefix + layout.branches[0]]

    @torch.no_grad()
    def logits(*changed: int) -> Tensor:
        ids = batch["input_ids"].clone()
        for place in changed:
            ids[0, place] = 99
        return model(**batch | {"input_ids": ids}).logits[0]

    unchanged = logits()
    second = starts[1] + 1
    differs = ((logits(second) - unchanged).abs().amax(-1) > 1e-5).nonzero()[:, 0].tolist()
    assert differs[0] == second
    assert set(differs) <= set(range(second, starts[1] + layout.branches[1]))


def test_a_model_without_layouts_works_as_before(parts: Any) -> None:
    folder, encoder = parts
    plain = load_model(str(folder), None, torch.float32).eval()
    branching = load_model(str(folder), None, torch.float32).eval()
    allow_branches(branching)
    turns = conversation(GROUPS[0][0], PROMPTS)
    inputs = encoder.encode(turns, FRAMES)
    with torch.no_grad():
        assert torch.equal(plain(**inputs).logits, branching(**inputs).logits)
