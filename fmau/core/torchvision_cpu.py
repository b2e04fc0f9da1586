"""Makes a CUDA build of torchvision importable beside a CPU build of torch.

Package indexes offer torchvision as a CUDA build only. Beside CPU torch its compiled library cannot
be loaded, so the operators that its Python code describes at import time are unknown to torch, and
the import fails; with it fail Transformers' video processors and qwen-vl-utils, which use nothing
but torchvision's pure-Python transforms. Defining those operators' names, without an
implementation, is enough. Where the library loads, nothing is changed.
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


# Threads that decode side by side all call it first thing. Reentrant, because importing torch may.
_LOCK = threading.RLock()


def ensure_torchvision() -> None:
    """Call before the first import of torchvision, or of a library that imports it.

    Safe to call again, and from any thread. Needs torch; without torchvision it does nothing.
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
    """A folder for the PYTHONPATH of a child process that imports torchvision on its own.

    The `sitecustomize` in it calls `ensure_torchvision` when, and only when, that process (or one
    it spawns) imports torchvision.
    """
    return Path(__file__).parent / "sitecustomize_cpu"


def _compiled_library() -> Path | None:
    # Looking for the package, not importing it: the import is what fails.
    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        return None
    return next(Path(spec.submodule_search_locations[0]).glob("_C.*"), None)


@functools.cache
def _define_operator_names() -> "Library":
    """The library fragment; the cache keeps it alive, for dropping it would undefine the names."""
    from torch.library import Library

    fragment = Library("torchvision", "FRAGMENT")
    for schema in _SCHEMAS:
        fragment.define(schema)
    return fragment
