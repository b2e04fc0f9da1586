"""From a trained adapter to what others can use: checked, described, and merged on demand."""

from fmau.train.export.export import Exported, export_adapter

__all__ = ["Exported", "export_adapter"]
