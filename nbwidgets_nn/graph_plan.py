"""Which units of a recording stand in one column of the edge graph, and the edges between the columns."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from nbwidgets_nn._words import plural
from nbwidgets_nn.kernels.channel_edges import ChannelEdges
from nbwidgets_nn.kernels.source_units import source_layer
from nbwidgets_nn.kernels.triplets import LayerTriplets, Triplets
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.affine import AVERAGES, MAXIMA, WEIGHTED
from nbwidgets_nn.record.layer import Layer
from nbwidgets_nn.record.topology import BATCH_NORM, DROPOUT
from nbwidgets_nn.unit_sums import mean_over_positions, sum_over_positions, with_channels_first

# Behind these unit k is still unit k, whatever they do to its value.
_KEEPING = (
    *AVERAGES,
    *MAXIMA,
    BATCH_NORM,
    DROPOUT,
    nn.AdaptiveAvgPool1d,
    nn.AdaptiveAvgPool2d,
    nn.AdaptiveAvgPool3d,
    nn.AdaptiveMaxPool1d,
    nn.AdaptiveMaxPool2d,
    nn.AdaptiveMaxPool3d,
    nn.Flatten,
    nn.GroupNorm,
    nn.Identity,
    nn.InstanceNorm1d,
    nn.InstanceNorm2d,
    nn.LayerNorm,
    nn.Unflatten,
    nn.Upsample,
)
_PASSING = (nn.Identity, DROPOUT, nn.Flatten, nn.Unflatten)


@dataclass(eq=False)
class Column:
    """A place for units: the layer that made them, and the layers behind it that keep them apart."""

    layers: list[Layer] = field(default_factory=list)
    units: int = 0
    """0 until a layer says what it takes for a unit: a number, or a channel."""
    before: str = ""
    """The layer whose input this is, where no single layer made it."""
    step: str = ""
    """The step inside a layer that made these units, where that is no layer of its own: "attn.value"."""
    after: str = ""
    """What the layer does to them after this step."""
    values: NDArray | None = None
    """(samples, units) as they go on, the mean over positions; None where nothing takes them."""
    positions: int = 1

    @property
    def aliases(self) -> list[str]:
        """Return the layers whose units are this column's, by the same numbers."""
        return (
            [self.step] if self.step else [layer.name for layer in self.layers if layer.units == self.units]
        )

    @property
    def layer(self) -> str | None:
        """Return the layer to look at for these units: the last that does something to them."""
        if self.step:
            return None
        acting = [layer.name for layer in self.layers if not isinstance(layer.module, _PASSING)]
        named = [name for name in self.aliases if name in acting] or self.aliases or acting
        return named[-1] if named else None

    @property
    def name(self) -> str:
        """Name the last layer whose units these are; where a tile stands for many units, the tiles."""
        if self.step:
            return self.step
        if self.layer is None:
            return f"input of {self.before}"
        return self.layer if self.aliases else f"channels of {self.layer}"

    @property
    def kind(self) -> str:
        """Say what the layers are: "Conv2d, relu, MaxPool2d"; of the input, its shape."""
        if self.layers and self.layers[0].name == "input":
            shape = self.layers[0].output_shape[1:]
            return " × ".join(map(str, shape)) if len(shape) > 1 else ""
        return self.kinds_behind("")

    def kinds_behind(self, name: str) -> str:
        """Say what happens to the values after the layer of this name; after any other name, in all layers."""
        if self.step:
            return self.after
        names = [layer.name for layer in self.layers]
        behind = self.layers[names.index(name) + 1 :] if name in names else self.layers
        kinds = [layer.kind for layer in behind if not isinstance(layer.module, _PASSING)]
        after = self.layers[-1].activation if self.layers else None
        if after is not None and not isinstance(after, nn.Module):
            kinds.append(getattr(getattr(after, "function", after), "__name__", "a function"))
        return ", ".join(kinds)


@dataclass(frozen=True, eq=False)
class Bundle:
    """The edges of one layer between two columns; arrays as in `ChannelEdges`, or one number an edge with its `ends`."""

    name: str
    kind: str
    source: int
    target: int
    edges: ChannelEdges
    ends: NDArray | None = None
    layer: str = ""
    """The layer that they lead to the output of; "" where that is no layer's."""


class GraphPlan:
    """Walks through a recording and puts every layer into the column of the units that it keeps, or opens a new one."""

    def __init__(self, recording: Activations, found: Triplets) -> None:
        """Plan."""
        self.columns: list[Column] = []
        self.bundles: list[Bundle] = []
        self.without: list[str] = []
        """Columns and layers that mix units in a way that is not known as edges, and layers without values."""
        self._samples = len(recording["input"].output)
        self._recording, self._found = recording, found
        self._home: dict[str, int] = {}
        for name in recording:
            self._place(recording[name])

    def _place(self, layer: Layer) -> None:
        if layer.output is None:
            if layer.output_shape is not None:
                self.without.append(f"{layer.name} ({layer.note})")
            return
        if layer.name == "input":
            self._home[layer.name] = self._open(Column([layer]))
            return
        if (layer.is_activation or isinstance(layer.module, _KEEPING)) and layer.input is not None:
            source = self._input_of(layer)
            if self._keeps(layer, source):
                self.columns[source].layers.append(layer)
                self._home[layer.name] = source
                return
        if isinstance(layer.module, WEIGHTED) and layer.name in self._found:
            self._home[layer.name] = self._mix(
                self._found[layer.name], layer, self._input_of(layer), Column([layer])
            )
            return
        if isinstance(layer.module, nn.MultiheadAttention) and self._samples_come_first(layer):
            self._home[layer.name] = self._attend(layer)
            return
        self._home[layer.name] = self._open(Column([layer], _width(layer)))
        reason = self._found.skipped.get(layer.name) if layer.kind == "MultiheadAttention" else None
        self.without.append(f"{layer.name} ({': '.join(filter(None, (layer.kind, reason)))})")

    def _open(self, column: Column) -> int:
        self.columns.append(column)
        return len(self.columns) - 1

    def _input_of(self, layer: Layer) -> int:
        """Return the column that the layer's input stands in: one of its own, where it is no single layer's output."""
        made_by = source_layer(self._recording, layer)
        if made_by in self._home:
            return self._home[made_by]
        column = self._open(Column(before=layer.name))
        addition = self._found.get(f"{layer.name}.add")
        if addition is None or not _is_input(addition, layer) or not self._add(addition, layer, column):
            self.without.append(self.columns[column].name)
        return column

    def _add(self, addition: LayerTriplets, layer: Layer, target: int) -> bool:
        """Join the columns of two addends with the column of their sum, one edge a unit and addend; tell if both are there."""
        axis = _input_axis(self._recording, layer)
        units = layer.input.shape[axis]
        self.columns[target].units = units
        sums = sum_over_positions(layer.input, axis)
        complete = True
        for addend in addition.source.unflatten(1, (*addition.source_shape[:1], -1)).unbind(1):
            values = addend.reshape(layer.input.shape)
            source = self._made_by(values, layer)
            if source is None or self.columns[source].units not in (0, units):
                complete = False
                continue
            self.columns[source].units = units
            each = sum_over_positions(values, axis)
            edges = ChannelEdges(each, np.ones(units, np.float32), sums, None, each)
            ends = np.stack([np.arange(units)] * 2, axis=1)
            self.bundles.append(Bundle(addition.name, "Add", source, target, edges, ends))
        return complete

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
        units, shape = self.columns[source].units, layer.output_shape
        return not units or _width(layer) == units or (len(shape) == 2 and shape[1] % units == 0)

    def _samples_come_first(self, layer: Layer) -> bool:
        """Tell whether attention could be taken apart, and what it took for samples are those of the recording."""
        values = self._found.get(f"{layer.name}.value")
        if values is None:
            return False
        samples, tokens = values.row_shape
        return samples == self._samples and (layer.module.batch_first or tokens != samples)

    def _attend(self, layer: Layer) -> int:
        """Draw self-attention between features: to the values, and from what attention makes of them to the output.

        Attention sums the values of tokens with weights that are the same for all features of a head: every feature stays
        by itself, as a channel does when it is pooled. So its edges are between tokens, and nodes here are features.
        """
        value, out = (self._found[f"{layer.name}.{step}"] for step in ("value", "out_proj"))
        heads = layer.module.num_heads
        mixed = Column(step=value.name, after=f"attention, {plural(heads, 'head')}")
        between = self._mix(value, layer, self._input_of(layer), mixed)
        return self._mix(out, layer, between, Column([layer]))

    def _mix(self, entry: LayerTriplets, layer: Layer, source: int, target: Column) -> int:
        """Open the target, and make the bundle to it from the column that the input stands in."""
        edges = entry.by_channel()
        if self.columns[source].units not in (0, edges.weight.shape[1]):  # it takes the units in another way
            source = self._open(Column(before=layer.name))
            self.without.append(self.columns[source].name)
        column = self.columns[source]
        column.units, target.units = edges.weight.shape[1], edges.weight.shape[0]
        edges = _of_samples(edges, self._samples)
        end = self._open(target)
        to = "" if target.step else layer.name
        self.bundles.append(Bundle(entry.name, entry.kind, source, end, edges, layer=to))
        if column.values is None:
            column.positions = entry.source.numel() // (self._samples * column.units)
            column.values = edges.source / column.positions
        return end

    def finish(self) -> list[int]:
        """Return the columns that have edges, in order, and fill in the values of those whose units nothing takes."""
        joined = sorted({end for bundle in self.bundles for end in (bundle.source, bundle.target)})
        for column in (self.columns[index] for index in joined):
            if column.values is None:
                last = column.layers[-1] if column.layers else None
                tensor = last.output if last else self._recording[column.before].input
                axis = (
                    last.channel_axis
                    if last
                    else _input_axis(self._recording, self._recording[column.before])
                )
                column.values, column.positions = mean_over_positions(tensor, axis, column.units)
        return joined

    def maps_of(self, index: int) -> Tensor | None:
        """Return (samples, units, height, width), as the next layer takes them where that is known; None without images."""
        column = self.columns[index]
        takers = [self._recording[b.name] for b in self.bundles if b.source == index and b.name == b.layer]
        taken = [(layer.input, _input_axis(self._recording, layer)) for layer in takers]
        made = [(layer.output, layer.channel_axis) for layer in reversed(column.layers)]
        maps = (with_channels_first(t, axis) for t, axis in taken + made if t is not None and t.ndim == 4)
        return next((t for t in maps if t.shape[1] == column.units and t[0, 0].numel() > 1), None)


def _is_input(addition: LayerTriplets, layer: Layer) -> bool:
    """Whether the layer takes the sum as it is, a plain one of what other calls took or gave."""
    plain = bool((addition.block.kernel == 1).all()) and all(part.layer for part in addition.addends)
    return plain and addition.target.data_ptr() == layer.input.data_ptr()


def _width(layer: Layer) -> int:
    """Return how many units a layer gives to the graph: channels, or features."""
    return 1 if layer.channel_axis is None else layer.output_shape[layer.channel_axis]


def _input_axis(recording: Activations, layer: Layer) -> int:
    """Return the axis of a layer's input that counts units."""
    if isinstance(layer.module, nn.Linear):
        return layer.input.ndim - 1
    if isinstance(layer.module, WEIGHTED):
        return 1
    alike = [layer, *(recording[name] for name in layer.fed_by)]
    known = [one.channel_axis for one in alike if one.output_shape == layer.input_shape and one.channel_axis]
    return known[0] if known else min(1, layer.input.ndim - 1)


def _same(tensor: Tensor | None, values: Tensor) -> bool:
    return (
        tensor is not None
        and tensor.shape == values.shape
        and tensor.is_complex() == values.is_complex()
        and bool(tensor.isclose(values, equal_nan=True).all())
    )


def _of_samples(edges: ChannelEdges, samples: int) -> ChannelEdges:
    """Sum the rows of each sample: a Linear behind several axes has a row for each position."""
    rows = len(edges.source)
    if rows == samples:
        return edges

    def summed(array: NDArray | None) -> NDArray | None:
        return None if array is None else array.reshape(samples, -1, *array.shape[1:]).sum(axis=1)

    bias = None if edges.bias is None else edges.bias * (rows // samples)
    return ChannelEdges(
        summed(edges.source), edges.weight, summed(edges.target), bias, summed(edges.summed), edges.weight_is
    )
