"""`fmau export`: one adapter, checked, described, and merged if wished."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from fmau.core.errors import RecipeError
from fmau.core.parsing import parse_json
from fmau.score import Scores
from fmau.serve.adapter import CONFIG, read_adapter
from fmau.train.export.card import write_card
from fmau.train.export.keys import Updates, check_updates
from fmau.train.export.merge import merge
from fmau.train.record import TrainingRecord, read_record


@dataclass(frozen=True, slots=True)
class Exported:
    """What was checked and written.

    Attributes:
        base: the model the adapter was held against.
        updates: what it changes.
        cards: model cards written.
        merged: folder of the merged model, None if none was wished.
    """

    base: str
    updates: Updates
    cards: tuple[Path, ...]
    merged: Path | None

    def text(self) -> str:
        """The result for people, one line each."""
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
    """Check an adapter against its base model, describe it, and merge it if `merge_to` is given.

    Args:
        base: folder or hub name; None for the model that the adapter's configuration names.
        merge_to: folder for the merged model.
        scores: of runs that answered with the adapter, for the card.

    Raises:
        RecipeError: no adapter there, no base model, or, unless it is merged, parts that vLLM
            cannot serve.
        InputError: tensors that would not be applied, all of them.
        RunError: the record is damaged, or the merged model cannot be written.
    """
    record = read_record(adapter)
    if merge_to is None:
        read_adapter(adapter)  # refuses what vLLM cannot apply; merged, it needs not
    named, revision = _base(adapter, record)
    base, revision = (named, revision) if base is None else (base, None)
    updates = check_updates(adapter, base, revision)
    folders = [adapter]
    if merge_to is not None:
        # A recipe names it as PyTorch does.
        dtype = getattr(torch, record.recipe["model"]["dtype"]) if record else torch.bfloat16
        merge(adapter, base, revision, dtype, merge_to)
        folders.append(merge_to)
    cards = tuple(
        write_card(
            folder,
            base=base,
            revision=revision,
            merged=folder == merge_to,
            updates=updates,
            record=record,
            runs=scores,
        )
        for folder in folders
    )
    return Exported(base, updates, cards, merge_to)


def _base(adapter: Path, record: TrainingRecord | None) -> tuple[str, str | None]:
    """Base model and revision that the adapter was trained on."""
    if record is not None:
        return record.recipe["model"]["path"], record.recipe["model"]["revision"]
    try:
        config = parse_json((adapter / CONFIG).read_text("utf-8"))
        return config["base_model_name_or_path"], config.get("revision")
    except (OSError, ValueError, KeyError):
        raise RecipeError(
            f"{adapter}: no readable {CONFIG} that names a base model, so this is no adapter; give "
            "the folder that training wrote, RUN/adapter"
        ) from None
