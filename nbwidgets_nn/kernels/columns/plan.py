"""Which units of a recording stand in one column of the edge graph, and the edges between the columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from nbwidgets_nn._words import plural
from nbwidgets_nn.kernels.channel_edges import ChannelEdges, joined_in_groups
from nbwidgets_nn.kernels.columns.column import Bundle, Column, input_axis
from nbwidgets_nn.kernels.columns.cuts import why_cut
from nbwidgets_nn.kernels.columns.sums import Sums
from nbwidgets_nn.kernels.columns.unit_sums import mean_over_positions, with_channels_first
from nbwidgets_nn.kernels.columns.ways import along, followed, only_output
from nbwidgets_nn.kernels.edges_of_layers import ADAPTIVE_AVERAGES, ADAPTIVE_MAXIMA
from nbwidgets_nn.kernels.layer_triplets import LayerTriplets
from nbwidgets_nn.kernels.source_units import source_layer
from nbwidgets_nn.kernels.sums_in_steps import Term, sums_in
from nbwidgets_nn.kernels.triplets import Triplets
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.affine import AVERAGES, MAXIMA, WEIGHTED
from nbwidgets_nn.record.layer import Layer
from nbwidgets_nn.record.steps import Step
from nbwidgets_nn.record.stored_module import StoredModule
from nbwidgets_nn.record.topology import BATCH_NORM, DROPOUT

# Means of the same numbers, taken in two orders.
_ROUNDING = 1e-4
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
        # What is done to the units of a column before a layer takes them, where the steps were followed.
        self._functions: dict[str, tuple[str, ...]] = {}
        self._sums = Sums(recording, self.columns, self._home, self._taken)
        self._made = self._sums.made
        for name in recording:
            self._place(recording[name])
        self._end()

    def _place(self, layer: Layer) -> None:
        if layer.output is None:
            if layer.output_shape is not None:
                self.without.append(f"{layer.name} ({layer.note})")
            return
        if layer.module is None:
            self._home[layer.name] = self._open(Column([layer]))
            return
        if (layer.is_activation or isinstance(layer.module, _KEEPING)) and layer.input is not None:
            source = self._input_of(layer)
            if self._keeps(layer, source):
                self.columns[source].append(layer, self._functions.get(layer.name, ()))
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
        reason = None if isinstance(layer.module, StoredModule) else self._found.skipped.get(layer.name)
        self.without.append(f"{layer.name} ({': '.join(filter(None, (layer.kind, reason)))})")

    def _end(self) -> None:
        """Open a column for the sum that the model returns, if it does, and name the sums whose values are not to be had."""
        of_layers = {f"{name}.add" for name in self._recording}
        unknown = self._found.skipped.keys() - of_layers - set(self._recording)
        self.without += [self._because(name, name) for name in self._found.skipped if name in unknown]
        additions = self._found.sums_before(None)
        if not additions or additions[0].calls:
            return
        column = Column(step=additions[0].name, after="sum")
        start, terms = next(sums_in(self._recording.origin, self._made))
        if self._add(additions[0], None, start, terms, column):
            column.positions = additions[0].shape[2] // column.units
            column.values = self.bundles[-1].edges.target / column.positions
            self._open(column)
        else:
            self.without.append(column.step)

    def _because(self, name: str, addition: str) -> str:
        """Name what has no edges, and say why, if it is known."""
        reason = self._found.skipped.get(addition)
        return f"{name} ({reason})" if reason else name

    def _open(self, column: Column) -> int:
        self.columns.append(column)
        return len(self.columns) - 1

    def _input_of(self, layer: Layer) -> int:
        """Return the column that the layer's input stands in: one of its own, where it is no single layer's output."""
        column = self._column_of_input(layer)
        if isinstance(layer.origin, Step) and layer.name not in self._taken:
            self._made.setdefault(id(layer.origin), layer.name)
            self._taken[layer.name] = column
        return column

    def _column_of_input(self, layer: Layer) -> int:
        column = Column(before=layer.name)
        start, terms = next(sums_in(layer.origin, self._made), (None, ())) if layer.origin else (None, ())
        if start is not None and not terms and self._follows(layer, start):
            return self._taken[self._made[id(start)]]
        if terms and any(
            self._add(one, layer, start, terms, column) for one in self._found.sums_before(layer.name)[:1]
        ):
            return self._open(column)
        made_by = source_layer(self._recording, layer)
        if made_by in self._home:
            return self._home[made_by]
        followed_to = None if terms or layer.origin is None else self._home_behind(layer)
        if followed_to is not None:
            return followed_to
        reason = self._found.skipped.get(f"{layer.name}.add") or why_cut(layer)
        self.without.append(f"{column.name} ({reason})")
        return self._open(column)

    def _home_behind(self, layer: Layer) -> int | None:
        """Return the column of the one call whose units the layer takes behind functions that keep them; None if it takes none."""
        leaf = only_output(self._recording, layer.origin, self._made)
        home = None if leaf is None else self._home.get(leaf.layer)
        if home is None:
            return None
        shape, axis = leaf.shape[1:], self._recording[leaf.layer].channel_axis
        column, width = self.columns[home], leaf.shape[axis]
        if width % (column.units or width):
            return None
        units = column.units or width
        unit = along(shape, axis) // (width // units)
        if not column.units and width == 1 and isinstance(layer.module, nn.Linear):  # it takes single numbers
            units, unit = len(unit), np.arange(len(unit))
        way = followed(self._recording, layer, leaf, unit, units)
        if way is None:
            return None
        if way.groups is not None:
            self._sums.groups[layer.name] = way.groups
        self._functions[layer.name] = way.functions
        return home

    def _follows(self, layer: Layer, start: Step) -> bool:
        """Tell whether the layer takes, behind functions, the units of what another call took before."""
        call = self._recording[self._made[id(start)]]
        units = self.columns[self._taken[call.name]].units
        shape = call.input.shape[1:]
        if not units or tuple(shape) != tuple(start.shape[1:]):
            return False
        axis = input_axis(self._recording, call)
        groups = self._sums.groups.get(call.name)
        number = along(tuple(shape), axis)
        if groups is None and shape[axis - 1] % units:
            return False
        unit = number // (shape[axis - 1] // units) if groups is None else groups[number]
        way = followed(self._recording, layer, start, unit, units)
        if way is not None and way.groups is not None:
            self._sums.groups[layer.name] = way.groups
        return way is not None

    def _add(
        self,
        addition: LayerTriplets,
        layer: Layer | None,
        start: Step,
        terms: Sequence[Term],
        column: Column,
    ) -> bool:
        """Draw the edges into a sum whose column is opened next, if all of its addends are known."""
        bundles = self._sums.join(addition, layer, start, terms, column)
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
        groups = self._sums.groups.get(layer.name)
        dense = entry.block.is_dense and not entry.block.per_sample
        edges = entry.by_channel(groups if dense else None)
        if self.columns[source].units not in (0, edges.weight.shape[1]):  # it takes the units in another way
            source = self._taken[layer.name] = self._open(Column(before=layer.name))
            self.without.append(f"{self.columns[source].name} ({why_cut(layer)})")
        self._taken.setdefault(layer.name, source)
        column = self.columns[source]
        column.units, target.units = edges.weight.shape[1], edges.weight.shape[0]
        edges, ends = _of_samples(edges, self._samples), None
        if entry.block.groups > 1:
            edges, ends = joined_in_groups(edges, entry.block.groups)
        end = self._open(target)
        to = "" if target.step else layer.name
        positions = entry.source.numel() // (self._samples * column.units)
        takes = f"the input of {entry.name}"
        self.bundles.append(Bundle(entry.name, entry.kind, source, end, edges, ends, to, takes, positions))
        if column.values is None:
            column.positions = positions
            column.values = edges.source / positions
            column.then = self._functions.get(layer.name)
        return end

    def finish(self) -> list[int]:
        """Return the columns that have edges, in order, and fill in the values of those whose units nothing takes.

        Bundles that start from other values than these say so.
        """
        joined = sorted({end for bundle in self.bundles for end in (bundle.source, bundle.target)})
        for column in (self.columns[index] for index in joined):
            if column.values is None:
                last = column.layers[-1] if column.layers else None
                tensor = last.output if last else self._recording[column.before].input
                axis = (
                    last.channel_axis if last else input_axis(self._recording, self._recording[column.before])
                )
                column.values, column.positions = mean_over_positions(tensor, axis, column.units)
                column.then = ()  # what the layer returned, not what functions make of it
        for number, bundle in enumerate(self.bundles):
            self.bundles[number] = replace(bundle, note=_other_values(bundle, self.columns[bundle.source]))
        return joined

    def maps_of(self, index: int) -> Tensor | None:
        """Return (samples, units, height, width), as the next layer takes them where that is known; None without images."""
        column = self.columns[index]
        takers = [self._recording[b.name] for b in self.bundles if b.source == index and b.name == b.layer]
        taken = [(layer.input, input_axis(self._recording, layer)) for layer in takers]
        made = [(layer.output, layer.channel_axis) for layer in reversed(column.layers)]
        maps = (with_channels_first(t, axis) for t, axis in taken + made if t is not None and t.ndim == 4)
        return next((t for t in maps if t.shape[1] == column.units and t[0, 0].numel() > 1), None)


def _other_values(bundle: Bundle, column: Column) -> str:
    """Say what a bundle starts from, where that is not what the nodes of its column show."""
    starts, shown = bundle.edges.source / bundle.positions, column.values
    size = np.abs(shown[np.isfinite(shown)]).max(initial=0)
    if np.allclose(starts, shown, rtol=_ROUNDING, atol=_ROUNDING * size, equal_nan=True):
        return ""
    behind = column.kinds_behind(bundle.takes) if bundle.takes in [one.name for one in column.layers] else ""
    what = f"{bundle.takes} before {behind}" if behind else bundle.takes
    return f"starts from {what}; the nodes of {column.name} show other values"


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
