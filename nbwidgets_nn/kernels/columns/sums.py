"""An addition in the edge graph: one edge from every unit of an addend to the unit of the sum that it goes into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from nbwidgets_nn.kernels.columns.addends import Addend, added_up, addends_of, alike, sum_edges
from nbwidgets_nn.kernels.columns.column import Bundle, Column, in_words, input_axis
from nbwidgets_nn.kernels.columns.ways import along, followed, units_added
from nbwidgets_nn.kernels.layer_triplets import LayerTriplets
from nbwidgets_nn.kernels.source_units import SourceUnits
from nbwidgets_nn.kernels.sums_in_steps import Term
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.layer import Layer
from nbwidgets_nn.record.steps import Step


class Sums:
    """Joins the columns of a plan with that of a sum, which is to be opened next."""

    def __init__(
        self, recording: Activations, columns: list[Column], home: dict[str, int], taken: dict[str, int]
    ) -> None:
        """Take what the plan has, to look at as it grows: the columns, and where each layer's output and input stand."""
        self._recording, self._columns, self._home, self._taken = recording, columns, home, taken
        self._samples = len(recording["input"].output)
        self.made: dict[int, str] = {}
        """By the id of the step that made it, the call whose input it is first."""
        self.groups: dict[str, NDArray] = {}
        """Of a layer behind a sum that takes each of its units as several numbers, the unit of each number of a row."""

    def join(
        self,
        addition: LayerTriplets,
        layer: Layer | None,
        start: Step | None,
        terms: Sequence[Term],
        column: Column,
    ) -> list[Bundle] | None:
        """Return the bundles from the columns of the addends to that of their sum; None if not all addends stand in columns.

        The sum, made by the step ``start`` of ``terms``, goes into a layer, as it is or behind functions that keep its units; behind the
        last layer (None) it stands by itself.
        """
        if len(addition.row_shape) != 1 or addition.row_shape[0] != self._samples:
            return None
        addends = self._addends(addition, terms)
        homes = [None if units.is_constant else self._home_of(units.layer) for units in addends]
        if not all(units.is_constant or home for home, units in zip(homes, addends, strict=True)):
            return None
        straight = layer is None or _makes_input(addition, layer)
        target = self._units_of_sum(addition, layer if straight else None, homes, addends)
        units = int(target.max()) + 1
        after = "" if layer is None or _is_input(addition, layer) else in_words(layer.input_activation)
        if not straight:
            way = None if start is None else followed(self._recording, layer, start, target, units)
            if way is None:
                return None
            after = ", ".join(way.functions)
        found = self._edges(addition, list(zip(homes, addends, strict=True)), target, units)
        if found is None:
            return None
        if not straight and way.groups is not None:
            self.groups[layer.name] = way.groups
        column.units, column.after = units, after or column.after
        return found

    def _addends(self, addition: LayerTriplets, terms: Sequence[Term]) -> list[SourceUnits]:
        """Return whose units are added; those that `triplets` does not know are followed through more functions."""
        values = [term.value for term in terms if not isinstance(term.value, int | float)]
        known = list(addition.addends)
        if len(values) != len(known):
            return known
        shape = tuple(addition.target_shape)
        for k, (value, units) in enumerate(zip(values, known, strict=True)):
            if isinstance(value, Step) and not units.layer:
                known[k] = units_added(self._recording, value, shape, self.made) or units
        return known

    def _edges(
        self,
        addition: LayerTriplets,
        sources: list[tuple[_Home | None, SourceUnits]],
        target: NDArray,
        units: int,
    ) -> list[Bundle] | None:
        addends = addends_of(addition)
        for k, (home, of) in enumerate(sources):
            if home is None:
                continue
            own = self._units_in(home, of)
            if own is None:
                return None
            column = home.column
            addends[k] = replace(
                addends[k],
                source=own,
                units=self._columns[column].units,
                column=column,
                words=self._words(addends[k], of.layer),
            )
        edges = sum_edges(addition, added_up(addends), target, units)
        return edges and [
            Bundle(
                addition.name,
                "Add",
                addend.column,
                len(self._columns),
                one,
                ends,
                takes=addend.words,
                positions=len(target) // addend.units,
            )
            for addend, one, ends in edges
        ]

    def _words(self, addend: Addend, call: str) -> str:
        """Say what is added, for where that is not what the nodes of its column show."""
        if call not in self._recording:
            return f"the {call}"
        output = self._recording[call].output
        plain = output.numel() == addend.values.numel() and alike(
            output.reshape(addend.values.shape), addend.values
        )
        return call if plain else f"functions of {call}"

    def _home_of(self, name: str) -> _Home | None:
        """Return where units stand that an addition names: of a call's output, or of its input."""
        of_input = name.startswith("input of ") and name not in self._recording
        call = name.removeprefix("input of ") if of_input else name
        if call not in self._recording:
            return None
        layer = self._recording[call]
        if of_input:
            column = self._taken.get(call)
            axis = None if column is None else input_axis(self._recording, layer)
        else:
            column, axis = self._home.get(call), layer.channel_axis
        groups = self.groups.get(call) if of_input else None
        return None if column is None or not axis else _Home(column, axis, groups)

    def _units_in(self, home: _Home, units: SourceUnits) -> NDArray | None:
        """Return the unit of the column that each number of an addend is of; None if the column counts in another way."""
        if units.order is None or home.axis > len(units.shape):
            return None
        column, width = self._columns[home.column], units.shape[home.axis - 1]
        column.units = column.units or width
        if width % column.units:
            return None
        channel = along(units.shape, home.axis)[units.order.cpu().numpy()]
        if home.groups is not None:
            return home.groups[channel]
        return channel // (width // column.units)

    def _units_of_sum(
        self,
        addition: LayerTriplets,
        layer: Layer | None,
        homes: list[_Home | None],
        addends: list[SourceUnits],
    ) -> NDArray:
        """Return the unit of each number of a sum: as the layer counts them, or those of the addend that has most."""
        shape = tuple(addition.target_shape)
        if layer is not None:
            return along(shape, input_axis(self._recording, layer))
        units = [
            along(of.shape, home.axis)[of.order.cpu().numpy()]
            for home, of in zip(homes, addends, strict=True)
            if home is not None and of.order is not None and home.axis <= len(of.shape)
        ]
        return max(units, key=np.max, default=along(shape, 1))


@dataclass(frozen=True)
class _Home:
    """Where units stand: a column, and the axis that counts them in the tensor that they are of."""

    column: int
    axis: int
    groups: NDArray | None = None
    """Of a Linear's input, the unit of each number along the axis, where several are of one."""


def _is_input(addition: LayerTriplets, layer: Layer) -> bool:
    """Tell whether the layer takes the sum as it is."""
    return addition.target.data_ptr() == layer.input.data_ptr()


def _makes_input(addition: LayerTriplets, layer: Layer) -> bool:
    """Tell whether the layer takes the sum, as it is or behind its activation function."""
    if _is_input(addition, layer):
        return True
    function = layer.input_activation
    if function is None or (*addition.row_shape, *addition.target_shape) != tuple(layer.input.shape):
        return False
    with torch.no_grad():
        return alike(function(addition.target.reshape(layer.input.shape)), layer.input)
