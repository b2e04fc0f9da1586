"""Python runs this at start-up if its folder is on PYTHONPATH; see `fmau.core.torchvision_cpu`.

Importing torch here would slow down the start of every small child process. So an import finder
waits for the first import of torchvision, calls `ensure_torchvision`, and removes itself.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType


class _BeforeTorchvision:
    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == "torchvision":
            sys.meta_path.remove(cls)
            from fmau.core.torchvision_cpu import ensure_torchvision

            ensure_torchvision()
        return None  # now the usual finders find the module


sys.meta_path.insert(0, _BeforeTorchvision)
