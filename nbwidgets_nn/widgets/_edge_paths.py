"""The best paths through selected units, by the product of contributions. Twins: ``js/src/core/graph_paths.ts``, ``graph_lit.ts``.

A path into a unit begins in a column that no edges lead into, a path out of it ends in one that none lead out of. An
edge whose contribution is 0, NaN or infinite is no step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn.widgets._edge_strength import Strengths
from nbwidgets_nn.widgets.edge_graph_content import EdgeGraphContent

# Paths lit for one unit, to either side; for a selection of many units fewer of each.
_PATHS = 5
_PATHS_IN_ALL = 40
# The browser walks over every edge for each unit: at most this many steps for one selection.
_STEPS_IN_ALL = 4_000_000


@dataclass(frozen=True)
class EdgePath:
    """Edges one after the other in the order of the data, as (bundle, edge), and the product of their |contribution|s."""

    strength: float
    steps: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Lit:
    """The best paths of the first ``of`` units selected, at most ``each`` to either side of each of them."""

    into: tuple[EdgePath, ...] = ()
    out: tuple[EdgePath, ...] = ()
    each: int = 0
    of: int = 0

    def edges_of(self, bundle: int) -> list[int]:
        """Return the numbers of a bundle's edges that are on a path, each once."""
        return sorted({edge for path in (*self.into, *self.out) for b, edge in path.steps if b == bundle})


def light_paths(
    content: EdgeGraphContent, contributions: Strengths, column: int, units: Sequence[int]
) -> Lit:
    """Return the best paths into and out of some units of a column; of many units only the first ones'."""
    if not len(units):
        return Lit()
    most = max(1, min(_PATHS_IN_ALL, _STEPS_IN_ALL // max(1, content.edges)))
    of = list(units[:most])
    each = max(1, min(_PATHS, _PATHS_IN_ALL // len(of)))
    into, out = (
        best_paths(content, contributions, column, of, each, into=towards) for towards in (True, False)
    )
    return Lit(into, out, each, len(of))


def best_paths(
    content: EdgeGraphContent,
    contributions: Strengths,
    column: int,
    units: Sequence[int],
    k: int,
    *,
    into: bool,
) -> tuple[EdgePath, ...]:
    """Return the ``k`` best paths into each unit (or out of it), unit by unit, the best first.

    Of equal ones those with lower edge numbers come first.
    """
    search = _Search(content, contributions, k, into=into)
    if not search.bundles_at(column):
        return ()
    columns = range(column + 1) if into else range(len(content.columns) - 1, column - 1, -1)
    ways = search.reach(columns)
    return tuple(
        EdgePath(float(ways[column].product[unit, rank]), search.steps(ways, column, unit, rank))
        for unit in units
        for rank in np.flatnonzero(ways[column].product[unit])
    )


@dataclass(frozen=True, eq=False)
class _Ways:
    """Of each unit of a column its k best ways from the far end, (units, k), best first; a product of 0 is no way.

    A way ends with an edge of a bundle, and goes on ``before`` that as the way of this rank of the unit there.
    """

    product: NDArray[np.float64]
    bundle: NDArray[np.intp]
    edge: NDArray[np.intp]
    before: NDArray[np.intp]

    @classmethod
    def none(cls, units: int, k: int) -> _Ways:
        return cls(np.zeros((units, k)), *(np.zeros((units, k), np.intp) for _ in range(3)))


@dataclass(frozen=True, eq=False)
class _Search:
    content: EdgeGraphContent
    contributions: Strengths
    k: int
    into: bool

    def bundles_at(self, column: int) -> list[int]:
        """Return the bundles whose near end is a column."""
        return [
            b for b, own in enumerate(self.content.bundles) if self._ends(own.source, own.target)[1] == column
        ]

    def _ends(self, source: object, target: object) -> tuple:
        """Return the far end and the near one."""
        return (source, target) if self.into else (target, source)

    def reach(self, columns: Sequence[int]) -> dict[int, _Ways]:
        """Return the best ways to the units of each column, from the far end on."""
        ways: dict[int, _Ways] = {}
        for column in columns:
            ways[column] = _Ways.none(self.content.columns[column].units, self.k)
            bundles = self.bundles_at(column)
            if bundles:
                self._carry_on(ways, column, bundles)
            else:  # here the data begin, or end: one way to each unit, of no steps
                ways[column].product[:, 0] = 1
        return ways

    def _carry_on(self, ways: dict[int, _Ways], column: int, bundles: list[int]) -> None:
        """Fill in the ways of a column from those at the far ends of its edges."""
        size, bundle, edge, near, products = self._edges_at(ways, bundles)
        # The k best ways of a unit come by no more than k edges: those whose best way is best.
        kept = np.sort(_first_of_each(near, size * products[:, 0], self.k))
        candidates = (size[kept, None] * products[kept]).ravel()
        unit = np.repeat(near[kept], self.k)
        best = _first_of_each(unit, candidates, self.k)
        best = best[candidates[best] > 0]
        unit = unit[best]
        at = unit, np.arange(len(best)) - np.searchsorted(unit, unit)
        own, origin, rank = ways[column], kept[best // self.k], best % self.k
        own.product[at], own.bundle[at] = candidates[best], bundle[origin]
        own.edge[at], own.before[at] = edge[origin], rank

    def _edges_at(self, ways: dict[int, _Ways], bundles: list[int]) -> tuple[NDArray, ...]:
        """Return size, bundle, number and near unit of every edge that is a step, and the products (edges, k) behind it."""
        found = []
        for b in bundles:
            own = self.content.bundles[b]
            size = np.abs(self.contributions.values[b].astype(np.float64))
            edge = np.flatnonzero((size > 0) & (size < np.inf))
            far, near = self._ends(*own.ends_of(edge))
            behind = ways[self._ends(own.source, own.target)[0]].product[far]
            found.append((size[edge], np.full(len(edge), b), edge, near, behind))
        return tuple(map(np.concatenate, zip(*found, strict=True)))

    def steps(self, ways: dict[int, _Ways], column: int, unit: int, rank: int) -> tuple[tuple[int, int], ...]:
        """Return the edges of one way in the order of the data."""
        steps = []
        while self.bundles_at(column):
            own = ways[column]
            b, edge = int(own.bundle[unit, rank]), int(own.edge[unit, rank])
            steps.append((b, edge))
            bundle, rank = self.content.bundles[b], own.before[unit, rank]
            column, _ = self._ends(bundle.source, bundle.target)
            unit = self._ends(*bundle.ends_of(np.array([edge])))[0][0]
        return tuple(reversed(steps)) if self.into else tuple(steps)


def _first_of_each(group: NDArray, value: NDArray, k: int) -> NDArray[np.intp]:
    """Return where the k largest values of each group are, group by group, of equal ones the first."""
    order = np.lexsort((-value, group))
    return order[np.arange(len(order)) - np.searchsorted(group[order], group[order]) < k]
