"""Which call's units a layer takes, and in which channel of feature maps each of them lies: told by the values.

Between two calls a network can do anything with the values, so that names and shapes are no evidence: only a recorded
input that holds the values of the call before it tells which of them is which.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

import torch
from torch import Tensor, nn
from torch.nn import functional

from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.layer import Layer
from nbwidgets_nn.record.steps import outputs_in, parts_of

_POOLINGS = (
    (functional.max_pool1d, functional.avg_pool1d),
    (functional.max_pool2d, functional.avg_pool2d),
    (functional.max_pool3d, functional.avg_pool3d),
)


@dataclass(frozen=True, eq=False)
class SourceUnits:
    """The input units of a layer, as units of the call that they are from."""

    layer: str = ""
    """Name of the call; "" where it is not known."""

    shape: tuple[int, ...] = ()
    """How the units of that call lie: (channels, height, width), say; only its channels, if the positions were pooled."""

    order: Tensor | None = None
    """(n_in,) which of them each input unit is; None where that is not known."""

    groups: Tensor | None = None
    """(n_in,) the channel of each input unit; None where every input is a unit of its own."""

    is_constant: bool = False
    """Whether they are of no call, but computed from none: an addend of an addition. The layer is then "constant"."""


@dataclass(frozen=True, eq=False)
class _Found:
    """The call before a layer; of each input unit its channel there, and its unit if it is one alone."""

    call: Layer
    channel: Tensor
    unit: Tensor | None


def source_layer(recording: Activations, layer: Layer) -> str | None:
    """Return the call whose units the input units of `layer` are, unit for unit or channel for channel; None if not known.

    Known is what the values show. The layer's input has to equal, in another shape at most or with the channels moved to
    the end,

    * the output of a call that feeds it;
    * that output behind the activation function that follows the call;
    * one of these two, pooled: by a pooling that is found again, or by one whose results lie in the range of their own
      channel's map in every sample, which they would not if any two channels were exchanged.

    Values that were concatenated, flipped, shuffled, weighted or summed over channels are of no call.

    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> recording = Activations(net, torch.rand(4, 2))
    >>> source_layer(recording, recording["2"]), source_layer(recording, recording["0"])
    ('1', 'input')
    """
    found = _found(recording, layer)
    return None if found is None else found.call.name


def source_units(recording: Activations, layer: Layer) -> SourceUnits:
    """Return the units behind the layer's inputs; through Flatten and activations those of the feature maps, if there are."""
    found = nearest = _found(recording, layer)
    while found is not None and not _has_maps(found.call) and _keeps_places(found.call):
        found = _found(recording, found.call)
    if found is None or not _has_maps(found.call) or len(found.channel) != len(nearest.channel):
        found = nearest
    if found is None:
        return SourceUnits()
    shape, axis = found.call.output_shape, found.call.channel_axis
    if found.unit is not None:
        whole, order = tuple(shape if axis == 0 or len(shape) == 1 else shape[1:]), found.unit
    else:
        whole = (shape[-1 if axis is None else axis],)
        order = found.channel if len(found.channel) == whole[0] else None
    grouped = _has_maps(found.call) and shape[axis] < len(found.channel)
    return SourceUnits(found.call.name, whole, order, found.channel if grouped else None)


def _keeps_places(call: Layer) -> bool:
    return call.is_activation or isinstance(call.module, nn.Flatten | nn.Identity | nn.Dropout)


def _has_maps(call: Layer) -> bool:
    shape, axis = call.output_shape, call.channel_axis
    return axis is not None and len(shape) > 2 and shape[axis] > 1


def _found(recording: Activations, layer: Layer) -> _Found | None:
    x = layer.input
    if x is None or x.layout is not torch.strided or x.is_quantized or not x.ndim or not x.numel():
        return None
    calls = [recording[name] for name in layer.input_of or _candidates(recording, layer)]
    found = (_same(call, values, layer) for call in calls for values in _values(call, layer))
    found = next(filter(None, found), None)
    if found is None and not layer.input_of and len(layer.fed_by) == len(calls) == 1:
        found = next(filter(None, (_pooled(calls[0], v, layer) for v in _values(calls[0], layer))), None)
    return found


def _candidates(recording: Activations, layer: Layer) -> list[str]:
    """Return the calls that feed a layer, the latest first; not those that are only behind the input of a call in between.

    Each layer of a residual stream is fed by all before it, and asking all of each would take the square of their number.
    """
    feeding = list(reversed(layer.fed_by))
    if layer.origin is None:
        return feeding
    node, parts = layer.origin, parts_of(layer.origin)
    while parts and all(part is parts[0] for part in parts):
        node, parts = parts[0], parts_of(parts[0])
    before = takewhile(lambda name: name != layer.name, recording)
    known = {id(recording[name].origin) for name in before} - {id(node)}
    near = {output.layer for output in outputs_in(node, known)}
    return [name for name in feeding if name in near]


def _values(call: Layer, layer: Layer) -> Iterator[Tensor]:
    """Yield (samples, ...) what the call returned, and that behind the activation functions between it and the layer."""
    output = call.output
    if output is None or output.layout is not torch.strided or output.is_quantized or not output.ndim:
        return
    yield output
    if layer.input_of or not output.is_floating_point():
        return
    seen = []
    for function in (call.activation, layer.input_activation):
        if function is None or isinstance(function, nn.Module) or function in seen:
            continue
        seen.append(function)
        try:
            with torch.no_grad():
                result = function(output)
        except (RuntimeError, IndexError):  # made for another shape
            continue
        if isinstance(result, Tensor) and result.shape == output.shape:
            yield result


def _same(call: Layer, values: Tensor, layer: Layer) -> _Found | None:
    """Return which unit each input is, if the input is `values` in another shape, or with the channels last."""
    x, axis = layer.input, call.channel_axis
    if values.numel() != x.numel():
        return None
    axis = values.ndim - 1 if axis is None else axis
    n_in = _inputs(layer, one_sample=axis == 0)
    if axis == 0 or len(x) != len(values):  # a single sample, or positions that became rows
        x, values, axis = x[None], values[None], axis + 1
    shape = values.shape[1:]
    units = torch.arange(math.prod(shape)).view(shape)
    channels = torch.arange(shape[axis - 1]).view(-1, *[1] * (len(shape) - axis)).expand(shape)
    for place in {axis: None, values.ndim - 1: None}:
        if _equal(values.movedim(axis, place).reshape(x.shape), x):
            channel, unit = (t.movedim(axis - 1, place - 1).flatten() for t in (channels, units))
            return _of_rows(call, channel, unit, n_in)
    return None


def _of_rows(call: Layer, channel: Tensor, unit: Tensor, n_in: int) -> _Found | None:
    """Cut what one sample holds into the rows that the layer takes: all must have the same channels."""
    rows = channel.reshape(-1, n_in)
    if len(rows) == 1:
        return _Found(call, channel, unit)
    return _Found(call, rows[0], None) if bool((rows == rows[0]).all()) else None


def _inputs(layer: Layer, *, one_sample: bool = False) -> int:
    """Return how many input units a row of the layer has: positions are rows where it acts on the last axis."""
    if isinstance(layer.module, nn.Linear | nn.MultiheadAttention):
        return layer.input.shape[-1]
    return math.prod(layer.input.shape[0 if one_sample else 1 :])


def _pooled(call: Layer, values: Tensor, layer: Layer) -> _Found | None:
    """Return the channel of each input, if the input is `values` with fewer positions."""
    x, axis = layer.input, call.channel_axis
    if (
        not axis
        or x.ndim < 2
        or values.ndim < 3
        or len(x) != len(values)
        or x.is_complex()
        or values.is_complex()
    ):
        return None
    channels = values.shape[axis]
    maps = values.movedim(axis, 1)
    if x.numel() >= maps.numel() or x[0].numel() % channels or _inputs(layer) != x[0].numel():
        return None
    if channels == 1 or (x.ndim > 2 and x.shape[1] != channels):
        return None
    pooled = x.reshape(len(x), channels, -1)
    if not (_is_a_pooling(maps, pooled) or _lies_within(maps.flatten(2), pooled)):
        return None
    return _Found(call, torch.arange(channels).repeat_interleave(pooled.shape[2]), None)


def _is_a_pooling(maps: Tensor, pooled: Tensor) -> bool:
    """Whether the mean over positions, or a pooling with equal windows side by side, gives the same."""
    exact = torch.promote_types(maps.dtype, torch.float32)
    maps, wanted = maps.to(exact), pooled.to(exact)
    if wanted.shape[2] == 1 and _close(maps.flatten(2).mean(2), wanted[:, :, 0], pooled.dtype):
        return True
    sizes = maps.shape[2:]
    for window in range(2, min(sizes) + 1):
        if math.prod(size // window for size in sizes) == pooled.shape[2] and len(sizes) <= len(_POOLINGS):
            found = (pool(maps, window).flatten(2) for pool in _POOLINGS[len(sizes) - 1])
            if any(_close(values, wanted, pooled.dtype) for values in found):
                return True
    return False


def _lies_within(maps: Tensor, pooled: Tensor) -> bool:
    """Whether values lie in the range of their own channel's map, and no two channels could be exchanged."""
    low, high = (t.float() for t in maps.aminmax(dim=2))
    least, most = (t.float() for t in pooled.aminmax(dim=2))
    slack = 4 * torch.finfo(pooled.dtype).eps * maps.abs().float().amax() if pooled.is_floating_point() else 0
    low, high = low - slack, high + slack
    if not ((low <= least) & (most <= high)).all():  # also where anything is NaN
        return False
    live = (maps != maps[:1, :, :1]).any(dim=2).any(dim=0)
    undecided = live[:, None] | live[None]
    undecided.fill_diagonal_(False)
    fits = torch.ones_like(undecided)
    for here in zip(low, high, least, most, strict=True):
        fits &= (here[0] <= here[2][:, None]) & (here[3][:, None] <= here[1])
        if not (fits & fits.T & undecided).any():
            return bool(live.any())
    return False


def _close(a: Tensor, b: Tensor, dtype: torch.dtype) -> bool:
    """Whether two are the same but for the rounding of `dtype`; NaN equals NaN."""
    eps = torch.finfo(dtype).eps if dtype.is_floating_point else torch.finfo(torch.float32).eps
    size = float(b.abs().nan_to_num(0, 0, 0).amax())
    return bool(torch.isclose(a, b, rtol=8 * eps, atol=4 * eps * size, equal_nan=True).all())


def _equal(a: Tensor, b: Tensor) -> bool:
    return bool(((a == b) | (a.isnan() & b.isnan())).all())
