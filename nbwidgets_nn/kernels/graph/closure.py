"""The Boolean closure W of a graph (W[i, j] = 1 where j is i or an ancestor of i) as an operator, in two forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from scipy import sparse

from nbwidgets_nn.kernels.graph import causal_sums
from nbwidgets_nn.kernels.graph.causal_plan import Parts, Sum
from nbwidgets_nn.kernels.graph.product_reach import union_spread
from nbwidgets_nn.kernels.graph.stages import Stage


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
        return causal_sums.growth(self._plan)


class BitClosure:
    """W of any directed acyclic graph, whose nodes are numbered in topological order: a row of bits for each node."""

    def __init__(self, parents: sparse.csr_array) -> None:
        from nbwidgets_nn.kernels.graph import _bit_closure  # noqa: PLC0415 - numba is loaded only where it is needed

        self._compiled = _bit_closure
        self._parents = parents
        self.bits = _bit_closure.ancestor_bits(parents)

    def solve(self, signal: np.ndarray) -> np.ndarray:  # noqa: D102
        return self._compiled.solve(self.bits, np.ascontiguousarray(signal.T), True).T

    def apply(self, spectrum: np.ndarray) -> np.ndarray:  # noqa: D102
        return self._compiled.solve(self.bits, np.ascontiguousarray(spectrum.T), False).T

    def transposed(self, values: np.ndarray) -> np.ndarray:  # noqa: D102
        return self._compiled.spread(self.bits, np.ascontiguousarray(values.T)).T

    def growth(self) -> float:
        """Follow the bound of every node: one parent, and its coefficient is a difference of two values."""
        return float(self._compiled.growth(self.bits, np.diff(self._parents.indptr)))


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
