"""Functions that mix values along some axes and leave the others apart, also where a module does nothing but call one.

A rule gets the settings of the function and the shapes of one sample, with the axis of the samples kept, and says what is
read. `mixed` are the axes along which places read others: the samples must not lie there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from nbwidgets_nn.kernels.graph import axis_reach as ax
from nbwidgets_nn.kernels.graph.axis_reach import AxisReach
from nbwidgets_nn.kernels.graph.product_reach import Reach
from nbwidgets_nn.kernels.graph.stages import Read, Uniform
from nbwidgets_nn.kernels.graph.stages_of_windows import pooling_reach

Shape = Sequence[int]


class Mixing(NamedTuple):
    """What is read, and along which axes."""

    read: Read
    mixed: frozenset[int]


_WIDE = 2
"""Places of the other axes where one is resized by itself: with antialias torch 2 fills a picture one wide with its first row."""

Rule = Callable[[Any, Shape, Shape], Mixing]
"""(settings, shape of the source, shape of the result), each of one sample."""


def mixed_along(shape: Shape, dims: Sequence[int]) -> Reach:
    """Return the reach of a function whose every result reads all values along some axes."""
    return Reach(
        tuple(ax.every(n, n) if k in dims else ax.each(n) for k, n in enumerate(shape)) or (ax.each(1),)
    )


def _on_axes(source: Shape, tables: dict[int, AxisReach], *, is_copy: bool = False) -> Mixing:
    """Put tables of some axes together; along all others every place reads its own."""
    reach = Reach(tuple(tables.get(k) or ax.each(n) for k, n in enumerate(source)))
    return Mixing(Read(reach, Uniform(reach) if is_copy else None), frozenset(tables))


def _gate(given: Any, source: Shape, shape: Shape) -> Mixing:
    """Every value reads its own, and its gate in the second half."""
    dim = given.dim % len(source)
    half = shape[dim]
    row = np.tile(np.arange(half), 2)
    return _on_axes(source, {dim: ax.from_pairs(row, np.arange(2 * half), (half, 2 * half))})


def _neighbours(given: Any, source: Shape, _: Shape) -> Mixing:
    """Local response normalisation: some channels before and behind."""
    count = source[1]
    away = np.arange(count) - np.arange(count)[:, None]
    near = (away >= -(given.size // 2)) & (away <= (given.size - 1) // 2)
    return _on_axes(source, {1: ax.some(near)})


def _along(given: Any, source: Shape, _: Shape) -> Mixing:
    dims = [dim % len(source) for dim in ((given.dim,) if isinstance(given.dim, int) else given.dim)]
    return _on_axes(source, {dim: ax.every(source[dim], source[dim]) for dim in dims})


def _last_axes(given: Any, source: Shape, _: Shape) -> Mixing:
    shape = given.normalized_shape
    dims = range(len(source) - (1 if isinstance(shape, int) else len(shape)), len(source))
    return _on_axes(source, {dim: ax.every(source[dim], source[dim]) for dim in dims})


def _each_channel(_: Any, source: Shape, __: Shape) -> Mixing:
    return _on_axes(source, {dim: ax.every(source[dim], source[dim]) for dim in range(2, len(source))})


def _resized(given: Any, source: Shape, shape: Shape) -> Mixing:
    """Interpolation works on each axis by itself: what it does to the rows of an identity matrix is its table."""
    mode = getattr(given, "mode", "nearest")
    axes = len(source) - 2
    tables = {}
    for axis in range(axes):
        size, places = source[2 + axis], shape[2 + axis]
        line = [1] * axes
        line[axis] = size
        settings = _settings_of_axis(given, axis, axes, places)
        x = torch.eye(size, dtype=torch.float64).reshape(size, 1, *line)
        x = x.expand(size, 1, *(size if k == axis else _WIDE for k in range(axes))).contiguous()
        found = functional.interpolate(x, mode=mode, **settings).movedim(2 + axis, -1)
        found = found.reshape(size, -1, places)[:, 0]
        tables[2 + axis] = ax.some((found.T != 0).numpy())
    return _on_axes(source, tables, is_copy=mode.startswith("nearest"))


def _settings_of_axis(given: Any, axis: int, axes: int, places: int) -> dict[str, Any]:
    """Return the settings with which one axis alone is resized."""
    settings = {
        key: value
        for key in ("align_corners", "recompute_scale_factor", "antialias")
        if (value := getattr(given, key, None)) is not None
    }
    factor = given.scale_factor
    if factor is None or given.size is not None:
        settings["size"] = tuple(places if k == axis else _WIDE for k in range(axes))
    else:
        factors = (factor,) * axes if isinstance(factor, int | float) else tuple(factor)
        settings["scale_factor"] = tuple(float(factors[k]) if k == axis else 1.0 for k in range(axes))
    return settings


def _folded(given: Any, source: Shape, shape: Shape) -> Mixing:
    """Patches are added where they overlap: each reads what unfolding would put there."""
    channels, *sizes = shape[-3:]
    ids = torch.arange(1.0, channels * prod(sizes) + 1, dtype=torch.float64).reshape(1, channels, *sizes)
    settings = (given.kernel_size, given.dilation, given.padding, given.stride)
    place = functional.unfold(ids, *settings).long().numpy().ravel() - 1
    column = np.flatnonzero(place >= 0)
    lead = source[:-2]
    table = ax.from_pairs(place[column], column, (channels * prod(sizes), prod(source[-2:])))
    reach = Reach((*map(ax.each, lead), table))
    return Mixing(Read(reach, Uniform(reach)), frozenset(range(len(lead), len(source))))


def _pooled(axes: int) -> Rule:
    """Pooling whose result is no sum: of every window."""

    def rule(given: Any, source: Shape, shape: Shape) -> Mixing:
        stride = given.kernel_size if given.stride in (None, []) else given.stride
        settings = SimpleNamespace(kernel_size=given.kernel_size, stride=stride, padding=0)
        reach = pooling_reach(settings, axes, source, shape)
        return Mixing(Read(reach, None), frozenset(range(len(source) - axes, len(source))))

    return rule


class Known(NamedTuple):
    """A function with a rule: names of its arguments behind the first, and their usual values."""

    rule: Rule
    names: str
    usual: dict[str, Any]


RULES: dict[str, Known] = {
    "glu": Known(_gate, "dim", {"dim": -1}),
    "local_response_norm": Known(_neighbours, "size", {}),
    "normalize": Known(_along, "p dim", {"dim": 1}),
    "rms_norm": Known(_last_axes, "normalized_shape", {}),
    "layer_norm": Known(_last_axes, "normalized_shape", {}),
    "instance_norm": Known(_each_channel, "", {}),
    "interpolate": Known(
        _resized,
        "size scale_factor mode align_corners recompute_scale_factor antialias",
        {"size": None, "scale_factor": None},
    ),
    "fold": Known(
        _folded,
        "output_size kernel_size dilation padding stride",
        {"dilation": 1, "padding": 0, "stride": 1},
    ),
    **{
        f"lp_pool{axes}d": Known(_pooled(axes), "norm_type kernel_size stride ceil_mode", {"stride": None})
        for axes in (1, 2, 3)
    },
    **{f"fft_{name}": Known(_along, "n dim", {"dim": -1}) for name in ("fft", "ifft")},
}

WRAPPERS: dict[type, str] = {
    nn.GLU: "glu",
    nn.LocalResponseNorm: "local_response_norm",
    nn.LayerNorm: "layer_norm",
    nn.RMSNorm: "rms_norm",
    nn.Upsample: "interpolate",
    nn.UpsamplingNearest2d: "interpolate",
    nn.UpsamplingBilinear2d: "interpolate",
    nn.Fold: "fold",
    nn.LPPool1d: "lp_pool1d",
    nn.LPPool2d: "lp_pool2d",
    nn.LPPool3d: "lp_pool3d",
}
"""Modules that call a function with settings of the same names."""


def wrapped(module: nn.Module, source: Shape, shape: Shape) -> Mixing:
    """Return what such a module reads."""
    name = next(name for cls, name in WRAPPERS.items() if isinstance(module, cls))
    return RULES[name].rule(module, source, shape)
