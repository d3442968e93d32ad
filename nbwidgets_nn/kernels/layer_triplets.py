"""The triplets of one layer: they read as a large tensor, and hold none of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nbwidgets_nn._arrays import as_numpy, expected
from nbwidgets_nn.kernels.added_outputs import Addition
from nbwidgets_nn.kernels.channel_edges import ChannelEdges, channel_edges
from nbwidgets_nn.kernels.computed_tensor import ComputedTensor, check_memory, empty
from nbwidgets_nn.kernels.edge_blocks import EdgeBlock, dense_block
from nbwidgets_nn.kernels.edge_statistics import EdgeStatistics
from nbwidgets_nn.kernels.edges_of_layers import Edges
from nbwidgets_nn.kernels.source_units import SourceUnits
from nbwidgets_nn.kernels.strongest_edges import StrongestEdges, strongest_edges

OverData = Callable[[dict[str, "LayerTriplets"], Iterable[Any]], dict[str, EdgeStatistics]]
"""Statistics of some layers over a data set: only what recorded them can record more."""

_INSTEAD = "read what you need: t[b, i, j], t.top(k), t.block.incoming(j)"


class LayerTriplets(ComputedTensor):
    """One layer's triplets: reads as the tensor (rows, n_in, n_out, 3), and holds none of it.

    ``t[b, i, j]`` is (source value, weight, target value) of the edge from input i to output j in row b; see
    `ComputedTensor` for all that it can do. Rows are samples; of a Linear that acts on the last of several axes every
    position is a row (`row_shape`). Units are numbered as in the flattened tensor (`source_shape`, `target_shape`): of an
    image (channel, height, width). A pair that no edge joins has weight 0.

    >>> from torch import nn
    >>> from nbwidgets_nn import triplets
    >>> t = triplets(nn.Linear(3, 2), torch.ones(4, 3))["Linear"]
    >>> t, t[0][2][1].shape
    (LayerTriplets('Linear', Linear, shape (4, 3, 2, 3), 6 edges), torch.Size([3]))
    >>> full = torch.as_tensor(t)                      # takes the memory: here 4 * 3 * 2 * 3 numbers
    >>> sums = (full[..., 0] * full[..., 1]).sum(1) + t.bias
    >>> torch.testing.assert_close(sums, t.target)
    """

    def __init__(
        self,
        name: str,
        kind: str,
        edges: Edges | Addition,
        units: SourceUnits,
        over_data: OverData,
        calls: tuple[str | None, ...] = (),
    ) -> None:
        self.name = name
        self.kind = kind
        self.calls = tuple(call for call in calls if call is not None)
        """Of an addition, the calls on whose way it lies, in the order of execution; else empty."""
        self.is_output = None in calls
        """Whether it is an addition on the way to what the model returns."""
        self.row_shape = edges.row_shape
        """How the rows lie: (samples,), or (samples, positions)."""
        self.source_shape = edges.source_shape
        """How the input units of a row lie, (channels, height, width)."""
        self.target_shape = edges.target_shape
        """How the output units of a row lie."""
        self._edges = edges
        self._units = units
        self._over_data = over_data
        is_sum = isinstance(edges, Addition)
        self.addends = edges.addends if is_sum else ()
        """Of an addition, whose units each of the addends has (`SourceUnits`); the sources are as many parts."""
        self.step = edges.step if is_sum else None
        """Of an addition, the function that gave the sum (`record.steps.Step`)."""
        device = edges.device if is_sum else edges.target.device
        shape = (math.prod(self.row_shape), math.prod(self.source_shape), math.prod(self.target_shape), 3)
        super().__init__(shape, edges.dtype, device, instead=_INSTEAD)

    @cached_property
    def target(self) -> Tensor:
        """(rows, n_out): what the layer returned."""
        return self._edges.target

    @cached_property
    def source(self) -> Tensor:
        """(rows, n_in): what the layer received."""
        return self._edges.source()

    @cached_property
    def block(self) -> EdgeBlock:
        """The edges without values: which there are and what they weigh."""
        return self._edges.block()

    @property
    def weight(self) -> Tensor:
        """(n_out, n_in), of Linear the model's own, of others made anew; (rows, n_out, n_in) if each sample has its own.

        MemoryError where that does not fit: use `block` (`incoming`, `outgoing`, `edge_at`) instead.
        """
        return self._weight()

    @property
    def bias(self) -> Tensor | None:
        """(n_out,); None without one."""
        bias = self.block.bias
        return None if bias is None else bias.repeat_interleave(self.block.positions)

    @property
    def edges(self) -> int:
        """Number of edges in each row."""
        return self.block.edges

    @property
    def contribution(self) -> ComputedTensor:
        """(rows, n_in, n_out), computed where it is read: weight x source value, and 0 where there is no edge.

        In float32 at least: the products of coarser types can be too large for them.
        """
        return ComputedTensor(
            self.shape[:3], self._exact, self.device, self._contribution_at, _INSTEAD, self._fill_contribution
        )

    def top(
        self, k: int, by: str = "contribution", batch: int | None = None, *, target: int | None = None
    ) -> StrongestEdges:
        """Return the `k` edges that are largest in magnitude, the largest first; see `StrongestEdges`.

        >>> from nbwidgets_nn import triplets
        >>> t = triplets(torch.nn.Linear(5, 3), torch.ones(2, 5))["Linear"]
        >>> t.top(2, batch=1, target=0).target
        array([0, 0])

        Args:
            k: how many.
            by: "contribution", "weight" or "source". Weights that all rows share are ranked once, and shown for the first row.
            batch: rank the edges of this row alone.
            target: rank the edges into this unit alone; of weights that each sample has for itself only with ``batch``.

        Raises:
            ValueError: ``k`` is larger than the number of edges; ``by`` is none of the three; no such row or unit.
            TypeError: ``k``, ``batch`` or ``target`` is no whole number.
        """
        x, block, first = self.source, self.block, 0
        if target is not None:
            target = _checked_place(target, self.shape[2], "target", "unit")
        if batch is not None:
            first = _checked_place(batch, len(x), "batch", "row")
            x, block = x[first : first + 1], block.of_sample(first)
        y = self.target[first : first + len(x)]
        if target is None:
            return strongest_edges(x, block, y, k, by, first_row=first)
        if block.per_sample and len(x) > 1:
            raise ValueError(expected("batch", "a row, as each has weights of its own", "None", "batch=0"))
        inputs, weights = block.incoming(target)
        found = strongest_edges(
            x[:, inputs], dense_block(weights[None]), y[:, target, None], k, by, first_row=first
        )
        return replace(found, source=as_numpy(inputs)[found.source], target=np.full(len(found), target))

    def statistics(self, loader: Iterable[Any]) -> EdgeStatistics:
        """Return mean and variance of every edge's contribution over a data set, in one pass.

        With weights that all samples share, the mean is ``w * mean(x)`` and the variance ``w**2 * var(x)``, so that two
        numbers for each input are all that is kept.

        Args:
            loader: inputs of the network, batch by batch, each as for `Activations`; of (input, label) pairs give
                ``(x for x, _ in loader)``.

        Raises:
            ValueError: no batch, one that is a list of inputs and labels, or weights that each sample has for itself (attention, max pooling).
            RecordingError: the network raised.
        """
        if self.block.per_sample:
            hint = "t.contribution of one batch"
            came = f"those of {self.kind}, which each sample has for itself"
            raise ValueError(expected("weights", "ones that all samples share", came, hint))
        return self._over_data({self.name: self}, loader)[self.name]

    def by_channel(self, in_groups: Any = None) -> ChannelEdges:
        """Return the edges from channel to channel, summed over positions, without forming those between positions.

        Of a Linear that takes flattened feature maps, the input channels are those of the maps; the recording knows
        them. A Linear that takes single units is returned as it is.

        Args:
            in_groups: for a Linear, which input channel each input is part of: (n_in,) numbers from 0, or how many
                channels of equal size lie one after the other. None: as the recording has it.

        Raises:
            ValueError: ``in_groups`` does not fit.
            MemoryError: (rows, out_channels, in_channels) do not fit.
        """
        if in_groups is None and self.block.is_dense:
            in_groups = self._units.groups
        weight_is = "mean attention" if self.kind == "MultiheadAttention" and self.block.per_sample else ""
        return channel_edges(self.source, self.target, self.block, in_groups, weight_is)

    def source_name(self, unit: int) -> str:
        """Name an input unit after the layer that it is of, as selections do: "relu2:4".

        In feature maps, "conv1[2, 4, 5]" is channel 2 at row 4, column 5.
        """
        number = _checked_unit(unit, self.shape[1])
        parts = self.addends or (self._units,)
        part, place = divmod(number, self.shape[1] // len(parts))
        units = parts[part]
        if units.order is None:
            return _unit_name(f"input of {self.name}", self.source_shape, number)
        return _unit_name(units.layer, units.shape, int(units.order[place]))

    def target_name(self, unit: int) -> str:
        """Name an output unit: "fc1:3"."""
        return _unit_name(self.name, self.target_shape, unit)

    def describe(self) -> str:
        """Say in a few words what this is."""
        return f"{self.kind}, shape {tuple(self.shape)}, {self.edges:,} edge{'' if self.edges == 1 else 's'}"

    def __repr__(self) -> str:
        return f"LayerTriplets({self.name!r}, {self.describe()})"

    @property
    def _exact(self) -> torch.dtype:
        return torch.promote_types(self.dtype, torch.float32)

    def _weight(self) -> Tensor:
        if not self.block.is_dense:
            samples = len(self.source) if self.block.per_sample else 1
            check_memory((samples, self.shape[2], self.shape[1]), self.dtype, _INSTEAD, self.device)
        return self.block.matrix

    def _at(self, row: Tensor, source: Tensor, target: Tensor, which: Tensor) -> Tensor:
        planes = (
            lambda: self.source[row, source],
            lambda: self.block.edge_at(row, source, target)[0],
            lambda: self.target[row, target],
        )
        first, *rest = which.unique().tolist() or [0]
        values = planes[first]().to(self.dtype)
        for plane in rest:
            values = torch.where(which == plane, planes[plane]().to(self.dtype), values)
        return values.expand(torch.broadcast_shapes(values.shape, which.shape))

    def _contribution_at(self, row: Tensor, source: Tensor, target: Tensor) -> Tensor:
        weights, there = self.block.edge_at(row, source, target)
        return (weights.to(self._exact) * self.source[row, source]).where(there, 0)

    def _empty(self, dtype: torch.dtype) -> Tensor:
        # Plane by plane: each of the three is written in one stream.
        return empty((3, *self.shape[:3]), dtype, self.device).movedim(0, -1)

    def _fill(self, out: Tensor) -> None:
        source, weight, target = out.unbind(-1)
        source.copy_(self.source[:, :, None].expand_as(source))
        weight.copy_(self._weight().mT.contiguous().expand_as(weight))
        target.copy_(self.target[:, None].expand_as(target))

    def _fill_contribution(self, out: Tensor) -> None:
        if self.block.is_dense:
            torch.mul(self.source[:, :, None].to(self._exact), self._weight().mT.contiguous(), out=out)
        else:
            out.copy_(self.contribution[:])


def _unit_name(layer: str, shape: tuple[int, ...], unit: int) -> str:
    unit = _checked_unit(unit, math.prod(shape))
    if len(shape) < 2:
        return f"{layer}:{unit}"
    return f"{layer}[{', '.join(map(str, np.unravel_index(unit, shape)))}]"


def _checked_unit(unit: int, units: int) -> int:
    if not -units <= unit < units:
        raise IndexError(expected("unit", f"a number from 0 to {units - 1:,}", f"{unit:,}"))
    return unit % units


def _checked_place(place: int, count: int, name: str, noun: str) -> int:
    """Return the number of a row or unit, from 0."""
    what = f"a {noun} from 0 to {count - 1:,}, or None for all"
    if isinstance(place, bool) or not isinstance(place, int | np.integer):
        raise TypeError(expected(name, what, repr(place)))
    if not -count <= place < count:
        raise ValueError(expected(name, what, f"{place:,}"))
    return int(place) % count
