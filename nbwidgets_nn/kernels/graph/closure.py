"""The Boolean closure W of a graph (W[i, j] = 1 where j is i or an ancestor of i) as an operator, in two forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from scipy import sparse

from nbwidgets_nn.kernels._memory import check_fits
from nbwidgets_nn.kernels.graph import causal_sums
from nbwidgets_nn.kernels.graph.causal_plan import Parts, Sum
from nbwidgets_nn.kernels.graph.growth import growth
from nbwidgets_nn.kernels.graph.product_reach import union_spread
from nbwidgets_nn.kernels.graph.stages import Stage

WITHOUT_ANCESTORS = "INCL=True, or type='normalized' or 'weighted', which need no ancestors"
"""What to do where the ancestors do not fit."""


class Closure(Protocol):
    """W, its inverse and its transpose: (samples, nodes) from (samples, nodes)."""

    def solve(self, signal: np.ndarray) -> np.ndarray:
        """Return c with W c = s."""

    def apply(self, spectrum: np.ndarray) -> np.ndarray:
        """Return s = W c."""

    def transposed(self, values: np.ndarray) -> np.ndarray:
        """Return W^T v: for each node the sum over it and its descendants."""

    def growth(self) -> float:
        """Return a bound of the largest coefficient over the largest value."""


class PlannedClosure:
    """W of a layered network: sums along axes and running totals, and no matrix."""

    def __init__(self, stages: Sequence[Stage], plan: Sequence[Sum]) -> None:
        self._stages, self._plan = stages, plan

    def solve(self, signal: np.ndarray) -> np.ndarray:  # noqa: D102
        return causal_sums.coefficients(self._stages, self._plan, signal)

    def apply(self, spectrum: np.ndarray) -> np.ndarray:  # noqa: D102
        return causal_sums.signal_of(self._stages, self._plan, spectrum)

    def transposed(self, values: np.ndarray) -> np.ndarray:
        """Go through the sums of `apply` backwards: what was read from is added to."""
        of_signal, of_spectrum = values.copy(), np.zeros_like(values)
        totals: dict[int, np.ndarray] = {}
        for step in reversed(self._plan):
            if step.target < 0:
                here = totals.pop(step.target, None)
                if here is None:
                    continue
            else:
                nodes = self._stages[step.target].nodes
                here = of_signal[:, nodes]
                of_spectrum[:, nodes] += here
            added_to = of_signal if step.of_signal else of_spectrum
            _spread(self._stages, step.parts, here, added_to, totals)
        return of_spectrum

    def growth(self) -> float:  # noqa: D102
        return growth(self._stages, self._plan)


class BitClosure:
    """W of any directed acyclic graph: bits that tell which chains of nodes are ancestors of which classes of nodes.

    Args:
        parents: row i has the nodes that feed node i, sorted, all of smaller number.

    Raises:
        ValueError: the bits do not fit into memory.
    """

    def __init__(self, parents: sparse.csr_array) -> None:
        from nbwidgets_nn.kernels.graph import _chain_bits  # noqa: PLC0415 - numba is loaded only where it is needed
        from nbwidgets_nn.kernels.graph.chains import chains_of  # noqa: PLC0415

        self._compiled = _chain_bits
        self._chains = chains = chains_of(parents)
        edges = parents.indptr, parents.indices
        words = _chain_bits.widths(*edges, chains.column, chains.first)
        self._places = np.concatenate([[0], np.cumsum(words)])
        rows, columns, size = len(chains.first), len(chains.start), self._places[-1]
        what = f"the ancestors of {len(chains.row):,} nodes, {rows:,} rows of {columns:,} bits"
        check_fits(8.0 * size, "graph", what, WITHOUT_ANCESTORS)
        self._bits = np.zeros(size, dtype=np.uint64)
        _chain_bits.fill(
            *edges,
            chains.read,
            chains.column,
            chains.row,
            chains.first,
            chains.start,
            self._places,
            self._bits,
        )

    def solve(self, signal: np.ndarray) -> np.ndarray:  # noqa: D102
        return self._solved(signal, forward=True)

    def apply(self, spectrum: np.ndarray) -> np.ndarray:  # noqa: D102
        return self._solved(spectrum, forward=False)

    def _solved(self, values: np.ndarray, *, forward: bool) -> np.ndarray:
        chains, values = self._chains, np.ascontiguousarray(values.T)
        ends = chains.read, chains.column, chains.row, chains.first
        columns = len(chains.start)
        return self._compiled.solve(*ends, self._places, self._bits, columns, values, forward).T

    def transposed(self, values: np.ndarray) -> np.ndarray:  # noqa: D102
        chains, values = self._chains, np.ascontiguousarray(values.T)
        ends = chains.read, chains.column, chains.row, chains.first, chains.start
        return self._compiled.spread(*ends, self._places, self._bits, values).T

    def growth(self) -> float:  # noqa: D102
        chains = self._chains
        return float(
            self._compiled.growth(
                chains.read, chains.row, chains.first, chains.start, self._places, self._bits
            )
        )


def spread_direct(stages: Sequence[Stage], parts: Parts, here: np.ndarray, added_to: np.ndarray) -> None:
    """Add what the units of a stage have to every unit that they read."""
    _spread(stages, parts, here, added_to, {})


def _spread(
    stages: Sequence[Stage],
    parts: Parts,
    here: np.ndarray,
    added_to: np.ndarray,
    totals: dict[int, np.ndarray],
) -> None:
    for part in parts:
        shares = union_spread(part.terms, np.ascontiguousarray(here))
        for source in part.sources:
            if source < 0:
                totals[source] = totals.get(source, 0) + shares
            else:
                added_to[:, stages[source].nodes] += shares
