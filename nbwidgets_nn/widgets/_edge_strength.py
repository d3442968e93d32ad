"""Which edges are the strongest, and so are drawn. Twin: ``js/src/core/graph_strength.ts``.

Layers differ in scale, so each value is taken relative to the largest finite one of its layer. What is not finite
comes first: it must not hide. Edges are numbered through all bundles; among equals the lower number comes first.

A layer with one edge far ahead of its others would have few among the strongest of all, so half of the edges are dealt
out evenly first: each bundle has its `fair_share` of them, or all that it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn.widgets.edge_graph_content import EdgeGraphContent

QUANTITIES = ("contribution", "weight")


@dataclass(frozen=True, eq=False)
class Strengths:
    """Signed values of all edges, for each bundle; ``largest`` is the largest finite |value|, 0 if there is none."""

    values: tuple[NDArray[np.float32], ...]
    largest: tuple[float, ...]
    nonfinite: tuple[int, ...]

    def relative(self, bundle: int) -> NDArray[np.float32]:
        """Return the values of a bundle in [-1, 1]; what is not finite stays as it is."""
        # Divided in double precision and rounded once, as browsers do: ties are then the same ones.
        return (self.values[bundle].astype(np.float64) / (self.largest[bundle] or 1.0)).astype(np.float32)

    def rank(self) -> NDArray[np.float32]:
        """Return how strong each edge is, of all bundles one after the other; infinite for what is not finite."""
        relative = [np.abs(self.relative(bundle)) for bundle in range(len(self.values))]
        return np.nan_to_num(np.concatenate([*relative, np.empty(0, np.float32)]), nan=np.inf, posinf=np.inf)


def strengths(content: EdgeGraphContent, sample: int, quantity: str) -> Strengths:
    """Return what orders, widens and colours the edges of one sample."""
    values = tuple(
        bundle.weight.ravel() if quantity == "weight" else bundle.contributions(sample)
        for bundle in content.bundles
    )
    finite = [np.isfinite(value) for value in values]
    largest = tuple(
        float(np.abs(value).max(initial=0.0, where=where))
        for value, where in zip(values, finite, strict=True)
    )
    return Strengths(values, largest, tuple(int(np.count_nonzero(~where)) for where in finite))


def fair_share(bundles: int, count: int) -> int:
    """Return how many of ``count`` edges each bundle has at least, if it has so many; 0 if there is but one.

    >>> fair_share(6, 400), fair_share(1, 400)
    (33, 0)
    """
    return count // (2 * bundles) if bundles > 1 else 0


def strongest(strengths: Strengths, count: int) -> list[NDArray[np.intp]]:
    """Return the numbers of ``count`` edges, for each bundle, the strongest last.

    They are the strongest of each bundle, as many as its `fair_share`, and of the others the strongest of all.

    >>> values = np.float32([1, -4, 2]), np.float32([0.5, np.nan])
    >>> [edges.tolist() for edges in strongest(Strengths(values, (4.0, 0.5), (0, 1)), 3)]
    [[1], [0, 1]]
    >>> values = np.float32([5, 5, 5, 5]), np.float32([0.1, 8, 0.2])
    >>> [edges.tolist() for edges in strongest(Strengths(values, (5.0, 8.0), (0, 0)), 4)]
    [[2, 1, 0], [1]]
    >>> [edges.tolist() for edges in strongest(Strengths(values, (5.0, 8.0), (0, 0)), 6)]
    [[3, 2, 1, 0], [2, 1]]
    """
    rank = strengths.rank()
    if count >= len(rank):
        return _by_bundle(strengths, rank, np.arange(len(rank)))
    chosen = np.zeros(len(rank), bool)
    share = fair_share(len(strengths.values), count)
    for start, stop in pairwise(_bounds(strengths)) if share else ():
        chosen[start + _first(rank[start:stop], share)] = True
    others = np.flatnonzero(~chosen)
    chosen[others[_first(rank[others], count - len(rank) + len(others))]] = True
    return _by_bundle(strengths, rank, np.flatnonzero(chosen))


def _first(rank: NDArray[np.float32], count: int) -> NDArray[np.intp]:
    """Return where the ``count`` highest ranks are, of equal ones the first."""
    if count >= len(rank):
        return np.arange(len(rank))
    weakest = np.partition(rank, -count)[-count] if count else np.inf
    above = np.flatnonzero(rank > weakest)
    equal = np.flatnonzero(rank == weakest)[: count - len(above)]
    return np.concatenate([above, equal])


def strongest_per_unit(content: EdgeGraphContent, strengths: Strengths, count: int) -> list[NDArray[np.intp]]:
    """Return the numbers of the ``count`` strongest edges into each unit, whichever bundle they come by.

    They are given for each bundle, the strongest last.
    """
    rank = strengths.rank()
    first = np.cumsum([0, *(column.units for column in content.columns)])
    units = [first[bundle.target] + bundle.ends_of(np.arange(bundle.edges))[1] for bundle in content.bundles]
    unit = np.concatenate([*units, np.empty(0, np.intp)])
    order = np.lexsort((-rank, unit))  # stable: the lower number first among equals
    place = np.arange(len(order)) - np.searchsorted(unit[order], unit[order])
    return _by_bundle(strengths, rank, order[place < count])


def _by_bundle(
    strengths: Strengths, rank: NDArray[np.float32], chosen: NDArray[np.intp]
) -> list[NDArray[np.intp]]:
    chosen = chosen[np.lexsort((-chosen, rank[chosen]))]
    return [
        chosen[(chosen >= start) & (chosen < stop)] - start for start, stop in pairwise(_bounds(strengths))
    ]


def _bounds(strengths: Strengths) -> list[int]:
    """Return where the edges of each bundle begin among all, and where the last ones end."""
    return list(accumulate((len(values) for values in strengths.values), initial=0))
