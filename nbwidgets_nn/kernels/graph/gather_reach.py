"""Functions that only move values: which unit of the argument each unit of the result is, as a product where it is one."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from nbwidgets_nn.kernels.graph import axis_reach as ax
from nbwidgets_nn.kernels.graph.axis_reach import AxisReach
from nbwidgets_nn.kernels.graph.product_reach import Reach, own

OUTSIDE = -1


def gather_reach(index: np.ndarray, source_shape: Sequence[int]) -> Reach:
    """Return the reach of units that are copies.

    Slices, flips, permutations, padding and expansion are products over the axes; anything else is a table with an entry a unit.

    >>> gather_reach(np.array([[1, 0], [3, 2]]), (2, 2)).axes[0].own
    True

    Args:
        index: in the shape of the result: the number of the source's unit, or -1 for a constant.
        source_shape: the shape of the source.
    """
    size = prod(source_shape)
    if index.size == size and (index.ravel() == np.arange(size)).all():
        return own(size)
    found = _by_axes(index, tuple(source_shape))
    if found is not None:
        return found
    row = np.flatnonzero(index.ravel() != OUTSIDE)
    return Reach((ax.from_pairs(row, index.ravel()[row], (index.size, size)),))


def _by_axes(index: np.ndarray, source_shape: tuple[int, ...]) -> Reach | None:
    """Look for the one axis of the result that drives each axis of the source; None if there is not one."""
    there = index != OUTSIDE
    if not there.any() or not source_shape:
        return None
    first = np.unravel_index(there.argmax(), index.shape)
    lines = [
        tuple(slice(None) if k == axis else at for k, at in enumerate(first)) for axis in range(index.ndim)
    ]
    along = [
        np.stack(np.unravel_index(np.where(there[line], index[line], index[first]), source_shape))
        for line in lines
    ]
    drives: list[int | None] = [None] * len(source_shape)
    for axis, places in enumerate(along):
        for other in np.flatnonzero((places != places[:, :1]).any(axis=1)):
            if drives[other] is not None:
                return None
            drives[other] = axis
    if len({axis for axis in drives if axis is not None}) != sum(axis is not None for axis in drives):
        return None
    base = np.array(np.unravel_index(index[first], source_shape))
    rebuilt = _rebuilt(index.shape, source_shape, drives, along, base, [there[line] for line in lines])
    if not np.array_equal(rebuilt, index):
        return None
    return _reach(index.shape, source_shape, drives, along, base, [there[line] for line in lines])


def _rebuilt(
    shape: tuple, source_shape: tuple, drives: list, along: list, base: np.ndarray, there: list
) -> np.ndarray:
    strides = np.cumprod((1, *source_shape[:0:-1]))[::-1]
    found, inside = np.zeros(shape, dtype=np.int64), np.ones(shape, dtype=bool)
    for axis in range(len(shape)):
        line = [1] * len(shape)
        line[axis] = -1
        inside &= there[axis].reshape(line)
        for other, driver in enumerate(drives):
            if driver == axis:
                found += (along[axis][other] * strides[other]).reshape(line)
    found += sum(base[other] * strides[other] for other, driver in enumerate(drives) if driver is None)
    return np.where(inside, found, OUTSIDE)


def _reach(
    shape: tuple, source_shape: tuple, drives: list, along: list, base: np.ndarray, there: list
) -> Reach:
    axes: list[AxisReach] = []
    column: list[float] = []
    for axis, size in enumerate(shape):
        other = drives.index(axis) if axis in drives else None
        rows = np.flatnonzero(there[axis])
        cols = np.zeros(len(rows), dtype=np.int64) if other is None else along[axis][other][rows]
        axes.append(ax.from_pairs(rows, cols, (size, 1 if other is None else source_shape[other])))
        column.append(-1 if other is None else other)
    for other, driver in enumerate(drives):
        if driver is None:  # a place that is picked: it reads one of the columns
            axes.append(ax.from_pairs(np.zeros(1, int), base[other : other + 1], (1, source_shape[other])))
            column.append(other)
    return Reach(tuple(axes), tuple(sorted(range(len(axes)), key=lambda k: column[k])))
