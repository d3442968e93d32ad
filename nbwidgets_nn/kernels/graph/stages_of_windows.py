"""What windows read: convolutions, transposed ones and poolings, from their settings alone.

Of what is called `module` only the settings are looked at, so that it can stand for a function's arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from nbwidgets_nn.kernels.edge_blocks import EdgeBlock
from nbwidgets_nn.kernels.edges_of_layers import ADAPTIVE_MAXIMA, average_divisors, window_axes
from nbwidgets_nn.kernels.graph import axis_reach as ax
from nbwidgets_nn.kernels.graph.axis_reach import AxisReach
from nbwidgets_nn.kernels.graph.product_reach import Reach
from nbwidgets_nn.kernels.graph.stages import Convolution, Read, Uniform, Winners
from nbwidgets_nn.kernels.window_reach import OUTSIDE, combined

Shape = Sequence[int]


def window_table(positions: Tensor, size: int) -> AxisReach:
    """Make the table of one axis from the positions (places, taps) that each place reads."""
    place, tap = (positions != OUTSIDE).nonzero(as_tuple=True)
    return ax.from_pairs(place.numpy(), positions[place, tap].numpy(), (len(positions), size))


def pooling_reach(module: Any, axes: int, source: Shape, shape: Shape) -> Reach:
    """Return what a pooling reads: the windows of its own channel; of `module` only the settings are looked at."""
    tables = map(window_table, window_axes(module, source[-axes:], shape[-axes:]), source[-axes:])
    return Reach((ax.each(prod(shape[:-axes])), *tables))


def convolution_reach(
    module: Any, window: Sequence[int], source: Sequence[int], shape: Sequence[int]
) -> Reach:
    """Return what a convolution reads; of `module` only the settings are looked at."""
    axes = len(window)
    tables = map(window_table, window_axes(module, source[-axes:], shape[-axes:], window), source[-axes:])
    out, within = shape[-axes - 1] // module.groups, source[-axes - 1] // module.groups
    return Reach((ax.each(module.groups), ax.every(out, within), *tables))


def transposed(module: Any, weight: Tensor, source: Sequence[int], shape: Sequence[int]) -> Read:
    """Return what a transposed convolution reads; of `module` only the settings are looked at, with one for each axis."""
    axes, groups = weight.ndim - 2, module.groups
    sizes, places = source[-axes:], shape[-axes:]
    tables = [
        _sources_of_places(module, axis, *ends) for axis, ends in enumerate(zip(sizes, places, strict=True))
    ]

    def block() -> EdgeBlock:
        kernel = weight.unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 1).flatten(2)
        return EdgeBlock(kernel[None, :, :, None], combined(tables, sizes)[None, None], prod(sizes), groups)

    def run(x: Tensor) -> Tensor:
        function = getattr(functional, f"conv_transpose{axes}d")
        whole = [n - ((s - 1) * module.stride[k] - 2 * module.padding[k] + module.dilation[k] * (module.kernel_size[k] - 1) + 1)
                 for k, (s, n) in enumerate(zip(sizes, places, strict=True))]  # fmt: skip
        x = x.reshape(len(x), source[-axes - 1], *sizes)
        settings = (module.stride, module.padding, whole, groups, module.dilation)
        return function(x, weight.double(), None, *settings)

    out, within = shape[-axes - 1] // groups, source[-axes - 1] // groups
    reach = Reach((ax.each(groups), ax.every(out, within), *map(window_table, tables, sizes)))
    return Read(reach, Convolution(run, block))


def _sources_of_places(module: nn.Module, axis: int, size: int, places: int) -> Tensor:
    """Return (places, taps) positions of the input that a transposed convolution spreads to each place."""
    tap = torch.arange(module.kernel_size[axis]) * module.dilation[axis]
    from_ = torch.arange(places)[:, None] + module.padding[axis] - tap
    stride = module.stride[axis]
    position = from_.div(stride, rounding_mode="floor")
    return position.masked_fill((from_ % stride != 0) | (position < 0) | (position >= size), OUTSIDE)


def average(module: Any, axes: int, source: Sequence[int], shape: Sequence[int]) -> Read:
    """Return what an average pooling reads, with 1 / k; of `module` only the settings are looked at."""
    reach = pooling_reach(module, axes, source, shape)
    positions = combined(window_axes(module, source[-axes:], shape[-axes:]), source[-axes:])
    divisors = average_divisors(module, positions, source[-axes:], shape[-axes:]).double().numpy()
    return Read(reach, Uniform(reach, np.tile(1 / divisors, prod(shape[:-axes]))))


def maximum(
    module: Any, axes: int, source: Sequence[int], shape: Sequence[int], values: Callable[[], Tensor]
) -> Read:
    """Return what a max pooling reads; of `module` only the settings are looked at, and `values` are of one sample."""

    def find() -> np.ndarray:
        x = values().reshape(-1, 1, *source[-axes:]).double()
        if isinstance(module, tuple(ADAPTIVE_MAXIMA)):
            pool, options = f"adaptive_max_pool{axes}d", (tuple(shape[-axes:]),)
        else:
            pool, options = (
                f"max_pool{axes}d",
                (module.kernel_size, module.stride, module.padding, module.dilation),
            )
            options = (*options, getattr(module, "ceil_mode", False))
        _, place = getattr(functional, pool)(x, *options, return_indices=True)
        return (place.flatten(1) + torch.arange(len(place))[:, None] * prod(source[-axes:])).numpy().ravel()

    return Read(pooling_reach(module, axes, source, shape), Winners(find, prod(source)))
