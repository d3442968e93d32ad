"""Which units of one tensor are read from which units of another, as a product over their axes.

A convolution reads every channel in a window: (all channels) x (window of rows) x (window of columns). Such products
stay products when layers follow each other, whatever padding, stride and dilation they have. So the ancestors of a unit
many layers up are told by one small table an axis, and sums over them are sums along the axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from math import prod

import numpy as np
from scipy import sparse

from nbwidgets_nn.kernels.graph import axis_reach as ax
from nbwidgets_nn.kernels.graph.axis_reach import AxisReach, NoProduct

FEW_TERMS, MOST_TERMS = 5, 100
"""Products that any union may have, and those whose sum with signs may stand for a union."""


@dataclass(frozen=True, eq=False)
class Reach:
    """Row units read column units: one table an axis, and the unit reads where all of them agree.

    >>> window = Reach((ax.every(2, 3), ax.each(4)))    # 3 channels of 4 positions to 2 channels of 4 positions
    >>> window.rows, window.cols, sums(window, np.ones((1, 12))).tolist()
    (8, 12, [[3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0]])
    """

    axes: tuple[AxisReach, ...]
    """In the order of the rows' axes."""

    order: tuple[int, ...] = ()
    """The same axes in the order of the columns; () for the same order."""

    def __post_init__(self) -> None:
        """Leave out axes of size 1, which say nothing: reaches that differ in them alone have the same axes."""
        order = self.order or tuple(range(len(self.axes)))
        wide = [k for k, axis in enumerate(self.axes) if axis.rows * axis.cols != 1 or not axis.is_full] or [
            0
        ]
        number = {k: new for new, k in enumerate(wide)}
        object.__setattr__(self, "axes", tuple(self.axes[k] for k in wide))
        object.__setattr__(self, "order", tuple(number[k] for k in order if k in number))

    @cached_property
    def rows(self) -> int:
        """Number of units that read."""
        return prod(axis.rows for axis in self.axes)

    @cached_property
    def cols(self) -> int:
        """Number of units that are read."""
        return prod(axis.cols for axis in self.axes)

    @cached_property
    def is_own(self) -> bool:
        """Whether every unit reads the unit of the same number alone."""
        return (
            all(axis.own or (axis.rows == axis.cols == 1 and axis.is_full) for axis in self.axes)
            and self._in_order
        )

    @cached_property
    def is_full(self) -> bool:
        """Whether every unit reads every unit."""
        return all(axis.is_full for axis in self.axes)

    @cached_property
    def is_shared(self) -> bool:
        """Whether all units read the same units."""
        return all(axis.is_shared for axis in self.axes)

    @cached_property
    def is_empty(self) -> bool:
        """Whether nothing is read."""
        return any(axis.is_empty for axis in self.axes)

    @cached_property
    def longest(self) -> float:
        """The largest number of units that a unit reads."""
        return float(prod(axis.counts().max() for axis in self.axes))

    @property
    def _in_order(self) -> bool:
        wide = [k for k in self.order if self.axes[k].cols > 1]
        return wide == sorted(wide)


def own(units: int) -> Reach:
    """Every unit reads its own."""
    return Reach((ax.each(units),))


def full(rows: int, cols: int) -> Reach:
    """Every unit reads every unit."""
    return Reach((ax.every(rows, cols),))


def sums(reach: Reach, values: np.ndarray) -> np.ndarray:
    """Sum what each row reads: (samples, rows) from (samples, cols)."""
    axes = reach.axes
    shaped = values.reshape(len(values), *(axes[k].cols for k in reach.order))
    shaped = shaped.transpose(0, *(1 + np.argsort(reach.order)))
    for k in sorted(range(len(axes)), key=lambda k: axes[k].table is not None):  # what shrinks first
        shaped = ax.sum_along(axes[k], shaped, k + 1)
    whole = np.broadcast_to(shaped, (len(values), *(axis.rows for axis in axes)))
    return whole.reshape(len(values), reach.rows)


def spread(reach: Reach, values: np.ndarray) -> np.ndarray:
    """Give every column the sum of the rows that read it, the transpose of `sums`: (samples, cols) from (samples, rows)."""
    axes = reach.axes
    shaped = values.reshape(len(values), *(axis.rows for axis in axes))
    for k in range(len(axes)):
        shaped = ax.spread_along(axes[k], shaped, k + 1)
    return shaped.transpose(0, *(1 + np.array(reach.order, dtype=int))).reshape(len(values), reach.cols)


def union_sums(terms: Sequence[Reach], values: np.ndarray) -> np.ndarray:
    """Sum what each row reads in any of the terms, each unit once: (samples, rows)."""
    return sum(sign * sums(term, values) for sign, term in _signed(terms))


def union_spread(terms: Sequence[Reach], values: np.ndarray) -> np.ndarray:
    """Give every column the sum of the rows that read it in any of the terms: (samples, cols)."""
    return sum(sign * spread(term, values) for sign, term in _signed(terms))


def _signed(terms: Sequence[Reach]) -> list[tuple[int, Reach]]:
    """Return the products whose sum, with signs, counts every unit of the union once; NoProduct if there are too many."""
    found: list[tuple[int, Reach]] = []
    for term in terms:  # inclusion and exclusion, of what overlaps alone: most terms are of different rows
        overlaps = [(-sign, meet(other, term)) for sign, other in found]
        found += [(sign, both) for sign, both in overlaps if not both.is_empty]
        found.append((1, term))
        if len(found) > MOST_TERMS:
            raise NoProduct(f"a union of {len(terms)} products")
    return found


def meet(first: Reach, second: Reach) -> Reach:
    """Rows read what they read in both."""
    first, second = _alike(first, second)
    return Reach(tuple(map(ax.meet, first.axes, second.axes)), first.order)


def contains(first: Reach, second: Reach) -> bool:
    """Whether every row of `first` reads at least what it reads in `second`."""
    if first is second or first.is_full:
        return True
    if not _have_same_axes(first, second) and first.cols * first.rows > ax.DENSE and second.is_full:
        return False
    first, second = _alike(first, second)
    return second.is_empty or all(map(ax.contains, first.axes, second.axes))


def union(terms: Sequence[Reach]) -> tuple[Reach, ...]:
    """Return the same union by fewer terms: what another one contains is left out, and neighbours are joined.

    NoProduct if more than a few are left.
    """
    kept: list[Reach] = []
    for term in terms:
        kept = _with(kept, term)
    if len(kept) > FEW_TERMS:
        _signed(kept)  # raises if they overlap too much
    return tuple(kept)


def _with(kept: list[Reach], term: Reach) -> list[Reach]:
    if term.is_empty or any(contains(other, term) for other in kept):
        return kept
    kept = [other for other in kept if not contains(term, other)]
    for k, other in enumerate(kept):
        joined = _one_axis_joined(other, term)
        if joined is not None:
            return _with(kept[:k] + kept[k + 1 :], joined)
    return [*kept, term]


def _one_axis_joined(first: Reach, second: Reach) -> Reach | None:
    """Return the union as one product if they differ along one axis only."""
    first, second = _alike(first, second)
    different = [
        k
        for k, (a, b) in enumerate(zip(first.axes, second.axes, strict=True))
        if not (ax.contains(a, b) and ax.contains(b, a))
    ]
    if len(different) != 1:
        return None
    k = different[0]
    axes = list(first.axes)
    axes[k] = ax.union(axes[k], second.axes[k])
    return Reach(tuple(axes), first.order)


def flat(reach: Reach) -> Reach:
    """Return the reach with one axis; NoProduct if its table would be too large."""
    if len(reach.axes) == 1:
        return reach
    whole = reduce(ax.kron, reach.axes)
    if reach._in_order or whole.is_full:  # noqa: SLF001
        return Reach((whole,))
    columns = np.arange(whole.cols).reshape([axis.cols for axis in reach.axes]).transpose(reach.order).ravel()
    table = whole.matrix()
    if isinstance(table, np.ndarray):
        return Reach((ax.some(table[:, columns]),))
    return Reach((ax.some(sparse.csr_array(table[:, columns])),))


def _have_same_axes(first: Reach, second: Reach) -> bool:
    sizes = [[(axis.rows, axis.cols) for axis in reach.axes] for reach in (first, second)]
    return sizes[0] == sizes[1] and first.order == second.order


def _alike(first: Reach, second: Reach) -> tuple[Reach, Reach]:
    """Give both the same axes; in the worst case a single one."""
    if _have_same_axes(first, second):
        return first, second
    finer = _split_like(first, second), _split_like(second, first)
    if _have_same_axes(*finer):
        return finer
    return flat(first), flat(second)


def _split_like(reach: Reach, other: Reach) -> Reach:
    """Divide the axes along which every unit reads its own, or all read all, as those of the other are divided."""
    if reach.is_full:
        axes = [ax.every(axis.rows, axis.cols) for axis in other.axes]
        return Reach(tuple(axes), other.order)
    if not (reach._in_order and other._in_order):  # noqa: SLF001
        return reach
    theirs = [axis.rows for axis in other.axes]
    pieces = {k: [axis] for k, axis in enumerate(reach.axes)}
    for ours, parts in ax.common_sizes([axis.rows for axis in reach.axes], theirs):
        if len(ours) == 1 < len(parts) and reach.axes[ours[0]].own:
            pieces[ours[0]] = [ax.each(theirs[k]) for k in parts]
    return Reach(tuple(piece for k in range(len(pieces)) for piece in pieces[k]))
