"""`Transformer`: Fourier matrices of a graph, and coefficients by them. Of small graphs; `NNGraph.transform` needs no matrix."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import torch
from scipy import linalg, sparse

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.kernels import fourier
from nbwidgets_nn.kernels._memory import check_fits
from nbwidgets_nn.kernels.graph import decomposition, laplacian
from nbwidgets_nn.kernels.graph.stages_of_recording import stages_of
from nbwidgets_nn.kernels.graph.unit_graph import UnitGraph
from nbwidgets_nn.kernels.nn_graph import NNGraph
from nbwidgets_nn.kernels.spectrum import Spectrum, values_of
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.spectrum_results import SpectrumReport


class Transformer:
    """Fourier matrices of an `NNGraph`, or of any `networkx.DiGraph`; rows and columns in the order of its nodes.

    >>> graph = nx.DiGraph([("a", "b"), ("b", "c")])
    >>> W = Transformer.get_inv_fourier_matrix(graph)
    >>> W.toarray().tolist(), Transformer.get_fourier_matrix(graph, W).tolist()
    ([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 1.0, 1.0]], [[1.0, 0.0, 0.0], [-1.0, 1.0, 0.0], [0.0, -1.0, 1.0]])
    """

    @staticmethod
    def get_laplacian(graph: nx.DiGraph, *, weighted: bool = False) -> sparse.csr_array:
        """Return L = D - A of the undirected graph, sparse; of the absolute weights if `weighted`."""
        return laplacian.laplacian_of(_adjacency(graph, weighted=weighted), weighted=weighted)

    @staticmethod
    def get_inv_fourier_matrix(graph: nx.DiGraph, type: str = "standard") -> Any:  # noqa: A002
        """Return the inverse Fourier matrix, checked for memory.

        * 'standard': the closure W, sparse; lower triangular where the nodes are in topological order, as in an `NNGraph`.
        * 'weighted' and 'normalized': W = (I - A)^-1 with the weights, or with 1 / in-degree, sparse.
        * 'laplacian': ``(lu, piv)`` of the eigenvectors, as `scipy.linalg.lu_factor` gives it.

        ValueError names a cycle, an unknown type, or a size that does not fit.
        """
        fourier.check_type(type)
        if type == "laplacian":
            if _is_ours(graph):
                return linalg.lu_factor(graph.eigenvectors[1], check_finite=False)
            basis = decomposition.decomposed(Transformer.get_laplacian(graph))[1]
            return linalg.lu_factor(basis, check_finite=False)
        check_fits(
            graph.number_of_nodes() ** 2 * (1 / 8 if type == "standard" else 24.0),
            "graph",
            f"the closure of {graph.number_of_nodes():,} nodes",
            "graph.transform, which does not form it",
        )
        order = _order(graph)
        A = _adjacency(graph, weighted=type == "weighted")
        A = A[order][:, order].tocsr()
        if type == "standard":
            W = _closure(A)
        else:
            if type == "normalized":
                A = sparse.dia_array((1 / np.maximum(np.diff(A.indptr), 1)[None], [0]), shape=A.shape) @ A
            W = _inverse(A)
        back = np.argsort(order)
        return W if (back == np.arange(len(back))).all() else sparse.csr_array(W[back][:, back])

    @staticmethod
    def get_fourier_matrix(graph: nx.DiGraph, inv_F: sparse.csr_array) -> np.ndarray:
        """Return the Fourier matrix, the inverse of `inv_F`: (nodes, nodes), by Möbius inversion for 'standard'."""
        nodes = graph.number_of_nodes()
        _check_matrix(inv_F)
        if inv_F.shape != (nodes, nodes):
            raise ValueError(
                expected("inv_F", f"shape ({nodes}, {nodes}), as the graph has nodes", f"{inv_F.shape}")
            )
        check_fits(
            24.0 * nodes**2,
            "inv_F",
            f"a matrix of {nodes:,} x {nodes:,}",
            "graph.transform, which needs no matrix",
        )
        order = _order(graph)
        W = np.asarray(inv_F.todense() if sparse.issparse(inv_F) else inv_F, dtype=np.float64)[
            np.ix_(order, order)
        ]
        found = np.empty_like(W)
        found[np.ix_(order, order)] = linalg.solve_triangular(W, np.eye(nodes), lower=True)
        return found + 0.0  # no -0.0

    @staticmethod
    def get_fourier_coefficients(
        activations: Activations,
        inv_F: sparse.csr_array | None = None,
        type: str = "standard",  # noqa: A002
        lu_piv: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> Activations:
        """Return a recording with coefficients in the place of values, of every sample.

        Args:
            activations: the values.
            inv_F: of `get_inv_fourier_matrix`; for every type but 'laplacian'.
            type: 'standard', 'laplacian', 'weighted' or 'normalized'.
            lu_piv: of `get_inv_fourier_matrix`; for 'laplacian'.

        ValueError if the matrix is missing or of another size than the signal, or for an unknown type.
        """
        fourier.check_type(type)
        needed, name = (lu_piv, "lu_piv") if type == "laplacian" else (inv_F, "inv_F")
        if needed is None:
            try_ = f"Transformer.get_inv_fourier_matrix(graph, {type!r})"
            raise ValueError(expected(name, f"the inverse Fourier matrix for type={type!r}", "None", try_))
        if type != "laplacian":
            _check_matrix(inv_F)
        elif not (isinstance(needed, tuple) and len(needed) == 2):
            raise TypeError(expected(name, "(lu, piv), a tuple of arrays", needed.__class__.__name__))
        nodes = needed[0].shape[0] if type == "laplacian" else needed.shape[0]
        units, values = _values_of(activations, nodes, name)

        def solved(part: np.ndarray) -> np.ndarray:
            if type == "laplacian":
                return linalg.lu_solve(lu_piv, part.T, check_finite=False).T
            return _solved(inv_F, part)

        is_complex = np.iscomplexobj(values)
        found = fourier.of_both_parts(solved, values) if is_complex else solved(values)
        report = SpectrumReport(type, _growth(inv_F, type), (), len(values))
        if units is None:
            return Spectrum.with_outputs(activations, _outputs(activations, found), report)
        return Spectrum.of(activations, units, found, report)


def _check_matrix(inv_F: Any) -> None:
    if not sparse.issparse(inv_F) and not isinstance(inv_F, np.ndarray):
        try_ = "Transformer.get_inv_fourier_matrix(graph)"
        raise TypeError(expected("inv_F", "a matrix, sparse or not", inv_F.__class__.__name__, try_))


def _values_of(activations: Activations, nodes: int, name: str) -> tuple[UnitGraph | None, np.ndarray]:
    """Return the values as (samples, nodes), and how they lie; None where they are one sample, as many as the nodes."""
    if not isinstance(activations, Activations):
        came = activations.__class__.__name__
        raise TypeError(expected("activations", "a recording", came, "Activations(model, input)"))
    tensors = _tensors(activations)
    total = sum(tensor.numel() for tensor in tensors.values())
    if total != nodes:
        units = UnitGraph(stages_of(activations, keep_zeros=True))
        if units.n_nodes == nodes:
            return units, values_of(activations, units)
        what = f"{nodes:,} values a sample, as {name} has rows"
        raise ValueError(
            expected("activations", what, f"{total:,} values", "the matrix of this model's graph")
        )
    parts = [tensor.reshape(-1) for tensor in tensors.values()]
    kind = torch.complex128 if any(part.is_complex() for part in parts) else torch.float64
    values = torch.cat([part.to(kind) for part in parts])[None].numpy()
    if not np.isfinite(values).all():
        raise ValueError(expected("activations", "finite values", "NaN or infinity", "record other samples"))
    return None, values


def _outputs(activations: Activations, values: np.ndarray) -> dict[str, torch.Tensor]:
    found, start = {}, 0
    for name, tensor in _tensors(activations).items():
        stop = start + tensor.numel() // len(values)
        piece = np.ascontiguousarray(values[:, start:stop])
        found[name], start = torch.from_numpy(piece).reshape(tensor.shape), stop
    return found


def _tensors(activations: Activations) -> dict[str, torch.Tensor]:
    if activations.shapes_only:
        came = "a recording made with shapes_only=True"
        raise ValueError(expected("activations", "recorded values", came, "record it without"))
    outputs = {name: activations[name].output for name in activations}
    dense = {
        name: t if t.layout is torch.strided else t.to_dense() for name, t in outputs.items() if t is not None
    }
    return {name: tensor.detach().cpu() for name, tensor in dense.items()}


def _solved(inv_F: Any, values: np.ndarray) -> np.ndarray:
    matrix = sparse.csr_array(inv_F, dtype=np.float64)
    if sparse.triu(matrix, 1).nnz == 0:
        return sparse.linalg.spsolve_triangular(matrix, values.T, lower=True).T
    return sparse.linalg.spsolve(matrix.tocsc(), values.T).reshape(values.T.shape).T


def _growth(inv_F: Any, type: str) -> float | None:  # noqa: A002
    """Return the bound that a `SpectrumReport` has; for a Boolean closure every ancestor counts with its own."""
    if type != "standard":
        return {"laplacian": 1.0, "normalized": 2.0, "weighted": None}[type]
    matrix = sparse.csr_array(inv_F)
    bound = np.ones(matrix.shape[0])
    for node in range(len(bound)):
        read = matrix.indices[matrix.indptr[node] : matrix.indptr[node + 1]]
        bound[node] = 1 + bound[read[read != node]].sum()
    return float(bound.max(initial=1))


def _is_ours(graph: nx.DiGraph) -> bool:
    return isinstance(graph, NNGraph) and "_units" in vars(graph)


def _adjacency(graph: nx.DiGraph, *, weighted: bool) -> sparse.csr_array:
    """Return A, row i for what feeds node i, in the order of the graph's nodes."""
    if _is_ours(graph):
        return graph.units.adjacency(weighted=weighted)
    if not isinstance(graph, nx.Graph) or graph.is_multigraph():
        raise TypeError(expected("graph", "an NNGraph or a networkx.DiGraph", type(graph).__name__))
    number = {node: k for k, node in enumerate(graph.nodes)}
    edges = [
        (number[v], number[u], data.get("weight", 0 if weighted else 1))
        for u, v, data in graph.edges(data=True)
    ]
    rows, columns, weights = (
        (np.array(part) for part in zip(*edges, strict=True)) if edges else (np.zeros(0, int),) * 3
    )
    data = weights.astype(np.float64) if weighted else np.ones(len(rows))
    return sparse.coo_array((data, (rows, columns)), shape=(len(number),) * 2).tocsr()


def _order(graph: nx.DiGraph) -> np.ndarray:
    """Return node numbers in a topological order; ValueError names a cycle."""
    if _is_ours(graph):
        return np.arange(graph.n_nodes)
    if not isinstance(graph, nx.DiGraph) or graph.is_multigraph():
        what = "an NNGraph or a networkx.DiGraph, whose edges have a direction"
        raise TypeError(expected("graph", what, type(graph).__name__, "type='laplacian', for nx.Graph"))
    number = {node: k for k, node in enumerate(graph.nodes)}
    if all(number[u] < number[v] for u, v in graph.edges):
        return np.arange(len(number))
    try:
        return np.array([number[node] for node in nx.lexicographical_topological_sort(graph, key=number.get)])
    except nx.NetworkXUnfeasible:
        cycle = " -> ".join(str(u) for u, _ in nx.find_cycle(graph))
        raise ValueError(expected("graph", "no cycle", f"the cycle {cycle}", "type='laplacian'")) from None


def _closure(A: sparse.csr_array) -> sparse.csr_array:
    from nbwidgets_nn.kernels.graph import _bit_closure  # noqa: PLC0415 - numba is loaded only where it is needed

    return _bit_closure.closure_of(_bit_closure.ancestor_bits(A))


def _inverse(A: sparse.csr_array) -> sparse.csr_array:
    nodes = A.shape[0]
    check_fits(
        24.0 * nodes**2, "graph", f"the closure of {nodes:,} nodes", "graph.transform, which does not form it"
    )
    return sparse.csr_array(linalg.solve_triangular(np.eye(nodes) - A.toarray(), np.eye(nodes), lower=True))
