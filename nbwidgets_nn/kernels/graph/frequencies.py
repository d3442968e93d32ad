"""What can be asked of a graph of units about its Laplacian: all frequencies or a few, energies, filters without either."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.kernels.graph import chebyshev, decomposition, laplacian
from nbwidgets_nn.kernels.graph.transforms import GraphTransforms
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.spectrum_results import EigenspaceEnergies, LaplacianSpectrum

MOST_EDGES = 10**7
"""Edges up to which the Laplacian is written out where it is multiplied many times."""


class GraphFrequencies(GraphTransforms):
    """The Laplacian of an `NNGraph`."""

    def laplacian(self, *, weighted: bool = False) -> sparse.csr_array:
        """Return L = D - A of the undirected graph, sparse; of the absolute weights if `weighted`."""
        return laplacian.laplacian_of(self.units.adjacency(weighted=weighted), weighted=weighted)

    def laplacian_spectrum(
        self, activations: Activations, *, k: int | None = None, which: str = "lowest", weighted: bool = False
    ) -> LaplacianSpectrum:
        """Return coefficients and energies by eigenspace of every sample.

        Args:
            activations: the values.
            k: how many frequencies; None: all, for up to several thousand nodes.
            which: the "lowest" or the "highest" k.
            weighted: edges count with their absolute weights, those without one not at all.
        """
        laplacian.check_which(which)
        values = self._values(activations)
        if k is None:
            frequencies, basis = (
                self.eigenvectors if not weighted else decomposition.decomposed(self.laplacian(weighted=True))
            )
        else:
            is_written = weighted or self.units.n_edges <= MOST_EDGES
            L = self.laplacian(weighted=weighted) if is_written else self._laplacian_operator
            frequencies, basis = laplacian.few(L, k, which, self._largest(weighted=weighted))
        found = values @ basis
        spaces = laplacian.energies(frequencies, found, is_cut=k is not None)
        return LaplacianSpectrum(frequencies, basis, found, spaces, self.notes)

    def eigenspace_energy(self, activations: Activations, *, weighted: bool = False) -> EigenspaceEnergies:
        """Return the energy of every sample in each eigenspace of the Laplacian."""
        return self.laplacian_spectrum(activations, weighted=weighted).eigenspaces

    def pass_filter(
        self,
        activations: Activations,
        low: float = 0.0,
        high: float = np.inf,
        *,
        order: int = 50,
        response: Callable[[np.ndarray], np.ndarray] | None = None,
        weighted: bool = False,
    ) -> Activations:
        """Keep the frequencies of the Laplacian from `low` to `high`, without a decomposition; the edges of the band are soft.

        Args:
            activations: the values, every sample.
            low, high: eigenvalues; ``high=inf`` makes a high-pass, ``low=0`` a low-pass filter.
            order: of the polynomial; the band's edges are about pi / order of the whole range wide.
            response: a smooth function of the frequencies in place of a band.
            weighted: as in `laplacian`.
        """
        chebyshev.check_order(order)
        values = self._values(activations)
        largest = self._largest(weighted=weighted)
        jackson: np.ndarray | float = 1.0
        if response is None:
            for name, edge in (("low", low), ("high", high)):
                if isinstance(edge, bool) or not isinstance(edge, int | float | np.integer | np.floating):
                    raise TypeError(expected(name, "a number", repr(edge)))
            if not low <= high:
                raise ValueError(expected("low", f"at most high, {high}", f"{low}"))
            response, jackson = chebyshev.band(low, high, order)
        factors = chebyshev.chebyshev_coefficients(response, max(largest, 1e-300), order) * jackson
        if weighted:
            L = self.laplacian(weighted=True)
            found = chebyshev.filtered(lambda x: (L @ x.T).T, values, factors, largest)
        else:
            found = chebyshev.filtered(self._apply_laplacian, values, factors, largest)
        return self._signal(activations, found)

    @cached_property
    def eigenvectors(self) -> tuple[np.ndarray, np.ndarray]:
        """All frequencies of the Laplacian, ascending, and the basis (nodes, nodes), in the order and basis of `decomposition.py`."""
        decomposition.check_size(self.n_nodes)
        return decomposition.decomposed(self.laplacian())

    @cached_property
    def _degrees(self) -> np.ndarray:
        return self.units.in_degrees + self.units.out_degrees

    def _apply_laplacian(self, values: np.ndarray) -> np.ndarray:
        """Return L s without the matrix: (samples, nodes)."""
        return self._degrees * values - self.units.read(values) - self.units.spread(values)

    @property
    def _laplacian_operator(self) -> LinearOperator:
        shape = (self.n_nodes, self.n_nodes)
        return LinearOperator(
            shape, matvec=lambda x: self._apply_laplacian(x.reshape(1, -1))[0], dtype=np.float64
        )

    def _largest(self, *, weighted: bool) -> float:
        """Return a bound of the largest frequency: the largest sum of the degrees at the ends of an edge (Anderson, Morley 1985)."""
        if weighted:
            return 2 * float(self.laplacian(weighted=True).diagonal().max(initial=0))
        return 2 * float(self._degrees.max(initial=0))
