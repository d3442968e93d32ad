"""Parts of a graph that can change places: the units of a layer between dense ones, each with what only it feeds.

All units of a dense layer have the same neighbours, so swapping two of them changes nothing; with a pointwise layer behind it,
swapping two pairs; with convolutions, two channels with their pooled ones. `decomposition.py` makes a large problem small by that.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

_ROUNDS = 10_000
"""Each round splits a cell or is the last, so that no network comes near."""


def copies_in(A: sparse.csr_array) -> list[np.ndarray]:
    """Return what can change places: for each kind of part (copies, nodes of a part), at least two copies of each.

    A swap of two rows of such an array, node by node, leaves the graph as it is. What is returned can be relied on; not all such
    parts are found.

    >>> star = sparse.csr_array([[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 1], [1, 1, 1, 0]])
    >>> [found.tolist() for found in copies_in(star)]
    [[[0], [1], [2]]]

    Args:
        A: the edges of an undirected graph without loops; their weights are not looked at.
    """
    A = sparse.csr_array((np.ones(A.nnz, np.int64), A.indices, A.indptr), shape=A.shape)
    cells = _cells(A)
    part, A = _without_whole_blocks(A, cells)
    order = np.argsort(part, kind="stable")
    alone = A[order][:, order].tocsr()
    alone.sort_indices()
    starts = np.flatnonzero(np.diff(part[order], prepend=-1))
    found: dict[tuple[bytes, bytes, bytes], list[np.ndarray]] = {}
    for start, stop in zip(starts, [*starts[1:], len(order)], strict=True):
        nodes, ends = order[start:stop], alone.indptr[start : stop + 1]
        inside = alone.indices[ends[0] : ends[-1]] - start
        key = (cells[nodes].tobytes(), (ends - ends[0]).tobytes(), inside.tobytes())
        found.setdefault(key, []).append(nodes)
    return [np.stack(parts) for parts in found.values() if len(parts) > 1]


def _cells(A: sparse.csr_array) -> np.ndarray:
    """Give nodes the same number where their neighbours' numbers are the same, as many of each: (nodes,).

    Sources that feed different nodes are told apart from the start. Otherwise a picture would be one with its mirror image, and
    left and right no parts that change places. Numbers are compared by their random sums; a mistake would cost time only.
    """
    random = np.random.default_rng(0).integers(2**63, size=A.shape[0], dtype=np.uint64)
    ones = sparse.csr_array((np.ones(A.nnz, np.uint64), A.indices, A.indptr), shape=A.shape)
    is_source = np.diff(sparse.tril(A, -1, format="csr").indptr) == 0
    cells = _numbered(np.where(is_source, (ones @ random)[_end_of_chain(A)], 0))
    for _ in range(_ROUNDS):
        finer = _numbered(cells, ones @ random[cells])
        if finer.max(initial=0) == cells.max(initial=0):
            return cells
        cells = finer
    return cells


def _end_of_chain(A: sparse.csr_array) -> np.ndarray:
    """Follow each node as long as it feeds a single one that is fed by nothing else: (nodes,)."""
    after, before = sparse.triu(A, 1, format="csr"), np.diff(sparse.tril(A, -1, format="csr").indptr)
    end = np.arange(A.shape[0])
    single = np.flatnonzero(np.diff(after.indptr) == 1)
    fed = after.indices[after.indptr[single]]
    end[single[before[fed] == 1]] = fed[before[fed] == 1]
    while not np.array_equal(end, end[end]):
        end = end[end]
    return end


def _numbered(*columns: np.ndarray) -> np.ndarray:
    """Give equal rows of some columns the same number, in the order of their first."""
    number = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        pairs = np.stack([number.astype(np.uint64), column.astype(np.uint64)], axis=1)
        _, first, number = np.unique(pairs, axis=0, return_index=True, return_inverse=True)
        number = np.argsort(np.argsort(first))[number.ravel()]
    return number


def _without_whole_blocks(A: sparse.csr_array, cells: np.ndarray) -> tuple[np.ndarray, sparse.csr_array]:
    """Leave out the edges between cells all of whose nodes are joined; return the parts that still hang together, and A."""
    size = np.bincount(cells)
    row = np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))
    ends = sparse.csr_array((np.ones(len(cells), np.int64), (np.arange(len(cells)), cells)))
    edges = sparse.coo_array(ends.T @ (A @ ends))
    is_whole = edges.data == size[edges.row] * size[edges.col]
    whole = np.sort(edges.row[is_whole].astype(np.int64) * len(size) + edges.col[is_whole])
    keys = cells[row] * len(size) + cells[A.indices]
    kept = ~np.isin(keys, whole) if len(whole) else np.ones(len(keys), dtype=bool)
    left = sparse.csr_array((np.ones(kept.sum()), (row[kept], A.indices[kept])), shape=A.shape)
    return connected_components(left, directed=False)[1], left
