"""Ancestors as bits, a row of n bits for each of n nodes, to write them out as a matrix.

Importing this file imports numba (about a second); the first call ever compiles and keeps the result on disk.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from scipy import sparse

from nbwidgets_nn.kernels._memory import check_fits
from nbwidgets_nn.kernels.graph._chain_bits import members


def ancestor_bits(parents: sparse.csr_array) -> np.ndarray:
    """Return (nodes, words) of 64 bits: bit j of row i says that j is i or an ancestor of i.

    Args:
        parents: row i has the nodes that feed node i, all of smaller number.

    Raises:
        ValueError: n^2 / 8 bytes do not fit.
    """
    nodes = parents.shape[0]
    what = f"the ancestors of {nodes:,} nodes as bits"
    check_fits(
        nodes * (nodes / 8 + 8), "graph", what, "type='weighted' or 'normalized', which need no closure"
    )
    bits = np.zeros((nodes, (nodes + 63) // 64), dtype=np.uint64)
    fill(parents.indptr, parents.indices, bits)
    return bits


def closure_of(bits: np.ndarray) -> sparse.csr_array:
    """Write the bits out: W as sparse rows, lower triangular, of float64; ValueError if it does not fit."""
    entries = int(np.bitwise_count(bits).sum()) if hasattr(np, "bitwise_count") else int(count(bits))
    nodes = len(bits)
    what = f"the closure of {nodes:,} nodes with {entries:,} entries"
    check_fits(entries * 16.0, "inv_F", what, "graph.transform, which does not form it")
    starts, columns = np.zeros(nodes + 1, dtype=np.int64), np.empty(entries, dtype=np.int64)
    write(bits, starts, columns)
    return sparse.csr_array((np.ones(entries), columns, starts), shape=(nodes, nodes))


@njit(cache=True, nogil=True)
def fill(starts, parents, bits):  # noqa: ANN001, ANN202 - numba infers the types
    """Set the bits: a node's own, and all of its parents' rows."""
    for node in range(len(bits)):
        row = bits[node]
        for k in range(starts[node], starts[node + 1]):
            other = bits[parents[k]]
            for word in range(parents[k] // 64 + 1):
                row[word] |= other[word]
        row[node // 64] |= np.uint64(1) << np.uint64(node % 64)


@njit(cache=True, nogil=True)
def count(bits):  # noqa: ANN001, ANN202
    """Count the bits that are set."""
    found = 0
    for row in bits:
        for word in row:
            left = word
            while left:
                left &= left - np.uint64(1)
                found += 1
    return found


@njit(cache=True, nogil=True)
def write(bits, starts, columns):  # noqa: ANN001, ANN202
    """Write the numbers of the bits that are set, row by row."""
    for node in range(len(bits)):
        starts[node + 1] = starts[node] + members(bits[node], columns[starts[node] :])
