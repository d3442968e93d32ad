"""Which edges are the strongest, and so are drawn. Twin: ``js/src/core/graph_strength.ts``.

Layers differ in scale, so each value is taken relative to the largest finite one of its layer. What is not finite
comes first: it must not hide. Edges are numbered through all bundles; among equals the lower number comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

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


def strongest(strengths: Strengths, count: int) -> list[NDArray[np.intp]]:
    """Return the numbers of the ``count`` strongest edges of all bundles, for each bundle, the strongest last.

    >>> values = np.float32([1, -4, 2]), np.float32([0.5, np.nan])
    >>> [edges.tolist() for edges in strongest(Strengths(values, (4.0, 0.5), (0, 1)), 3)]
    [[1], [0, 1]]
    """
    rank = strengths.rank()
    if count >= len(rank):
        return _by_bundle(strengths, rank, np.arange(len(rank)))
    weakest = np.partition(rank, -count)[-count] if count else np.inf
    above = np.flatnonzero(rank > weakest)
    equal = np.flatnonzero(rank == weakest)[: count - len(above)]
    return _by_bundle(strengths, rank, np.concatenate([above, equal]))


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
    bounds = np.cumsum([0, *(len(values) for values in strengths.values)])
    return [chosen[(chosen >= start) & (chosen < stop)] - start for start, stop in pairwise(bounds)]
