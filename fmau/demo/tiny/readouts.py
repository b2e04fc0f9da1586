"""Read-outs: small heads that teach the inner layers what to hold, and are thrown away at the end.

Words alone are a poor teacher for a small model: the loss on an answer reaches the vision tower
through every layer at once, and until all of them work none gets a signal. Each read-out asks one
of them for its share of the work:

    positions   vision features               where the 14 body parts are
    action      video tokens after layer 3    which of the 52 actions is shown
    option      option lines after layer 5    which option of a multiple-choice question is right
    letter      option lines after layer 5    which letter the line began with
    pointer     attention of layer 6          from where the answer is given to the right line

With the last three, layer 6 looks at the marked line and says its letter.

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
"""After how many layers of the language model a read-out looks."""

COORDINATES_PER_GROUP = 2 * 14 * 3
"""Two frames x 14 body parts x 3 axes."""

LETTERS = 7
"""Most options that a question has."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Where the options of one multiple-choice question stand, and which of them is right.

    Attributes:
        lines: first token of each option line and the one after its last, in order.
        right: index of the right option.
        asked: last token of the prompt, from which the letter is predicted.
    """

    lines: tuple[tuple[int, int], ...]
    right: int
    asked: int

    def moved(self, by: int) -> "Choice":
        """The same question, `by` tokens further on."""
        lines = tuple((start + by, stop + by) for start, stop in self.lines)
        return Choice(lines, self.right, self.asked + by)


class ReadOuts(nn.Module):
    """The heads.

    Args:
        tokens_per_group: visual tokens of two frames.
        hidden_size: of the language model, whose width the vision features have too.
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
        """Smooth L1 of the positions read off the vision features, G*N of them a clip."""
        batch, groups, _ = positions_BGC.shape
        read_BGC = self.positions(features_BLH.reshape(batch, groups, -1))
        return nn.functional.smooth_l1_loss(read_BGC, positions_BGC, beta=0.1)

    def action_loss(self, hidden_BLH: Tensor, is_video_BL: Tensor, action_B: Tensor) -> Tensor:
        """Cross-entropy of the action read off the last group, which has seen the whole clip."""
        video_BLH = hidden_BLH[is_video_BL].view(len(hidden_BLH), -1, hidden_BLH.shape[-1])
        logits_BK = self.action(video_BLH[:, -self.tokens_per_group :].mean(1))
        return nn.functional.cross_entropy(logits_BK, action_B)

    def option_loss(self, hidden_BLH: Tensor, choices: Sequence[Sequence[Choice]]) -> Tensor:
        """Mean cross-entropy over each question's options, 0 if no clip has such a question."""
        scores_BL = self.option(hidden_BLH)[..., 0]
        each = []
        for scores_L, asked in zip(scores_BL, choices, strict=True):
            for choice in asked:
                # Any token of a line may notice that the line is right.
                means = torch.stack([scores_L[start:stop].mean() for start, stop in choice.lines])
                each.append(nn.functional.cross_entropy(means, torch.tensor(choice.right)))
        return torch.stack(each).mean() if each else hidden_BLH.new_zeros(())

    def letter_loss(self, hidden_BLH: Tensor, choices: Sequence[Sequence[Choice]]) -> Tensor:
        """Mean cross-entropy over the tokens behind the letters of all option lines, 0 if none."""
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
    """How little the first head of layer 6 looks at the right line when the letter is due.

    The mean of -log(attention that the line's tokens get together), 0 if nothing is asked. The
    attention is computed again here, for the few tokens concerned: the layer itself keeps none.

    Args:
        language_model: whose layer 6 is taught.
        hidden_BLH: what that layer reads.
        position_ids_ABL, visible_B1LL: as the language model got them.
    """
    layer = language_model.layers[OPTION_LAYER]
    attention = layer.self_attn
    normed_BLH = layer.input_layernorm(hidden_BLH)
    size = attention.head_dim
    # Keys are shared by groups of heads; the first of them serves the first head.
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
