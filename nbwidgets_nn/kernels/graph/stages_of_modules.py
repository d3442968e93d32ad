"""Which units of its inputs a recorded module reads, and with which weights: by the type of the module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from nbwidgets_nn.kernels.edge_blocks import EdgeBlock
from nbwidgets_nn.kernels.edges_of_layers import (
    ADAPTIVE_AVERAGES,
    ADAPTIVE_MAXIMA,
    CONVOLUTIONS,
    PASSING,
    convolution_block,
    edges_of_layer,
)
from nbwidgets_nn.kernels.graph import axis_reach as ax
from nbwidgets_nn.kernels.graph.gather_reach import gather_reach
from nbwidgets_nn.kernels.graph.laid import Ways
from nbwidgets_nn.kernels.graph.product_reach import Reach, own
from nbwidgets_nn.kernels.graph.stages import Convolution, Matrix, Read, Uniform
from nbwidgets_nn.kernels.graph.stages_of_mixing import WRAPPERS, mixed_along, wrapped
from nbwidgets_nn.kernels.graph.stages_of_sequences import SEQUENCES, read_by_sequence
from nbwidgets_nn.kernels.graph.stages_of_windows import average, convolution_reach, maximum, transposed
from nbwidgets_nn.record._activation_functions import ACTIVATION_MODULES
from nbwidgets_nn.record.affine import AVERAGES, BATCH_NORMS, MAXIMA, weights_in_use, why_not_plain
from nbwidgets_nn.record.layer import Layer

ALONG_ONE_AXIS = (nn.Softmax, nn.LogSoftmax, nn.Softmin)
NOT_POINTWISE = (*ALONG_ONE_AXIS, nn.Softmax2d, nn.GLU)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
INSTANCE_NORMS = {nn.InstanceNorm1d: 1, nn.InstanceNorm2d: 2, nn.InstanceNorm3d: 3}
MOVING = tuple(
    cls
    for name, cls in vars(nn).items()
    if name.startswith(("ReflectionPad", "ReplicationPad", "CircularPad", "ZeroPad", "ConstantPad"))
    or name in ("PixelShuffle", "PixelUnshuffle", "ChannelShuffle", "Unfold")
)


class Asked(NamedTuple):
    """One call of a module, as the functions below are given it."""

    layer: Layer
    source: tuple[int, ...]
    """Shape of the units of the first input: of one sample, with the axis of the samples kept."""

    shape: tuple[int, ...]
    """Shape of the units of the output, likewise."""

    axis: int | None = None
    """The axis of several samples in the first input."""


def read_by_module(
    layer: Layer,
    sources: Sequence[tuple[int, ...]],
    shape: tuple[int, ...],
    axis: int | None = None,
    samples: int = 1,
) -> list[Ways]:
    """Return what the module reads of each of its inputs; ValueError says why it is not known.

    `axis` is where several samples lie in the first input.
    """
    module = layer.module
    if isinstance(module, SEQUENCES):
        return read_by_sequence(layer, sources, shape, axis, samples)
    for classes, function in _KINDS:
        if not isinstance(module, classes):
            continue
        reason = why_not_plain(module, classes)
        if reason:
            raise ValueError(reason)
        if isinstance(module, nn.Bilinear):
            return [Read(_last_axis(source, shape), None) for source in sources]
        return [function(Asked(layer, tuple(sources[0]), tuple(shape), axis))]
    if layer.is_activation and prod(sources[0]) == prod(shape) and not isinstance(module, NOT_POINTWISE):
        return [_passing(Asked(layer, tuple(sources[0]), tuple(shape)))]
    if isinstance(module, nn.Sequential) and not len(module):
        return [_passing(Asked(layer, tuple(sources[0]), tuple(shape)))]
    raise ValueError(f"what a {layer.kind} reads is not known")


def _passing(asked: Asked) -> Read:
    reach = own(prod(asked.shape))
    return Read(reach, Uniform(reach))


def _linear(asked: Asked) -> Read:
    return Read(
        _last_axis(asked.source, asked.shape), Matrix(_weight_of(asked.layer), prod(asked.shape[:-1]))
    )


def _last_axis(source: Sequence[int], shape: Sequence[int]) -> Reach:
    return Reach((*map(ax.each, shape[:-1]), ax.every(shape[-1], source[-1])))


def _weight_of(layer: Layer) -> Callable[[], Tensor]:
    """Return the weight of a Linear or convolution when asked.

    ValueError if it does not give the recorded output; compared when first read, and when it was changed since.
    """
    compared: set[tuple] = set()

    def weight() -> Tensor:
        found = weights_in_use(layer.module)[0]
        state = found.data_ptr(), found._version  # noqa: SLF001 - torch counts changes in place there
        if layer.output is not None and layer.input is not None and state not in compared:
            try:
                edges_of_layer(layer)
            except ValueError as error:
                raise ValueError(f"{layer.name!r}: {error}") from error
            compared.clear()
            compared.add(state)
        return found

    return weight


def _convolution(asked: Asked) -> Read:
    module, weight = asked.layer.module, _weight_of(asked.layer)
    axes = next(count for cls, count in CONVOLUTIONS.items() if isinstance(module, cls))

    def run(x: Tensor) -> Tensor:
        x = x.reshape(len(x), *asked.source[-axes - 1 :])
        return module._conv_forward(x, weight().to("cpu", torch.float64), None)  # noqa: SLF001 - it does the padding

    def block() -> EdgeBlock:
        return convolution_block(module, weight(), None, asked.source[-axes:], asked.shape[-axes:])

    reach = convolution_reach(module, module.kernel_size, asked.source, asked.shape)
    return Read(reach, Convolution(run, block))


def _transposed(asked: Asked) -> Read:
    module = asked.layer.module
    return transposed(module, module.weight.detach(), asked.source, asked.shape)


def _average(asked: Asked) -> Read:
    module = asked.layer.module
    axes = next(n for cls, n in (AVERAGES | ADAPTIVE_AVERAGES).items() if isinstance(module, cls))
    return average(module, axes, asked.source, asked.shape)


def _maximum(asked: Asked) -> Read:
    layer = asked.layer
    axes = next(n for cls, n in (MAXIMA | ADAPTIVE_MAXIMA).items() if isinstance(layer.module, cls))

    def values() -> Tensor:
        if layer.input is None:
            raise ValueError(f"{layer.name!r}: its values were not kept, so that the largest are not known")
        return layer.input.reshape(-1, *asked.source[-axes - 1 :])[: prod(asked.source[: -axes - 1])]

    return maximum(layer.module, axes, asked.source, asked.shape, values)


def _batch_norm(asked: Asked) -> Read:
    module, shape = asked.layer.module, asked.shape
    if module.running_mean is None or module.running_var is None:
        raise ValueError("it normalises by the statistics of the batch")
    scale, _ = weights_in_use(module)
    channels = len(scale)
    reach = own(prod(shape))
    return Read(reach, Uniform(reach, np.repeat(scale.double().cpu().numpy(), prod(shape) // channels)))


def mixes(module: nn.Module, axis: int, axes: int) -> bool:
    """Whether a module computes values at one place of the axis from values at others, of tensors with so many axes."""
    if isinstance(module, POINTWISE):
        return False
    if isinstance(module, (*ALONG_ONE_AXIS, nn.Softmax2d)):
        return axis == _softmax_axis(module, axes)
    if isinstance(module, nn.Linear):
        return axis == axes - 1
    return False


def _softmax(asked: Asked) -> Read:
    dim = _softmax_axis(asked.layer.module, len(asked.shape))
    return Read(mixed_along(asked.shape, (dim,)), None)


def _softmax_axis(module: nn.Module, axes: int) -> int:
    dim = -3 if isinstance(module, nn.Softmax2d) else module.dim
    if dim is None:  # torch's own rule of old
        dim = 0 if axes in (0, 1, 3) else 1
    return dim % max(axes, 1)


def _group_norm(asked: Asked) -> Read:
    return Read(group_norm_reach(asked.shape, asked.layer.module.num_groups), None)


def group_norm_reach(shape: Sequence[int], groups: int) -> Reach:
    """Return the reach of a group norm: all channels of the group, at all positions."""
    within = shape[1] // groups
    rest = (ax.every(n, n) for n in shape[2:])
    return Reach((ax.each(shape[0]), ax.each(groups), ax.every(within, within), *rest))


def _instance_norm(asked: Asked) -> Read:
    axes = next(count for cls, count in INSTANCE_NORMS.items() if isinstance(asked.layer.module, cls))
    return Read(mixed_along(asked.shape, range(len(asked.shape) - axes, len(asked.shape))), None)


def _wrapped(asked: Asked) -> Read:
    read, mixed = wrapped(asked.layer.module, asked.source, asked.shape)
    if asked.axis in mixed:
        raise ValueError("it mixes the samples")
    return read


def _embedding(asked: Asked) -> Read:
    return Read(Reach((*map(ax.each, asked.source), ax.every(asked.shape[-1], 1))), None)


def _moving(asked: Asked) -> Read:
    ids = torch.arange(1.0, prod(asked.source) + 1, dtype=torch.float64).reshape(asked.source)
    module = asked.layer.module
    is_constant = isinstance(module, nn.modules.padding._ConstantPadNd)  # noqa: SLF001 - the base of all of them
    moved = functional.pad(ids, module.padding) if is_constant else module.forward(ids)
    reach = gather_reach(moved.numpy().astype(np.int64) - 1, asked.source)
    return Read(reach, Uniform(reach))


POINTWISE = tuple(cls for cls in ACTIVATION_MODULES if cls not in NOT_POINTWISE)

_KINDS: tuple[tuple[tuple[type, ...], Callable[[Asked], Read]], ...] = (
    (PASSING, _passing),
    (POINTWISE, _passing),
    ((nn.Linear,), _linear),
    (tuple(CONVOLUTIONS), _convolution),
    (TRANSPOSED, _transposed),
    ((*AVERAGES, *ADAPTIVE_AVERAGES), _average),
    ((*MAXIMA, *ADAPTIVE_MAXIMA), _maximum),
    (BATCH_NORMS, _batch_norm),
    ((*ALONG_ONE_AXIS, nn.Softmax2d), _softmax),
    (tuple(WRAPPERS), _wrapped),
    ((nn.GroupNorm,), _group_norm),
    (tuple(INSTANCE_NORMS), _instance_norm),
    ((nn.Embedding,), _embedding),
    (MOVING, _moving),
    ((nn.Bilinear,), _passing),
)
