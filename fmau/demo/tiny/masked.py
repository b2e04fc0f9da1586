"""Batches of packed lessons with an attention mask, as the tiny checkpoint was made.

Training adapters does without the mask (`fmau.train.branches`). Here the last lessons also need the
attention of one layer (`readouts`), which the mask gives.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from fmau.train.packing import Packed, collate


def collate_masked(packs: Sequence[Packed]) -> dict[str, Tensor]:
    """The batch of `fmau.train.packing.collate`, with a mask in the place of the layouts.

    Returns:
        As there; attention_mask (B, 1, L, L), True where a token is seen.
    """
    batch = collate(packs)
    del batch["layouts"]
    longest = batch["input_ids"].shape[1]
    # Padding is a separate branch that attends to itself: a mask row without any True gives NaN.
    branch_BL = torch.full_like(batch["input_ids"], -1)
    for row, packed in enumerate(packs):
        branch_BL[row, : len(packed.branch_L)] = packed.branch_L
    causal_LL = torch.ones(longest, longest, dtype=torch.bool).tril()
    key_B1L, query_BL1 = branch_BL[:, None, :], branch_BL[:, :, None]
    mask_BLL = causal_LL & ((key_B1L == query_BL1) | ((key_B1L == 0) & (query_BL1 > 0)))
    return {**batch, "attention_mask": mask_BLL[:, None]}
