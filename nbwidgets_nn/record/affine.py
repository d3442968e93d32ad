"""What a layer computes, as one matrix and one vector: Linear, convolution, average pooling, batch norm.

Only layers that run torch's own forward: a subclass that has its own, or a layer with hooks of the user's, may
compute anything, and so has no matrix here.
"""

from __future__ import annotations

import contextlib
import math

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized
from torch.nn.utils.prune import BasePruningMethod
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.record._state import unchanged

WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
AVERAGES = {nn.AvgPool1d: 1, nn.AvgPool2d: 2, nn.AvgPool3d: 3}
MAXIMA = {nn.MaxPool1d: 1, nn.MaxPool2d: 2, nn.MaxPool3d: 3}
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
WEIGHT_HOOKS = (BasePruningMethod, WeightNorm, SpectralNorm)
"""Pre-hooks of torch that do nothing but compute the weight: pruning, and the older weight and spectral norm."""

Affine = tuple[Tensor, Tensor]


def affine_map(module: nn.Module) -> Affine | None:
    """Return (W, b) of shapes (outputs, inputs) and (outputs,) with outputs = W @ inputs + b; None if there is no such map.

    Both are float64, on the CPU, and of their own memory. Values are those of eval mode, whatever mode the module is in.

    * Linear: its weight and bias.
    * Conv1d, 2d, 3d: one receptive field that lies inside the image; inputs are (in_channels / groups, *kernel), flattened.
      With several groups, row B reads the channels of B's own group.
    * AvgPool1d, 2d, 3d: one window of one channel, so one output; a window that lies inside the image.
    * BatchNorm1d, 2d, 3d with running statistics: diagonal, one input and one output a channel.

    None for anything else: other layers, subclasses with a forward of their own, layers with hooks, complex, integer and
    quantised weights, weights without values (lazy, or on the meta device). NaN in a weight is passed on. The weight of a
    parametrised or pruned layer is the one in use.

    >>> W, b = affine_map(nn.AvgPool2d(2))
    >>> W, b
    (tensor([[0.2500, 0.2500, 0.2500, 0.2500]], dtype=torch.float64), tensor([0.], dtype=torch.float64))
    >>> affine_map(nn.ReLU()) is None
    True
    """
    if _runs_as(module, AVERAGES):
        return _average(module)
    if not _runs_as(module, WEIGHTED + BATCH_NORMS):
        return None
    with unchanged(module):  # reading a parametrised weight can change the module
        _set_weights(module)
        return _normalisation(module) if isinstance(module, BATCH_NORMS) else _weighted(module)


def fold(first: Affine, second: Affine) -> Affine:
    """Return the map that is `first`, then `second`: a batch norm behind a layer folded into it.

    The outputs of `first` are the inputs of `second`, in order: features behind a Linear, or the channels at one position
    behind a convolution. ValueError if their numbers differ.

    >>> W, b = fold((torch.ones(2, 3).double(), torch.zeros(2).double()), (2 * torch.eye(2).double(), torch.ones(2).double()))
    >>> W.tolist(), b.tolist()
    ([[2.0, 2.0, 2.0], [2.0, 2.0, 2.0]], [1.0, 1.0])
    """
    (W1, b1), (W2, b2) = first, second
    if W2.shape[1] != W1.shape[0]:
        what = f"a map with {W1.shape[0]} inputs, as many as the first has outputs"
        raise ValueError(expected("second", what, f"one with {W2.shape[1]}"))
    if _is_diagonal(W2):
        # Exact to the last bit, and no infinity times the zeros beside the diagonal.
        scale = W2.diagonal()
        return scale[:, None] * W1, scale * b1 + b2
    return W2 @ W1, W2 @ b1 + b2


def window_of(module: nn.Module) -> int | None:
    """Return how many inputs one output of a MaxPool1d, 2d or 3d is the largest of; None for anything else.

    One channel, a window that lies inside the image. None also with `return_indices`, a forward of its own, or hooks.

    >>> window_of(nn.MaxPool2d((2, 3))), window_of(nn.AvgPool2d(2))
    (6, None)
    """
    if not _runs_as(module, MAXIMA) or module.return_indices:
        return None
    return _cells(module, MAXIMA)


def groups_of(module: nn.Module) -> int:
    """Return into how many groups a convolution divides its channels; 1 for any other module.

    >>> groups_of(nn.Conv2d(4, 8, 3, groups=2)), groups_of(nn.Linear(4, 8))
    (2, 1)
    """
    return module.groups if isinstance(module, WEIGHTED[1:]) else 1


def why_not_plain(module: nn.Module, classes: dict | tuple) -> str:
    """Say why `module` may compute something else than torch's class of it does; "" if it computes just that.

    >>> why_not_plain(nn.Linear(1, 1), (nn.Linear,)), why_not_plain(nn.ReLU(), (nn.Linear,))
    ('', 'ReLU is none of Linear')
    """
    cls = next((cls for cls in classes if isinstance(module, cls)), None)
    if cls is None:
        return f"{type(module).__name__} is none of {', '.join(cls.__name__ for cls in classes)}"
    own = any(
        getattr(type(module), name, None) is not getattr(cls, name, None)
        for name in ("forward", "_conv_forward")
    )
    if own or "forward" in vars(module):
        return f"it has a forward of its own, other than that of {cls.__name__}"
    before = module._forward_pre_hooks.values()  # noqa: SLF001 - torch has no public name for hooks
    if module._forward_hooks or not all(isinstance(hook, WEIGHT_HOOKS) for hook in before):  # noqa: SLF001
        return "it has hooks, which may change what it computes"
    return ""


def weights_in_use(module: nn.Module) -> tuple[Tensor, Tensor | None]:
    """Return weight and bias of a Linear, convolution or batch norm as eval mode uses them; ValueError says why not.

    Views of the module's own parameters where it has them as they are, otherwise (pruned, parametrised, sparse) new
    tensors; in the module's dtype, on its device. Of a batch norm with running statistics the scale and the shift of each
    channel, in float32 at least.

    >>> linear = nn.Linear(2, 3)
    >>> weights_in_use(linear)[0].data_ptr() == linear.weight.data_ptr()
    True
    """
    made = is_parametrized(module) or bool(module._forward_pre_hooks)  # noqa: SLF001
    # Reading a weight that is made can change the module; saving its state takes longer than reading a plain one.
    with unchanged(module) if made else contextlib.nullcontext():
        _set_weights(module)
        if not isinstance(module, BATCH_NORMS):
            bias = module.bias
            return _dense(module.weight, "weight"), None if bias is None else _dense(bias, "bias")
        if module.running_mean is None or module.running_var is None:
            raise ValueError("it has no running statistics and normalises by those of the batch")
        mean, variance = _dense(module.running_mean, "mean"), _dense(module.running_var, "variance")
        exact = torch.promote_types(variance.dtype, torch.float32)
        learnt = (_dense(module.weight, "weight"), _dense(module.bias, "bias")) if module.affine else None
        return _scale_and_shift(mean, variance.to(exact), module.eps, learnt)


def _runs_as(module: nn.Module, classes: dict | tuple) -> bool:
    """Whether `module` computes what one of torch's classes does: no other forward, no hooks that could change it."""
    return not why_not_plain(module, classes)


def _set_weights(module: nn.Module) -> None:
    """Let torch's own hooks compute the weight, as they do before each call: it is stale after a training step."""
    for hook in module._forward_pre_hooks.values():  # noqa: SLF001
        hook(module, ())


def _weighted(module: nn.Module) -> Affine | None:
    weight, bias = _read(module.weight), _read(module.bias)
    if weight is None or (bias is None and module.bias is not None):
        return None
    W = weight.flatten(1)
    return W, torch.zeros(len(W), dtype=torch.float64) if bias is None else bias


def _average(module: nn.Module) -> Affine:
    window = _cells(module, AVERAGES)
    divisor = getattr(module, "divisor_override", None) or window
    return torch.full((1, window), 1 / divisor, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)


def _normalisation(module: nn.Module) -> Affine | None:
    mean, variance = _read(module.running_mean), _read(module.running_var)
    if mean is None or variance is None:
        return None
    weight, bias = (_read(module.weight), _read(module.bias)) if module.affine else (None, None)
    if module.affine and (weight is None or bias is None):
        return None
    scale, shift = _scale_and_shift(mean, variance, module.eps, (weight, bias) if module.affine else None)
    return torch.diag(scale), shift


def _scale_and_shift(
    mean: Tensor, variance: Tensor, eps: float, learnt: tuple[Tensor, Tensor] | None
) -> tuple[Tensor, Tensor]:
    """Return what a batch norm multiplies each channel by and then adds to it; ``learnt`` are its weight and bias."""
    scale = (variance + eps).rsqrt()
    if learnt is None:
        return scale, -mean * scale
    weight, bias = learnt
    return scale * weight, bias - mean * (scale * weight)


def _read(tensor: Tensor | None) -> Tensor | None:
    """Return a float64 copy on the CPU; None for what has no real floating values that can be read as they are."""
    try:
        dense = _dense(tensor, "tensor")
    except ValueError:
        return None
    # To the CPU first: some devices have no float64.
    return dense.cpu().to(torch.float64, copy=True)


def _dense(tensor: Tensor | None, name: str) -> Tensor:
    """Return the values, detached; ValueError for what has no real floating values that can be read as they are."""
    if tensor is None:
        raise ValueError(f"it has no {name}")
    if tensor.is_meta:
        raise ValueError(f"its {name} is on the meta device and has no values")
    if type(tensor) not in (Tensor, nn.Parameter):
        raise ValueError(f"its {name} is a {type(tensor).__name__}, not a plain tensor")
    if tensor.is_quantized:
        raise ValueError(f"its {name} is quantised; dequantise the layer first")
    if not tensor.is_floating_point():
        raise ValueError(f"its {name} is {tensor.dtype}, not real floating numbers")
    return (tensor if tensor.layout is torch.strided else tensor.to_dense()).detach()


def _cells(module: nn.Module, classes: dict) -> int:
    """Return the number of cells in a pooling window."""
    size = module.kernel_size
    dimensions = next(count for cls, count in classes.items() if isinstance(module, cls))
    sizes = (size,) if isinstance(size, int) else tuple(size)
    return math.prod(sizes if len(sizes) == dimensions else sizes * dimensions)


def _is_diagonal(W: Tensor) -> bool:
    return W.shape[0] == W.shape[1] and bool(W.count_nonzero() == W.diagonal().count_nonzero())
