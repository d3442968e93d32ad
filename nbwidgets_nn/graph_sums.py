"""An addition in the edge graph: one edge from every unit of an addend to the unit of the sum that it goes into."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nbwidgets_nn.graph_columns import Bundle, Column, in_words, input_axis
from nbwidgets_nn.kernels.channel_edges import ChannelEdges
from nbwidgets_nn.kernels.layer_triplets import LayerTriplets
from nbwidgets_nn.kernels.source_units import SourceUnits
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.layer import Layer


class Sums:
    """Joins the columns of a plan with that of a sum, which is to be opened next."""

    def __init__(
        self, recording: Activations, columns: list[Column], home: dict[str, int], taken: dict[str, int]
    ) -> None:
        """Take what the plan has, to look at as it grows: the columns, and where each layer's output and input stand."""
        self._recording, self._columns, self._home, self._taken = recording, columns, home, taken
        self._samples = len(recording["input"].output)

    def join(self, addition: LayerTriplets, layer: Layer | None, column: Column) -> list[Bundle] | None:
        """Return the bundles from the columns of the addends to that of their sum; None if not all addends stand in columns.

        The sum is the input of a layer, or what its activation function is applied to; behind the last layer (None), the sum
        by itself.
        """
        if len(addition.row_shape) != 1 or addition.row_shape[0] != self._samples:
            return None
        if layer is not None and not _makes_input(addition, layer):
            return None
        homes = [self._home_of(units.layer) for units in addition.addends]
        constant = [units.layer == "constant" for units in addition.addends]
        if not all(is_constant or home for home, is_constant in zip(homes, constant, strict=True)):
            return None
        axis = self._axis_of_sum(addition, layer, homes)
        target = _along(addition.target_shape, axis)
        units = int(target.max()) + 1
        addends = addends_of(addition)
        for k, (home, of) in enumerate(zip(homes, addition.addends, strict=True)):
            if home is None:
                continue
            own = self._units_in(home, of)
            if own is None:
                return None
            addends[k] = replace(addends[k], source=own, units=self._columns[home.column].units)
        edges = sum_edges(addition, addends, target, units)
        if edges is None:
            return None
        column.units = units
        if layer is not None and not _is_input(addition, layer):
            column.after = in_words(layer.input_activation)
        sources = [home.column for home in homes if home is not None]
        return [
            Bundle(addition.name, "Add", source, len(self._columns), one, ends)
            for source, (one, ends) in zip(sources, edges, strict=True)
        ]

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
        return None if column is None or not axis else _Home(column, axis)

    def _units_in(self, home: _Home, units: SourceUnits) -> NDArray | None:
        """Return the unit of the column that each number of an addend is of; None if the column counts in another way."""
        if units.order is None or home.axis > len(units.shape):
            return None
        column, width = self._columns[home.column], units.shape[home.axis - 1]
        column.units = column.units or width
        if width % column.units:
            return None
        channel = _along(units.shape, home.axis)[units.order.cpu().numpy()]
        return channel // (width // column.units)

    def _axis_of_sum(self, addition: LayerTriplets, layer: Layer | None, homes: list[_Home | None]) -> int:
        if layer is not None:
            return input_axis(self._recording, layer)
        alike = zip(homes, addition.addends, strict=True)
        known = [home.axis for home, units in alike if home and units.shape == addition.target_shape]
        return known[0] if known else 1


@dataclass(frozen=True)
class _Home:
    """Where units stand: a column, and the axis that counts them in the tensor that they are of."""

    column: int
    axis: int


@dataclass(frozen=True, eq=False)
class Addend:
    """One addend of a sum with samples in its rows, and where its numbers come from and go to.

    ``values`` (samples, numbers) as they are added, before their ``weight``; ``source`` (numbers,) the unit that each one
    is of, in a column of ``units``; that of a constant is None.
    """

    values: Tensor
    weight: float
    source: NDArray | None = None
    units: int = 0


def addends_of(addition: LayerTriplets) -> list[Addend]:
    """Return what is added, before it is known whose units these are."""
    parts = addition.source.unflatten(1, (len(addition.addends), -1)).unbind(1)
    weights = addition.block.kernel.flatten().tolist()
    return [Addend(values, weight) for values, weight in zip(parts, weights, strict=True)]


def sum_edges(
    addition: LayerTriplets, addends: list[Addend], target: NDArray, units: int
) -> list[tuple[ChannelEdges, NDArray]] | None:
    """Return edges and their ends for each addend that is no constant.

    Contributions of all and the bias of the first one sum to the target. None if a constant differs from sample to sample:
    it is neither a bias nor some layer's.

    Args:
        addition: from `triplets`.
        addends: all of them, in order.
        target: (numbers,) the unit of the sum that each number of an addend is part of.
        units: how many units the sum has.
    """
    bias = np.zeros(units)
    if addition.bias is not None:
        bias += np.bincount(target, addition.bias.double().cpu().numpy(), minlength=units)
    for addend in addends:
        if addend.source is None:
            if not _alike(addend.values, addend.values[:1].expand_as(addend.values)):
                return None
            one = addend.values[0].double().cpu().numpy()
            bias += addend.weight * np.bincount(target, one, minlength=units)
    sums = _summed(addition.target, target, units)
    found = []
    for addend in addends:
        if addend.source is None:
            continue
        pairs, pair = np.unique(addend.source * units + target, return_inverse=True)
        each = _summed(addend.values, pair.reshape(-1), len(pairs))
        weights = np.full(len(pairs), addend.weight, np.float32)
        source = _summed(addend.values, addend.source, addend.units)
        added = bias.astype(np.float32) if bias.any() and not found else None
        edges = ChannelEdges(source, weights, sums, added, (addend.weight * each).astype(np.float32))
        found.append((edges, np.stack(np.divmod(pairs, units), axis=1)))
    return found


def _summed(values: Tensor, group: NDArray, groups: int) -> NDArray[np.float32]:
    """Return (samples, groups) sums of the numbers of each group."""
    rows = values.detach().float().cpu().reshape(len(values), -1)
    sums = torch.zeros(len(rows), groups)
    return sums.index_add_(1, torch.as_tensor(group), rows).numpy()


def _along(shape: tuple[int, ...], axis: int) -> NDArray[np.int64]:
    """Return the place along an axis of every number of a sample of this shape, without the samples."""
    places = np.arange(shape[axis - 1]).reshape(-1, *[1] * (len(shape) - axis))
    return np.broadcast_to(places, shape).flatten()


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
        return _alike(function(addition.target.reshape(layer.input.shape)), layer.input)


def _alike(one: Tensor, other: Tensor) -> bool:
    """Tell whether two tensors are the same; what is not a number is the same as itself."""
    same = one.shape == other.shape and one.dtype == other.dtype
    return same and torch.allclose(one, other, rtol=0, atol=0, equal_nan=True)
