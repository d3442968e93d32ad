"""Which units of a recording stand in one column of the edge graph, and the edges between the columns."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nbwidgets_nn.kernels.channel_edges import ChannelEdges
from nbwidgets_nn.kernels.triplets import LayerTriplets, Triplets
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.affine import AVERAGES, MAXIMA, WEIGHTED
from nbwidgets_nn.record.layer import Layer
from nbwidgets_nn.record.topology import BATCH_NORM, DROPOUT

# Behind these unit k is still unit k, whatever they do to its value.
_KEEPING = (
    *AVERAGES,
    *MAXIMA,
    BATCH_NORM,
    DROPOUT,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.Identity,
    nn.Flatten,
    nn.Unflatten,
    nn.AdaptiveAvgPool1d,
    nn.AdaptiveAvgPool2d,
    nn.AdaptiveMaxPool2d,
)


@dataclass(eq=False)
class Column:
    """A place for units: the layer that made them, and the layers behind it that keep them apart."""

    layers: list[Layer] = field(default_factory=list)
    units: int = 0
    """0 until a layer says what it takes for a unit: a number, or a channel."""
    before: str = ""
    """The layer whose input this is, where no single layer made it."""
    values: NDArray | None = None
    """(samples, units) as they go on, the mean over positions; None where nothing takes them."""

    @property
    def aliases(self) -> list[str]:
        """Return the layers whose units are this column's, by the same numbers."""
        return [layer.name for layer in self.layers if layer.units == self.units]

    @property
    def layer(self) -> str | None:
        """Return the layer to look at for these units."""
        return self.aliases[-1] if self.aliases else self.layers[-1].name if self.layers else None

    @property
    def name(self) -> str:
        """Name the last layer whose units these are; where a tile stands for many units, the tiles."""
        if self.aliases:
            return self.aliases[-1]
        return f"channels of {self.layers[-1].name}" if self.layers else f"input of {self.before}"


@dataclass(frozen=True, eq=False)
class Bundle:
    """The edges of one layer between two columns."""

    name: str
    kind: str
    source: int
    target: int
    edges: ChannelEdges


class GraphPlan:
    """Walks through a recording and puts every layer into the column of the units that it keeps, or opens a new one."""

    def __init__(self, recording: Activations, found: Triplets) -> None:
        """Plan."""
        self.columns: list[Column] = []
        self.bundles: list[Bundle] = []
        self.without: list[str] = []
        """Layers that mix units and whose edges are not known."""
        self._samples = len(recording["input"].output)
        self._recording, self._found = recording, found
        self._home: dict[str, int] = {}
        for name in recording:
            self._place(recording[name])

    def _place(self, layer: Layer) -> None:
        if layer.output is None:
            return
        if layer.name == "input":
            self._home[layer.name] = self._open(Column([layer]))
            return
        source = self._input_of(layer)
        if (layer.is_activation or isinstance(layer.module, _KEEPING)) and self._keeps(layer, source):
            self.columns[source].layers.append(layer)
            self._home[layer.name] = source
            return
        if isinstance(layer.module, WEIGHTED) and layer.name in self._found:
            self._mix(layer, self._found[layer.name], source)
        else:
            self._home[layer.name] = self._open(Column([layer], _width(layer)))
            self.without.append(f"{layer.name} ({layer.kind})")

    def _open(self, column: Column) -> int:
        self.columns.append(column)
        return len(self.columns) - 1

    def _input_of(self, layer: Layer) -> int:
        """Return the column that the layer's input stands in: where several layers made it together, one of its own."""
        homes = {self._home[name] for name in layer.input_of[:1] or layer.fed_by if name in self._home}
        if len(homes) == 1:
            return homes.pop()
        addition = self._found.get(f"{layer.name}.add")
        column = self._open(Column(before=layer.name))
        if addition is None:
            self.without.append(self.columns[column].name)
        else:
            self._add(addition, layer, column)
        return column

    def _add(self, addition: LayerTriplets, layer: Layer, target: int) -> None:
        """Join the columns of two addends with the column of their sum, one edge a unit and addend."""
        units = _channels(layer.input_shape)
        self.columns[target].units = units
        sums = _over_positions(addition.target, self._samples, units)
        for addend in addition.source.unflatten(1, (2, -1)).unbind(1):
            source = self._made_by(addend.reshape(layer.input.shape), layer)
            if source is None or self.columns[source].units not in (0, units):
                continue
            self.columns[source].units = units
            values = _over_positions(addend, self._samples, units)
            one = np.eye(units, dtype=np.float32)
            edges = ChannelEdges(values, one, sums, None, values[:, None] * one)
            self.bundles.append(Bundle(addition.name, "Add", source, target, edges))

    def _made_by(self, values: Tensor, layer: Layer) -> int | None:
        """Return the column that holds these very values: as an output, or as they went into another layer."""
        for name in layer.fed_by:
            feeding = self._recording[name]
            if _same(feeding.output, values) and name in self._home:
                return self._home[name]
            if _same(feeding.input, values):
                return next((b.source for b in self.bundles if b.name == name), None)
        return None

    def _keeps(self, layer: Layer, source: int) -> bool:
        units = self.columns[source].units
        if not units:
            return True
        shape = layer.output_shape
        return _width(layer) == units or (len(shape) == 2 and shape[1] % units == 0)

    def _mix(self, layer: Layer, entry: LayerTriplets, source: int) -> None:
        """Open a column for a layer with weights, and make its bundle from the one that its input stands in."""
        units = self.columns[source].units
        edges = entry.by_channel()
        inputs = edges.weight.shape[1]
        if units not in (0, inputs) and entry.block.is_dense and inputs % units == 0:
            edges = entry.by_channel(units)  # feature maps, flattened by a function
        elif units not in (0, inputs):  # one of several tensors that the source returned
            source = self._open(Column(before=layer.name))
        column = self.columns[source]
        column.units = edges.weight.shape[1]
        self._home[layer.name] = target = self._open(Column([layer], edges.weight.shape[0]))
        edges = _of_samples(edges, self._samples)
        self.bundles.append(Bundle(entry.name, entry.kind, source, target, edges))
        if column.values is None:
            column.values = edges.source * (self._samples * column.units / entry.source.numel())

    def values_of(self, column: Column) -> NDArray:
        """Return (samples, units): what goes on from the column, or what its last layer returned; means over positions."""
        if column.values is not None:
            return column.values
        output = column.layers[-1].output
        return _over_positions(_channels_first(column.layers[-1]), self._samples, column.units) / (
            output.numel() / self._samples / column.units
        )

    def maps_of(self, index: int) -> Tensor | None:
        """Return (samples, units, height, width), as the next layer takes them where that is known; None without images."""
        column = self.columns[index]
        takers = [self._recording[b.name] for b in self.bundles if b.source == index and b.kind != "Add"]
        tensors = [layer.input for layer in takers] + [layer.output for layer in reversed(column.layers)]
        whole = (self._samples, column.units)
        return next(
            (
                t
                for t in tensors
                if t is not None and t.ndim == 4 and t.shape[:2] == whole and t[0, 0].numel() > 1
            ),
            None,
        )


def _width(layer: Layer) -> int:
    """Return how many units a layer gives to the graph: channels, or features."""
    axis = layer.channel_axis
    return 1 if axis is None else layer.output_shape[axis]


def _channels(shape: tuple[int, ...]) -> int:
    return shape[1] if len(shape) in (2, 4, 5) else shape[-1]


def _channels_first(layer: Layer) -> Tensor:
    axis = layer.channel_axis
    return layer.output if axis in (None, 0, 1) else layer.output.movedim(axis, 1)


def _over_positions(values: Tensor, samples: int, units: int) -> NDArray:
    return values.reshape(samples, units, -1).float().sum(dim=2).cpu().numpy()


def _same(tensor: Tensor | None, values: Tensor) -> bool:
    return tensor is not None and tensor.shape == values.shape and torch.equal(tensor, values)


def _of_samples(edges: ChannelEdges, samples: int) -> ChannelEdges:
    """Sum the rows of each sample: a Linear behind several axes has a row for each position."""
    rows = len(edges.source)
    if rows == samples:
        return edges

    def summed(array: NDArray | None) -> NDArray | None:
        return None if array is None else array.reshape(samples, -1, *array.shape[1:]).sum(axis=1)

    bias = None if edges.bias is None else edges.bias * math.floor(rows / samples)
    return ChannelEdges(
        summed(edges.source), edges.weight, summed(edges.target), bias, summed(edges.summed), edges.weight_is
    )
