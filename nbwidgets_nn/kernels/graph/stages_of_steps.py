"""Which values a function of torch reads, and with which weights: by the name of the function.

Functions that only move values are run on the numbers of the units, so that whatever they do is found, not guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nbwidgets_nn.kernels.edge_blocks import EdgeBlock
from nbwidgets_nn.kernels.edges_of_layers import convolution_block
from nbwidgets_nn.kernels.function_names import (
    LINEAR,
    MOVING,
    POINTWISE,
    PRODUCTS,
    REDUCING,
    RUNNING,
    SOFTMAX,
    plain_name,
)
from nbwidgets_nn.kernels.graph import axis_reach as ax
from nbwidgets_nn.kernels.graph import stages_of_windows as windows
from nbwidgets_nn.kernels.graph.laid import Found, Laid, Operands, Values, of_first_sample
from nbwidgets_nn.kernels.graph.product_reach import Reach, own
from nbwidgets_nn.kernels.graph.stages import Convolution, Matrix, Read, Uniform
from nbwidgets_nn.kernels.graph.stages_of_arithmetic import elementwise
from nbwidgets_nn.kernels.graph.stages_of_mixing import RULES, Known, mixed_along
from nbwidgets_nn.kernels.graph.stages_of_modules import group_norm_reach
from nbwidgets_nn.kernels.graph.stages_of_moves import moved
from nbwidgets_nn.kernels.graph.stages_of_products import PRODUCTS_OF_AXES, product_of
from nbwidgets_nn.record.steps import Origin, Step


def read_by_step(step: Step, operands: Operands, values: Values) -> Found:
    """Return how the result lies, and what it reads of each operand; ValueError says why that is not known.

    `values` computes what an operand was in the recording; it is called late, if at all.
    """
    name = plain_name(step.name)
    if not operands:
        return Laid(step.shape, None), []
    first = step.args[0] if step.args else step.kwargs.get("input")
    alone = len(operands) == 1 and operands[0][0] is first
    if name in REDUCING and alone and not any(isinstance(value, Tensor) for value in step.args):
        found = _reduced(step, operands[0], name)
    elif name in SOFTMAX and alone:
        found = _along_axis(step, operands[0][1], name)
    elif name in POINTWISE or name in LINEAR or name in PRODUCTS:
        found = elementwise(step, operands, name)
    elif name in MOVING or (
        name == "interpolate" and step.kwargs.get("mode", "nearest").startswith("nearest")
    ):
        found = moved(step, operands, name)
    elif name in PRODUCTS_OF_AXES and not _is_by_matrix(step, name, alone=alone):
        found = product_of(step, operands, name)
    elif name in _KNOWN and alone:
        found = _KNOWN[name](step, operands[0][1])
    elif name in RULES and alone:
        found = _mixed(step, operands[0][1], RULES[name])
    elif name in _MAXIMA and alone:
        found = _MAXIMA[name](step, operands[0][1], values)
    else:
        raise ValueError(f"what {name} reads is not known")
    return found


def _is_by_matrix(step: Step, name: str, *, alone: bool) -> bool:
    """Whether a value is multiplied from the right by a constant matrix: then the weights are known."""
    other = _arguments(step, "other", other=step.kwargs.get("mat2")).other
    return alone and name in ("matmul", "mm") and isinstance(other, Tensor) and other.ndim == 2


def _reduced(step: Step, operand: tuple[Origin, Laid], name: str) -> Found:
    """Every value of the result reads all values along the axes that are gone."""
    source = operand[1]
    dims = _dims(step, len(source.full), name)
    if source.axis in dims and source.samples > 1:
        raise ValueError("it mixes the samples")
    kept = len(step.shape) == len(source.full)
    axis = source.axis
    if axis is not None and not kept:
        axis = None if axis in dims else axis - sum(dim < axis for dim in dims)
    times = source.times if axis is None or source.axis not in dims else 1
    laid = Laid(step.shape, axis, times)
    axes = tuple(ax.every(1, n) if k in dims else ax.each(n) for k, n in enumerate(source.shape))
    reach = Reach(axes or (ax.each(1),))
    count = prod(source.shape[dim] for dim in dims)
    factor = {"mean": 1 / count, "sum": 1.0}.get(name)
    return laid, [Read(reach, None if factor is None else Uniform(reach, factor))]


def _dims(step: Step, ndim: int, name: str) -> tuple[int, ...]:
    given = step.kwargs.get("dim", step.kwargs.get("axis"))
    place = 2 if name in ("norm", "vector_norm", "linalg_vector_norm") else 1
    if given is None and len(step.args) > place:
        given = step.args[place]  # what follows is keepdim, or a dtype
    if given is None or isinstance(given, bool | torch.dtype):
        return tuple(range(ndim))
    dims = (given,) if isinstance(given, int) else tuple(given)
    return tuple(sorted(dim % max(ndim, 1) for dim in dims)) or tuple(range(ndim))


def _along_axis(step: Step, source: Laid, name: str) -> Found:
    dims = [
        value
        for value in (*step.args[1:], step.kwargs.get("dim", step.kwargs.get("axis")))
        if isinstance(value, int)
    ]
    if not dims or step.shape != source.full:
        raise ValueError("its axis is not known")
    dim = dims[0] % len(source.full)
    if dim == source.axis and source.samples > 1:
        raise ValueError("it mixes the samples")
    if name in RUNNING and source.shape[dim] ** 2 <= ax.DENSE:  # larger tables cost more than they tell
        return source, [_so_far(source.shape, dim, name)]
    return source, [Read(mixed_along(source.shape, (dim,)), None)]


def _so_far(shape: tuple[int, ...], dim: int, name: str) -> Read:
    """Every value reads those before it along one axis, and its own."""
    size = shape[dim]
    table = ax.some(np.tri(size, dtype=bool))
    reach = Reach(tuple(table if k == dim else ax.each(n) for k, n in enumerate(shape)))
    return Read(reach, Uniform(reach) if name == "cumsum" else None)


def _arguments(step: Step, names: str, **usual: Any) -> SimpleNamespace:
    given = dict(zip(names.split(), step.args[1:], strict=False)) | step.kwargs
    return SimpleNamespace(**(usual | given))


def _same_samples(step: Step, source: Laid) -> Laid:
    if source.axis not in (None, 0):
        raise ValueError("its samples do not stand first")
    return Laid(step.shape, source.axis, source.times)


def _linear(step: Step, source: Laid) -> Found:
    given = _arguments(step, "weight bias")
    return _weighted_last_axis(step, source, _real_constant(given.weight))


def _matmul(step: Step, source: Laid) -> Found:
    given = _arguments(step, "other", other=step.kwargs.get("mat2"))
    other = _real_constant(given.other)
    if other.ndim != 2:
        raise ValueError("it multiplies by a constant that is no matrix")
    return _weighted_last_axis(step, source, other.T)


def _weighted_last_axis(step: Step, source: Laid, weight: Tensor) -> Found:
    last = len(source.full) - 1
    if source.axis == last or weight.ndim != 2:
        raise ValueError("it mixes the samples, or is no matrix")
    laid = Laid((*source.full[:-1], len(weight)), source.axis, source.times)
    if laid.full != step.shape:
        raise ValueError(f"its result has another shape, {step.shape}")
    reach = Reach((*map(ax.each, source.shape[:-1]), ax.every(len(weight), source.shape[-1])))
    return laid, [Read(reach, Matrix(lambda: weight, prod(source.shape[:-1])))]


def _real_constant(value: Any) -> Tensor:
    if not isinstance(value, Tensor) or not value.is_floating_point():
        raise ValueError("its weights are computed from recorded values")
    return value.detach()


def _convolution(axes: int) -> Callable[[Step, Laid], Found]:
    def read(step: Step, source: Laid) -> Found:
        names = "weight bias stride padding dilation groups"
        given = _arguments(step, names, bias=None, stride=1, padding=0, dilation=1, groups=1)
        weight, laid = _real_constant(given.weight), _same_samples(step, source)
        given = SimpleNamespace(**(vars(given) | {"padding_mode": "zeros"}))
        shapes = source.shape[-axes:], laid.shape[-axes:]
        settings = {
            key: value
            for key, value in vars(given).items()
            if key in ("stride", "padding", "dilation", "groups")
        }

        def run(x: Tensor) -> Tensor:
            x = x.reshape(len(x), *source.shape[-axes - 1 :])
            return getattr(torch.nn.functional, f"conv{axes}d")(x, weight.double(), None, **settings)

        def block() -> EdgeBlock:
            return convolution_block(given, weight, None, *shapes)

        reach = windows.convolution_reach(given, weight.shape[2:], source.shape, laid.shape)
        return laid, [Read(reach, Convolution(run, block))]

    return read


def _transposed(axes: int) -> Callable[[Step, Laid], Found]:
    def read(step: Step, source: Laid) -> Found:
        names = "weight bias stride padding output_padding groups dilation"
        given = _arguments(step, names, stride=1, padding=0, groups=1, dilation=1)
        weight, laid = _real_constant(given.weight), _same_samples(step, source)
        settings = {key: _of_axes(getattr(given, key), axes) for key in ("stride", "padding", "dilation")}
        module = SimpleNamespace(**settings, groups=given.groups, kernel_size=weight.shape[2:])
        return laid, [windows.transposed(module, weight, source.shape, laid.shape)]

    return read


def _of_axes(value: Any, axes: int) -> tuple[int, ...]:
    return (value,) * axes if isinstance(value, int) else tuple(value) * (axes if len(value) == 1 else 1)


def _average(axes: int) -> Callable[[Step, Laid], Found]:
    def read(step: Step, source: Laid) -> Found:
        names = "kernel_size stride padding ceil_mode count_include_pad divisor_override"
        given = _arguments(step, names, stride=None, padding=0, count_include_pad=True, divisor_override=None)
        laid = _same_samples(step, source)
        return laid, [windows.average(_with_stride(given), axes, source.shape, laid.shape)]

    return read


def _maximum(axes: int, *, is_adaptive: bool) -> Callable[[Step, Laid, Values], Found]:
    def read(step: Step, source: Laid, values: Values) -> Found:
        laid = _same_samples(step, source)
        if is_adaptive:
            module = getattr(torch.nn, f"AdaptiveMaxPool{axes}d")(laid.full[-axes:])
        else:
            given = _arguments(
                step, "kernel_size stride padding dilation ceil_mode", stride=None, padding=0, dilation=1
            )
            module = _with_stride(given)

        def first_values() -> Tensor:
            return of_first_sample(values(step.args[0] if step.args else step.kwargs["input"]), source)

        return laid, [windows.maximum(module, axes, source.shape, laid.shape, first_values)]

    return read


def _with_stride(given: SimpleNamespace) -> SimpleNamespace:
    empty = given.stride is None or given.stride == []
    return SimpleNamespace(**(vars(given) | ({"stride": given.kernel_size} if empty else {})))


def _adaptive_average(axes: int) -> Callable[[Step, Laid], Found]:
    def read(step: Step, source: Laid) -> Found:
        laid = _same_samples(step, source)
        module = getattr(torch.nn, f"AdaptiveAvgPool{axes}d")(laid.full[-axes:])
        return laid, [windows.average(module, axes, source.shape, laid.shape)]

    return read


def _group_norm(step: Step, source: Laid) -> Found:
    laid = _same_samples(step, source)
    return laid, [Read(group_norm_reach(laid.shape, _arguments(step, "num_groups").num_groups), None)]


def _mixed(step: Step, source: Laid, known: Known) -> Found:
    read, mixed = known.rule(
        _arguments(step, known.names, **known.usual), source.shape, _of_one(step, source)
    )
    if source.samples > 1 and source.axis in mixed:
        raise ValueError("it mixes the samples")
    return Laid(step.shape, source.axis, source.times), [read]


def _of_one(step: Step, source: Laid) -> tuple[int, ...]:
    """Return the shape that the result has of one sample."""
    return Laid(step.shape, source.axis, source.times).shape


def _batch_norm(step: Step, source: Laid) -> Found:
    names = "running_mean running_var weight bias training"
    given = _arguments(step, names, running_mean=None, weight=None, training=False, eps=1e-5)
    if given.running_mean is None or given.training:
        raise ValueError("it normalises by the statistics of the batch")
    return source, [Read(own(source.size), None)]


def _one_hot(step: Step, source: Laid) -> Found:
    """Embedding: every value is the number of a row."""
    axes = (*map(ax.each, source.shape), ax.every(step.shape[-1], 1))
    return Laid(step.shape, source.axis, source.times), [Read(Reach(axes), None)]


_KNOWN: dict[str, Callable[[Step, Laid], Found]] = {
    "linear": _linear,
    "matmul": _matmul,
    "mm": _matmul,
    "batch_norm": _batch_norm,
    "embedding": _one_hot,
    "group_norm": _group_norm,
    "one_hot": _one_hot,
    **{f"conv{axes}d": _convolution(axes) for axes in (1, 2, 3)},
    **{f"conv_transpose{axes}d": _transposed(axes) for axes in (1, 2, 3)},
    **{f"avg_pool{axes}d": _average(axes) for axes in (1, 2, 3)},
    **{f"adaptive_avg_pool{axes}d": _adaptive_average(axes) for axes in (1, 2, 3)},
}

_MAXIMA: dict[str, Callable[[Step, Laid, Values], Found]] = {
    f"{kind}max_pool{axes}d{indices}": _maximum(axes, is_adaptive=bool(kind))
    for kind in ("", "adaptive_")
    for axes in (1, 2, 3)
    for indices in ("", "_with_indices")
}
