"""Modules that go along a sequence: recurrent ones, their cells, and attention. Time, or the tokens, is one axis of a product."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
import torch
from torch import Tensor, nn

from nbwidgets_nn.kernels.graph import axis_reach as ax
from nbwidgets_nn.kernels.graph.axis_reach import AxisReach
from nbwidgets_nn.kernels.graph.laid import Ways
from nbwidgets_nn.kernels.graph.product_reach import Reach, full
from nbwidgets_nn.kernels.graph.stages import Read
from nbwidgets_nn.kernels.graph.stages_of_products import seen
from nbwidgets_nn.record.affine import why_not_plain
from nbwidgets_nn.record.layer import Layer
from nbwidgets_nn.record.steps import Step

CELLS = (nn.RNNCell, nn.LSTMCell, nn.GRUCell)
SEQUENCES = (nn.RNN, nn.LSTM, nn.GRU, nn.MultiheadAttention, *CELLS)

Shape = tuple[int, ...]


def read_by_sequence(
    layer: Layer, sources: Sequence[Shape], shape: Shape, axis: int | None, samples: int
) -> list[Ways]:
    """Return what the module reads of each of its inputs; ValueError if it goes along the samples, or is not torch's own.

    Args:
        layer: the call.
        sources: shapes of its inputs, of one sample with the axis of the samples kept.
        shape: that of its output.
        axis: along which several samples lie in the first input.
        samples: how many there are.
    """
    reason = why_not_plain(layer.module, SEQUENCES)
    if reason:
        raise ValueError(reason)
    if isinstance(layer.module, CELLS):
        return _cell(layer, sources, shape, axis)
    batch = None if len(shape) == 2 else 0 if layer.module.batch_first else 1
    if axis is not None and axis != batch:
        raise ValueError("it mixes the samples")
    time = next(k for k in range(len(shape) - 1) if k != batch)
    if isinstance(layer.module, nn.MultiheadAttention):
        return _attention(layer, sources, shape, time, samples)
    rest = [Read(full(prod(shape), prod(source)), None) for source in sources[1:]]
    return [_recurrent(layer.module, sources[0], shape, time), *rest]


def _recurrent(module: nn.RNNBase, source: Shape, shape: Shape, time: int) -> Ways:
    """Every step reads what came before; both directions of several layers read everything."""
    steps = shape[time]
    if (module.bidirectional and module.num_layers > 1) or steps**2 > ax.DENSE:
        return _along(source, shape, time, ax.every(steps, steps))
    before = np.tri(steps, dtype=bool)
    if not module.bidirectional:
        return _along(source, shape, time, ax.some(before))
    return tuple(
        _along(source, shape, time, ax.some(table), ax.from_pairs(np.array([k]), np.array([0]), (2, 1)))
        for k, table in enumerate((before, before.T))
    )


def _along(
    source: Shape, shape: Shape, time: int, table: AxisReach, direction: AxisReach | None = None
) -> Read:
    """All features; of the steps those in the table, of the samples the same."""
    axes = [table if k == time else ax.each(n) for k, n in enumerate(shape[:-1])]
    directions = 1 if direction is None else direction.rows
    features = ax.every(shape[-1] // directions, source[-1])
    return Read(Reach((*axes, *((direction,) if direction else ()), features)), None)


def _attention(layer: Layer, sources: Sequence[Shape], shape: Shape, time: int, samples: int) -> list[Ways]:
    """Tokens read all features of their query, and of all keys and values that a constant mask leaves."""
    tokens = ax.every(shape[time], sources[1][time])
    for origin in layer.origins[3:]:
        if isinstance(origin, Step) and origin.name == "constant":
            tokens = ax.meet(tokens, _left_by(origin.args[0], (tokens.rows, tokens.cols), samples))
    query, key, value = (
        _along(source, shape, time, table)
        for source, table in zip(sources, (ax.each(shape[time]), tokens, tokens), strict=False)
    )
    rest = [Read(full(prod(shape), prod(source)), None) for source in sources[3:]]
    return [query, key, value, *rest]


def _left_by(mask: Tensor, ends: tuple[int, int], samples: int) -> AxisReach:
    """Return which tokens a mask leaves; all, where it may be one of the tokens of each sample."""
    if tuple(mask.shape[-2:]) != ends or prod(ends) > ax.DENSE or mask.shape == (samples, ends[1]):
        return ax.every(*ends)
    return ax.some(seen(~mask if mask.dtype == torch.bool else mask > -torch.inf, ends))


def _cell(layer: Layer, sources: Sequence[Shape], shape: Shape, axis: int | None) -> list[Ways]:
    """One step reads all features of its input and state; of an LSTM's cell state its own."""
    if axis == len(shape) - 1:
        raise ValueError("it mixes the samples")
    features = [ax.every(shape[-1], source[-1]) for source in sources]
    if isinstance(layer.module, nn.LSTMCell) and len(features) > 2:
        features[2] = ax.each(shape[-1])
    return [Read(Reach((*map(ax.each, shape[:-1]), each)), None) for each in features]
