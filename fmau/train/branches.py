"""Lets every branch of a packed sequence see the prefix and itself, and no other branch.

In a packed sequence (`fmau.train.packing`) several questions about one clip share the clip. Most of
a layer treats each token alone, and a packed sequence is as good as any. Only its mixer (attention,
or linear attention) lets tokens see others. So the mixer runs twice: over the prefix, where it
leaves its state in a `PrefixState`; then over the branches as a batch, each of which begins from
that state, as in a conversation that goes on. This is exact for both kinds of mixers. A mask in
place of it would be wrong for linear attention, which cannot leave tokens out.

The state lives within one call of one layer. So gradient checkpointing, which calls a layer again
in the backward pass, needs nothing special; nor do DDP, ZeRO-3 and FSDP, for which the model still
has one forward pass.

Array suffixes: B sequences, L tokens, H hidden values, K branches, P tokens of the prefix, T tokens
of the longest branch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from fmau.families.layers import family_in

HIDDEN = torch.finfo(torch.bfloat16).min
"""Added to the attention score of a token that must not be seen; finite in float32 too."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the parts of a packed sequence lie.

    Attributes:
        prefix: number of tokens of the prefix.
        branches: number of tokens of each branch, in order.
    """

    prefix: int
    branches: tuple[int, ...]


class PrefixState:
    """What a mixer computes from the prefix, for the branches to begin from.

    It has the methods of Transformers' caches that mixers call. A cache of Transformers itself
    would write into its tensors, which the backward pass needs unchanged.

    Args:
        branches: number of branches.
    """

    record_past = True
    """Tells linear attention that several tokens may follow the state."""

    def __init__(self, branches: int) -> None:
        self._branches = branches
        self._kept: tuple[Tensor, ...] | None = None
        self._recurrent: Tensor | None = None

    def _repeated(self, state_1: Tensor) -> Tensor:
        return state_1.expand(self._branches, *state_1.shape[1:])

    def update(self, keys: Tensor, values: Tensor, _layer: int) -> tuple[Tensor, Tensor]:
        """Attention: keep the prefix's keys and values; put them before those of the branches."""
        if self._kept is None:
            self._kept = keys, values
            return keys, values
        before_keys, before_values = map(self._repeated, self._kept)
        return torch.cat([before_keys, keys], dim=2), torch.cat([before_values, values], dim=2)

    def has_previous_state(self, _layer: int, state_idx: int = 0) -> bool:
        """Linear attention: whether the prefix has been read."""
        del state_idx
        return self._recurrent is not None

    def update_conv_state(self, inputs: Tensor, _layer: int, *, conv_kernel_size: int) -> Tensor:
        """Linear attention: put the prefix's last columns before the branches' first ones."""
        if self._kept is None:
            self._kept = (
                nn.functional.pad(inputs, (conv_kernel_size, 0))[..., -conv_kernel_size:],
            )
            return inputs
        return torch.cat([self._repeated(self._kept[0]), inputs], dim=-1)

    def update_recurrent_state(self, state: Tensor, _layer: int) -> None:
        """Linear attention: keep the state after the prefix; what branches leave is not needed."""
        if self._recurrent is None:
            self._recurrent = state

    @property
    def layers(self) -> "_AnyLayer":
        """As in a cache, which has one object a layer."""
        return _AnyLayer(self)

    @property
    def recurrent_states(self) -> list[Tensor]:
        """Linear attention: the state that each branch begins from."""
        assert self._recurrent is not None, "the prefix is read first"
        return [self._repeated(self._recurrent)]


@dataclass(frozen=True, slots=True)
class _AnyLayer:
    """A list in which every layer's entry is the one state."""

    state: PrefixState

    def __getitem__(self, _layer: int) -> PrefixState:
        return self.state


def allow_branches(model: Any) -> None:
    """Make the model take packed sequences: call it with `layouts`, one `Layout` a sequence.

    Without `layouts` it works as before.
    """
    family = family_in(model)
    for path, module in model.named_modules():
        if family.tower(path) == "language" and path.rpartition(".")[2] in family.mixers:
            module.forward = partial(_mix, module, module.forward)


def _mix(
    module: nn.Module,
    forward: Callable[..., Any],
    hidden_states: Tensor,
    *arguments: Any,
    layouts: Sequence[Layout] | None = None,
    **others: Any,
) -> Any:
    """The mixer's forward pass, over packed sequences if there are layouts."""
    if layouts is None:
        return forward(hidden_states, *arguments, **others)
    assert not arguments, "Transformers' layers name all but the hidden states"
    rows = [
        _mix_one(module, forward, hidden_states[row], row, layout, others)
        for row, layout in enumerate(layouts)
    ]
    mixed_BLH = pad_sequence(rows, batch_first=True)
    mixed_BLH = nn.functional.pad(mixed_BLH, (0, 0, 0, hidden_states.shape[1] - mixed_BLH.shape[1]))
    return (mixed_BLH, None) if "position_embeddings" in others else mixed_BLH


def _mix_one(
    module: nn.Module,
    forward: Callable[..., Any],
    hidden_LH: Tensor,
    row: int,
    layout: Layout,
    others: dict[str, Any],
) -> Tensor:
    """Mix the tokens of one packed sequence; returns its tokens without padding."""
    state = PrefixState(len(layout.branches))
    prefix_1PH, branches_KTH = _parts(hidden_LH, layout)
    lengths = layout.prefix, branches_KTH.shape[1]
    if "position_embeddings" not in others:  # linear attention
        head_1PH = forward(prefix_1PH, cache_params=state, attention_mask=None)
        tails_KTH = forward(branches_KTH, cache_params=state, attention_mask=None)
    else:
        turns = [_parts(one_BLR[row], layout) for one_BLR in others["position_embeddings"]]
        (head_1PH, _), (tails_KTH, _) = (
            forward(
                part,
                position_embeddings=tuple(turn[place] for turn in turns),
                attention_mask=mask,
                past_key_values=state,
            )
            for place, (part, mask) in enumerate(
                zip((prefix_1PH, branches_KTH), _masks(module, *lengths, hidden_LH), strict=True)
            )
        )
    tails = [tail[:length] for tail, length in zip(tails_KTH, layout.branches, strict=True)]
    return torch.cat([head_1PH[0], *tails])


def _parts(values_LH: Tensor, layout: Layout) -> tuple[Tensor, Tensor]:
    """A sequence's prefix, (1, P, H), and its branches padded at the end, (K, T, H)."""
    prefix, *branches = values_LH[: layout.prefix + sum(layout.branches)].split(
        [layout.prefix, *layout.branches]
    )
    return prefix[None], pad_sequence(branches, batch_first=True)


def _masks(
    module: nn.Module, prefix: int, longest: int, like: Tensor
) -> tuple[Tensor | None, Tensor | None]:
    """Attention masks of the prefix and of the branches, which see it whole.

    Kernels assume causality without a mask: flash attention counts from the last token, as branches
    need it; that of PyTorch from the first one.
    """
    kind = module.config._attn_implementation  # type: ignore[union-attr]
    if kind == "flash_attention_2":
        return None, None
    seen_LL = torch.ones(prefix + longest, prefix + longest, dtype=torch.bool, device=like.device)
    seen_LL = seen_LL.tril()
    if kind == "sdpa":
        return None, seen_LL[None, None, prefix:]
    added_LL = torch.zeros_like(seen_LL, dtype=like.dtype).masked_fill(~seen_LL, HIDDEN)
    return added_LL[None, None, :prefix, :prefix], added_LL[None, None, prefix:]
