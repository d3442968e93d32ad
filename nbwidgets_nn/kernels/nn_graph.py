"""`NNGraph`: the graph of a recorded network's units, for networkx and for Fourier transforms, at any size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.kernels import chebyshev, fourier, laplacian
from nbwidgets_nn.kernels._lazy_digraph import LazyDiGraph
from nbwidgets_nn.kernels._memory import check_fits
from nbwidgets_nn.kernels.spectrum import Spectrum, values_of
from nbwidgets_nn.kernels.stages_of_recording import stages_of
from nbwidgets_nn.kernels.unit_graph import GraphLayer, UnitGraph
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.stored_module import check_has_modules
from nbwidgets_nn.spectrum_results import EigenspaceEnergies, LaplacianSpectrum, LayerEnergies, SpectrumReport

Node = tuple


class NNGraph(LazyDiGraph):
    """The directed graph of a network's units: an edge goes where a value is computed from another.

    Cost: nothing of the size of the edges is made until it is asked for. `transform`, `n_edges` and `shift` work on the layers;
    `adjacency`, `inv_F`, `lu_piv` and whatever networkx looks at (`nodes`, `edges`, ...) are made when first asked for, and
    a ValueError names the size where that would not fit.

    >>> import torch
    >>> from torch import nn
    >>> recording = Activations(nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)), torch.tensor([[1.0, 2.0]]))
    >>> graph = NNGraph(recording)
    >>> graph.n_nodes, graph.n_edges, list(graph.successors(("1", 0))), list(graph.predecessors(("1", 0)))
    (6, 9, [], [('0', 0), ('0', 1), ('0', 2)])
    >>> spectrum = graph.transform(recording.to_activations([1, 2, 3, 4, 5, 6]))
    >>> spectrum.to_vector()
    [1.0, 2.0, 0.0, 1.0, 2.0, 0.0]

    Nodes are the units of ONE sample of every recorded call, the input included, as `(layer, *index)`; their order is that of
    `Activations.to_vector()` of one sample. Edges have a `weight` where there is one. The graph cannot be changed;
    ``networkx.DiGraph(graph)`` can.

    Functions between calls are followed: pointwise ones, whatever moves values, sums and products, pooling, convolution, means.
    Where it is not known what a layer or a function reads (attention, recurrent layers, functions of one's own), every unit
    is taken to read every unit of its input, and `notes` says so.

    Args:
        activations: a recording of the network; the graph does not depend on its values, but for max pooling.
        INCL: also edges of weight 0. False: only edges of other weights; of a max pooling only that from the largest unit, in
            the first sample.

    Raises:
        TypeError: no recording.
        ValueError: a call that feeds itself or an earlier one; samples that do not lie apart.
    """

    def __init__(self, activations: Activations | None = None, INCL: bool = True, **attr: Any) -> None:
        self.INCL = INCL
        self.transformers: dict[str, Any] = {}
        """What `get_transformer` has made: "standard" -> `inv_F`, "laplacian" -> `lu_piv`."""
        super().__init__(**attr)
        if activations is None:  # networkx makes empty graphs of the same class, and fills them itself
            return
        if not isinstance(activations, Activations):
            raise TypeError(_no_recording(activations.__class__.__name__))
        check_has_modules(activations.network, "activations")
        self.activations = activations
        """The recording that the graph was made from."""
        self._units = UnitGraph(stages_of(activations, keep_zeros=INCL))
        self.fill_later(self._fill_networkx)

    @property
    def units(self) -> UnitGraph:
        """The implicit blocks."""
        if "_units" not in self.__dict__:
            raise TypeError(_no_recording("a copy made by networkx"))
        return self._units

    @property
    def layers(self) -> tuple[GraphLayer, ...]:
        """The recorded calls with the numbers of their nodes."""
        return self.units.layers

    @property
    def notes(self) -> tuple[str, ...]:
        """What was not known, and what was assumed instead."""
        return self.units.notes

    @property
    def n_nodes(self) -> int:
        """Number of nodes, without making them."""
        return self.units.n_nodes

    @property
    def n_edges(self) -> int:
        """Number of edges, without making them."""
        return self.units.n_edges

    def number_of_nodes(self) -> int:
        """Return the number of nodes."""
        return super().number_of_nodes() if self.is_filled else self.n_nodes

    def order(self) -> int:
        """Return the number of nodes."""
        return self.number_of_nodes()

    def __len__(self) -> int:
        return self.number_of_nodes()

    def number_of_edges(self, u: Node | None = None, v: Node | None = None) -> int:
        """Return the number of edges, or of those from u to v."""
        return self.n_edges if u is None and not self.is_filled else super().number_of_edges(u, v)

    def node_id(self, node: Node) -> int:
        """Return the number of a node in the order of all; KeyError if there is no such node."""
        return self.units.node_id(node)

    def adjacency_matrix(self, weighted: bool = False) -> sparse.csr_array:
        """Return A: row i has what feeds node i, ones or (`weighted`) the weights, 0 where there is none."""
        return self.units.adjacency(weighted=weighted)

    @property
    def inv_F(self) -> sparse.csr_array:  # noqa: N802 - the seed's name
        """The inverse Fourier matrix W of type 'standard', lower triangular; made when first asked for."""
        return self._transformer("standard")

    @inv_F.setter
    def inv_F(self, matrix: sparse.csr_array) -> None:  # noqa: N802
        self.transformers["standard"] = matrix

    @property
    def lu_piv(self) -> tuple[np.ndarray, np.ndarray]:
        """The LU decomposition of the eigenvectors of the Laplacian; made when first asked for."""
        return self._transformer("laplacian")

    @lu_piv.setter
    def lu_piv(self, decomposition: tuple[np.ndarray, np.ndarray]) -> None:
        self.transformers["laplacian"] = decomposition

    def _transformer(self, type: str) -> Any:  # noqa: A002
        if type not in self.transformers:
            self.get_transformer(type)
        return self.transformers[type]

    def get_transformer(self, type: str = "standard") -> Any:  # noqa: A002
        """Compute the inverse transform as a matrix, and keep it; `transform` does not need it.

        'standard': W as a sparse matrix, `inv_F`. 'laplacian': LU decomposition of the eigenvectors, `lu_piv`. 'weighted' and
        'normalized': W as a sparse matrix. ValueError if it does not fit into memory, or for an unknown type.
        """
        fourier.check_type(type)
        from nbwidgets_nn.kernels.transformer import Transformer  # noqa: PLC0415 - it knows the graph

        self.transformers[type] = Transformer.get_inv_fourier_matrix(self, type)
        return self.transformers[type]

    def transform(self, activations: Activations, type: str = "standard") -> Spectrum:  # noqa: A002
        """Return the spectrum of every sample: a recording with float64 coefficients in the place of values.

        Types are those of `fourier.TYPES`. With 'laplacian', the place k holds the coefficient of the k-th lowest
        frequency, and says nothing about the unit there; see `laplacian_spectrum` for energies.

        ``spectrum.report`` tells the digits that are left (`report.warning`: "" or what a reader must know) and what was assumed.
        """
        fourier.check_type(type)
        values = values_of(activations, self.units)
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
        values = values_of(spectrum, self.units)
        if type == "laplacian":
            return self._signal(spectrum, values @ self.eigenvectors[1].T)
        return self._signal(spectrum, fourier.signal_of(self.units, values, type))

    def shift(self, activations: Activations, q: Node, type: str = "standard") -> Activations:  # noqa: A002
        """Return T_q s = W D_q W^-1 s of every sample: of the coefficients those of q and its ancestors are kept.

        Shifts commute, and a shift made twice is made once. Seifert et al. 2023, section IV.
        """
        fourier.check_type(type, fourier.CAUSAL)
        values = values_of(activations, self.units)
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
        values = values_of(activations, self.units)
        if type == "laplacian":
            if not callable(h):
                raise TypeError(
                    expected("h", "a function of the frequencies for type 'laplacian'", h.__class__.__name__)
                )
            frequencies, basis = self.eigenvectors
            return self._signal(activations, (values @ basis * h(frequencies)) @ basis.T)
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
            else np.asarray(keep, dtype=np.float64)
        )
        if factors.shape[-1:] != (self.n_nodes,):
            raise ValueError(
                expected("keep", f"{self.n_nodes:,} numbers a sample, one a node", f"shape {factors.shape}")
            )
        values = values_of(activations, self.units)
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
        """Return the sum of squares in each layer, of coefficients or of values: (samples, layers)."""
        squares = np.abs(values_of(spectrum, self.units)) ** 2
        each = [squares[:, layer.start : layer.start + layer.size].sum(axis=1) for layer in self.layers]
        return LayerEnergies(tuple(layer.name for layer in self.layers), np.stack(each, axis=1))

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
        values = values_of(activations, self.units)
        if k is None:
            frequencies, basis = (
                self.eigenvectors if not weighted else laplacian.decomposed(self.laplacian(weighted=True))
            )
        else:
            L = self.laplacian(weighted=True) if weighted else self._laplacian_operator
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
        values = values_of(activations, self.units)
        largest = self._largest(weighted=weighted)
        jackson: np.ndarray | float = 1.0
        if response is None:
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
        """All frequencies of the Laplacian, ascending, and the basis (nodes, nodes), by `laplacian.fixed_basis`."""
        return laplacian.decomposed(self.laplacian())

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

    def _spectrum(self, like: Activations, values: np.ndarray, report: SpectrumReport) -> Spectrum:
        return Spectrum.of(like, self.units, values, report)

    def _signal(self, like: Activations, values: np.ndarray) -> Activations:
        made = Spectrum.of(like, self.units, values, SpectrumReport("values"))
        made.__class__ = Activations
        del made.report
        return made

    def _vector(self, h: Any, name: str) -> np.ndarray:
        if isinstance(h, Mapping):
            found = np.zeros(self.n_nodes)
            for node, value in h.items():
                found[self.node_id(node)] = value
            return found
        found = np.asarray(h, dtype=np.float64)
        if found.shape != (self.n_nodes,):
            raise ValueError(
                expected(
                    name, f"{self.n_nodes:,} numbers, one a node", f"shape {found.shape}", "a dict of nodes"
                )
            )
        return found

    def _fill_networkx(self) -> None:
        units = self.units
        units.check_edges("graph", 600.0)
        check_fits(units.n_nodes * 1500.0, "graph", f"{units.n_nodes:,} nodes", "graph.layers")
        names = [(layer.name, *index) for layer in self.layers for index in np.ndindex(layer.shape)]
        self.add_nodes_from(names)
        for (number, source), pattern, weights in units.edge_tables(weighted=True):
            first, read = units.stages[number].start, units.stages[source].start
            rows = np.repeat(np.arange(first, first + pattern.shape[0]), np.diff(pattern.indptr)).tolist()
            columns = (pattern.indices + read).tolist()
            if weights is None:
                self.add_edges_from((names[c], names[r]) for r, c in zip(rows, columns, strict=True))
            else:
                self.add_weighted_edges_from(
                    (names[c], names[r], w) for r, c, w in zip(rows, columns, weights.tolist(), strict=True)
                )


def _no_recording(came: str) -> str:
    return expected("activations", "a recording", came, "NNGraph(Activations(model, input))")
