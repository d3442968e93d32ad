"""Mean and variance of every edge's contribution over a data set, from two numbers for each input unit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.kernels.computed_tensor import ComputedTensor
from nbwidgets_nn.kernels.edge_blocks import EdgeBlock


@dataclass(frozen=True, eq=False)
class EdgeStatistics:
    """Moments of the contributions ``c = w x`` of a layer's edges, over all rows of a data set.

    >>> moments = SourceMoments(2).update(torch.tensor([[1.0, 0.0], [3.0, 0.0]]))
    >>> from nbwidgets_nn.kernels.edge_blocks import dense_block
    >>> found = moments.statistics(dense_block(torch.tensor([[10.0, 5.0]])))
    >>> found.mean[:, 0], found.variance[:, 0]
    (tensor([20.,  0.], dtype=torch.float64), tensor([100.,   0.], dtype=torch.float64))
    """

    rows: int
    """How many rows were seen: samples, or samples x positions."""

    source_mean: Tensor = field(repr=False)
    """(n_in,) float64."""

    source_variance: Tensor = field(repr=False)
    """(n_in,) float64, divided by `rows`: 0 for a constant unit, NaN for one with a NaN or infinite value."""

    block: EdgeBlock

    @property
    def mean(self) -> ComputedTensor:
        """The mean of every edge as (n_in, n_out), computed where it is read: w times that of x, and 0 without an edge."""
        return self._of_edges(lambda i, w: w * self.source_mean[i])

    @property
    def variance(self) -> ComputedTensor:
        """The variance of every edge as (n_in, n_out), computed where it is read: w² times that of x, and 0 without an edge."""
        return self._of_edges(lambda i, w: w * w * self.source_variance[i])

    @property
    def rms(self) -> ComputedTensor:
        """The root of the mean square of every edge as (n_in, n_out), computed where it is read: |w| times that of x."""
        size = (self.source_mean.square() + self.source_variance).sqrt()
        return self._of_edges(lambda i, w: w.abs() * size[i])

    def _of_edges(self, value: Callable[[Tensor, Tensor], Tensor]) -> ComputedTensor:
        row = torch.zeros((), dtype=torch.long, device=self.source_mean.device)

        def at(i: Tensor, j: Tensor) -> Tensor:
            weights, there = self.block.edge_at(row, i, j)
            return value(i, weights.double()).where(there, 0)

        shape = (self.block.n_in, self.block.n_out)
        return ComputedTensor(shape, torch.float64, self.source_mean.device, at, "index it: mean[i, j]")


class SourceMoments:
    """Means and variances of units over rows that come in batches; those of two parts merge into those of the whole.

    Joined by Chan, Golub and LeVeque's formula (Stanford STAN-CS-79-773, eq. 2.1), in float64.
    """

    def __init__(self, units: int) -> None:
        self.units = units
        self.rows = 0
        self._mean: Tensor | None = None
        self._squares: Tensor | None = None

    def update(self, batch: Tensor) -> SourceMoments:
        """Add (rows, units) values. Returns self."""
        if batch.shape[1:] != (self.units,):
            came = f"shape {tuple(batch.shape)}"
            raise ValueError(expected("batch", f"(rows, {self.units}) values", came))
        if not len(batch):
            return self
        batch = batch.double()
        mean = batch.mean(dim=0)
        return self._join(len(batch), mean, (batch - mean).square().sum(dim=0))

    def merge(self, other: SourceMoments) -> SourceMoments:
        """Add all that `other` has seen. Returns self."""
        if not isinstance(other, SourceMoments) or other.units != self.units:
            raise ValueError(expected("other", f"SourceMoments of {self.units} units", repr(other)))
        return self._join(other.rows, other._mean, other._squares) if other.rows else self

    def statistics(self, block: EdgeBlock) -> EdgeStatistics:
        """Return the moments of the edges of `block`; ValueError without rows."""
        if not self.rows:
            raise ValueError(expected("loader", "at least one batch", "none", "a list or a DataLoader"))
        return EdgeStatistics(self.rows, self._mean, self._squares / self.rows, block)

    def _join(self, rows: int, mean: Tensor, squares: Tensor) -> SourceMoments:
        if not self.rows:
            self.rows, self._mean, self._squares = rows, mean, squares
            return self
        whole, gap = self.rows + rows, mean - self._mean
        self._squares = self._squares + squares + gap.square() * (self.rows * rows / whole)
        self._mean = self._mean + gap * (rows / whole)
        self.rows = whole
        return self

    def __repr__(self) -> str:
        return f"SourceMoments({self.units:,} units, {self.rows:,} rows)"
