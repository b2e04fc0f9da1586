"""Make a CUDA build of torchvision importable together with a CPU build of torch.

Package indexes offer torchvision only as a CUDA build. With CPU torch its compiled library cannot
be loaded. Then torch does not know the operators that torchvision's Python code refers to, and the
import of torchvision fails. Transformers' video processors and qwen-vl-utils fail with it, although
they use only torchvision's pure-Python transforms. It is enough to define the names of these
operators without an implementation. Where the library loads, nothing is changed.
"""

import functools
import importlib.util
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.library import Library

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "roi_align(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, "
    "SymInt pooled_width, int sampling_ratio, bool aligned) -> Tensor",
    "qroi_align(Tensor input, Tensor rois, float spatial_scale, int pooled_height, "
    "int pooled_width, int sampling_ratio, bool aligned) -> Tensor",
    "_roi_align_backward(Tensor grad, Tensor rois, float spatial_scale, SymInt pooled_height, "
    "SymInt pooled_width, SymInt batch_size, SymInt channels, SymInt height, SymInt width, "
    "int sampling_ratio, bool aligned) -> Tensor",
    "ps_roi_align(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, "
    "SymInt pooled_width, int sampling_ratio) -> (Tensor, Tensor)",
    "_ps_roi_align_backward(Tensor grad, Tensor rois, Tensor channel_mapping, "
    "float spatial_scale, SymInt pooled_height, SymInt pooled_width, int sampling_ratio, "
    "SymInt batch_size, SymInt channels, SymInt height, SymInt width) -> Tensor",
    "roi_pool(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, "
    "SymInt pooled_width) -> (Tensor, Tensor)",
    "_roi_pool_backward(Tensor grad, Tensor rois, Tensor argmax, float spatial_scale, "
    "SymInt pooled_height, SymInt pooled_width, SymInt batch_size, SymInt channels, "
    "SymInt height, SymInt width) -> Tensor",
    "ps_roi_pool(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, "
    "SymInt pooled_width) -> (Tensor, Tensor)",
    "_ps_roi_pool_backward(Tensor grad, Tensor rois, Tensor channel_mapping, "
    "float spatial_scale, SymInt pooled_height, SymInt pooled_width, SymInt batch_size, "
    "SymInt channels, SymInt height, SymInt width) -> Tensor",
    "deform_conv2d(Tensor input, Tensor weight, Tensor offset, Tensor mask, Tensor bias, "
    "SymInt stride_h, SymInt stride_w, SymInt pad_h, SymInt pad_w, SymInt dilation_h, "
    "SymInt dilation_w, SymInt groups, SymInt offset_groups, bool use_mask) -> Tensor",
    "_deform_conv2d_backward(Tensor grad, Tensor input, Tensor weight, Tensor offset, "
    "Tensor mask, Tensor bias, SymInt stride_h, SymInt stride_w, SymInt pad_h, SymInt pad_w, "
    "SymInt dilation_h, SymInt dilation_w, SymInt groups, SymInt offset_groups, "
    "bool use_mask) -> (Tensor, Tensor, Tensor, Tensor, Tensor)",
)
"""The operators that torchvision registers shape rules for when it is imported."""


# Several decoding threads call `ensure_torchvision` at the same time. The lock is reentrant,
# because importing torch may call it again.
_LOCK = threading.RLock()


def ensure_torchvision() -> None:
    """Make torchvision importable; call it before the first import of torchvision or its users.

    Repeated calls are safe, from any thread. It needs torch; without torchvision it does nothing.
    """
    with _LOCK:
        _ensure()


@functools.cache
def _ensure() -> None:
    library = _compiled_library()
    if library is None:
        return
    import torch

    try:
        torch.ops.load_library(str(library))
    except OSError:
        _define_operator_names()


def shim_pythonpath() -> Path:
    """A folder for the PYTHONPATH of a child process that imports torchvision itself.

    The folder has a `sitecustomize` module. It calls `ensure_torchvision` only when that process,
    or a process that it starts, imports torchvision.
    """
    return Path(__file__).parent / "sitecustomize_cpu"


def _compiled_library() -> Path | None:
    # Find the package without importing it, because the import would fail.
    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        return None
    return next(Path(spec.submodule_search_locations[0]).glob("_C.*"), None)


@functools.cache
def _define_operator_names() -> "Library":
    """The library with the names. The cache keeps it alive: its deletion would undefine them."""
    from torch.library import Library

    fragment = Library("torchvision", "FRAGMENT")
    for schema in _SCHEMAS:
        fragment.define(schema)
    return fragment
