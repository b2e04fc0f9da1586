"""Many questions about one clip in one sequence: the clip is encoded once, the questions branch.

Layout: PREFIX BRANCH_1 BRANCH_2 ... where the prefix is all that the questions share (system
prompt, video, common text) and a branch is the rest of one conversation with its answer. A branch
sees the prefix and itself, and its positions go on where the prefix ends, so the loss equals that
of the conversations run one by one, at a fraction of the work.

Array suffixes: L tokens, B sequences, A the position axes (time, height, width) of multimodal RoPE.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

import torch
from torch import Tensor

IGNORED = -100
"""Label of tokens that carry no loss."""

PositionRule = Callable[..., tuple[Tensor, Tensor]]
"""The model's own `get_rope_index`."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One tokenized conversation about a clip.

    Attributes:
        prompt: token ids up to where the model answers, video included.
        answer: token ids of the reply with its end-of-turn token.
    """

    prompt: Sequence[int]
    answer: Sequence[int]


@dataclass(frozen=True, slots=True)
class Packed:
    """One clip's sequence.

    Attributes:
        ids_L: token ids.
        labels_L: ids of answer tokens (with their end-of-turn token), else `IGNORED`.
        positions_AL: multimodal RoPE positions.
        branch_L: 0 in the prefix, k in the k-th conversation.
        weights_L: of each label in the loss.
        moved: of each conversation, how far its own tokens lie behind their place in its prompt.
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
    """Join conversations about one clip.

    Args:
        conversations: their prompts start alike, video included.
        video_grid_thw: the clip's patch grid, shape (1, 3).
        video_token: id of the token that stands for a patch of video.
        length_exponent: an answer of n tokens weighs n ** length_exponent, see
            `fmau.recipe.TrainBlock`.

    Raises:
        ValueError: the conversations share no prefix that contains the video.
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
    """What all prompts begin with, at least one token short of each: a branch needs a token to
    predict its answer from."""
    columns = zip(*(prompt[:-1] for prompt in prompts), strict=False)
    return [column[0] for column in takewhile(lambda column: len(set(column)) == 1, columns)]


def _branching(prefix_AL: Tensor, branch_L: Tensor) -> Tensor:
    """Positions of the prefix, from whose end each branch counts on."""
    start = int(prefix_AL.max()) + 1
    counts = torch.bincount(branch_L)[1:]
    steps = torch.cat([torch.arange(int(count)) for count in counts]) + start
    return torch.cat([prefix_AL, steps.expand(3, -1)], dim=1)


def collate(packs: Sequence[Packed]) -> dict[str, Tensor]:
    """Stack sequences, padded at the end to the longest.

    Returns:
        input_ids, labels and weights (B, L), position_ids (A, B, L), attention_mask (B, 1, L, L)
        boolean.
    """
    longest = max(len(packed.ids_L) for packed in packs)
    batch = len(packs)
    ids_BL = torch.zeros(batch, longest, dtype=torch.long)
    labels_BL = torch.full((batch, longest), IGNORED)
    weights_BL = torch.zeros(batch, longest)
    positions_ABL = torch.zeros(3, batch, longest, dtype=torch.long)
    # Padding is a branch of its own; it sees itself, so no row of the mask is empty.
    branch_BL = torch.full((batch, longest), -1)
    for row, packed in enumerate(packs):
        length = len(packed.ids_L)
        ids_BL[row, :length] = packed.ids_L
        labels_BL[row, :length] = packed.labels_L
        positions_ABL[:, row, :length] = packed.positions_AL
        branch_BL[row, :length] = packed.branch_L
        weights_BL[row, :length] = packed.weights_L
    causal_LL = torch.ones(longest, longest, dtype=torch.bool).tril()
    key_B1L, query_BL1 = branch_BL[:, None, :], branch_BL[:, :, None]
    visible_BLL = causal_LL & ((key_B1L == query_BL1) | ((key_B1L == 0) & (query_BL1 > 0)))
    return {
        "input_ids": ids_BL,
        "labels": labels_BL,
        "weights": weights_BL,
        "position_ids": positions_ABL,
        "attention_mask": visible_BLL[:, None],
    }
