"""`NNGraph`: the graph of a recorded network's units, for networkx and for Fourier transforms, at any size."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.kernels import fourier
from nbwidgets_nn.kernels._memory import check_fits
from nbwidgets_nn.kernels.graph._lazy_digraph import LazyDiGraph
from nbwidgets_nn.kernels.graph.frequencies import GraphFrequencies
from nbwidgets_nn.kernels.graph.stages_of_recording import stages_of
from nbwidgets_nn.kernels.graph.unit_graph import GraphLayer, UnitGraph
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.stored_module import check_has_modules

Node = tuple


class NNGraph(GraphFrequencies, LazyDiGraph):
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

    Functions between calls are followed: pointwise ones, whatever moves values, sums and products (of matrices too), pooling,
    convolution, means, attention. Attention reads all tokens that a constant mask leaves; a step of a recurrent layer reads the
    steps before it. Where it is not known what a layer or a function reads (functions of one's own), every unit is taken to
    read every unit of its input, and `notes` says so.

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
        self.fill_later("_fill_networkx")

    @property
    def units(self) -> UnitGraph:
        """The implicit blocks."""
        if "_units" not in self.__dict__:
            raise TypeError(_no_recording("a copy made by networkx"))
        return self._units

    def __reduce_ex__(self, protocol: Any) -> Any:
        if "_units" in self.__dict__:
            try_ = "OutputLoader.save(graph, path)"
            raise TypeError(expected("graph", "no pickle", "an NNGraph, which pickle cannot store", try_))
        return super().__reduce_ex__(protocol)

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

    def __repr__(self) -> str:
        return f"NNGraph({self.number_of_nodes():,} nodes, {self.number_of_edges():,} edges)"

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

    def _fill_networkx(self) -> None:
        units = self.units
        units.check_edges("graph", 600.0)
        check_fits(units.n_nodes * 1500.0, "graph", f"{units.n_nodes:,} nodes", "graph.layers")
        names = [(layer.name, *index) for layer in self.layers for index in np.ndindex(layer.shape)]
        self.add_nodes_from(names)
        for (number, source), pattern, weights in self._edge_tables():
            first, read = units.stages[number].start, units.stages[source].start
            rows = np.repeat(np.arange(first, first + pattern.shape[0]), np.diff(pattern.indptr)).tolist()
            ends = [
                (names[c], names[r]) for r, c in zip(rows, (pattern.indices + read).tolist(), strict=True)
            ]
            if weights is None:
                self.add_edges_from(ends)
            else:
                self.add_weighted_edges_from(
                    (u, v, w) for (u, v), w in zip(ends, weights.tolist(), strict=True)
                )

    def _edge_tables(self) -> list:
        """Return all edges; where the weights cannot be read, without them, and ``graph.graph["without_weights"]`` says why."""
        try:
            return list(self.units.edge_tables(weighted=True))
        except ValueError as error:
            self.graph["without_weights"] = str(error)
            return list(self.units.edge_tables(weighted=False))


def _no_recording(came: str) -> str:
    return expected("activations", "a recording", came, "NNGraph(Activations(model, input))")
