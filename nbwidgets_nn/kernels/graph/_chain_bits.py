"""Ancestors as bits, a row for each class of nodes and a column for each chain of them (`chains.py`), and sums over them.

Importing this file imports numba (about a second); the first call ever compiles and keeps the result on disk.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def sums(starts, parents, nodes, random):  # noqa: ANN001, ANN202 - numba infers the types
    """Add up a random number of each parent, for some nodes."""
    found = np.zeros(len(nodes), dtype=np.uint64)
    for k in range(len(nodes)):
        for at in range(starts[nodes[k]], starts[nodes[k] + 1]):
            found[k] += random[parents[at]]
    return found


@njit(cache=True, nogil=True)
def are_alike(starts, parents, nodes, others):  # noqa: ANN001, ANN202
    """Tell of each of some nodes whether it has the parents of another."""
    found = np.ones(len(nodes), dtype=np.bool_)
    for k in range(len(nodes)):
        one, other = starts[nodes[k]], starts[others[k]]
        count = starts[nodes[k] + 1] - one
        if starts[others[k] + 1] - other != count:
            found[k] = False
            continue
        for at in range(count):
            if parents[one + at] != parents[other + at]:
                found[k] = False
                break
    return found


@njit(cache=True, nogil=True)
def widths(starts, parents, column, first):  # noqa: ANN001, ANN202
    """Count the words of each class's row: up to the last chain that it reads; ancestors of a chain have smaller numbers."""
    found = np.zeros(len(first), dtype=np.int64)
    for k in range(len(first)):
        for at in range(starts[first[k]], starts[first[k] + 1]):
            found[k] = max(found[k], column[parents[at]] // 64 + 1)
    return found


@njit(cache=True, nogil=True)
def fill(starts, parents, read, column, row, first, start, places, bits):  # noqa: ANN001, ANN202
    """Set the bits of each class: those of the chains that its nodes read, and of their ancestors.

    Row k stands from places[k] on.
    """
    for k in range(len(first)):
        mine = bits[places[k] : places[k + 1]]
        for at in range(starts[first[k]], starts[first[k] + 1]):
            chain = column[parents[at]]
            while True:
                mine[chain // 64] |= np.uint64(1) << np.uint64(chain % 64)
                head = start[chain]
                if read[head] >= 0:
                    chain = column[read[head]]
                    continue
                if row[head] >= 0:
                    theirs = bits[places[row[head]] : places[row[head] + 1]]
                    for word in range(len(theirs)):
                        mine[word] |= theirs[word]
                break


@njit(cache=True, nogil=True)
def members(bits, found):  # noqa: ANN001, ANN202
    """Write the numbers of the bits that are set, and return how many they are."""
    count = 0
    for word in range(len(bits)):
        left = bits[word]
        if left == 0:
            continue
        for bit in range(64):
            if left >> np.uint64(bit) & np.uint64(1):
                found[count] = 64 * word + bit
                count += 1
    return count


@njit(cache=True, nogil=True)
def row_sums(k, places, bits, there, values, found):  # noqa: ANN001, ANN202
    """Add up the values of the chains in one row: found[k], from (columns, samples)."""
    for j in there[: members(bits[places[k] : places[k + 1]], there)]:
        for sample in range(values.shape[1]):
            found[k, sample] += values[j, sample]


@njit(cache=True, nogil=True)
def solve(read, column, row, first, places, bits, columns, values, forward):  # noqa: ANN001, ANN202
    """Return c with W c = s if `forward`, otherwise s = W c: (nodes, samples) from (nodes, samples)."""
    found = values.copy()
    of_chains = np.zeros((columns, values.shape[1]))
    of_rows = np.zeros((len(first), values.shape[1]))
    there = np.empty(columns, dtype=np.int64)
    for node in range(len(read)):
        if read[node] >= 0:
            if forward:
                found[node] -= values[read[node]]
            else:
                found[node] += found[read[node]]
        elif row[node] >= 0:
            k = row[node]
            if first[k] == node:
                row_sums(k, places, bits, there, of_chains, of_rows)
            if forward:
                found[node] -= of_rows[k]
            else:
                found[node] += of_rows[k]
        if column[node] >= 0:
            of_chains[column[node]] += found[node] if forward else values[node]
    return found


@njit(cache=True, nogil=True)
def spread(read, column, row, first, start, places, bits, values):  # noqa: ANN001, ANN202
    """Add the values of every node to each of its ancestors: (nodes, samples) from (nodes, samples)."""
    found = values.copy()
    of_rows = np.zeros((len(first), values.shape[1]))
    for node in range(len(read) - 1, -1, -1):  # what reads a single node adds to it what it has been given
        if read[node] >= 0:
            found[read[node]] += found[node]
        elif row[node] >= 0:
            of_rows[row[node]] += found[node]
    of_chains = np.zeros((len(start), values.shape[1]))
    there = np.empty(len(start), dtype=np.int64)
    for k in range(len(first)):
        for j in there[: members(bits[places[k] : places[k + 1]], there)]:
            of_chains[j] += of_rows[k]
    for node in range(len(read)):
        if column[node] >= 0:
            found[node] += of_chains[column[node]]
    return found


@njit(cache=True, nogil=True)
def growth(read, row, first, start, places, bits):  # noqa: ANN001, ANN202
    """Return a bound of the largest coefficient over the largest value.

    The coefficients of a chain add up to its last value less what the first one's ancestors add up to.
    """
    of_chains = np.ones((len(start), 1))
    of_rows = np.zeros((len(first), 1))
    there = np.empty(len(start), dtype=np.int64)
    largest = 1.0
    chain = 0
    for node in range(len(read)):
        if row[node] >= 0 and first[row[node]] == node:
            row_sums(row[node], places, bits, there, of_chains, of_rows)
        bound = 2.0 if read[node] >= 0 else 1.0 + of_rows[row[node], 0] if row[node] >= 0 else 1.0
        largest = max(largest, bound)
        if chain < len(start) and start[chain] == node:
            of_chains[chain, 0] = bound
            chain += 1
    return largest
