"""Read-outs: small heads that train inner layers of the tiny model; they are not saved with it.

`train` adds their losses to the loss of the answers. That loss alone trains a small model poorly:
its gradient reaches the vision tower through all layers, and carries little information until all
of them work. Each read-out trains one layer directly:

    positions   vision features               where the 14 body parts are
    action      video tokens after layer 3    which of the 52 actions is shown
    option      option lines after layer 5    which option of a multiple-choice question is right
    letter      option lines after layer 5    which letter the line began with
    pointer     attention of layer 6          from the last prompt token to the right option line

With the last three, layer 6 can attend to the line marked as right and copy its letter.

Array suffixes: B clips, L tokens, G temporal groups of two frames, N visual tokens of a group,
C coordinates, K actions, H hidden.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLTextModel, apply_rotary_pos_emb

from fmau.core.taxonomy import actions

ACTION_LAYER, OPTION_LAYER = 3, 5
"""Number of layers of the language model before the read-out."""

COORDINATES_PER_GROUP = 2 * 14 * 3
"""Two frames x 14 body parts x 3 axes."""

LETTERS = 7
"""The largest number of options of a question."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The token positions of the options of one multiple-choice question.

    Attributes:
        lines: for each option line in order, index of its first token and of the token after it.
        right: index of the right option.
        asked: index of the prompt's last token, which predicts the letter.
    """

    lines: tuple[tuple[int, int], ...]
    right: int
    asked: int

    def moved(self, by: int) -> "Choice":
        """The same question with all indices increased by `by`."""
        lines = tuple((start + by, stop + by) for start, stop in self.lines)
        return Choice(lines, self.right, self.asked + by)


class ReadOuts(nn.Module):
    """The heads of all read-outs but the pointer, which has none.

    Args:
        tokens_per_group: number of visual tokens of two frames.
        hidden_size: width of the language model and of the vision features.
    """

    def __init__(self, tokens_per_group: int, hidden_size: int) -> None:
        super().__init__()
        self.positions = nn.Linear(tokens_per_group * hidden_size, COORDINATES_PER_GROUP)
        self.action = nn.Sequential(
            nn.RMSNorm(hidden_size, eps=1e-6), nn.Linear(hidden_size, len(actions()))
        )
        self.option = nn.Sequential(nn.RMSNorm(hidden_size, eps=1e-6), nn.Linear(hidden_size, 1))
        self.letter = nn.Sequential(
            nn.RMSNorm(hidden_size, eps=1e-6), nn.Linear(hidden_size, LETTERS)
        )
        self.tokens_per_group = tokens_per_group

    def position_loss(self, features_BLH: Tensor, positions_BGC: Tensor) -> Tensor:
        """Smooth L1 loss of positions predicted from the G*N vision features of each clip."""
        batch, groups, _ = positions_BGC.shape
        read_BGC = self.positions(features_BLH.reshape(batch, groups, -1))
        return nn.functional.smooth_l1_loss(read_BGC, positions_BGC, beta=0.1)

    def action_loss(self, hidden_BLH: Tensor, is_video_BL: Tensor, action_B: Tensor) -> Tensor:
        """Cross-entropy of the action predicted from the last group, which sees the whole clip."""
        video_BLH = hidden_BLH[is_video_BL].view(len(hidden_BLH), -1, hidden_BLH.shape[-1])
        logits_BK = self.action(video_BLH[:, -self.tokens_per_group :].mean(1))
        return nn.functional.cross_entropy(logits_BK, action_B)

    def option_loss(self, hidden_BLH: Tensor, choices: Sequence[Sequence[Choice]]) -> Tensor:
        """Mean cross-entropy over the options of each question; 0 if there is no such question."""
        scores_BL = self.option(hidden_BLH)[..., 0]
        each = []
        for scores_L, asked in zip(scores_BL, choices, strict=True):
            for choice in asked:
                # The mean: any token of a line may carry the mark that the line is right.
                means = torch.stack([scores_L[start:stop].mean() for start, stop in choice.lines])
                each.append(nn.functional.cross_entropy(means, torch.tensor(choice.right)))
        return torch.stack(each).mean() if each else hidden_BLH.new_zeros(())

    def letter_loss(self, hidden_BLH: Tensor, choices: Sequence[Sequence[Choice]]) -> Tensor:
        """Mean cross-entropy over the tokens after the letter of each option line; 0 if none."""
        each = [
            nn.functional.cross_entropy(
                self.letter(hidden_LH[start + 1 : stop]), torch.full((stop - start - 1,), place)
            )
            for hidden_LH, asked in zip(hidden_BLH, choices, strict=True)
            for choice in asked
            for place, (start, stop) in enumerate(choice.lines)
        ]
        return torch.stack(each).mean() if each else hidden_BLH.new_zeros(())


def pointer_loss(
    language_model: Qwen3VLTextModel,
    hidden_BLH: Tensor,
    position_ids_ABL: Tensor,
    visible_B1LL: Tensor,
    choices: Sequence[Sequence[Choice]],
) -> Tensor:
    """Loss that trains the first head of layer 6 to attend to the line of the right option.

    It is the mean of -log(total attention from the prompt's last token to the tokens of the right
    line); 0 if there is no such question. The attention is computed again here, for these few
    tokens, because the layer does not return it.

    Args:
        language_model: the model whose layer 6 is trained.
        hidden_BLH: the input of that layer.
        position_ids_ABL, visible_B1LL: the inputs of the language model.
    """
    layer = language_model.layers[OPTION_LAYER]
    attention = layer.self_attn
    normed_BLH = layer.input_layernorm(hidden_BLH)
    size = attention.head_dim
    # Groups of query heads share one key head; the first key head belongs to the first query head.
    query_BL1D = attention.q_norm((normed_BLH @ attention.q_proj.weight[:size].T)[:, :, None])
    key_BL1D = attention.k_norm((normed_BLH @ attention.k_proj.weight[:size].T)[:, :, None])
    cos, sin = language_model.rotary_emb(hidden_BLH, position_ids_ABL)
    query_BLD, key_BLD = (
        turned[:, 0]
        for turned in apply_rotary_pos_emb(
            query_BL1D.transpose(1, 2), key_BL1D.transpose(1, 2), cos, sin
        )
    )
    each = []
    for row, asked in enumerate(choices):
        for choice in asked:
            scores_L = key_BLD[row] @ query_BLD[row, choice.asked] * attention.scaling
            hidden_L = ~visible_B1LL[row, 0, choice.asked]
            shares_L = scores_L.masked_fill(hidden_L, -torch.inf).log_softmax(0)
            start, stop = choice.lines[choice.right]
            each.append(-shares_L[start:stop].logsumexp(0))
    return torch.stack(each).mean() if each else hidden_BLH.new_zeros(())
