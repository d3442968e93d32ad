"""Which places of one axis are read from which places of another: a Boolean table that is seldom written out.

Most axes are simple: every place reads itself, or every place reads them all. Only windows and choices need a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from scipy import sparse

DENSE = 2**22
"""Tables up to this many entries are arrays; larger ones are kept as sparse rows."""

FEW = 32
"""Columns a row reads at most, where joining the rows that it reads costs less than a product of matrices."""

LIMIT = 2**25
"""Entries of the largest sparse table that is made: 170 MB."""

Table = np.ndarray | sparse.csr_array


class NoProduct(Exception):  # noqa: N818 - no error of the user's: another algorithm takes over
    """What is asked for has no form as a product of small tables."""


@dataclass(frozen=True, eq=False)
class AxisReach:
    """Row r reads column c. One of three: every row reads its own column, all rows read the same columns, or a table.

    >>> every(2, 3).matrix().tolist(), each(2).matrix().tolist()
    ([[True, True, True], [True, True, True]], [[True, False], [False, True]])
    """

    rows: int
    cols: int
    own: bool = False
    """Every row reads its own column, and no other."""

    mask: np.ndarray | None = None
    """(cols,) what all rows read; None: everything, where there is no table either."""

    table: Table | None = None

    @property
    def is_full(self) -> bool:
        """Whether every row reads every column."""
        return self.rows == self.cols == 1 if self.own else self.mask is None and self.table is None

    @property
    def is_shared(self) -> bool:
        """Whether all rows read the same columns."""
        return self.rows == 1 or not (self.own or self.table is not None)

    def matrix(self) -> Table:
        """Write the table out, as an array or as sparse rows."""
        if self.table is not None:
            return self.table
        small = self.rows * self.cols <= DENSE
        if self.own:
            return np.eye(self.rows, dtype=bool) if small else sparse.eye_array(self.rows, dtype=bool).tocsr()
        mask = np.ones(self.cols, dtype=bool) if self.mask is None else self.mask
        if small:
            return np.broadcast_to(mask, (self.rows, self.cols))
        _check(self.rows * int(mask.sum()))
        columns = np.tile(np.flatnonzero(mask), self.rows)
        starts = np.arange(self.rows + 1) * int(mask.sum())
        return sparse.csr_array((np.ones(len(columns), bool), columns, starts), shape=(self.rows, self.cols))

    @cached_property
    def taps(self) -> list[tuple[np.ndarray, np.ndarray]] | None:
        """What the rows read, the first of each, the second, and so on: (rows that have it, columns); None if a row reads many."""
        if not isinstance(self.table, np.ndarray) or self.counts().max(initial=0) > FEW:
            return None
        row, col = np.nonzero(self.table)
        place = np.arange(len(row)) - np.searchsorted(row, row)
        return [(row[place == k], col[place == k]) for k in range(place.max(initial=-1) + 1)]

    def counts(self) -> np.ndarray:
        """Return how many columns each row reads."""
        if self.own:
            return np.ones(self.rows)
        if self.table is None:
            return np.full(self.rows, float(self.cols if self.mask is None else self.mask.sum()))
        return np.asarray(self.table.sum(axis=1, dtype=float)).ravel()

    def covered(self) -> np.ndarray:
        """Return which columns any row reads."""
        return self._covered

    @cached_property
    def _covered(self) -> np.ndarray:
        if self.table is None:
            return np.ones(self.cols, dtype=bool) if self.mask is None else self.mask
        if isinstance(self.table, np.ndarray):
            return self.table.any(axis=0)
        return np.asarray(self.table.sum(axis=0, dtype=float)).ravel() > 0

    @cached_property
    def is_empty(self) -> bool:
        """Whether no row reads anything."""
        if self.table is None:
            return not self.own and (not self.cols or (self.mask is not None and not self.mask.any()))
        return not self.covered().any()


def each(size: int) -> AxisReach:
    """Every row reads its own column."""
    return AxisReach(size, size, own=True)


def every(rows: int, cols: int, mask: np.ndarray | None = None) -> AxisReach:
    """All rows read everything, or what the mask says."""
    return AxisReach(rows, cols, mask=None if mask is None or mask.all() else mask)


def some(table: Table) -> AxisReach:
    """Rows read what the table says; kept as one of the simple kinds where it is one."""
    rows, cols = table.shape
    if rows * cols <= DENSE:
        table = table if isinstance(table, np.ndarray) else table.toarray()
        if (table == table[:1]).all():
            return every(rows, cols, table[0].copy())
        return (
            each(rows)
            if rows == cols == np.count_nonzero(table) and table.diagonal().all()
            else AxisReach(rows, cols, table=table)
        )
    table = sparse.csr_array(table)
    ones = table.nnz == rows == cols and (np.diff(table.indptr) == 1).all()
    return (
        each(rows)
        if ones and (table.indices == np.arange(rows)).all()
        else AxisReach(rows, cols, table=table)
    )


def from_pairs(row: np.ndarray, column: np.ndarray, shape: tuple[int, int]) -> AxisReach:
    """Make the table from (row, column) pairs, which may repeat."""
    if shape[0] * shape[1] <= DENSE:
        table = np.zeros(shape, dtype=bool)
        table[row, column] = True
        return some(table)
    _check(len(row))
    return some(_ones(sparse.coo_array((np.ones(len(row), np.int8), (row, column)), shape=shape).tocsr()))


def compose(outer: AxisReach, inner: AxisReach) -> AxisReach:  # noqa: PLR0911 - one for each pair of kinds
    """Rows of `outer` read what the rows of `inner` read that they read."""
    if outer.own:
        return inner
    if inner.own:
        return outer
    if outer.table is None:
        if outer.mask is None:
            return every(outer.rows, inner.cols, inner.covered())
        counts = outer.mask.astype(np.int64) @ inner.matrix().astype(np.int64)
        return every(outer.rows, inner.cols, counts > 0)
    if inner.table is None:
        there = outer.counts() > 0
        if there.all():
            return every(outer.rows, inner.cols, inner.mask)
        mask = np.ones(inner.cols, dtype=bool) if inner.mask is None else inner.mask
        return some(_small_outer(there, mask))
    if outer.taps is not None and isinstance(inner.table, np.ndarray) and outer.rows * inner.cols <= DENSE:
        found = np.zeros((outer.rows, inner.cols), dtype=bool)
        for row, col in outer.taps:
            found[row] |= inner.table[col]
        return some(found)
    return some(_reads(outer.table, inner.table))


def union(first: AxisReach, second: AxisReach) -> AxisReach:
    """Rows read what they read in either."""
    if contains(first, second):
        return first
    if contains(second, first):
        return second
    if first.table is None and second.table is None and not (first.own or second.own):
        return every(first.rows, first.cols, first.mask | second.mask)
    a, b = first.matrix(), second.matrix()
    if isinstance(a, np.ndarray):
        return some(a | b)
    return some(_ones((a.astype(np.int8) + b.astype(np.int8)).tocsr()))


def meet(first: AxisReach, second: AxisReach) -> AxisReach:
    """Rows read what they read in both."""
    if first.is_full or (first.own and second.own):
        return second
    if second.is_full:
        return first
    if first.table is None and second.table is None and not (first.own or second.own):
        return every(first.rows, first.cols, first.mask & second.mask)
    a, b = first.matrix(), second.matrix()
    if isinstance(a, np.ndarray):
        return some(a & b)
    return some(_ones(a.astype(np.int8).multiply(b.astype(np.int8)).tocsr()))


def contains(first: AxisReach, second: AxisReach) -> bool:
    """Whether every row of `first` reads at least what it reads in `second`."""
    if first is second or first.is_full or (first.own and second.own):
        return True
    if first.table is None and not first.own:
        return bool(first.mask[second.covered()].all())
    if first.own and second.own:
        return True
    a, b = first.matrix(), second.matrix()
    if isinstance(a, np.ndarray):
        return bool((a | ~b).all())
    return a.nnz >= b.nnz and a.astype(np.int8).multiply(b.astype(np.int8)).nnz == b.nnz


def kron(first: AxisReach, second: AxisReach) -> AxisReach:
    """Join two axes into one, the second running faster."""
    if first.own and second.own:
        return each(first.rows * second.rows)
    rows, cols = first.rows * second.rows, first.cols * second.cols
    if first.is_shared and second.is_shared:
        return every(rows, cols, np.kron(first.covered(), second.covered()))
    if rows * cols <= DENSE:
        return some(np.kron(first.matrix(), second.matrix()))
    _check(int(first.counts().sum() * second.counts().sum()))
    pair = (sparse.csr_array(part.matrix()).astype(np.int8) for part in (first, second))
    return some(_ones(sparse.kron(*pair, format="csr")))


def split(axis: AxisReach, rows: Sequence[int] | None, cols: Sequence[int] | None) -> list[AxisReach] | None:
    """Divide an axis into several, of the given sizes of rows or of columns; None if it is no product of such.

    >>> [part.cols for part in split(every(5, 6), None, [2, 3])]
    [2, 3]
    """
    if axis.own:
        return [each(size) for size in (rows or cols)]
    if not axis.is_full:
        return None
    if rows is None:
        return [every(axis.rows if k == 0 else 1, size) for k, size in enumerate(cols)]
    return [every(size, axis.cols if k == 0 else 1) for k, size in enumerate(rows)]


def sum_along(axis: AxisReach, values: np.ndarray, dim: int) -> np.ndarray:
    """Sum what each row reads along a dimension; of size 1 where all rows read the same."""
    if axis.own:
        return values
    if axis.table is None:
        read = values if axis.mask is None else np.compress(axis.mask, values, axis=dim)
        return read.sum(axis=dim, keepdims=True)
    moved = np.moveaxis(values, dim, 0)
    table = axis.table.astype(np.float64) if isinstance(axis.table, np.ndarray) else axis.table
    summed = (table @ moved.reshape(len(moved), -1)).reshape(axis.rows, *moved.shape[1:])
    return np.moveaxis(summed, 0, dim)


def spread_along(axis: AxisReach, values: np.ndarray, dim: int) -> np.ndarray:
    """Give every column the sum of the rows that read it: the transpose of `sum_along`."""
    if axis.own:
        return values
    if axis.table is None:
        read = values.sum(axis=dim, keepdims=True)
        if axis.mask is None:
            return np.repeat(read, axis.cols, axis=dim)
        line = [1] * values.ndim
        line[dim] = -1
        return read * axis.mask.reshape(line)
    moved = np.moveaxis(values, dim, 0)
    table = axis.table.astype(np.float64) if isinstance(axis.table, np.ndarray) else axis.table
    spread = (table.T @ moved.reshape(len(moved), -1)).reshape(axis.cols, *moved.shape[1:])
    return np.moveaxis(spread, 0, dim)


def common_sizes(first: Sequence[int], second: Sequence[int]) -> list[tuple[list[int], list[int]]]:
    """Divide two lists of sizes with the same product into the smallest runs whose products agree, as index lists.

    Sizes of 1 stand alone, without a partner.

    >>> common_sizes([2, 3, 4], [6, 2, 2])
    [([0, 1], [0]), ([2], [1, 2])]
    """
    runs = [([k], []) for k, size in enumerate(first) if size == 1]
    runs += [([], [k]) for k, size in enumerate(second) if size == 1]
    ours, theirs = ([k for k, size in enumerate(sizes) if size != 1] for sizes in (first, second))
    while ours:
        left, right = [ours.pop(0)], [theirs.pop(0)]
        while (a := prod(first[k] for k in left)) != (b := prod(second[k] for k in right)):
            if a < b:
                left.append(ours.pop(0))
            else:
                right.append(theirs.pop(0))
        runs.append((left, right))
    return runs


def _reads(outer: Table, inner: Table) -> Table:
    are_arrays = isinstance(outer, np.ndarray) and isinstance(inner, np.ndarray)
    if are_arrays and outer.shape[0] * inner.shape[1] <= DENSE:
        return (outer.astype(np.float32) @ inner.astype(np.float32)) > 0
    a, b = sparse.csr_array(outer), sparse.csr_array(inner)
    if not b.nnz or not a.nnz:
        return (
            np.zeros((a.shape[0], b.shape[1]), bool)
            if a.shape[0] * b.shape[1] <= DENSE
            else sparse.csr_array((a.shape[0], b.shape[1]), dtype=bool)
        )
    _check(int(np.diff(b.indptr)[a.indices].sum()))
    found = a.astype(bool) @ b.astype(bool)
    found.sort_indices()
    return found.toarray() if found.shape[0] * found.shape[1] <= DENSE else found


def _small_outer(rows: np.ndarray, cols: np.ndarray) -> Table:
    if len(rows) * len(cols) <= DENSE:
        return np.outer(rows, cols)
    _check(int(rows.sum()) * int(cols.sum()))
    pair = (sparse.csr_array(np.asarray(v, np.int8)[None]) for v in (rows, cols))
    row, col = pair
    return _ones(sparse.kron(row.T, col, format="csr"))


def _ones(table: sparse.csr_array) -> sparse.csr_array:
    there = table.copy()
    there.eliminate_zeros()
    there.sort_indices()
    return sparse.csr_array((np.ones(there.nnz, bool), there.indices, there.indptr), shape=there.shape)


def _check(entries: int) -> None:
    if entries > LIMIT:
        raise NoProduct(f"a table of {entries:,} entries")
