"""The Laplacian spectrum of the undirected graph: L = D - A, its eigenvalues are frequencies, its eigenvectors the basis.

Shuman et al., "The Emerging Field of Signal Processing on Graphs", 2013, arXiv 1211.0053: s^ = U^T s. Networks have many equal
eigenvalues (n_k - 1 for a layer of n_k units between dense ones), and inside such an eigenspace any basis is as good as
another. So energies are given by eigenspace, and the basis is made reproducible by `fixed_basis`.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy import linalg, sparse
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.spectrum_results import EigenspaceEnergies

_LONG = 0.2371
"""About half of a length, squared: a quarter is met exactly by (1, -2, 1), say, and rounding would choose the basis."""


def laplacian_of(adjacency: sparse.csr_array, *, weighted: bool = False) -> sparse.csr_array:
    """Return L = D - A of the undirected graph; of the absolute weights if `weighted`, whose sum counts where edges go both ways.

    >>> laplacian_of(sparse.csr_array([[0.0, 0.0], [-3.0, 0.0]]), weighted=True).toarray().tolist()
    [[3.0, -3.0], [-3.0, 3.0]]
    """
    A = abs(adjacency).astype(np.float64)
    if not weighted:
        A = sparse.csr_array((np.ones(A.nnz), A.indices, A.indptr), shape=A.shape)
    A = (A + A.T).tocsr()
    if not weighted:
        A.data[:] = 1  # edges that go both ways are one
    degrees = np.asarray(A.sum(axis=1)).ravel()
    return (sparse.dia_array((degrees[None], [0]), shape=A.shape) - A).tocsr()


def few(
    L: sparse.csr_array | LinearOperator, k: int, which: str, largest: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the k lowest or highest eigenvalues, ascending, and their eigenvectors (nodes, k), with `fixed_basis`.

    Args:
        L: the Laplacian.
        k: how many; fewer than there are nodes.
        which: "lowest" or "highest".
        largest: a bound of the largest eigenvalue.
    """
    nodes = L.shape[0]
    check_which(which)
    if isinstance(k, bool) or not isinstance(k, int | np.integer):
        raise TypeError(expected("k", "a whole number of frequencies, or None for all", repr(k)))
    if not 1 <= k < nodes:
        raise ValueError(expected("k", f"1 to {nodes - 1:,} frequencies", f"{k}", "k=None for all"))
    start = np.cos(np.arange(nodes) + 1.0)  # the same each time, and no eigenvector
    flipped = LinearOperator(L.shape, matvec=lambda x: largest * x.ravel() - L @ x.ravel(), dtype=np.float64)
    searched = flipped if which == "lowest" else L
    room = min(nodes, max(4 * k + 20, 60))
    try:
        values, vectors = eigsh(searched, k, which="LA", v0=start, ncv=room)
    except ArpackNoConvergence as error:
        came = f"only {len(error.eigenvalues)} that converged"
        raise ValueError(expected("k", f"{k} frequencies", came, "fewer, or graph.pass_filter")) from error
    values = largest - values if which == "lowest" else values
    order = np.argsort(values)
    values, vectors = with_zeros(values[order], largest), vectors[:, order]
    return values, fixed_basis(values, vectors)


def check_which(which: str) -> None:
    """Raise ValueError for an end of the spectrum that is none."""
    if which not in ("lowest", "highest"):
        raise ValueError(expected("which", "'lowest' or 'highest'", repr(which)))


def eigenspaces(values: np.ndarray) -> np.ndarray:
    """Return where each eigenspace starts among ascending eigenvalues, and their number at the end.

    Eigenvalues that differ by less than rounding, n eps times the largest (at least 1e-9 of it), are one.

    >>> eigenspaces(np.array([0.0, 2.0, 2.0, 5.0])).tolist()
    [0, 1, 3, 4]
    """
    if not len(values):
        return np.zeros(1, dtype=int)
    close = _rounding(len(values)) * max(abs(values[-1]), abs(values[0]), 1e-300)
    new = np.flatnonzero(np.diff(values) > close) + 1
    return np.concatenate([[0], new, [len(values)]])


def _rounding(count: int) -> float:
    """Return how far apart equal eigenvalues can be, over the largest."""
    return max(1e-9, count * np.finfo(float).eps)


def with_zeros(values: np.ndarray, largest: float) -> np.ndarray:
    """Return the eigenvalues with 0 for those that are 0 but for rounding: one for each part that hangs together."""
    return np.where(values <= _rounding(len(values)) * largest, 0.0, values)


def fixed_basis(values: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Choose the basis of every eigenspace by a rule, so that it does not depend on how it was computed.

    Nodes are projected onto the space one by one, in their order, and made orthogonal to those already taken; a node is
    taken if what is left of it is about half as long as the longest that is left of any, or longer. So the first vector has its
    largest share at one of the first nodes that the space touches, with a positive sign.
    """
    fixed = vectors.copy()
    starts = eigenspaces(values)
    for start, stop in pairwise(starts):
        fixed[:, start:stop] = _fixed(vectors[:, start:stop])
    return fixed


def _fixed(space: np.ndarray) -> np.ndarray:
    """Return the rule's basis of the space that the columns span."""
    left = np.einsum("ij,ij->i", space, space)  # squared length of each node's projection
    chosen = np.empty((space.shape[1], space.shape[1]))
    for k in range(space.shape[1]):
        direction = space[int(np.argmax(left >= _LONG * left.max()))]
        for _ in range(2):  # once leaves the rounding of what is taken away
            direction = direction - chosen[:k].T @ (chosen[:k] @ direction)
        chosen[k] = direction / np.linalg.norm(direction)
        left -= (space @ chosen[k]) ** 2
    return space @ chosen.T


def energies(values: np.ndarray, coefficients: np.ndarray, *, is_cut: bool) -> EigenspaceEnergies:
    """Sum the squares of the coefficients (samples, k) over each eigenspace."""
    starts = eigenspaces(values)
    squares = np.abs(coefficients) ** 2
    return EigenspaceEnergies(
        frequencies=np.array([values[a:b].mean() for a, b in pairwise(starts)]),
        dimensions=np.diff(starts),
        energy=np.stack([squares[:, a:b].sum(axis=1) for a, b in pairwise(starts)], axis=1),
        is_cut=is_cut,
    )


def layered_eigenvalues(sizes: list[int]) -> np.ndarray:
    """Return the eigenvalues of a dense layered network without weights, in closed form, ascending.

    n_{k-1} + n_{k+1} with multiplicity n_k - 1 for every layer k, and those of the matrix Q of the layers' means: on its
    diagonal n_{k-1} + n_{k+1}, beside it -sqrt(n_k n_{k+1}).

    >>> layered_eigenvalues([1, 1]).round(12).tolist()
    [0.0, 2.0]
    """
    n = np.array([0, *sizes, 0], dtype=float)
    diagonal = n[:-2] + n[2:]
    beside = -np.sqrt(n[1:-2] * n[2:-1])
    means = linalg.eigvalsh_tridiagonal(diagonal, beside) if len(sizes) > 1 else np.zeros(1)
    return np.sort(np.concatenate([np.repeat(diagonal, n[1:-1].astype(int) - 1), means]))
