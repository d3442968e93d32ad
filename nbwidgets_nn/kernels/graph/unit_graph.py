"""The graph of a recorded network's units, kept as one implicit block for every pair of layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.kernels._memory import check_fits
from nbwidgets_nn.kernels.graph import causal_sums
from nbwidgets_nn.kernels.graph.axis_reach import NoProduct
from nbwidgets_nn.kernels.graph.causal_plan import Part, Parts, counts_of, plan_ancestors, plan_direct
from nbwidgets_nn.kernels.graph.closure import (
    WITHOUT_ANCESTORS,
    BitClosure,
    Closure,
    PlannedClosure,
    spread_direct,
)
from nbwidgets_nn.kernels.graph.stages import Stage, Winners, pattern_of
from nbwidgets_nn.kernels.graph.stages_of_recording import Stages
from nbwidgets_nn.kernels.graph.weighted_sums import at_pattern, weight_tables


@dataclass(frozen=True)
class GraphLayer:
    """The nodes of one recorded call."""

    name: str
    kind: str
    """Class name of the module; "input" for the input."""

    shape: tuple[int, ...]
    """Of one sample."""

    start: int
    """Number of its first node; nodes follow in C order."""

    size: int


class UnitGraph:
    """Nodes are the units of one sample of every recorded call; an edge goes where a value is computed from another.

    Nodes are numbered in the order of the recording, then in C order, so that edges go from small numbers to large ones.
    """

    def __init__(self, stages: Stages) -> None:
        self.stages = stages.all
        self.laid = stages.laid
        self.notes = stages.notes
        self.recorded = [number for number, stage in enumerate(self.stages) if stage.is_recorded]
        self.layers = tuple(
            GraphLayer(stage.name, stage.kind, stage.shape, stage.start, stage.size)
            for stage in map(self.stages.__getitem__, self.recorded)
        )
        self.n_nodes = sum(layer.size for layer in self.layers)

    @cached_property
    def direct(self) -> dict[int, Parts]:
        """What each recorded stage reads directly in others."""
        try:
            return plan_direct(self.stages)
        except NoProduct as error:
            raise ValueError(
                f"graph: one of its functions has too many edges without a simple form ({error}). Try: a smaller input"
            ) from error

    @cached_property
    def in_degrees(self) -> np.ndarray:
        """How many edges go into each node."""
        found = np.zeros(self.n_nodes)
        for number, parts in self.direct.items():
            for part in parts:
                found[self.stages[number].nodes] += len(part.sources) * counts_of(part.terms)
        return found

    @cached_property
    def n_edges(self) -> int:
        """Number of edges."""
        return round(self.in_degrees.sum())

    @cached_property
    def out_degrees(self) -> np.ndarray:
        """How many edges go out of each node."""
        return self.spread(np.ones((1, self.n_nodes)))[0]

    def read(self, values: np.ndarray) -> np.ndarray:
        """Sum the predecessors of every node, A s without weights: (samples, nodes) from (samples, nodes)."""
        found = np.zeros_like(values)
        for number in self.recorded:
            found[:, self.stages[number].nodes] = self.read_by(number, values)
        return found

    def read_by(self, number: int, values: np.ndarray) -> np.ndarray:
        """Sum the predecessors of the nodes of one stage: (samples, units) from (samples, nodes)."""
        return causal_sums.direct_sums(self.stages, self.direct[number], values)

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Sum the successors of every node: the transpose of `read`."""
        found = np.zeros_like(values)
        for number, parts in self.direct.items():
            spread_direct(self.stages, parts, values[:, self.stages[number].nodes], found)
        return found

    @cached_property
    def closure(self) -> Closure:
        """Who is an ancestor of whom, as an operator; as bits where that has no simpler form."""
        try:
            return PlannedClosure(self.stages, plan_ancestors(self.stages, self.direct))
        except NoProduct as error:
            return BitClosure(self._parents(str(error)))

    def _parents(self, why: str) -> sparse.csr_array:
        """Return A as `adjacency` does, but True and with small numbers: large graphs come here, and only bits stay."""
        what = f"ancestors of {self.n_nodes:,} nodes with {self.n_edges:,} edges and without a simple form ({why})"
        check_fits(12.0 * self.n_edges, "graph", what, WITHOUT_ANCESTORS)
        starts, columns = np.zeros(self.n_nodes + 1, dtype=np.int64), np.empty(self.n_edges, dtype=np.int32)
        for number, parts in self.direct.items():
            stage = self.stages[number]
            counts, read = _read_by_stage(self.stages, parts, stage.size)
            ends = starts[stage.start] + np.cumsum(counts)
            columns[starts[stage.start] : starts[stage.start] + len(read)] = read
            starts[stage.start + 1 : stage.start + stage.size + 1] = ends
        return sparse.csr_array((np.ones(self.n_edges, bool), columns, starts), shape=(self.n_nodes,) * 2)

    def adjacency(self, *, weighted: bool = False) -> sparse.csr_array:
        """Return A, row i for what feeds node i: ones, or the weights (0 where there is none).

        ValueError if it does not fit into memory.
        """
        self.check_edges("adjacency")
        starts = np.zeros(self.n_nodes + 1, dtype=np.int64)
        columns, values = [], []
        for (number, source), pattern, weights in self.edge_tables(weighted=weighted):
            rows = self.stages[number]
            row = np.repeat(np.arange(rows.start, rows.start + rows.size), np.diff(pattern.indptr))
            columns.append((row, pattern.indices + self.stages[source].start))
            values.append(
                np.ones(len(row))
                if weights is None and not weighted
                else np.zeros(len(row))
                if weights is None
                else weights
            )
        if not columns:
            return sparse.csr_array((np.zeros(0), np.zeros(0, np.int64), starts), shape=(self.n_nodes,) * 2)
        row, column = (np.concatenate(part) for part in zip(*columns, strict=True))
        table = sparse.coo_array((np.concatenate(values), (row, column)), shape=(self.n_nodes,) * 2).tocsr()
        table.sort_indices()
        return table

    def edge_tables(
        self, *, weighted: bool
    ) -> Iterator[tuple[tuple[int, int], sparse.csr_array, np.ndarray | None]]:
        """Yield ((stage, source), which units read which, weights of the entries or None) for all that are joined."""
        tables = weight_tables(self.stages) if weighted else {}
        for number, parts in self.direct.items():
            for part in parts:
                pattern = _pattern_of(part)
                for source in part.sources:
                    table = tables.get(number, {}).get(source)
                    yield (number, source), pattern, None if table is None else at_pattern(pattern, table)

    def check_edges(self, name: str, each: float = 40.0) -> None:
        """Raise ValueError if so many bytes for each edge do not fit."""
        what = f"{self.n_nodes:,} nodes with {self.n_edges:,} edges"
        check_fits(
            self.n_edges * each,
            name,
            what,
            "transform, which does not need it, or graph.layers and graph.n_edges",
        )

    def node_id(self, node: tuple) -> int:
        """Return the number of a node ``(layer, *index)``; KeyError names what is not there."""
        name, index = (node[0], tuple(node[1:])) if isinstance(node, tuple) and node else (node, ())
        layer = next((layer for layer in self.layers if layer.name == name), None)
        if layer is None:
            raise KeyError(
                f"node: no layer {name!r}; there are {', '.join(layer.name for layer in self.layers[:8])}"
            )
        inside = len(index) == len(layer.shape) and all(
            isinstance(i, int | np.integer) and not isinstance(i, bool) and 0 <= i < n
            for i, n in zip(index, layer.shape, strict=True)
        )
        if not inside:
            raise KeyError(f"node: {layer.name!r} has units of shape {layer.shape}, got index {index}")
        return layer.start + (int(np.ravel_multi_index(index, layer.shape)) if layer.shape else 0)

    def node(self, number: int) -> tuple:
        """Return the node of a number."""
        layer = next(layer for layer in self.layers if number < layer.start + layer.size)
        index = np.unravel_index(number - layer.start, layer.shape) if layer.shape else ()
        return (layer.name, *map(int, index))

    @property
    def has_winners(self) -> bool:
        """Whether weights of a max pooling depend on the recorded values."""
        return any(isinstance(link.weights, Winners) for stage in self.stages for link in stage.links)

    @property
    def without_weights(self) -> tuple[str, ...]:
        """Names of the recorded calls into which some values go without known weights."""
        through: dict[int, bool] = {}
        found = []
        for number, stage in enumerate(self.stages):
            unknown = any(link.weights is None or through[link.source] for link in stage.links)
            if stage.is_recorded and unknown:
                found.append(stage.name)
            through[number] = unknown and not stage.is_recorded
        return tuple(found)


def _read_by_stage(stages: Sequence[Stage], parts: Parts, units: int) -> tuple[np.ndarray, np.ndarray]:
    """Return how many nodes each unit of a stage reads, and which, in order."""
    counts, keys = np.zeros(units, dtype=np.int64), []
    for part in parts:
        pattern = _pattern_of(part)
        row = np.repeat(np.arange(units), np.diff(pattern.indptr))
        counts += len(part.sources) * np.diff(pattern.indptr)
        keys += [(row << 32) + pattern.indices + stages[source].start for source in part.sources]
    if len(keys) != 1:  # one is sorted already
        keys = [np.sort(np.concatenate([np.zeros(0, np.int64), *keys]))]
    return counts, keys[0] & (2**32 - 1)


def _pattern_of(part: Part) -> sparse.csr_array:
    """Write out which units are read; ValueError if that is too large."""
    try:
        return _either([pattern_of(term) for term in part.terms])
    except NoProduct as error:
        raise ValueError(
            expected("graph", "layers whose edges can be written out", str(error), WITHOUT_ANCESTORS)
        ) from error


def _either(patterns: list[sparse.csr_array]) -> sparse.csr_array:
    found = patterns[0]
    for other in patterns[1:]:
        found = (found.astype(np.int8) + other.astype(np.int8)).astype(bool).tocsr()
    found.sort_indices()
    return found
