"""Hierarchical clustering of thousands of units, compiled: for what SciPy takes too long or too much memory.

* `chain_linkage`: the nearest-neighbour chain (Muellner 2011, arXiv 1109.2378, fig. 4) on a square float32 matrix. The
  square costs twice the condensed form but a row is then contiguous, which is worth a factor of four.
* `SingleLinkage`: SLINK (Sibson 1973, Computer J. 16:30). It reads the distances row by row, once, so they may be made
  in tiles and thrown away: memory is three vectors.

Importing this file imports numba (about a second); the first call ever compiles for some seconds and keeps the result
on disk. `clustering` therefore comes here only for many units.
"""

from __future__ import annotations

import numpy as np
from numba import njit

UPDATES = {"complete": 0, "average": 1, "weighted": 2}
"""Methods of `chain_linkage`: those whose distance to a merged cluster follows from the two before, and whose nearest
neighbours survive a merge."""


def chain_linkage(distances: np.ndarray, method: str) -> np.ndarray:
    """Compute the linkage of a square, symmetric distance matrix, which is overwritten. Form and ties as in SciPy."""
    merges = _chain(distances, UPDATES[method])
    return _as_tree(merges, len(distances))


class SingleLinkage:
    """Single linkage of units whose distances to all earlier units are given row by row, in order."""

    def __init__(self, units: int) -> None:
        self._units = units
        self._joins = np.zeros(units, np.int64)  # the last unit of the cluster that unit j joins ...
        self._height = np.full(units, np.inf)  # ... at this height
        self._scratch = np.empty(units)
        self._done = 0

    def add_rows(self, distances: np.ndarray) -> None:
        """Add the next units: row k holds the distances of unit `done + k` to all units before it, and any others."""
        _slink(distances, self._done, self._joins, self._height, self._scratch)
        self._done += len(distances)

    def linkage(self) -> np.ndarray:
        """Give the tree in SciPy's form, when all rows have been added."""
        last = self._units - 1
        return _as_tree(
            np.column_stack([np.arange(last), self._joins[:last], self._height[:last]]), self._units
        )


def _as_tree(merges: np.ndarray, units: int) -> np.ndarray:
    """Sort merges (unit, unit, height) and name the clusters as SciPy does."""
    return _name_clusters(merges[np.argsort(merges[:, 2], kind="stable")], units)


@njit(cache=True)
def _name_clusters(merges, units):  # noqa: ANN001, ANN202 - numba infers the types
    parent = np.arange(2 * units - 1)
    size = np.ones(2 * units - 1, np.int64)
    tree = np.empty((units - 1, 4))
    for row in range(units - 1):
        ends = np.empty(2, np.int64)
        for side in range(2):
            root = int(merges[row, side])
            while parent[root] != root:
                parent[root] = parent[parent[root]]
                root = parent[root]
            ends[side] = root
        low, high = min(ends), max(ends)
        new = units + row
        parent[low] = parent[high] = new
        size[new] = size[low] + size[high]
        tree[row, 0], tree[row, 1], tree[row, 2], tree[row, 3] = low, high, merges[row, 2], size[new]
    return tree


@njit(cache=True)
def _nearest(row, alive, count, start, best):  # noqa: ANN001, ANN202
    """Find the first living unit nearer than `best`, which `start` is; the chain's last link wins ties."""
    nearest = start
    for k in range(count):
        unit = alive[k]
        if row[unit] < best:
            best = row[unit]
            nearest = unit
    return nearest, best


@njit(cache=True)
def _chain(distances, update):  # noqa: ANN001, ANN202
    units = len(distances)
    size = np.ones(units)
    alive = np.arange(units)
    count = units
    merges = np.empty((units - 1, 3))
    chain = np.empty(units, np.int64)
    length = 0
    for unit in range(units):
        distances[unit, unit] = np.inf
    for step in range(units - 1):
        if length == 0:
            chain[0] = alive[0]
            length = 1
        while True:
            tip = chain[length - 1]
            before, best = -1, np.float32(np.inf)
            if length > 1:
                before = chain[length - 2]
                best = distances[tip, before]
            nearest, best = _nearest(distances[tip], alive, count, before, best)
            if nearest == before:
                break
            chain[length] = nearest
            length += 1
        length -= 2
        gone, kept = min(tip, before), max(tip, before)
        merges[step, 0], merges[step, 1], merges[step, 2] = gone, kept, best
        count = _remove(alive, count, gone)
        _merge(distances, alive, count, gone, kept, size, update)
    return merges


@njit(cache=True)
def _remove(alive, count, unit):  # noqa: ANN001, ANN202
    place = np.searchsorted(alive[:count], unit)
    for k in range(place, count - 1):
        alive[k] = alive[k + 1]
    return count - 1


@njit(cache=True)
def _merge(distances, alive, count, gone, kept, size, update):  # noqa: ANN001, ANN202
    """Write the distances of gone + kept, the Lance-Williams update, into row and column `kept`."""
    total = size[gone] + size[kept]
    share_gone, share_kept = (size[gone] / total, size[kept] / total) if update == 1 else (0.5, 0.5)
    from_gone, from_kept = distances[gone], distances[kept]
    for k in range(count):
        unit = alive[k]
        if unit == kept:
            continue
        if update == 0:
            new = max(from_gone[unit], from_kept[unit])
        else:
            new = np.float32(share_gone * from_gone[unit] + share_kept * from_kept[unit])
        from_kept[unit] = new
        distances[unit, kept] = new
    size[kept] = total


@njit(cache=True)
def _slink(distances, done, joins, height, scratch):  # noqa: ANN001, ANN202
    for row in range(len(distances)):
        unit = done + row
        joins[unit] = unit
        height[unit] = np.inf
        scratch[:unit] = distances[row, :unit]
        for j in range(unit):
            target = joins[j]
            if height[j] >= scratch[j]:
                scratch[target] = min(scratch[target], height[j])
                height[j] = scratch[j]
                joins[j] = unit
            else:
                scratch[target] = min(scratch[target], scratch[j])
        for j in range(unit):
            if height[j] >= height[joins[j]]:
                joins[j] = unit
