"""Lets the layers of a language model compute several branches behind one prefix.

Most of a layer treats each token alone; only its mixer (attention, or linear attention) carries
information from token to token. So only the mixer must know of branches. It runs twice: over the
prefixes, and then over the branches, each of which goes on from the state that its prefix left:
keys and values, or the states of linear attention. All of this happens inside one layer, so that
gradient checkpointing, DDP, ZeRO and FSDP see a layer and a forward pass like any other.

A mask over the whole sequence could do the same for attention, but not for linear attention, which
takes none. Attention still needs one to keep branches from seeing each other, over branches alone.

`fmau.train.packing` says where prefixes and branches lie. Array suffixes as there; H hidden, R rows
of a mixer's input: B of prefixes, B x K of branches.
"""

from collections.abc import Callable, Iterator
from functools import partial
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn
from transformers.modeling_layers import GradientCheckpointingLayer

from fmau.core.errors import RecipeError

Branches = dict[str, Tensor]
"""Where prefixes and branches lie, see `fmau.train.packing.collate`."""

BRANCHING = {"full_attention", "linear_attention"}
"""Types of layers, as configurations name them, whose state after a prefix is all that a branch
needs. A sliding window would have to end at another place for each of its tokens."""


def enable_branches(model: Any) -> None:
    """Let a model take `branches`, as `fmau.train.packing.collate` makes them.

    Without `branches` it computes what it did before, so it can answer and generate as usual.

    Args:
        model: a model of Transformers, also with an adapter around it.

    Raises:
        RecipeError: the model has layers of another type than `BRANCHING`.
    """
    others = set(getattr(model.config.get_text_config(), "layer_types", None) or ()) - BRANCHING
    if others:
        raise RecipeError(
            "train.examples_per_sequence above 1 needs a model whose layers are full attention or "
            f"linear attention, but this one has {', '.join(sorted(others))}; set it to 1"
        )
    mixers = list(_mixers(model))
    assert mixers, f"{type(model).__name__} has no layers that mix tokens"
    for mixer, compute in mixers:
        mixer.forward = partial(compute, mixer.forward)


def _mixers(model: nn.Module) -> Iterator[tuple[nn.Module, Callable[..., Any]]]:
    """The mixers of the language model, each with the function that computes it in branches.

    They are told by the name under which they take their past, which the vision tower's have not.
    """
    for layer in model.modules():
        if isinstance(layer, GradientCheckpointingLayer):
            for child in layer.children():
                taken = signature(type(child).forward).parameters
                if "past_key_values" in taken:
                    yield child, _attention
                elif "cache_params" in taken:
                    yield child, _linear_attention


def _attention(
    compute: Callable[..., Any],
    hidden_states: Tensor,
    position_embeddings: tuple[Tensor, Tensor],
    branches: Branches | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """Attention of a whole sequence, by its own `compute`; (B, L, H) as without branches."""
    if branches is None:
        return compute(  # type: ignore[no-any-return]
            hidden_states=hidden_states, position_embeddings=position_embeddings, **others
        )
    past = _Past()
    own = {name: value for name, value in others.items() if name not in _OF_WHOLE_SEQUENCES}
    prefix_BPH, _ = compute(
        hidden_states=_prefixes(hidden_states, branches),
        position_embeddings=tuple(_prefixes(turn, branches) for turn in position_embeddings),
        attention_mask=branches.get("prefix_mask"),
        past_key_values=past,
        **own,
    )
    branch_RQH, _ = compute(
        hidden_states=_branches(hidden_states, branches["joined_at"]),
        position_embeddings=tuple(
            _branches(turn, branches["joined_at"]) for turn in position_embeddings
        ),
        attention_mask=branches["joined_mask"],
        past_key_values=past.repeated(branches["joined_at"].shape[1]),
        **own,
    )
    return _together(prefix_BPH, branch_RQH, branches["joined_back"]), None


def _linear_attention(
    compute: Callable[..., Any],
    hidden_states: Tensor,
    branches: Branches | None = None,
    **others: Any,
) -> Tensor:
    """Linear attention of a whole sequence, by its own `compute`; (B, L, H)."""
    if branches is None:
        return compute(hidden_states=hidden_states, **others)  # type: ignore[no-any-return]
    past = _Past()
    own = {name: value for name, value in others.items() if name not in _OF_WHOLE_SEQUENCES}
    prefix_BPH = compute(
        hidden_states=_prefixes(hidden_states, branches),
        # Padding before a prefix must leave no trace in the states. Behind a branch it may.
        attention_mask=branches.get("prefix_real"),
        cache_params=past,
        **own,
    )
    branch_RQH = compute(
        hidden_states=_branches(hidden_states, branches["rows_at"]),
        attention_mask=None,
        cache_params=past.repeated(branches["rows_at"].shape[1]),
        **own,
    )
    return _together(prefix_BPH, branch_RQH, branches["rows_back"])


_OF_WHOLE_SEQUENCES = ("attention_mask", "position_ids", "past_key_values", "cache_params")
"""Arguments of a mixer that the prefixes and the branches get their own values of."""


class _Past:
    """What one mixer keeps of the prefixes: a cache of Transformers, as far as mixers use it.

    Transformers' own cache would do for attention, but it writes states of linear attention in
    place, which loses their gradients. This one forgets what it is told about the branches.
    """

    record_past = True  # the mixer then never takes its path for single tokens, which writes too

    def __init__(self) -> None:
        self.kept: dict[str, Tensor] = {}
        self.follows = False

    def repeated(self, times: int) -> "_Past":
        """The same past for each of so many rows of branches behind every prefix."""
        past = _Past()
        past.follows = True
        past.kept = {
            name: state[:, None].expand(-1, times, *state.shape[1:]).flatten(0, 1)
            for name, state in self.kept.items()
        }
        return past

    def update(self, keys: Tensor, values: Tensor, *_: Any) -> tuple[Tensor, Tensor]:
        """The keys and values that attention sees (rows, heads, tokens, width)."""
        if self.follows:
            return (
                torch.cat([self.kept["keys"], keys], dim=-2),
                torch.cat([self.kept["values"], values], dim=-2),
            )
        self.kept |= {"keys": keys, "values": values}
        return keys, values

    @property
    def layers(self) -> "_Layers":
        """This object, whatever the number of the layer."""
        return _Layers(self)

    def has_previous_state(self, *_: Any, **__: Any) -> bool:
        """Whether there is a prefix before the tokens."""
        return self.follows

    def update_conv_state(self, inputs: Tensor, *_: Any, conv_kernel_size: int) -> Tensor:
        """What the convolution sees, (rows, channels, tokens)."""
        if self.follows:
            return torch.cat([self.kept["conv"], inputs], dim=-1)
        self.kept["conv"] = inputs[..., -conv_kernel_size:]
        return inputs

    @property
    def recurrent_states(self) -> tuple[Tensor]:
        """The state of the recurrence after the prefix."""
        return (self.kept["recurrent"],)

    def update_recurrent_state(self, state: Tensor, *_: Any) -> None:
        """Keep the state after the prefix."""
        if not self.follows:
            self.kept["recurrent"] = state


class _Layers:
    """Stands for the list of a cache's layers in a cache of one layer."""

    def __init__(self, past: _Past) -> None:
        self.past = past

    def __getitem__(self, _: int) -> _Past:
        return self.past


def _prefixes(whole_BLx: Tensor, branches: Branches) -> Tensor:
    return _taken(whole_BLx, branches["prefix_at"])


def _branches(whole_BLx: Tensor, at_BKQ: Tensor) -> Tensor:
    taken_BNx = _taken(whole_BLx, at_BKQ.flatten(1))
    return taken_BNx.reshape(-1, at_BKQ.shape[2], taken_BNx.shape[2])


def _together(prefix_BPH: Tensor, branch_RQH: Tensor, back_BL: Tensor) -> Tensor:
    """The tokens of prefixes and branches in the order of their sequences, (B, L, H)."""
    branch_BNH = branch_RQH.unflatten(0, (len(prefix_BPH), -1)).flatten(1, 2)
    return _taken(torch.cat([prefix_BPH, branch_BNH], dim=1), back_BL)


def _taken(from_BMx: Tensor, at_BN: Tensor) -> Tensor:
    # Rotations come as one row for all sequences where all have the same positions.
    rows_B1 = torch.arange(len(at_BN), device=at_BN.device)[:, None]
    taken_BNx: Tensor = from_BMx.expand(len(at_BN), -1, -1)[rows_B1, at_BN]
    return taken_BNx
