"""Export of a trained adapter: check its tensors, write its model card, merge it on request."""

from fmau.train.export.export import Exported, export_adapter

__all__ = ["Exported", "export_adapter"]
