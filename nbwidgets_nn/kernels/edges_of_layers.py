"""The edges of one call of a layer, by the type of its module: convolution, pooling, batch norm, Linear, Flatten."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from nbwidgets_nn.kernels.edge_blocks import EdgeBlock, dense_block, diagonal_block
from nbwidgets_nn.kernels.window_reach import OUTSIDE, adaptive, combined, sliding
from nbwidgets_nn.record.affine import AVERAGES, BATCH_NORMS, MAXIMA, weights_in_use, why_not_plain
from nbwidgets_nn.record.layer import Layer
from nbwidgets_nn.record.stored_module import AGAIN, StoredModule

CONVOLUTIONS = {nn.Conv1d: 1, nn.Conv2d: 2, nn.Conv3d: 3}
ADAPTIVE_AVERAGES = {nn.AdaptiveAvgPool1d: 1, nn.AdaptiveAvgPool2d: 2, nn.AdaptiveAvgPool3d: 3}
ADAPTIVE_MAXIMA = {nn.AdaptiveMaxPool1d: 1, nn.AdaptiveMaxPool2d: 2, nn.AdaptiveMaxPool3d: 3}
WINDOWS = CONVOLUTIONS | AVERAGES | MAXIMA | ADAPTIVE_AVERAGES | ADAPTIVE_MAXIMA
DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)
PASSING = (nn.Flatten, nn.Unflatten, nn.Identity, *DROPOUTS)
KNOWN = (nn.Linear, *WINDOWS, *BATCH_NORMS, *PASSING)

REASONS = (
    (StoredModule, f"it was loaded from a file, which has no weights: {AGAIN}"),
    (nn.modules.rnn.RNNBase, "a recurrent layer: its weights act inside, at every step"),
    (nn.modules.rnn.RNNCellBase, "a recurrent cell: several weights and gates act inside"),
    ((nn.Embedding, nn.EmbeddingBag), "it looks rows up: its inputs are numbers of rows, not values"),
    (nn.Bilinear, "it multiplies two inputs with each other"),
    ((nn.LayerNorm, nn.GroupNorm, nn.LocalResponseNorm), "it divides by what it measures in each sample"),
    (nn.modules.instancenorm._InstanceNorm, "it divides by what it measures in each sample"),  # noqa: SLF001
    ((nn.Softmax, nn.LogSoftmax, nn.Softmin, nn.Softmax2d), "it mixes its inputs, but not by weights"),
    (nn.modules.conv._ConvTransposeNd, "a transposed convolution, which is not built yet"),  # noqa: SLF001
    (torch.jit.ScriptModule, "TorchScript: its inside cannot be seen"),
)


@dataclass(frozen=True, eq=False)
class Edges:
    """One layer's edges with the values at their ends; a row is a sample, or one position of a sample."""

    source: Callable[[], Tensor]
    """(rows, n_in), made when first asked for."""

    block: Callable[[], EdgeBlock]
    target: Tensor
    """(rows, n_out)"""

    source_shape: tuple[int, ...]
    """How the input units of a row lie: (channels, height, width), say."""

    target_shape: tuple[int, ...]
    dtype: torch.dtype
    """That holds source, weight and target."""

    row_shape: tuple[int, ...]
    """How the rows lie: (samples,), or (samples, positions) for a Linear that acts on every position."""


def edges_of_layer(layer: Layer) -> Edges:
    """Return the edges of a recorded call; ValueError says why there are none."""
    module = layer.module
    reason = _why_none(layer)
    if reason:
        raise ValueError(reason)
    x, y = real_values(layer.input, "input"), real_values(layer.output, "output")
    if isinstance(module, PASSING):
        return _passing(x, y)
    if isinstance(module, nn.Linear):
        return checked(edges_between(x, y, 1, dense_block(*weights_in_use(module))))
    if isinstance(module, BATCH_NORMS):
        scale, shift = weights_in_use(module)
        return checked(edges_between(x, y, x.ndim - 1, diagonal_block(scale, math.prod(x.shape[2:]), shift)))
    axes = next(count for cls, count in WINDOWS.items() if isinstance(module, cls))
    if isinstance(module, tuple(CONVOLUTIONS)):
        return checked(edges_between(x, y, axes + 1, _convolution(module, x, y)))
    block = partial(_maximum if isinstance(module, (*MAXIMA, *ADAPTIVE_MAXIMA)) else _average, module, x, y)
    return edges_between(x, y, axes + 1, block)


def _why_none(layer: Layer) -> str:
    """Say why the module's type has no edges; "" if it has."""
    known = next((reason for kind, reason in REASONS if isinstance(layer.module, kind)), None)
    if known is not None:
        return known
    if any("quantized" in cls.__module__.split(".") for cls in type(layer.module).__mro__):
        return "it is quantised: its weights are whole numbers with a scale; dequantise the layer first"
    if isinstance(layer.module, KNOWN):
        return why_not_plain(layer.module, KNOWN)
    return f"no weighted sum is known for a {layer.kind}"


def edges_between(x: Tensor, y: Tensor, unit_axes: int, block: EdgeBlock | Callable[[], EdgeBlock]) -> Edges:
    """Return the edges from `x` to `y`, of both of which the last `unit_axes` axes count the units of a row."""
    rows = x.shape[: x.ndim - unit_axes]
    dtype = torch.promote_types(x.dtype, y.dtype)
    if isinstance(block, EdgeBlock):
        dtype = torch.promote_types(dtype, block.kernel.dtype)
    source = x.reshape(math.prod(rows), -1)
    return Edges(
        source=lambda: source,
        block=(lambda: block) if isinstance(block, EdgeBlock) else block,
        target=y.reshape(math.prod(rows), -1),
        source_shape=tuple(x.shape[len(rows) :]),
        target_shape=tuple(y.shape[len(rows) :]),
        dtype=dtype,
        row_shape=tuple(rows),
    )


def real_values(tensor: Tensor | None, name: str) -> Tensor:
    """Return the dense values of a recorded tensor; ValueError if there are none to weigh."""
    if tensor is None:
        raise ValueError(f"its {name} is no tensor")
    if tensor.is_nested or tensor.numel() == 0:
        raise ValueError(f"its {name} is {'nested' if tensor.is_nested else 'empty'}")
    if tensor.is_quantized:
        raise ValueError(f"its {name} is quantised ({tensor.dtype}), not real numbers")
    if tensor.is_complex():
        raise ValueError(f"its {name} is {tensor.dtype}, not real numbers")
    return tensor if tensor.layout is torch.strided else tensor.to_dense()


def checked(edges: Edges) -> Edges:
    """Return the edges if they give what was recorded, at a few places of one row; ValueError otherwise.

    Weights are read after the recording was made: they can have been trained on since, or changed for the time of the pass.
    The row is the first that has a finite output; without one there is nothing to compare.
    """
    row = next((row for row, y in enumerate(edges.target) if y.isfinite().any()), None)
    if row is None:
        return edges
    block, x = edges.block(), edges.source()[row : row + 1]
    y = edges.target[row].reshape(1, block.out_channels, -1)
    steps = block.positions if block.runs == 1 else block.runs
    length = block.positions // steps
    for start in range(0, steps, max(1, steps // 8)):
        there = y[:, :, start * length : (start + 1) * length]
        if not _gives(block.part(start, start + 1), x, there.flatten(1)):
            raise ValueError(
                "its weights do not give the recorded output: they were changed since, or meanwhile"
            )
    return edges


def _gives(block: EdgeBlock, x: Tensor, y: Tensor) -> bool:
    """Whether ``W x + bias`` is `y`, but for rounding, wherever `y` is finite."""
    dtype = torch.promote_types(x.dtype, block.kernel.dtype)
    exact = torch.promote_types(dtype, torch.float32)
    coarse = max((4 if t.itemsize < 4 else 64) * torch.finfo(t).eps for t in (dtype, y.dtype))
    if x.device.type != "cpu":  # convolutions there round to 10 bits
        coarse = max(coarse, 1e-3)
    there = y.isfinite()
    y = y.to(exact)
    off = (_in(block, exact).apply(x.to(exact)) - y).abs()
    if not there.any() or (off <= coarse * y[there].abs().amax())[there].all():
        return True
    return bool((off <= coarse * _size_of_terms(block, x))[there].all())


def _size_of_terms(block: EdgeBlock, x: Tensor) -> Tensor:
    """Return the root of the sum of the squared terms: where large terms cancel, rounding is that of the terms."""
    wide = torch.float32 if x.device.type == "mps" else torch.float64
    block, x = _in(block, wide), x.to(wide).nan_to_num(0, 0, 0)
    bias = None if block.bias is None else block.bias.square()
    return replace(block, kernel=block.kernel.nan_to_num(0).square(), bias=bias).apply(x.square()).sqrt()


def _in(block: EdgeBlock, dtype: torch.dtype) -> EdgeBlock:
    return replace(
        block, kernel=block.kernel.to(dtype), bias=None if block.bias is None else block.bias.to(dtype)
    )


def _passing(x: Tensor, y: Tensor) -> Edges:
    """Every output is one input: Flatten, Identity, Dropout in eval mode."""
    if not (x.ndim and y.ndim and len(x) == len(y)):  # also the samples were flattened
        x, y = x[None], y[None]
    dtype = x.dtype if x.is_floating_point() else torch.get_default_dtype()
    units = math.prod(x.shape[1:])
    block = diagonal_block(x.new_ones(1, dtype=dtype), units)
    edges = edges_between(x.flatten(1), y.flatten(1), 1, block)
    return replace(edges, source_shape=tuple(x.shape[1:]), target_shape=tuple(y.shape[1:]))


def convolution_block(
    module: Any, weight: Tensor, bias: Tensor | None, sizes: Sequence[int], places: Sequence[int]
) -> EdgeBlock:
    """Return the edges of a convolution from positions of `sizes` to `places`; of `module` only its settings are read."""
    reach = combined(window_axes(module, sizes, places, weight.shape[2:]), sizes).to(weight.device)
    kernel = weight.flatten(2)[None, :, :, None]
    return EdgeBlock(kernel, reach[None, None], math.prod(sizes), module.groups, bias)


def window_axes(
    module: Any, sizes: Sequence[int], places: Sequence[int], window: Sequence[int] | None = None
) -> list[Tensor]:
    """Return which positions each place of a convolution or pooling reads: a table (places, taps) for every axis.

    `window` is the size of a convolution's kernel; a pooling has its own.

    >>> [table.tolist() for table in window_axes(nn.MaxPool1d(2), (4,), (2,))]
    [[[0, 1], [2, 3]]]
    """
    if isinstance(module, (*ADAPTIVE_AVERAGES, *ADAPTIVE_MAXIMA)):
        return [adaptive(*ends) for ends in zip(sizes, places, strict=True)]
    axes = []
    for axis, (size, count) in enumerate(zip(sizes, places, strict=True)):
        taps = _at(module.kernel_size, axis) if window is None else window[axis]
        dilation = _at(getattr(module, "dilation", 1), axis)
        before = _padding_before(module.padding, axis, dilation * (taps - 1))
        padding = getattr(module, "padding_mode", "zeros")
        axes.append(sliding(size, count, taps, _at(module.stride, axis), before, dilation, padding))
    return axes


def _convolution(module: nn.Module, x: Tensor, y: Tensor) -> EdgeBlock:
    weight, bias = weights_in_use(module)
    axes = weight.ndim - 2
    block = convolution_block(module, weight, bias, x.shape[-axes:], y.shape[-axes:])
    return replace(block, reach=block.reach.to(x.device))


def _padding_before(padding: str | int | tuple[int, ...], axis: int, spread: int) -> int:
    """Positions in front of the first: of "same" padding the smaller half."""
    if isinstance(padding, str):
        return spread // 2 if padding == "same" else 0
    return _at(padding, axis)


def _average(module: nn.Module, x: Tensor, y: Tensor) -> EdgeBlock:
    dimensions = (AVERAGES | ADAPTIVE_AVERAGES)[_class_of(module, AVERAGES | ADAPTIVE_AVERAGES)]
    sizes, places = x.shape[-dimensions:], y.shape[-dimensions:]
    reach = combined(window_axes(module, sizes, places), sizes)
    divisor = average_divisors(module, reach, sizes, places)
    kernel = (reach != OUTSIDE) / divisor[:, None]
    if (divisor == divisor[0]).all():
        kernel = torch.full_like(kernel[:1], 1 / divisor[0].item())
    kernel = kernel.to(x)[None, None, None].expand(1, x.shape[-dimensions - 1], 1, *kernel.shape)
    return EdgeBlock(
        kernel, reach.to(x.device)[None, None], math.prod(sizes), groups=x.shape[-dimensions - 1]
    )


def average_divisors(module: Any, reach: Tensor, sizes: Sequence[int], places: Sequence[int]) -> Tensor:
    """Return what each place of an average pooling divides by: zeros of the padding count, what lies beyond does not."""
    fixed = getattr(module, "divisor_override", None)
    if fixed is not None:
        return torch.full((len(reach),), fixed)
    if not getattr(module, "count_include_pad", False):
        return (reach != OUTSIDE).sum(dim=1)
    counts = torch.ones(1, dtype=torch.long)
    for axis, (size, count) in enumerate(zip(sizes, places, strict=True)):
        window, stride, before = (
            _at(value, axis) for value in (module.kernel_size, module.stride, module.padding)
        )
        start = torch.arange(count) * stride - before
        counts = (counts[:, None] * ((start + window).clamp(max=size + before) - start)).flatten()
    return counts


def _maximum(module: nn.Module, x: Tensor, y: Tensor) -> EdgeBlock:
    classes = MAXIMA | ADAPTIVE_MAXIMA
    dimensions = classes[_class_of(module, classes)]
    x = x.reshape(-1, *x.shape[-dimensions - 1 :])
    if isinstance(module, tuple(ADAPTIVE_MAXIMA)):
        pool = getattr(functional, f"adaptive_max_pool{dimensions}d")
        _, winner = pool(x, y.shape[-dimensions:], return_indices=True)
    else:
        pool = getattr(functional, f"max_pool{dimensions}d")
        options = module.kernel_size, module.stride, module.padding, module.dilation, module.ceil_mode
        _, winner = pool(x, *options, return_indices=True)
    channels, positions = x.shape[1], math.prod(x.shape[2:])
    kernel = x.new_ones(1, channels, 1, 1, 1)
    return EdgeBlock(kernel, winner.flatten(2)[..., None], positions, channels, per_sample=True)


def _class_of(module: nn.Module, classes: dict[type, int]) -> type:
    return next(cls for cls in classes if isinstance(module, cls))


def _at(value: int | tuple[int, ...], axis: int) -> int:
    return value if isinstance(value, int) else value[axis if len(value) > 1 else 0]
