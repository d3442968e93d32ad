"""What a network computes, as stages: tensors of units that read units of earlier stages.

A stage is a recorded call, or a function between two calls. Nothing here has the size of the edges unless asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from nbwidgets_nn.kernels.edge_blocks import EdgeBlock
from nbwidgets_nn.kernels.graph.product_reach import Reach, flat, sums
from nbwidgets_nn.kernels.window_reach import OUTSIDE

TILE = 2**17
"""Weights that are made float64 at once: a megabyte stays in the cache."""


FEW, LARGE = 4, 2**20
"""Vectors and weights up to and from which the compiled product is used: it reads the weights once, as they are."""


class Weights(Protocol):
    """The weights of a link: units that read times units that are read, without the matrix."""

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Return (samples, units that read) from (samples, units that are read)."""

    def table(self) -> sparse.csr_array:
        """Write the weights out; zero weights are entries as well."""

    def has_zeros(self) -> bool:
        """Whether any edge has the weight 0."""


class Read(NamedTuple):
    """Units that read units of one input, with weights if they are known."""

    reach: Reach
    weights: Weights | None


@dataclass(frozen=True, eq=False)
class Link:
    """One stage reads another."""

    source: int
    """Number of the stage that is read."""

    reach: Reach
    weights: Weights | None
    """None: units read, but not by weights that are known."""


@dataclass(frozen=True, eq=False)
class Stage:
    """The units of one sample of a tensor."""

    name: str
    kind: str
    shape: tuple[int, ...]
    """Of one sample; units are numbered in C order."""

    links: tuple[Link, ...]
    start: int | None
    """Number of its first unit among the nodes of the graph; None for what is computed between two calls."""

    @property
    def size(self) -> int:
        """Number of units."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def is_recorded(self) -> bool:
        """Whether its units are nodes of the graph."""
        return self.start is not None

    @property
    def nodes(self) -> slice:
        """Where its units stand among all nodes."""
        return slice(self.start, self.start + self.size)


@dataclass(frozen=True, eq=False)
class Uniform:
    """All edges of a unit have the same weight: pointwise functions, batch norm, averages, the winners of max pooling."""

    reach: Reach
    factor: float | np.ndarray = 1.0
    """One for all, or (units that read,)."""

    def apply(self, x: np.ndarray) -> np.ndarray:  # noqa: D102
        return sums(self.reach, x) * self.factor

    def table(self) -> sparse.csr_array:  # noqa: D102
        pattern = pattern_of(self.reach)
        factor = np.broadcast_to(self.factor, pattern.shape[0])
        data = np.repeat(factor, np.diff(pattern.indptr)).astype(np.float64)
        return sparse.csr_array((data, pattern.indices, pattern.indptr), shape=pattern.shape)

    def has_zeros(self) -> bool:  # noqa: D102
        return not np.all(self.factor)


@dataclass(frozen=True, eq=False)
class Winners:
    """Max pooling: every unit has the value of one unit that it reads, in the recorded sample."""

    find: Callable[[], np.ndarray]
    """Returns the number of that unit for each; ValueError where the values are not there."""

    units: int
    """Number of units that are read."""

    @cached_property
    def winner(self) -> np.ndarray:
        """The unit that each unit has its value from."""
        return self.find()

    def apply(self, x: np.ndarray) -> np.ndarray:  # noqa: D102
        return x[:, self.winner]

    def table(self) -> sparse.csr_array:  # noqa: D102
        count = len(self.winner)
        return sparse.csr_array(
            (np.ones(count), self.winner, np.arange(count + 1)), shape=(count, self.units)
        )

    def has_zeros(self) -> bool:
        """All but the winners have the weight 0."""
        return True


@dataclass(frozen=True, eq=False)
class Matrix:
    """A Linear that acts on the last axis of every sample."""

    weight: Callable[[], Tensor]
    lead: int
    """How many rows a sample has that it acts on."""

    def apply(self, x: np.ndarray) -> np.ndarray:  # noqa: D102
        W = self.weight()
        rows = np.ascontiguousarray(x).reshape(-1, W.shape[1])
        return _product(W, rows).reshape(len(x), -1)

    def table(self) -> sparse.csr_array:  # noqa: D102
        W = self.weight().cpu().double().numpy()
        table = _table_of(W)
        if self.lead == 1:
            return table
        rows, cols = np.divmod(np.arange(self.lead * len(W)), len(W))
        starts = np.arange(self.lead * len(W) + 1) * W.shape[1]
        indices = (rows[:, None] * W.shape[1] + np.arange(W.shape[1])).ravel()
        shape = (self.lead * W.shape[0], self.lead * W.shape[1])
        return sparse.csr_array((W[cols].ravel(), indices, starts), shape=shape)

    def has_zeros(self) -> bool:  # noqa: D102
        return bool((self.weight() == 0).any())


@dataclass(frozen=True, eq=False)
class Convolution:
    """A convolution: run by torch in float64, written out from kernel and reach."""

    run: Callable[[Tensor], Tensor]
    """(samples, units) to (samples, units), without the bias."""

    block: Callable[[], EdgeBlock]

    def apply(self, x: np.ndarray) -> np.ndarray:  # noqa: D102
        with torch.no_grad():
            return self.run(torch.from_numpy(np.ascontiguousarray(x))).flatten(1).numpy()

    def table(self) -> sparse.csr_array:  # noqa: D102
        return table_of_block(self.block())

    def has_zeros(self) -> bool:  # noqa: D102
        return bool((self.block().kernel == 0).any())


def _product(W: Tensor, rows: np.ndarray) -> np.ndarray:
    """Return ``rows @ W.T`` in float64, without a float64 copy of all of W."""
    found = np.empty((len(rows), len(W)))
    if (
        len(rows) <= FEW
        and W.numel() >= LARGE
        and W.dtype == torch.float32
        and W.is_contiguous()
        and W.is_cpu
    ):
        from nbwidgets_nn.kernels._mixed_product import product  # noqa: PLC0415 - numba is loaded only where it is needed

        product(W.numpy(), rows, found)
        return found
    size = max(1, TILE // W.shape[1])
    for start in range(0, len(W), size):
        tile = W[start : start + size].to("cpu", torch.float64).numpy()
        found[:, start : start + size] = rows @ tile.T
    return found


def pattern_of(reach: Reach) -> sparse.csr_array:
    """Write out which units are read: a table of True, sorted; NoProduct if it would be too large."""
    table = flat(reach).axes[0].matrix()
    if isinstance(table, np.ndarray):
        row, col = np.nonzero(table)
        starts = np.searchsorted(row, np.arange(len(table) + 1))
        return sparse.csr_array((np.ones(len(col), bool), col, starts), shape=table.shape)
    table.sort_indices()
    return table


def table_of_block(block: EdgeBlock) -> sparse.csr_array:
    """Write a block's edges out; two taps that read the same input are one edge with the sum of their weights."""
    kernel = block.kernel_of_groups[0].double().cpu().numpy()  # (groups, out, in, runs, taps)
    groups, out, within, runs, taps = kernel.shape
    reach = block.reach[0].cpu().numpy()  # (groups or 1, positions, taps)
    kernel = np.repeat(kernel, block.positions // runs, axis=3) if runs > 1 else kernel
    group, channel, inner, place, tap = np.ogrid[:groups, :out, :within, : block.positions, :taps]
    read = np.broadcast_to(reach, (groups, block.positions, taps))[:, None, None]
    there = np.broadcast_to(read != OUTSIDE, np.broadcast_shapes(read.shape, (groups, out, within, 1, 1)))
    shape = there.shape
    row = np.broadcast_to((group * out + channel) * block.positions + place + 0 * tap + 0 * inner, shape)[
        there
    ]
    col = np.broadcast_to((group * within + inner) * block.in_positions + read, shape)[there]
    data = np.broadcast_to(kernel, shape)[there]
    return sparse.coo_array((data, (row, col)), shape=(block.n_out, block.n_in)).tocsr()


def _table_of(matrix: np.ndarray) -> sparse.csr_array:
    rows, cols = matrix.shape
    indices = np.tile(np.arange(cols), rows)
    # flatten copies: a float64 parameter is not to be changed with the table
    return sparse.csr_array((matrix.flatten(), indices, np.arange(rows + 1) * cols), shape=matrix.shape)
