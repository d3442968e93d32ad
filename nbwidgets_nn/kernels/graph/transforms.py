"""What can be asked of a graph of units about its causal spectra, and of spectra of every type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.kernels import fourier
from nbwidgets_nn.kernels.graph import chebyshev
from nbwidgets_nn.kernels.graph.unit_graph import UnitGraph
from nbwidgets_nn.kernels.spectrum import Spectrum, values_of, with_values
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.spectrum_results import LayerEnergies, SpectrumReport

Node = tuple


class GraphTransforms:
    """Transforms, shifts and filters of an `NNGraph`; results have float64 values, every sample, the shapes of the recording."""

    units: UnitGraph
    activations: Activations
    notes: tuple[str, ...]
    n_nodes: int
    eigenvectors: tuple[np.ndarray, np.ndarray]

    def node_id(self, node: Node) -> int:
        """Return the number of a node in the order of all; KeyError if there is no such node."""
        return self.units.node_id(node)

    def transform(self, activations: Activations, type: str = "standard") -> Spectrum:  # noqa: A002
        """Return the spectrum of every sample: a recording with float64 coefficients in the place of values.

        Coefficients c of values s, by type:

        * 'standard': s = W c with W[i, j] = 1 where j is i or an ancestor of i, and 0 elsewhere.
        * 'weighted': c = s - A s with the weights A of the network, so s = (I - A)^-1 c.
        * 'normalized': c = s - D^-1 A s with ones for the edges A and the in-degrees D: a value less the mean of what is read.
        * 'laplacian': c = U^T s with the eigenvectors U of L = D - A, both of the undirected graph. The place k holds the
          coefficient of the k-th lowest frequency, and says nothing about the unit there; `laplacian_spectrum` has energies.

        ``spectrum.report`` tells the digits that are left (`report.warning`: "" or what a reader must know) and what was assumed.
        """
        fourier.check_type(type)
        values = self._values(activations)
        if type == "laplacian":
            return self._spectrum(
                activations, values @ self.eigenvectors[1], SpectrumReport(type, 1.0, self.notes, len(values))
            )
        found = fourier.coefficients(self.units, values, type)
        return self._spectrum(activations, found, fourier.report_on(self.units, type, len(values)))

    def inverse_transform(self, spectrum: Activations, type: str | None = None) -> Activations:  # noqa: A002
        """Return the values that have this spectrum; of the type that the spectrum tells, unless one is given."""
        report = getattr(spectrum, "report", None)
        type = (report.type if report is not None else "standard") if type is None else type  # noqa: A001
        fourier.check_type(type)
        if report is not None and report.type != type:
            raise ValueError(expected("type", f"{report.type!r}, as the spectrum is", repr(type)))
        values = values_of(spectrum, self.units)
        if type == "laplacian":
            return self._signal(spectrum, values @ self.eigenvectors[1].T)
        return self._signal(spectrum, fourier.signal_of(self.units, values, type))

    def shift(self, activations: Activations, q: Node, type: str = "standard") -> Activations:  # noqa: A002
        """Return T_q s = W D_q W^-1 s of every sample: of the coefficients those of q and its ancestors are kept.

        Shifts commute, and a shift made twice is made once. Seifert et al. 2023, section IV.
        """
        fourier.check_type(type, fourier.CAUSAL)
        values = self._values(activations)
        return self._signal(activations, fourier.shifted(self.units, values, self.node_id(q), type))

    def filter(
        self,
        activations: Activations,
        h: Mapping[Node, float] | Sequence[float] | np.ndarray | Callable[[np.ndarray], np.ndarray],
        type: str = "standard",  # noqa: A002
    ) -> Activations:
        """Return sum over q of h_q T_q s: the coefficient of node y times the sum of h over y and its descendants.

        Args:
            activations: the values, every sample.
            h: of nodes a number each (those left out: 0), as a dict or a vector; for type 'laplacian' the response, a
                function of the frequencies.
            type: as in `transform`.
        """
        fourier.check_type(type)
        values = self._values(activations)
        if type == "laplacian":
            if not callable(h):
                raise TypeError(
                    expected("h", "a function of the frequencies for type 'laplacian'", h.__class__.__name__)
                )
            frequencies, basis = self.eigenvectors
            return self._signal(
                activations, (values @ basis * chebyshev.answers(h, frequencies, "h")) @ basis.T
            )
        return self._signal(activations, fourier.filtered(self.units, values, self._vector(h, "h"), type))

    def keep(
        self,
        activations: Activations,
        keep: Activations | np.ndarray,
        type: str = "standard",  # noqa: A002
    ) -> Activations:
        """Return W (keep * c): the values with each coefficient multiplied by a number of its own, (nodes,) or (samples, nodes).

        So a pattern is denoised: keep the coefficients that are large, and leave the others out.
        """
        fourier.check_type(type)
        factors = (
            values_of(keep, self.units)
            if isinstance(keep, Activations)
            else chebyshev.as_numbers(keep, "keep")
        )
        if factors.shape[-1:] != (self.n_nodes,):
            raise ValueError(
                expected("keep", f"{self.n_nodes:,} numbers a sample, one a node", f"shape {factors.shape}")
            )
        values = self._values(activations)
        if type == "laplacian":
            return self._signal(
                activations, (values @ self.eigenvectors[1] * factors) @ self.eigenvectors[1].T
            )
        found = fourier.coefficients(self.units, values, type) * factors
        return self._signal(activations, fourier.signal_of(self.units, found, type))

    def basis(self, node: Node | int, type: str = "standard") -> Activations:  # noqa: A002
        """Return the pattern that one coefficient stands for: a column of W, or for 'laplacian' the eigenvector of that number.

        For 'standard' it is 1 at the node and at all of its descendants: what the coefficient touches.
        """
        fourier.check_type(type)
        number = int(node) if isinstance(node, int | np.integer) else self.node_id(node)
        if not 0 <= number < self.n_nodes:
            raise IndexError(expected("node", f"a number from 0 to {self.n_nodes - 1:,}", str(number)))
        if type == "laplacian":
            return self._signal(self.activations, self.eigenvectors[1][:, number][None])
        one = np.zeros((1, self.n_nodes))
        one[0, number] = 1
        return self._signal(self.activations, fourier.signal_of(self.units, one, type))

    def energy(self, spectrum: Activations) -> LayerEnergies:
        """Return the sum of squares in each layer, of coefficients or of values: (samples, layers).

        Coefficients of type 'laplacian' are of frequencies, not of layers: ValueError; `eigenspace_energy` has theirs.
        """
        if getattr(spectrum, "report", None) is not None and spectrum.report.type == "laplacian":
            try_ = "graph.eigenspace_energy(activations)"
            raise ValueError(expected("spectrum", "coefficients of units", "those of frequencies", try_))
        squares = np.abs(values_of(spectrum, self.units)) ** 2
        each = [squares[:, layer.start : layer.start + layer.size].sum(axis=1) for layer in self.layers]
        return LayerEnergies(tuple(layer.name for layer in self.layers), np.stack(each, axis=1))

    def _values(self, activations: Activations) -> np.ndarray:
        """Return the values (samples, nodes); TypeError if they are coefficients already."""
        report = getattr(activations, "report", None)
        if report is not None:
            came, try_ = f"a spectrum of type {report.type!r}", "graph.inverse_transform(spectrum)"
            raise TypeError(expected("activations", "values", came, try_))
        return values_of(activations, self.units)

    def _spectrum(self, like: Activations, values: np.ndarray, report: SpectrumReport) -> Spectrum:
        return Spectrum.of(like, self.units, values, report)

    def _signal(self, like: Activations, values: np.ndarray) -> Activations:
        return with_values(like, self.units, values)

    def _vector(self, h: Any, name: str) -> np.ndarray:
        if callable(h):
            what = f"{self.n_nodes:,} numbers, one a node, or a dict of nodes"
            raise TypeError(expected(name, what, "a function", "type='laplacian'"))
        if isinstance(h, Mapping):
            found = np.zeros(self.n_nodes)
            for node, value in h.items():
                found[self.node_id(node)] = chebyshev.as_numbers(value, name)
            return found
        found = chebyshev.as_numbers(h, name)
        if found.shape != (self.n_nodes,):
            raise ValueError(
                expected(
                    name, f"{self.n_nodes:,} numbers, one a node", f"shape {found.shape}", "a dict of nodes"
                )
            )
        return found
