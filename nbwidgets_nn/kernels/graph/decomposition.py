"""All eigenvectors of a Laplacian, by as small problems as the graph's symmetry allows.

Let m parts of r nodes change places (`copies.py`). What is the same on all of them is a signal on one of them: so a *quotient*,
in which the m parts stand as one, has the eigenvectors that are the same on all copies of everything. What adds up to 0 over the
copies sees nothing of the rest of the graph: each eigenvector of the r nodes, m - 1 times. A dense network of thousands of units
is a quotient of one node a layer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import linalg, sparse

from nbwidgets_nn._progress import steps
from nbwidgets_nn.kernels._memory import check_fits
from nbwidgets_nn.kernels.graph.copies import copies_in
from nbwidgets_nn.kernels.graph.laplacian import eigenspaces, fixed_basis, with_zeros

_FALLBACK = "graph.laplacian_spectrum(activations, k=50), or graph.pass_filter, which needs no decomposition"

_SECONDS = 1e-10
"""Of one processor for the eigenvectors of a matrix of n rows, over n^3: about, to say beforehand how long it takes."""

_LONG = 2.0
"""Seconds from which on it is said how long it will take."""


def decomposed(L: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Return all eigenvalues, ascending, and the eigenvectors (nodes, nodes): O(n^3) of what symmetry leaves.

    The basis of each eigenspace is chosen by a rule: first the differences of parts that can change places, each part less the
    mean of those after it, then what is the same on all copies, by `fixed_basis`.

    ValueError if the matrices do not fit into memory.

    >>> values, vectors = decomposed(sparse.csr_array([[1.0, -1], [-1, 1]]))
    >>> values.round(9).tolist(), vectors.T[1].round(3).tolist()
    ([0.0, 2.0], [0.707, -0.707])
    """
    nodes = L.shape[0]
    check_size(nodes)
    parts = _parts_of(L)
    solved = list(_solved(parts, nodes))
    values = np.concatenate([np.repeat(part_values, part.times) for part, part_values, _ in solved])
    place = np.empty(nodes, dtype=np.int64)
    place[_order(values)] = np.arange(nodes)
    found = np.zeros((nodes, nodes))
    for part, part_values, vectors in solved:
        columns, place = np.split(place, [part.times * len(part_values)])
        part.write(fixed_basis(part_values, part.on_nodes(vectors)), columns, found)
    values = np.sort(values)
    return with_zeros(values, values[-1] if nodes else 0.0), found


def check_size(nodes: int, left: int = 0) -> None:
    """Raise ValueError if the eigenvectors of so many nodes, of which symmetry leaves some, do not fit into memory."""
    what = f"the {nodes:,} eigenvectors of {nodes:,} nodes"
    check_fits(16.0 * nodes**2 + 40.0 * left**2, "graph", what, _FALLBACK)


@dataclass(frozen=True, eq=False)
class _Differences:
    """What adds up to 0 over the copies of a part."""

    copies: np.ndarray
    matrix: sparse.csr_array

    @property
    def times(self) -> int:
        return len(self.copies) - 1

    def on_nodes(self, vectors: np.ndarray) -> np.ndarray:
        return vectors

    def write(self, vectors: np.ndarray, columns: np.ndarray, found: np.ndarray) -> None:
        differences = _differences(len(self.copies))
        for vector, there in zip(vectors.T, columns.reshape(-1, self.times), strict=True):
            for share, nodes in zip(vector, self.copies.T, strict=True):
                found[np.ix_(nodes, there)] = share * differences


@dataclass(frozen=True, eq=False)
class _Quotient:
    """What is the same on all copies: the matrix is that of signals of length 1 on the copies together."""

    orbit: np.ndarray
    """(nodes,) the number of each node in the quotient."""

    matrix: sparse.csr_array
    times: int = 1

    def on_nodes(self, vectors: np.ndarray) -> np.ndarray:
        return vectors / np.sqrt(np.bincount(self.orbit))[:, None]

    def write(self, vectors: np.ndarray, columns: np.ndarray, found: np.ndarray) -> None:
        found[:, columns] = vectors[self.orbit]


_Part = _Differences | _Quotient


def _parts_of(L: sparse.csr_array) -> list[_Part]:
    """Divide the problem; without edges, or with weights, whose equality would be chance, it stays one."""
    A = sparse.dia_array((L.diagonal()[None], [0]), shape=L.shape).tocsr() - L
    A.eliminate_zeros()
    A.sort_indices()
    orbit, found = np.arange(L.shape[0]), []
    for copies in copies_in(A) if A.nnz and (A.data == 1).all() else []:
        inside = L[copies[0]][:, copies[0]] - L[copies[0]][:, copies[1]]
        found.append(_Differences(copies, inside))
        orbit[copies] = copies[0]
    first, orbit = np.unique(orbit, return_inverse=True)
    ends, shape = (np.arange(len(orbit)), orbit), (len(orbit), len(first))
    one = sparse.csr_array((1 / np.sqrt(np.bincount(orbit)[orbit]), ends), shape=shape)
    return [*found, _Quotient(orbit, one.T @ L @ one)]


def _solved(parts: list[_Part], nodes: int) -> Iterator[tuple[_Part, np.ndarray, np.ndarray]]:
    """Yield each part with its eigenvalues and eigenvectors, by the nodes; what takes long says so."""
    sizes = [part.matrix.shape[0] for part in parts]
    check_size(nodes, max(sizes))
    seconds = sum(_SECONDS * size**3 for size in sizes)
    what = f"eigenvectors of {nodes:,} nodes, about {seconds:,.0f} s"
    for part in steps(parts, len(parts), seconds > _LONG, what, "part"):
        yield part, *_eigenvectors(part.matrix.toarray())


def _eigenvectors(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ascending eigenvalues and eigenvectors; divide and conquer, as the usual driver is slow where many are equal."""
    return linalg.eigh(matrix, driver="evd", overwrite_a=True, check_finite=False)


def _differences(count: int) -> np.ndarray:
    """Return the orthonormal differences of each of some things and the mean of those after it: (count, count - 1)."""
    after = np.arange(count - 1, 0, -1.0)
    found = np.tril(np.broadcast_to(-1 / after, (count, count - 1)), -1)
    np.fill_diagonal(found, 1)
    return found / np.sqrt(1 + 1 / after)


def _order(values: np.ndarray) -> np.ndarray:
    """Return the order of the eigenvalues; equal ones stay in their order, whatever rounding made of them."""
    order = np.argsort(values, kind="stable")
    for start, stop in pairwise(eigenspaces(values[order])):
        order[start:stop] = np.sort(order[start:stop])
    return order
