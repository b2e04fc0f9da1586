"""Packs several questions about one clip into one sequence, so that the clip is encoded once.

`fmau.train.batches` packs training examples with it, and `fmau.demo.tiny` packs its lessons.

Layout: PREFIX BRANCH_1 BRANCH_2 ... The prefix holds the tokens that all prompts share (system
prompt, video, common text). A branch holds the rest of one conversation: question and answer. Each
branch sees the prefix and itself, and its positions start where the prefix ends. The loss therefore
equals that of the conversations computed one by one, for a fraction of the compute.

The prefix is computed once, and each branch goes on from the state in which it leaves a layer
(`fmau.train.branching`). No mask keeps branches apart, because linear attention takes none.

Array suffixes: L tokens, B sequences, A the position axes (time, height, width) of multimodal RoPE,
P tokens of a prefix, K branches, Q tokens of a branch, R = B x K, N = P + Q.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import torch
from torch import Tensor

IGNORED = -100
"""Label of tokens that do not count in the loss."""

HIDDEN = torch.finfo(torch.bfloat16).min
"""Added to the attention score of a token that must not be seen; finite in float32 too."""

PositionRule = Callable[..., tuple[Tensor, Tensor]]
"""The model's own `get_rope_index`, which computes positions from token ids."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One tokenized conversation about a clip.

    Attributes:
        prompt: token ids before the answer, video tokens included.
        answer: token ids of the answer, with its end-of-turn token.
    """

    prompt: Sequence[int]
    answer: Sequence[int]


@dataclass(frozen=True, slots=True)
class Packed:
    """The packed sequence of one clip.

    Attributes:
        ids_L: token ids.
        labels_L: the token id for answer tokens (end-of-turn token included), else `IGNORED`.
        positions_AL: multimodal RoPE positions.
        branch_L: 0 for tokens of the prefix, k for tokens of the k-th conversation.
        weights_L: weight of each label in the loss.
        moved: offset of each branch: index of its tokens here minus their index in the prompt.
    """

    ids_L: Tensor
    labels_L: Tensor
    positions_AL: Tensor
    branch_L: Tensor
    weights_L: Tensor
    moved: tuple[int, ...]


def pack(
    conversations: Sequence[Conversation],
    video_grid_thw: Tensor,
    video_token: int,
    positions: PositionRule,
    length_exponent: float,
) -> Packed:
    """Join conversations about one clip into one sequence.

    Args:
        conversations: their prompts begin with the same tokens, the video among them.
        video_grid_thw: the clip's patch grid, shape (1, 3).
        video_token: id of the placeholder token of the video.
        positions: computes the RoPE positions of the prefix.
        length_exponent: an answer of n tokens has the weight n ** length_exponent, see
            `fmau.recipe.TrainBlock`.

    Raises:
        ValueError: the prompts have no common prefix that contains the whole video.
    """
    prompts = [conversation.prompt for conversation in conversations]
    prefix = _shared(prompts)
    if video_token not in prefix or video_token in prompts[0][len(prefix) :]:
        raise ValueError("the conversations do not share the video")
    ids, labels, branch = list(prefix), [IGNORED] * len(prefix), [0] * len(prefix)
    weights, moved = [0.0] * len(prefix), []
    for number, conversation in enumerate(conversations, start=1):
        rest, answer = conversation.prompt[len(prefix) :], conversation.answer
        moved.append(len(ids) - len(prefix))
        ids += [*rest, *answer]
        labels += [IGNORED] * len(rest) + [*answer]
        branch += [number] * (len(rest) + len(answer))
        weights += [0.0] * len(rest) + [len(answer) ** (length_exponent - 1)] * len(answer)
    branch_L = torch.tensor(branch)
    is_video_L = (torch.tensor(prefix) == video_token).int() * 2
    prefix_A1L, _ = positions(
        torch.tensor(prefix)[None],
        mm_token_type_ids=is_video_L[None],
        video_grid_thw=video_grid_thw,
    )
    return Packed(
        ids_L=torch.tensor(ids),
        labels_L=torch.tensor(labels),
        positions_AL=_branching(prefix_A1L[:, 0], branch_L),
        branch_L=branch_L,
        weights_L=torch.tensor(weights),
        moved=tuple(moved),
    )


def _shared(prompts: Iterable[Sequence[int]]) -> list[int]:
    """The tokens that all prompts begin with.

    At least one token of each prompt stays in its branch, which predicts its answer from it.
    """
    columns = zip(*(prompt[:-1] for prompt in prompts), strict=False)
    return [column[0] for column in takewhile(lambda column: len(set(column)) == 1, columns)]


def _branching(prefix_AL: Tensor, branch_L: Tensor) -> Tensor:
    """Positions of the whole sequence: every branch starts at the position after the prefix."""
    start = int(prefix_AL.max()) + 1
    counts = torch.bincount(branch_L)[1:]
    steps = torch.cat([torch.arange(int(count)) for count in counts]) + start
    return torch.cat([prefix_AL, steps.expand(3, -1)], dim=1)


def collate(packs: Sequence[Packed], attention: str) -> dict[str, Any]:
    """Stack sequences into a batch; shorter ones are padded at the end.

    Args:
        attention: the model's implementation of attention: "sdpa", "eager" or "flash_attention_2".

    Returns:
        input_ids, labels and weights (B, L), position_ids (A, B, L), and branches: where prefixes
        and branches lie, see `_branches`.
    """
    longest = max(len(packed.ids_L) for packed in packs)
    batch = len(packs)
    ids_BL = torch.zeros(batch, longest, dtype=torch.long)
    labels_BL = torch.full((batch, longest), IGNORED)
    weights_BL = torch.zeros(batch, longest)
    positions_ABL = torch.zeros(3, batch, longest, dtype=torch.long)
    for row, packed in enumerate(packs):
        length = len(packed.ids_L)
        ids_BL[row, :length] = packed.ids_L
        labels_BL[row, :length] = packed.labels_L
        positions_ABL[:, row, :length] = packed.positions_AL
        weights_BL[row, :length] = packed.weights_L
    return {
        "input_ids": ids_BL,
        "labels": labels_BL,
        "weights": weights_BL,
        "position_ids": positions_ABL,
        "branches": _branches([packed.branch_L for packed in packs], longest, attention),
    }


def _branches(numbers: Sequence[Tensor], longest: int, attention: str) -> dict[str, Tensor]:
    """Where the prefixes and branches of a batch lie, as `fmau.train.branching` takes them.

    A mixer computes the prefixes as one array, padded before their first tokens, and the branches
    as another one. For linear attention each branch is a row, padded behind its last token. For
    attention with a mask all branches of a sequence are one row, which needs less padding, and only
    one copy of the prefix's keys and values. Flash attention takes no such mask, so that its rows
    are those of linear attention.

    Args:
        numbers: `branch_L` of each sequence.
        longest: L, the tokens of the longest sequence.

    Returns:
        prefix_at (B, P), rows_at (B, K, Q), joined_at (B, K, Q, or 1 and all tokens of branches):
        places of their tokens in the sequence, 0 in padding; rows_back, joined_back (B, L): places
        of the sequence's tokens in the P + K x Q of both arrays, for linear attention and for
        attention. prefix_mask, joined_mask: what `attention` takes as a mask. prefix_real (B, P):
        whether a place is not padding. prefix_mask and prefix_real are left out where nothing has
        to be masked.
    """
    counts = [torch.bincount(branch_L).tolist() for branch_L in numbers]
    prefix = max(first for first, *_ in counts)
    prefix_at_BP = torch.zeros(len(counts), prefix, dtype=torch.long)
    prefix_real_BP = torch.zeros(len(counts), prefix, dtype=torch.bool)
    for row, (first, *_) in enumerate(counts):
        prefix_at_BP[row, prefix - first :] = torch.arange(first)
        prefix_real_BP[row, prefix - first :] = True
    found = {"prefix_at": prefix_at_BP}
    if not prefix_real_BP.all():
        found["prefix_real"] = prefix_real_BP
    rows_number_BKQ, found["rows_at"], found["rows_back"] = _laid_out(counts, prefix, longest)
    if attention == "flash_attention_2":
        joined_number_BKQ = rows_number_BKQ
        found |= {"joined_at": found["rows_at"], "joined_back": found["rows_back"]}
    else:
        joined = [[first, sum(rest)] for first, *rest in counts]
        _, found["joined_at"], found["joined_back"] = _laid_out(joined, prefix, longest)
        joined_number_BKQ = torch.zeros_like(found["joined_at"])
        for row, (first, *rest) in enumerate(counts):
            joined_number_BKQ[row, 0, : sum(rest)] = numbers[row][first:]
    return found | _masks(prefix_real_BP, joined_number_BKQ, attention)


def _laid_out(
    counts: Sequence[Sequence[int]], prefix: int, longest: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Lay out branches as rows.

    Args:
        counts: for each sequence, tokens of its prefix and of each row.
        prefix: P, the tokens of the longest prefix.

    Returns:
        The number of each token's row from 1, 0 in padding, and the place of the token in its
        sequence, (B, K, Q); the places of the sequence's tokens in P + K x Q, (B, L).
    """
    most = max(map(len, counts)) - 1
    width = max(length for _, *rest in counts for length in rest)
    number_BKQ = torch.zeros(len(counts), most, width, dtype=torch.long)
    at_BKQ = torch.zeros_like(number_BKQ)
    back_BL = torch.zeros(len(counts), longest, dtype=torch.long)
    for row, (first, *rest) in enumerate(counts):
        back_BL[row, :first] = torch.arange(prefix - first, prefix)
        at = first
        for place, length in enumerate(rest):
            tokens = torch.arange(length)
            number_BKQ[row, place, :length] = place + 1
            at_BKQ[row, place, :length] = at + tokens
            back_BL[row, at : at + length] = prefix + place * width + tokens
            at += length
    return number_BKQ, at_BKQ, back_BL


def _masks(prefix_real_BP: Tensor, number_BKQ: Tensor, attention: str) -> dict[str, Tensor]:
    """The masks of `_branches`.

    Args:
        number_BKQ: number of each token's branch, 0 in padding.
    """
    number_RQ = number_BKQ.flatten(0, 1)
    past_RP = prefix_real_BP.repeat_interleave(number_BKQ.shape[1], dim=0)
    padded = not prefix_real_BP.all()
    if attention == "flash_attention_2":
        # It takes the places that are not padding, and knows that the last key is the last query.
        masks = {"joined_mask": torch.cat([past_RP, number_RQ > 0], dim=1)}
        return masks | ({"prefix_mask": prefix_real_BP} if padded else {})
    width = number_RQ.shape[1]
    # Padding counts as a branch: a row of the mask without any True gives NaN.
    own_RQQ = _causal(width) & (number_RQ[:, None] == number_RQ[:, :, None])
    seen_RQN = torch.cat([past_RP[:, None].expand(-1, width, -1), own_RQQ], dim=2)
    masks = {"joined_mask": seen_RQN[:, None]}
    # Without a mask sdpa computes causal attention, and faster; eager attention computes all.
    if padded or attention == "eager":
        length = prefix_real_BP.shape[1]
        itself_PP = torch.eye(length, dtype=torch.bool)
        masks["prefix_mask"] = ((_causal(length) & prefix_real_BP[:, None]) | itself_PP)[:, None]
    if attention == "eager":
        return {name: torch.where(seen, 0.0, HIDDEN) for name, seen in masks.items()}
    return masks


def _causal(length: int) -> Tensor:
    return torch.ones(length, length, dtype=torch.bool).tril()
