"""Lets Accelerate run FSDP2 on CPU processes; loaded by Python itself from `PYTHONPATH`.

Accelerate knows FSDP only where it finds a GPU or the like; on a CPU it forgets the plugin and
trains with plain data parallelism. PyTorch's `fully_shard` itself works on a CPU, over gloo.
"""

import os
from collections.abc import Callable
from typing import Any


def install() -> None:
    """Make the two changes that a CPU needs."""
    from accelerate.state import AcceleratorState
    from torch.distributed.checkpoint import state_dict

    AcceleratorState.__init__ = _keeps_fsdp(AcceleratorState.__init__)
    for name in ("get_model_state_dict", "get_optimizer_state_dict"):
        setattr(state_dict, name, _waits(getattr(state_dict, name)))


def _keeps_fsdp(begin: Callable[..., None]) -> Callable[..., None]:
    def begin_with_fsdp(self: Any, *args: Any, fsdp_plugin: Any = None, **options: Any) -> None:
        from accelerate.state import PartialState
        from accelerate.utils import DistributedType

        begin(self, *args, fsdp_plugin=fsdp_plugin, **options)
        if fsdp_plugin is not None:
            self.fsdp_plugin = fsdp_plugin
            # Every further state begins with what this one holds.
            PartialState._shared_state["distributed_type"] = DistributedType.FSDP
            self.distributed_type = DistributedType.FSDP

    return begin_with_fsdp


def _waits(gather: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Wait for gathered tensors. Moving them from a GPU to the CPU does; here nothing moves."""

    def gather_and_wait(*args: Any, **options: Any) -> dict[str, Any]:
        from torch.distributed._functional_collectives import AsyncCollectiveTensor
        from torch.utils._pytree import tree_map_only

        gathered = gather(*args, **options)
        waited: dict[str, Any] = tree_map_only(
            AsyncCollectiveTensor, lambda tensor: tensor.wait(), gathered
        )
        return waited

    return gather_and_wait


if os.environ.get("ACCELERATE_USE_FSDP") == "true" and "RANK" in os.environ:
    install()
