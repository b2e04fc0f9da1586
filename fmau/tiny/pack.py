"""Many questions about one clip in one sequence: the clip is encoded once, the questions branch.

Layout: PREFIX BRANCH_1 BRANCH_2 ... where the prefix is all that the questions share (system
prompt, video, common text) and a branch is the rest of one conversation with its answer. A branch
sees the prefix and itself, and its positions go on where the prefix ends, so the loss equals that
of the conversations run one by one, at a fraction of the work.

Array suffixes: L tokens, B clips, A the position axes (time, height, width) of multimodal RoPE.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

import torch
from torch import Tensor
from transformers import Qwen3VLForConditionalGeneration

IGNORED = -100
"""Label of tokens that carry no loss."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Where the options of one multiple-choice question stand, and which of them is right.

    Attributes:
        lines: first token of each option line and the one after its last, in order.
        right: index of the right option.
    """

    lines: tuple[tuple[int, int], ...]
    right: int

    def moved(self, by: int) -> "Choice":
        """The same question, `by` tokens further on."""
        return Choice(tuple((start + by, stop + by) for start, stop in self.lines), self.right)


@dataclass(frozen=True, slots=True)
class Conversation:
    """One tokenized conversation about a clip.

    Attributes:
        prompt: token ids up to where the model answers, video included.
        answer: token ids of the reply with its end-of-turn token.
        choice: of a multiple-choice question, else None.
    """

    prompt: Sequence[int]
    answer: Sequence[int]
    choice: Choice | None = None


@dataclass(frozen=True, slots=True)
class Packed:
    """One clip's sequence.

    Attributes:
        ids_L: token ids.
        labels_L: ids of answer tokens (with their end-of-turn token), else `IGNORED`.
        positions_AL: multimodal RoPE positions.
        branch_L: 0 in the prefix, k in the k-th conversation.
        weights_L: of each label in the loss. Answers weigh by the fourth root of their length, so
            that a paragraph counts three times as much as a letter, not a hundred times.
        choices: of the multiple-choice questions among the conversations, in places of L.
    """

    ids_L: Tensor
    labels_L: Tensor
    positions_AL: Tensor
    branch_L: Tensor
    weights_L: Tensor
    choices: tuple[Choice, ...]


def pack(
    conversations: Sequence[Conversation],
    video_grid_thw: Tensor,
    model: Qwen3VLForConditionalGeneration,
) -> Packed:
    """Join conversations about one clip.

    Args:
        conversations: their prompts start alike, video included.
        video_grid_thw: the clip's patch grid, shape (1, 3).
        model: gives the position rule.

    Raises:
        ValueError: the conversations share no prefix that contains the video.
    """
    prompts = [conversation.prompt for conversation in conversations]
    prefix = _shared(prompts)
    video_token = model.config.video_token_id
    if video_token not in prefix or video_token in prompts[0][len(prefix) :]:
        raise ValueError("the conversations do not share the video")
    ids, labels, branch = list(prefix), [IGNORED] * len(prefix), [0] * len(prefix)
    weights, choices = [0.0] * len(prefix), []
    for number, conversation in enumerate(conversations, start=1):
        rest, answer = conversation.prompt[len(prefix) :], conversation.answer
        if conversation.choice:
            choices.append(conversation.choice.moved(len(ids) - len(prefix)))
        ids += [*rest, *answer]
        labels += [IGNORED] * len(rest) + [*answer]
        branch += [number] * (len(rest) + len(answer))
        weights += [0.0] * len(rest) + [len(answer) ** -0.75] * len(answer)
    branch_L = torch.tensor(branch)
    return Packed(
        ids_L=torch.tensor(ids),
        labels_L=torch.tensor(labels),
        positions_AL=_positions(torch.tensor(prefix), branch_L, video_grid_thw, model),
        branch_L=branch_L,
        weights_L=torch.tensor(weights),
        choices=tuple(choices),
    )


def _shared(prompts: Iterable[Sequence[int]]) -> list[int]:
    """What all prompts begin with, at least one token short of each: a branch needs a token to
    predict its answer from."""
    columns = zip(*(prompt[:-1] for prompt in prompts), strict=False)
    return [column[0] for column in takewhile(lambda column: len(set(column)) == 1, columns)]


def _positions(
    prefix_L: Tensor,
    branch_L: Tensor,
    video_grid_thw: Tensor,
    model: Qwen3VLForConditionalGeneration,
) -> Tensor:
    """Prefix positions by the model's own rule; each branch counts on from the prefix's end."""
    is_video = (prefix_L == model.config.video_token_id).int() * 2
    prefix_A1L, _ = model.model.get_rope_index(
        prefix_L[None], mm_token_type_ids=is_video[None], video_grid_thw=video_grid_thw
    )
    start = int(prefix_A1L.max()) + 1
    counts = torch.bincount(branch_L)[1:]
    steps = torch.cat([torch.arange(int(count)) for count in counts]) + start
    return torch.cat([prefix_A1L[:, 0], steps.expand(3, -1)], dim=1)


def collate(packs: Sequence[Packed]) -> dict[str, Tensor]:
    """Stack clips, padded at the end to the longest.

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
