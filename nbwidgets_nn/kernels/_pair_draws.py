"""Draws of inputs and outputs as columns of bin numbers, and what they say of all pairs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nbwidgets_nn.kernels._binning import bin_shares, bin_values
from nbwidgets_nn.kernels._counting import Columns
from nbwidgets_nn.kernels._estimator_tables import make_estimator
from nbwidgets_nn.kernels._extrapolation import nested_ranges
from nbwidgets_nn.kernels._pair_tiles import cut_tiles, measure_pairs
from nbwidgets_nn.kernels.intervention import Blocks, Intervention, refuse_missing, run_rows

_PROBES = 2048  # draws whose influence on the total is followed: its variance is then known to 3 %
_PROBE_STEPS = 2**21  # more of them where pairs are few


class Draws:
    """Bin numbers of more and more draws: of all inputs, or of input `alone` while the others are 0."""

    def __init__(
        self, question: Intervention, seed: int, chunk: int | None, alone: int | None = None
    ) -> None:
        self._question, self._chunk = question, chunk
        self._blocks = Blocks(question, seed, alone)
        self._inputs = np.empty((question.inputs if alone is None else 1, 0), question.number_type)
        self._outputs = np.empty((question.outputs, 0), question.number_type)
        self._done = 0
        self.outside = 0
        """Outputs beyond their range so far."""

    def steps(self, draws: int) -> int:
        """Count the steps of `grow`."""
        return -(-draws // self._question.block) - self._done // self._question.block

    def grow(self, draws: int) -> Iterator[None]:
        """Draw until there are `draws`; yields after each block."""
        question = self._question
        self._inputs, self._outputs = (_longer(old, draws) for old in (self._inputs, self._outputs))
        for _ in range(self.steps(draws)):
            block, skipped = divmod(self._done, question.block)
            rows = slice(skipped, draws - block * question.block)
            shares = self._blocks.draw(block)[rows]
            bin_shares(shares, question.in_bins, self._inputs, self._done)
            self._add_outputs(run_rows(question, self._blocks.inputs()[rows], self._chunk))
            self._done += len(shares)
            yield

    def columns(self) -> Columns:
        """Return all draws so far."""
        question = self._question
        return Columns(self._inputs, self._outputs, question.in_bins, question.bins, question.width)

    def _add_outputs(self, y: np.ndarray) -> None:
        question = self._question
        bounds = question.low, question.high, question.bins, question.outside == "drop"
        outside, missing = bin_values(y, *bounds, self._outputs, self._done)
        refuse_missing(missing > 0)
        self.outside += int(outside.sum())


class PairTotals:
    """What a number of draws says of all pairs, in nats."""

    def __init__(self, question: Intervention, draws: int, estimator: str, *, extrapolate: bool) -> None:
        self._question = question
        self._draws = draws
        self._whole, *self._parts = nested_ranges(draws) if extrapolate else [(1.0, (0, draws))]
        self._estimator = make_estimator("plugin" if extrapolate else estimator, draws)
        self._probes = min(draws, max(_PROBES, _PROBE_STEPS // (question.inputs * question.outputs)))
        self.results = np.zeros((question.inputs, 3, question.outputs))
        """Information; its variance by the jackknife; the variance of its second order."""
        self.sums = np.zeros(2)
        """Over all pairs: excess of the plain histogram; by how much Grassberger's estimate is above the adjusted one."""
        self.total_jackknife = 0.0
        """Variance by the jackknife of the sum over all pairs."""
        self.outside = 0.0
        """Share of the outputs that lay beyond their range."""

    def steps(self, inputs: int) -> int:
        """Count the steps of `add` for so many inputs."""
        cells = self._question.in_bins * self._question.width
        return (1 + len(self._parts)) * len(cut_tiles(inputs, self._question.outputs, self._draws, cells))

    def add(self, inputs: slice, columns: Columns) -> Iterator[None]:
        """Measure the pairs of some inputs, whose bin numbers `columns` holds; yields after each tile."""
        results = self.results[inputs]
        weight, draws = self._whole
        influence = np.zeros(self._probes)
        yield from measure_pairs(columns, self._estimator, draws, results, self.sums, influence)
        # Over all draws the influence has mean 0, so that of the probes is not subtracted.
        self.total_jackknife += self._draws * float(np.mean(influence**2))
        results[:, 0] *= weight
        for weight, draws in self._parts:
            part = np.zeros_like(results)
            yield from measure_pairs(columns, self._estimator, draws, part, np.zeros(2), np.zeros(0))
            results[:, 0] += weight * part[:, 0]


def _longer(columns: np.ndarray, draws: int) -> np.ndarray:
    longer = np.empty((len(columns), draws), columns.dtype)
    longer[:, : columns.shape[1]] = columns
    return longer
