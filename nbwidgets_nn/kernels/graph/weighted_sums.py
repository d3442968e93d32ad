"""Sums over the direct predecessors by their weights, without the matrix: one pass forward through the layers, without biases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from scipy import sparse

from nbwidgets_nn.kernels.graph.stages import Stage


def weighted_coefficients(stages: Sequence[Stage], signal: np.ndarray) -> np.ndarray:
    """Return c = s - A s: (samples, nodes) from (samples, nodes)."""
    found = signal.copy()

    def subtract(stage: Stage, added: np.ndarray | float) -> np.ndarray:
        found[:, stage.nodes] -= added
        return signal[:, stage.nodes]

    _go_through(stages, len(signal), subtract)
    return found


def weighted_signal(stages: Sequence[Stage], spectrum: np.ndarray) -> np.ndarray:
    """Return s with s = c + A s."""
    found = spectrum.copy()

    def add(stage: Stage, added: np.ndarray | float) -> np.ndarray:
        found[:, stage.nodes] += added
        return found[:, stage.nodes]

    _go_through(stages, len(spectrum), add)
    return found


def _go_through(
    stages: Sequence[Stage], samples: int, at_nodes: Callable[[Stage, np.ndarray | float], np.ndarray]
) -> None:
    """Give each recorded stage the weighted sum of its predecessors, and take its values from what is returned."""
    left = Counter(link.source for stage in stages for link in stage.links)
    values: dict[int, np.ndarray] = {}
    for number, stage in enumerate(stages):
        added: np.ndarray | float = 0.0
        for link in stage.links:
            if link.weights is not None:
                added = added + link.weights.apply(values[link.source])
            left[link.source] -= 1
            if not left[link.source]:
                del values[link.source]
        here = at_nodes(stage, added) if stage.is_recorded else np.zeros((samples, stage.size)) + added
        if left[number]:
            values[number] = here


def weight_tables(stages: Sequence[Stage]) -> dict[int, dict[int, sparse.csr_array]]:
    """Write the weights out: for each recorded stage and each recorded stage that it reads a table.

    Ways through a function without weights are left out, as `weighted_coefficients` leaves them out; a pair with no other, too.
    """
    found: dict[int, dict[int, sparse.csr_array]] = {}
    known: dict[int, dict[int, sparse.csr_array]] = {}
    left = Counter(link.source for stage in stages for link in stage.links)
    for number, stage in enumerate(stages):
        reads: dict[int, sparse.csr_array] = {}
        for link in stage.links:
            table = None if link.weights is None else link.weights.table()
            for source, before in known[link.source].items() if table is not None else ():
                through = _product(table, before)
                reads[source] = reads[source] + through if source in reads else through
            left[link.source] -= 1
            if not left[link.source]:
                del known[link.source]
        if stage.is_recorded:
            found[number] = reads
            reads = {number: sparse.eye_array(stage.size, format="csr")}
        known[number] = reads
    return found


def _product(table: sparse.csr_array, before: sparse.csr_array) -> sparse.csr_array:
    if before.shape[0] == before.shape[1] == before.nnz and (before.diagonal() == 1).all():
        return table  # the product would lose the edges of weight 0
    return (table @ before).tocsr()


def at_pattern(pattern: sparse.csr_array, table: sparse.csr_array) -> np.ndarray:
    """Return the weights at the entries of the pattern, 0 where the table has none."""
    table = table.tocsr()
    table.sum_duplicates()
    keys = [_keys(part) for part in (pattern, table)]
    place = np.searchsorted(keys[1], keys[0])
    place[place == len(keys[1])] = 0
    if not len(keys[1]):
        return np.zeros(len(keys[0]))
    return np.where(keys[1][place] == keys[0], table.data[place], 0.0)


def _keys(table: sparse.csr_array) -> np.ndarray:
    table.sort_indices()
    row = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr))
    return row.astype(np.int64) * table.shape[1] + table.indices
