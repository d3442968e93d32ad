"""Which axis of a layer's output counts its channels.

A layer's type says it (convolution: after the batch; Linear: last), a pointwise layer has the axis of what
feeds it, and shape functions in between move it: `permute(0, 2, 3, 1)` puts the channels last.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import torch
from torch import Tensor, nn

SPATIAL = (
    nn.modules.conv._ConvNd,  # noqa: SLF001 - the public classes have no other common base
    *(cls for name, cls in vars(nn).items() if "Pool" in name),
)
"""Convolutions and poolings: channels stand before as many positions axes as the class name says."""

SECOND = (
    nn.modules.batchnorm._NormBase,  # noqa: SLF001 - batch and instance norms
    nn.GroupNorm,
    nn.LocalResponseNorm,
    nn.PixelShuffle,
    nn.PixelUnshuffle,
    nn.ChannelShuffle,
    nn.Upsample,
    nn.Fold,
    nn.Unfold,
)
LAST = (
    nn.Linear,
    nn.Bilinear,
    nn.LayerNorm,
    nn.Embedding,
    nn.EmbeddingBag,
    nn.MultiheadAttention,
    nn.RNNBase,
    nn.RNNCellBase,
    nn.Transformer,
    *((nn.RMSNorm,) if hasattr(nn, "RMSNorm") else ()),
)

RESHAPES = frozenset({"view", "reshape", "flatten", "unflatten", "view_as", "reshape_as"})
SCATTERING = frozenset(
    {"movedim", "moveaxis", "einsum", "tensordot", "matmul", "bmm", "T", "H", "mT", "mH", "t", "adjoint"}
)
"""Functions after which the axis is not known."""


def axis_of_module(module: nn.Module, ndim: int) -> int | None:
    """Return the channel axis of an output with `ndim` dimensions, if the module's type decides it.

    >>> axis_of_module(nn.Conv2d(3, 8, 3), 4), axis_of_module(nn.Linear(3, 8), 4), axis_of_module(nn.ReLU(), 4)
    (1, 3, None)
    """
    if isinstance(module, SPATIAL):
        # (channels, height, width) without a batch is allowed by torch.
        without_batch = re.search(r"[123](?=d$)", _torch_class(module).__name__)
        return 0 if without_batch and ndim == int(without_batch.group()) + 1 else 1
    if isinstance(module, SECOND):
        return 1
    if isinstance(module, LAST) and not _normalises_several_axes(module):
        return ndim - 1
    return None


def usual_axis(ndim: int) -> int | None:
    """Return the axis when nothing is known: 1 for images, and last where the middle axis is usually time or tokens.

    >>> [usual_axis(ndim) for ndim in (0, 1, 2, 3, 4, 5)]
    [None, None, 1, 2, 1, 1]
    """
    if ndim < 2:
        return None
    return 2 if ndim == 3 else 1


def axis_after(function: Callable, args: tuple, kwargs: dict, axis: int | None, result: Tensor) -> int | None:
    """Where the channels are in `result = function(*args, **kwargs)`, if they were at `axis` of `args[0]`."""
    if axis is None or not args or not isinstance(args[0], Tensor):
        return None
    before, after = args[0].shape, result.shape
    name = function_name(function)
    if name == "permute":
        return _after_permute(args, kwargs, axis, len(before))
    if name in ("transpose", "swapaxes", "swapdims"):
        return _after_transpose(args, kwargs, axis, len(before))
    if name in SCATTERING:
        return None
    if name in RESHAPES or len(before) != len(after):
        return _after_reshape(axis, before, after)
    return axis


def function_name(function: Callable) -> str:
    """`relu` for torch.relu, F.relu, Tensor.relu; for a property such as `x.T` its name, `T`."""
    name = getattr(function, "__name__", "")
    if name in ("__get__", "__set__"):
        return getattr(function.__self__, "__name__", name)
    return name


def _after_permute(args: tuple, kwargs: dict, axis: int, ndim: int) -> int | None:
    dims = kwargs.get("dims", args[1] if len(args) == 2 else args[1:])
    places = [dim % ndim for dim in dims]
    return places.index(axis) if axis in places else None


def _after_transpose(args: tuple, kwargs: dict, axis: int, ndim: int) -> int | None:
    pair = [*args[1:], *kwargs.values()]
    if len(pair) != 2:
        return None
    first, second = (dim % ndim for dim in pair)
    return {first: second, second: first}.get(axis, axis)


def _after_reshape(axis: int, before: torch.Size, after: torch.Size) -> int | None:
    """Return the axis if it and all axes on one side of it are still there, as they are after `view`, `mean`, `x[:, 0]`."""
    if before[: axis + 1] == after[: axis + 1]:
        return axis
    from_end = axis - len(before)
    if len(after) >= -from_end and before[axis:] == after[from_end:]:
        return len(after) + from_end
    return None


def _torch_class(module: nn.Module) -> type:
    """Return the class of torch that `module` is or derives from."""
    return next(cls for cls in type(module).__mro__ if cls.__module__.startswith("torch.nn.modules"))


def _normalises_several_axes(module: nn.Module) -> bool:
    return len(getattr(module, "normalized_shape", ())) > 1
