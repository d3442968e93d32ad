"""The k strongest edges of a layer, without looking at most of them.

All edges that read one value with one tap differ only in their weights, so that ``|value| * largest |weight|`` bounds
them. Values are visited by falling bound, and no further than the k-th strongest edge found so far.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nbwidgets_nn._arrays import as_numpy, expected
from nbwidgets_nn.kernels.edge_blocks import TILE, EdgeBlock
from nbwidgets_nn.kernels.window_reach import OUTSIDE

QUANTITIES = ("contribution", "weight", "source")

_AT_ONCE = 2**21  # edges looked at together
_NAN = -1.0  # magnitude that ranks NaN behind every number
_NO_EDGE = -2.0
_MOST_PRINTED = 10


@dataclass(frozen=True, eq=False, repr=False)
class StrongestEdges:
    """Edges by falling magnitude of `value`; equal ones by row, source and target. Arrays have one entry an edge.

    Which of several equal edges are the last in the list is not defined. An infinite value comes first. NaN has no
    magnitude: edges that have it come last, and `nan` counts all of them, listed or not.
    """

    by: str
    """What was ranked: "contribution", "weight" or "source"."""

    batch: NDArray[np.int64] = field(repr=False)
    """Row of each edge; the first for weights that all rows share."""

    source: NDArray[np.int64] = field(repr=False)
    target: NDArray[np.int64] = field(repr=False)

    value: NDArray = field(repr=False)
    """What was ranked, with its sign."""

    source_value: NDArray = field(repr=False)
    weight: NDArray = field(repr=False)
    target_value: NDArray = field(repr=False)
    contribution: NDArray = field(repr=False)

    edges: int
    """How many edges were ranked, of all rows."""

    nan: int
    """How many of them have NaN as their value."""

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Edge]:
        """Yield the edges one by one."""
        return map(Edge, *(getattr(self, name).tolist() for name in Edge._fields))

    def __str__(self) -> str:
        marked = f"; {self.nan:,} edges are NaN" if self.nan else ""
        return f"the {len(self):,} largest of {self.edges:,} edges by |{self.by}|{marked}"

    def __repr__(self) -> str:
        columns = ("row", "source", "target", "x", "w", "w x", "y")
        lines = [" ".join(f"{name:>10}" for name in columns)]
        for edge in islice(self, _MOST_PRINTED):
            ends = " ".join(f"{number:>10,}" for number in edge[:3])
            lines.append(ends + "".join(f" {number:>10.4g}" for number in edge[3:]))
        more = [f"and {len(self) - _MOST_PRINTED:,} more"] * (len(self) > _MOST_PRINTED)
        return "\n".join([str(self), *lines, *more])


class Edge(NamedTuple):
    """One edge: its ends in one row, and the values there."""

    batch: int
    source: int
    target: int
    source_value: float
    weight: float
    contribution: float
    target_value: float


def strongest_edges(
    x: Tensor, block: EdgeBlock, y: Tensor, k: int, by: str = "contribution", *, first_row: int = 0
) -> StrongestEdges:
    """Return the k edges of largest |contribution|, |weight| or |source value|.

    Cost: a look at each value that a tap reads, and at all edges of at most about k of them, because every value has an
    edge as strong as its bound. Memory: a tile and the k edges.

    >>> from nbwidgets_nn.kernels.edge_blocks import dense_block
    >>> block = dense_block(torch.tensor([[1.0, -2.0], [0.5, 1.0]]))
    >>> found = strongest_edges(torch.tensor([[1.0, 2.0]]), block, torch.zeros(1, 2), 2)
    >>> found.source.tolist(), found.target.tolist(), found.value.tolist()
    ([1, 1], [0, 1], [-4.0, 2.0])

    Args:
        x, y: (rows, n_in) and (rows, n_out), the values at the ends.
        block: the edges.
        k: how many; at most as many as there are.
        by: what to rank.
        first_row: number of the first row, for the result.

    Raises:
        ValueError: ``k`` or ``by`` is none of these.
    """
    if by not in QUANTITIES:
        raise ValueError(expected("by", ", ".join(map(repr, QUANTITIES)), repr(by)))
    ranked = x.to(torch.promote_types(x.dtype, torch.float32))
    if by == "weight":
        ranked = torch.ones_like(ranked if block.per_sample else ranked[:1])
    total = len(ranked) * block.edges
    _check_k(k, total)
    best = _Best(k, ranked)
    for tile in _tiles(ranked, block):
        _scan(tile, block, by, best)
    row, source, target = best.edges()
    weight = block.edge_at(row, source, target)[0]
    value_there = x[row, source]
    values = {"contribution": value_there.to(ranked.dtype) * weight, "weight": weight, "source": value_there}
    return StrongestEdges(
        by=by,
        batch=as_numpy(row) + first_row,
        source=as_numpy(source),
        target=as_numpy(target),
        value=as_numpy(values[by]),
        source_value=as_numpy(value_there),
        weight=as_numpy(weight),
        target_value=as_numpy(y[row, target]),
        contribution=as_numpy(values["contribution"]),
        edges=total,
        nan=0 if best.all_finite else _count_nan(ranked, block, by),
    )


def _check_k(k: int, total: int) -> None:
    if isinstance(k, bool) or not isinstance(k, int | np.integer):
        raise TypeError(expected("k", "a number of edges", repr(k)))
    if not 1 <= k <= total:
        raise ValueError(
            expected("k", f"1 to {total:,}, the number of edges", f"{k:,}", f"k={min(max(k, 1), total)}")
        )


def _tiles(x: Tensor, block: EdgeBlock, edges_each: int = 1) -> Iterator[_Tile]:
    """Cut rows and positions into tiles that are held at once; `edges_each` is how many edges of a tap are."""
    step = max(1, TILE // (block.in_channels * block.taps * edges_each))
    for first_row in range(0, len(x), step):
        rows = x[first_row : first_row + step]
        of_rows = block.of_samples(first_row, first_row + step)
        for first_position, part in of_rows.parts(len(rows) * edges_each):
            part = part.merged()  # noqa: PLW2901 - the same edges
            yield _Tile(part.gather(rows), part, first_row, first_position)


@dataclass(frozen=True, eq=False)
class _Tile:
    """Some rows and positions: (rows, groups, in_channels / groups, runs, positions of a run, taps) values."""

    read: Tensor
    part: EdgeBlock
    first_row: int
    first_position: int

    @property
    def outside(self) -> Tensor:
        """Where a tap reads nothing; broadcasts with `read`."""
        return (self.part.reach == OUTSIDE).unflatten(2, (self.part.runs, -1))[:, :, None]

    def weights(self, by: str) -> Tensor:
        """Return (samples or 1, groups, out_channels / groups, in_channels / groups, runs, taps) weights, or ones."""
        kernel = self.part.kernel_of_groups
        return torch.ones((), device=kernel.device).expand(kernel.shape) if by == "source" else kernel

    def place_of_weight(self, value: Tensor) -> Tensor:
        """Where the weights of values are, given by their places in `read`, among those of an output of their group."""
        row, group, within, run, _, tap = torch.unravel_index(value, self.read.shape)
        samples, groups, _, inputs, runs, taps = self.part.kernel_of_groups.shape
        row = row if samples > 1 else 0
        return (((row * groups + group) * inputs + within) * runs + run) * taps + tap

    def edges(self, value: Tensor, output: Tensor, block: EdgeBlock) -> tuple[Tensor, Tensor, Tensor]:
        """Return (row, source, target) of edges: the place of a value in `read`, flattened, and the output of its group."""
        row, group, within, run, place, tap = torch.unravel_index(value, self.read.shape)
        position = run * self.read.shape[4] + place
        reach = self.part.reach
        at = reach[row if len(reach) > 1 else 0, group if reach.shape[1] > 1 else 0, position, tap]
        source = (group * self.read.shape[2] + within) * block.in_positions + at
        channel = group * (block.out_channels // block.groups) + output
        return row + self.first_row, source, channel * block.positions + self.first_position + position


def _scan(tile: _Tile, block: EdgeBlock, by: str, best: _Best) -> None:
    """Offer the edges of a tile, strongest values first, until none can be among the best."""
    weights = tile.weights(by)
    peak = torch.linalg.vector_norm(weights, torch.inf, dim=2)
    bound = (tile.read.abs() * peak[..., None, :]).masked_fill_(tile.outside, _NO_EDGE).flatten()
    best.all_finite &= bool(bound.isfinite().all())
    bound.nan_to_num_(nan=torch.inf, posinf=torch.inf)  # NaN bounds nothing: its edges are looked at
    hopeful = (bound > best.threshold).nonzero()[:, 0]
    hopeful = hopeful[bound[hopeful].argsort(descending=True)]
    # Outputs first: a weight matrix is then read row by row.
    by_output = weights.movedim(2, 0).flatten(1)
    read = tile.read.flatten()
    at_once = max(_AT_ONCE, min(8 * best.k, TILE))
    for some in hopeful.split(max(1, at_once // len(by_output))):
        if not len(some) or bound[some[0]] <= best.threshold:
            return
        strength = by_output.index_select(1, tile.place_of_weight(some)) * read[some]
        strength = strength.abs_().nan_to_num_(nan=_NAN, posinf=torch.inf).flatten()
        kept = best.choose(strength)
        best.add(strength[kept], *tile.edges(some[kept % len(some)], kept // len(some), block))


class _Best:
    """The k strongest edges among those offered."""

    def __init__(self, k: int, like: Tensor) -> None:
        self.k = k
        self._strength = like.new_empty(0)
        self._edges = torch.empty(3, 0, dtype=torch.long, device=like.device)
        self.threshold = (_NAN + _NO_EDGE) / 2
        """What an edge must exceed to be among them."""
        self.all_finite = True

    def choose(self, strength: Tensor) -> Tensor:
        """Return the places of those that can be among the best."""
        chosen = (strength > self.threshold).nonzero()[:, 0]
        if len(chosen) > self.k:
            chosen = chosen[strength[chosen].topk(self.k, sorted=False).indices]
        return chosen

    def add(self, strength: Tensor, row: Tensor, source: Tensor, target: Tensor) -> None:
        strength = torch.cat([self._strength, strength])
        edges = torch.cat([self._edges, torch.stack([row, source, target])], dim=1)
        if len(strength) > self.k:
            strength, kept = strength.topk(self.k, sorted=False)
            edges = edges[:, kept]
        if len(strength) == self.k:
            self.threshold = float(strength.min())
        self._strength, self._edges = strength, edges

    def edges(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return (row, source, target), in order."""
        keys = [as_numpy(values) for values in (*self._edges.flip(0), -self._strength)]
        row, source, target = self._edges[:, torch.from_numpy(np.lexsort(keys)).to(self._edges.device)]
        return row, source, target


def _count_nan(x: Tensor, block: EdgeBlock, by: str) -> int:
    """Count the edges whose value is NaN, by a look at every edge."""
    count = 0
    for tile in _tiles(x, block, edges_each=block.out_channels // block.groups):
        values = tile.read[:, :, None] * tile.weights(by)[..., None, :]
        count += int((values.isnan() & ~tile.outside[:, :, None]).sum())
    return count
