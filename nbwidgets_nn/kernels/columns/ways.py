"""The ways to a sum and from it to the layer that takes it, through functions that keep units apart."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nbwidgets_nn.kernels.columns.column import input_axis
from nbwidgets_nn.kernels.kept_units import NOBODY, kept_units
from nbwidgets_nn.kernels.source_units import SourceUnits
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.layer import Layer
from nbwidgets_nn.record.steps import Origin, Output, steps_in

# Samples that are followed, where the functions take any number of them; otherwise all, up to this many numbers.
_FEW = 2
_MOST = 2**24


class Way(NamedTuple):
    """How a layer takes the units of a step."""

    functions: tuple[str, ...]
    """What is done to them before."""

    groups: NDArray | None
    """(n_in,) the unit of each input of a row; None where the layer counts the units as the step does."""


def followed(recording: Activations, layer: Layer, start: Origin, unit: NDArray, units: int) -> Way | None:
    """Follow units to the layer's input; None where they are mixed on the way, or taken in another order.

    Args:
        recording: that the layer is from.
        layer: what takes them.
        start: a step behind its input, or what a call behind it returned.
        unit: (numbers,) the unit of each number there, of a sample.
        units: how many there are.
    """
    for taken, functions in _ways(layer.origin, start, unit, units):
        if taken.shape == layer.input.shape[1:]:
            fits, groups = _as_taken(recording, layer, taken.numpy(), units)
            return Way(functions, groups) if fits else None
    return None


def units_added(
    recording: Activations, addend: Origin, shape: tuple[int, ...], earlier: Container[int]
) -> SourceUnits | None:
    """Return the units of one call that an addend has behind functions that keep them; None if it has not.

    Args:
        recording: that it is from.
        addend: how it came about.
        shape: of a sample of the sum.
        earlier: ids of steps that other calls take, and that are not followed.
    """
    leaf = only_output(recording, addend, earlier)
    if leaf is None:
        return None
    axis = recording[leaf.layer].channel_axis
    unit = along(leaf.shape[1:], axis)
    for taken, _ in _ways(addend, leaf, unit, leaf.shape[axis]):
        if torch.broadcast_shapes(taken.shape, shape) == shape and bool((taken != NOBODY).all()):
            # Whichever number of the unit: only the unit counts.
            number = np.unique(unit, return_index=True)[1][taken.numpy()]
            return SourceUnits(leaf.layer, leaf.shape[1:], torch.tensor(number).broadcast_to(shape).flatten())
    return None


def only_output(recording: Activations, origin: Origin, earlier: Container[int]) -> Output | None:
    """Return what the one call returned that all functions start from, if there is one and its channels have an axis.

    Args:
        recording: that it is from.
        origin: how a tensor came about.
        earlier: ids of steps that other calls take, and that are not followed.
    """
    leaves = [node for node in steps_in(origin, earlier) if isinstance(node, Output) or id(node) in earlier]
    if len(leaves) != 1 or not isinstance(leaves[0], Output) or leaves[0].index:
        return None
    output = recording[leaves[0].layer].output
    plain = output is not None and output.layout is torch.strided and not output.is_complex()
    return leaves[0] if plain and recording[leaves[0].layer].channel_axis else None


def _ways(
    origin: Origin, start: Origin, unit: NDArray, units: int
) -> Iterator[tuple[Tensor, tuple[str, ...]]]:
    """Yield the unit of each number of a row at the end, and the functions on the way: of a few samples, then of all."""
    samples, shape = start.shape[0], start.shape[1:]
    if len(unit) != np.prod(shape, dtype=np.int64):
        return
    for rows in sorted({min(_FEW, samples), samples}):
        if rows > _FEW and rows * len(unit) > _MOST:
            return
        label = torch.as_tensor(unit).view(1, *shape) + units * torch.arange(rows).view(-1, *[1] * len(shape))
        kept = kept_units(origin, start, label)
        whole = kept is not None and len(kept.label) * samples == origin.shape[0] * rows
        taken = _of_a_sample(kept.label, rows, units) if whole else None
        if taken is not None:
            yield taken, kept.functions


def _of_a_sample(label: Tensor, samples: int, units: int) -> Tensor | None:
    """Return the units of the numbers of each row, if all rows have the same, and those of a sample follow each other."""
    if not label.ndim or len(label) % samples:
        return None
    of = torch.arange(samples).repeat_interleave(len(label) // samples)
    unit = (label - units * of.view(-1, *[1] * (label.ndim - 1))).where(label != NOBODY, NOBODY)
    same = bool((unit == unit[:1]).all()) and int(unit.min()) >= NOBODY and int(unit.max()) < units
    return unit[0] if same else None


def _as_taken(recording: Activations, layer: Layer, unit: NDArray, units: int) -> tuple[bool, NDArray | None]:
    """Tell whether the layer's own order of units is theirs, or can be told to a Linear, and then which each input is."""
    axis = input_axis(recording, layer)
    width = layer.input.shape[axis]
    linear = isinstance(layer.module, nn.Linear)
    if not np.isin(np.arange(units), unit).all():
        return False, None
    if width % units == 0 and _agree(unit.ravel(), along(tuple(unit.shape), axis) // (width // units)):
        groups = np.arange(width) // (width // units)
        return True, groups if linear and width > units else None
    rows = unit.reshape(-1, width)
    known = rows.max(axis=0)
    return (True, known) if linear and (known != NOBODY).all() and _agree(rows, known) else (False, None)


def _agree(unit: NDArray, other: NDArray) -> bool:
    return bool(((unit == other) | (unit == NOBODY)).all())


def along(shape: tuple[int, ...], axis: int) -> NDArray[np.int64]:
    """Return the place along an axis of every number of a sample of this shape, without the samples."""
    places = np.arange(shape[axis - 1]).reshape(-1, *[1] * (len(shape) - axis))
    return np.broadcast_to(places, shape).flatten()
