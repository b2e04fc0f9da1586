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

Array suffixes: B sequences, R of them with prefixes of one length, L tokens, H hidden values, K
branches of all of them, P tokens of a prefix, T tokens of the longest branch.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, pairwise
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

    @property
    def spans(self) -> Iterator[slice]:
        """The place of each branch."""
        ends = accumulate(self.branches, initial=self.prefix)
        return (slice(start, end) for start, end in pairwise(ends))


class PrefixState:
    """What a mixer computes from the prefix, for the branches to begin from.

    It has the methods of Transformers' caches that mixers call. A cache of Transformers itself
    would write into its tensors, which the backward pass needs unchanged.

    Args:
        counts: for each prefix of the batch, the number of its branches.
    """

    record_past = True
    """Tells linear attention that several tokens may follow the state."""

    def __init__(self, counts: Sequence[int]) -> None:
        self._counts = list(counts)
        self._kept: tuple[Tensor, ...] | None = None
        self._recurrent: Tensor | None = None

    def _repeated(self, state_R: Tensor) -> Tensor:
        # Views joined: their gradient is a sum. That of an index would be scattered, slowly.
        each = zip(state_R.split(1), self._counts, strict=True)
        return torch.cat([one.expand(count, *one.shape[1:]) for one, count in each])

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
    mixed: list[Tensor] = [hidden_states.new_empty(0)] * len(layouts)
    by_prefix: dict[int, list[int]] = {}
    for row, layout in enumerate(layouts):
        by_prefix.setdefault(layout.prefix, []).append(row)
    for rows in by_prefix.values():
        batch = _Batch(rows, [layouts[row] for row in rows])
        for row, tokens_LH in zip(
            rows, _mix_batch(module, forward, batch, hidden_states, others), strict=True
        ):
            mixed[row] = tokens_LH
    mixed_BLH = pad_sequence(mixed, batch_first=True)
    mixed_BLH = nn.functional.pad(mixed_BLH, (0, 0, 0, hidden_states.shape[1] - mixed_BLH.shape[1]))
    return (mixed_BLH, None) if "position_embeddings" in others else mixed_BLH


@dataclass(frozen=True, slots=True)
class _Batch:
    """Packed sequences whose prefixes have one length, so that they can be mixed together.

    Attributes:
        rows: their places among all sequences.
        layouts: one for each of them.
    """

    rows: list[int]
    layouts: list[Layout]

    @property
    def counts(self) -> list[int]:
        """The number of branches of each sequence."""
        return [len(layout.branches) for layout in self.layouts]

    def parts(self, values_BLH: Tensor) -> tuple[Tensor, Tensor]:
        """The prefixes, (R, P, H), and all branches padded at the end, (K, T, H)."""
        prefix = self.layouts[0].prefix
        prefixes_RPH = torch.stack([values_BLH[row, :prefix] for row in self.rows])
        branches = [
            values_BLH[row, span]
            for row, layout in zip(self.rows, self.layouts, strict=True)
            for span in layout.spans
        ]
        return prefixes_RPH, pad_sequence(branches, batch_first=True)

    def joined(self, prefixes_RPH: Tensor, branches_KTH: Tensor) -> Iterator[Tensor]:
        """The inverse of `parts`: the tokens of each sequence, (L, H), without padding."""
        tails = iter(branches_KTH)
        for prefix_PH, layout in zip(prefixes_RPH, self.layouts, strict=True):
            yield torch.cat([prefix_PH, *(next(tails)[:length] for length in layout.branches)])


def _mix_batch(
    module: nn.Module,
    forward: Callable[..., Any],
    batch: _Batch,
    hidden_BLH: Tensor,
    others: dict[str, Any],
) -> Iterator[Tensor]:
    """Mix the tokens of packed sequences; yields those of each, (L, H), without padding."""
    state = PrefixState(batch.counts)
    parts = batch.parts(hidden_BLH)
    if "position_embeddings" not in others:  # linear attention
        mixed = [forward(part, cache_params=state, attention_mask=None) for part in parts]
    else:
        turns = zip(
            *(batch.parts(turn_BLR) for turn_BLR in others["position_embeddings"]), strict=True
        )
        masks = _masks(module, parts[0].shape[1], parts[1].shape[1], hidden_BLH)
        mixed = [
            forward(part, position_embeddings=turn, attention_mask=mask, past_key_values=state)[0]
            for part, turn, mask in zip(parts, turns, masks, strict=True)
        ]
    return batch.joined(mixed[0], mixed[1])


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
