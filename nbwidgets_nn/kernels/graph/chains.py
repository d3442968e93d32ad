"""The fewest rows and columns in which a graph's ancestors can be told: chains of nodes, and classes of chains.

A unit that reads a single one needs no row: its ancestors are that unit and its ancestors. Where that unit is read by
nothing else, both are ancestors of the same nodes and need one column: they are a chain, as a convolution, its batch norm and its
ReLU are. What nobody reads needs no column. Nodes that read the same ones, such as the channels of a convolution at a place, are a
class and have one row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from nbwidgets_nn.kernels.graph import _chain_bits


@dataclass(frozen=True, eq=False)
class Chains:
    """The nodes of a graph as chains, which begin at the node of smallest number.

    >>> parents = np.array([[0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0]])   # 0 -> 1, 1 -> 2, 1 -> 3
    >>> chains = chains_of(sparse.csr_array(parents))
    >>> chains.read.tolist(), chains.column.tolist(), chains.row.tolist()
    ([-1, 0, 1, 1], [0, 0, -1, -1], [-1, -1, -1, -1])
    """

    read: np.ndarray
    """(nodes,) the node that is read where it is a single one, or -1."""

    column: np.ndarray
    """(nodes,) the number of the node's chain among those that are read, or -1."""

    row: np.ndarray
    """(nodes,) the number of the class of a node that reads several; -1 for others."""

    first: np.ndarray
    """(rows,) the first node of each class."""

    start: np.ndarray
    """(columns,) the first node of each chain."""


def chains_of(parents: sparse.csr_array) -> Chains:
    """Divide a graph's nodes, numbered in topological order.

    Args:
        parents: row i has the nodes that feed node i, sorted, all of smaller number.
    """
    nodes = parents.shape[0]
    count = np.diff(parents.indptr)
    children = np.bincount(parents.indices, minlength=nodes)
    read = np.full(nodes, -1)
    single = np.flatnonzero(count == 1)
    read[single] = parents.indices[parents.indptr[single]]
    head = np.arange(nodes)
    follows = single[children[read[single]] == 1]
    head[follows] = read[follows]
    while not np.array_equal(head, further := head[head]):
        head = further
    is_last = np.ones(nodes, dtype=bool)
    is_last[read[follows]] = False
    start = np.unique(head[is_last & (children > 0)])
    number = np.full(nodes, -1)
    number[start] = np.arange(len(start))
    row, first = _classes(parents, np.flatnonzero(count > 1))
    return Chains(read, number[head], row, first, start)


def _classes(parents: sparse.csr_array, several: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give nodes that read the same ones a common number, in the order of their first; return the numbers and the first."""
    random = np.random.default_rng(0).integers(2**63, size=parents.shape[0], dtype=np.uint64)
    keys = _chain_bits.sums(parents.indptr, parents.indices, several, random)
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    first = several[first[which]]
    differs = ~_chain_bits.are_alike(parents.indptr, parents.indices, several, first)
    first[differs] = several[differs]  # equal sums of different nodes
    row = np.full(parents.shape[0], -1)
    first, row[several] = np.unique(first, return_inverse=True)
    return row, first
