"""From a trained adapter to what others can use: checked, described, and merged on demand."""

from fmau.core.torchvision_cpu import ensure_torchvision

ensure_torchvision()  # before transformers is imported, which the modules here do

from fmau.train.export.export import Exported, export_adapter  # noqa: E402

__all__ = ["Exported", "export_adapter"]
