"""Which units of a recording stand in one column of the edge graph, and the edges between the columns."""

from __future__ import annotations

from numpy.typing import NDArray
from torch import Tensor, nn

from nbwidgets_nn._words import plural
from nbwidgets_nn.graph_columns import Bundle, Column, input_axis
from nbwidgets_nn.graph_sums import Sums
from nbwidgets_nn.kernels.channel_edges import ChannelEdges, joined_in_groups
from nbwidgets_nn.kernels.edges_of_layers import ADAPTIVE_AVERAGES, ADAPTIVE_MAXIMA
from nbwidgets_nn.kernels.layer_triplets import LayerTriplets
from nbwidgets_nn.kernels.source_units import source_layer
from nbwidgets_nn.kernels.triplets import Triplets
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.affine import AVERAGES, MAXIMA, WEIGHTED
from nbwidgets_nn.record.layer import Layer
from nbwidgets_nn.record.topology import BATCH_NORM, DROPOUT
from nbwidgets_nn.unit_sums import mean_over_positions, with_channels_first

# Behind these unit k is still unit k, whatever they do to its value.
_KEEPING = (
    *AVERAGES,
    *MAXIMA,
    BATCH_NORM,
    DROPOUT,
    *ADAPTIVE_AVERAGES,
    *ADAPTIVE_MAXIMA,
    nn.Flatten,
    nn.GroupNorm,
    nn.Identity,
    nn.InstanceNorm1d,
    nn.InstanceNorm2d,
    nn.LayerNorm,
    nn.Unflatten,
    nn.Upsample,
)


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
        # The columns that each layer's output and input stand in.
        self._home: dict[str, int] = {}
        self._taken: dict[str, int] = {}
        self._sums = Sums(recording, self.columns, self._home, self._taken)
        for name in recording:
            self._place(recording[name])
        self._end()

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
                self._home[layer.name] = self._taken[layer.name] = source
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

    def _end(self) -> None:
        """Open a column for the sum that the model returns, if it does."""
        addition = self._found.get("output.add")
        column = Column(step="output.add", after="sum")
        if self._add(column.step, None, column):
            column.positions = addition.shape[2] // column.units
            column.values = self.bundles[-1].edges.target / column.positions
            self._open(column)
        elif addition is not None:
            self.without.append(column.step)

    def _open(self, column: Column) -> int:
        self.columns.append(column)
        return len(self.columns) - 1

    def _input_of(self, layer: Layer) -> int:
        """Return the column that the layer's input stands in: one of its own, where it is no single layer's output."""
        made_by = source_layer(self._recording, layer)
        if made_by in self._home:
            return self._home[made_by]
        column = Column(before=layer.name)
        if not self._add(f"{layer.name}.add", layer, column):
            self.without.append(column.name)
        return self._open(column)

    def _add(self, name: str, layer: Layer | None, column: Column) -> bool:
        """Draw the edges into a sum whose column is opened next, if there is one and all of its addends are known."""
        addition = self._found.get(name)
        bundles = None if addition is None else self._sums.join(addition, layer, column)
        self.bundles += bundles or []
        return bundles is not None

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
        self._taken.setdefault(layer.name, source)
        column = self.columns[source]
        column.units, target.units = edges.weight.shape[1], edges.weight.shape[0]
        edges, ends = _of_samples(edges, self._samples), None
        if entry.block.groups > 1:
            edges, ends = joined_in_groups(edges, entry.block.groups)
        end = self._open(target)
        to = "" if target.step else layer.name
        self.bundles.append(Bundle(entry.name, entry.kind, source, end, edges, ends, layer=to))
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
                    last.channel_axis if last else input_axis(self._recording, self._recording[column.before])
                )
                column.values, column.positions = mean_over_positions(tensor, axis, column.units)
        return joined

    def maps_of(self, index: int) -> Tensor | None:
        """Return (samples, units, height, width), as the next layer takes them where that is known; None without images."""
        column = self.columns[index]
        takers = [self._recording[b.name] for b in self.bundles if b.source == index and b.name == b.layer]
        taken = [(layer.input, input_axis(self._recording, layer)) for layer in takers]
        made = [(layer.output, layer.channel_axis) for layer in reversed(column.layers)]
        maps = (with_channels_first(t, axis) for t, axis in taken + made if t is not None and t.ndim == 4)
        return next((t for t in maps if t.shape[1] == column.units and t[0, 0].numel() > 1), None)


def _width(layer: Layer) -> int:
    """Return how many units a layer gives to the graph: channels, or features."""
    return 1 if layer.channel_axis is None else layer.output_shape[layer.channel_axis]


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
