"""The work of `fmau export`: check an adapter, write its model card, merge it on request."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from fmau.core.errors import RecipeError
from fmau.core.files import whole_folder
from fmau.score import Scores
from fmau.serve.adapter_config import CONFIG, AdapterConfig, read_config, refuse_unservable
from fmau.serve.updates import Updates, check_updates
from fmau.train.base import DTYPES
from fmau.train.export.card import write_card
from fmau.train.export.merge import merge
from fmau.train.record import TrainingRecord, read_record


@dataclass(frozen=True, slots=True)
class Exported:
    """What `export_adapter` checked and wrote.

    Attributes:
        base: the base model that the adapter was compared with.
        updates: which layers the adapter changes.
        cards: paths of the model cards written.
        merged: folder of the merged model; None if the adapter was not merged.
    """

    base: str
    updates: Updates
    cards: tuple[Path, ...]
    merged: Path | None

    def text(self) -> str:
        """The result as lines of text for the terminal."""
        counts = ", ".join(
            f"{layers:,} {tower} layers ({self.updates.parameters[tower]:,} numbers)"
            for tower, layers in self.updates.layers.items()
        )
        lines = [f"every tensor fits {self.base}: {counts}"]
        if self.updates.idle:
            lines.append(f"warning: the updates of {self.updates.idle} layers are zero")
        if self.merged:
            lines.append(f"merged model: {self.merged}")
        return "\n".join([*lines, *(f"model card: {card}" for card in self.cards)])


def export_adapter(
    adapter: Path,
    *,
    base: str | None = None,
    merge_to: Path | None = None,
    scores: Mapping[str, Scores],
) -> Exported:
    """Check an adapter against its base model, write its model card, and merge it on request.

    Args:
        adapter: folder in PEFT's format.
        base: folder or hub name of the base model; None for the model that the training record
            or the adapter's configuration names.
        merge_to: folder for the merged model; None not to merge.
        scores: run name -> scores of the runs that answered with this adapter, for the card.

    Raises:
        RecipeError: the folder holds no adapter, the base model cannot be read, or (without
            `merge_to`) vLLM cannot serve the adapter.
        InputError: tensors that would not be applied; all are listed.
        RunError: the training record is damaged, or the merged model cannot be written.
    """
    config = read_config(adapter)
    record = read_record(adapter)
    if merge_to is None:  # vLLM never sees an adapter that is merged
        refuse_unservable(adapter, config)
    base, revision = _base(adapter, config, record) if base is None else (base, None)
    updates = check_updates(adapter, base, revision, merging=merge_to is not None)
    card_of = partial(
        write_card, base=base, revision=revision, updates=updates, record=record, runs=scores
    )
    cards = []
    if merge_to is not None:
        dtype = DTYPES[record.model.dtype] if record else torch.bfloat16
        with whole_folder(merge_to) as folder:
            merge(adapter, base, revision, dtype, folder)
            cards = [merge_to / card_of(folder, merged=True).name]
    cards = [card_of(adapter, merged=False), *cards]
    return Exported(base, updates, tuple(cards), merge_to)


def _base(
    adapter: Path, config: AdapterConfig, record: TrainingRecord | None
) -> tuple[str, str | None]:
    """Name and revision of the base model that the adapter was trained on."""
    if record is not None:
        return record.model.path, record.model.revision
    if config.base_model_name_or_path is None:
        raise RecipeError(
            f"{adapter / CONFIG}: does not name the base model; give the model that the adapter "
            "was trained on with --base"
        )
    return config.base_model_name_or_path, config.revision
