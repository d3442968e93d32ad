"""EI of every input-output pair of one affine layer, all inputs random, without sampling.

z_B = b_B + sum_k W[B, k] x_k with x_k uniform on the input range. Given the bin of x_A, z_B is a sum of independent uniform numbers,
whose distribution is known exactly (`_uniform_sums`); the bins of the output are intervals of z (`binned_activation`).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nbwidgets_nn._progress import Progress, steps
from nbwidgets_nn.kernels._threads import one_thread_each
from nbwidgets_nn.kernels._uniform_sums import Series, Terms, closed_form, terms_needed
from nbwidgets_nn.kernels.binned_activation import Steps
from nbwidgets_nn.kernels.pair_information import bits_at_most, pair_bits, place_outside

MOST_ERROR = 1e-6
"""Bits by which a pair may be off at most; a pair that cannot be known so well is not answered here."""

_AIM = 1e-9
_ROUNDING = 1e-14  # of a single probability
_FEW_INPUTS = 6
_QUICKLY_CLOSED = 3
_CHUNK = 2**17  # numbers in the largest temporary: they should stay in the cache


@dataclass(frozen=True, eq=False)
class ExactPairs:
    """Pairs of inputs and outputs in bits."""

    matrix: NDArray[np.float64]
    """(inputs, outputs); NaN in the columns of `unknown`."""
    error_bound: float
    """Bits by which the sum of all known pairs is off at most."""
    outside: NDArray[np.float64]
    """(outputs,) probability that the output lies outside its range."""
    unknown: NDArray[np.int64]
    """Outputs whose pairs cannot be known to 1e-6 bits in this way."""
    terms: int
    """Largest number of terms of a series; 0 if none was used."""


def exact_parts(
    weights: NDArray,
    bias: NDArray,
    activations: Sequence[Steps],
    in_range: tuple[float, float],
    in_bins: int,
    *,
    outside: str = "clip",
    device: str | torch.device = "cpu",
    progress: Progress = False,
) -> ExactPairs:
    """Compute I(x_A; y_B) with all inputs independent and uniform.

    Cost: for each output of n inputs about n * in_bins * out_bins * (terms + 1) operations, terms being 30 to 100 for layers
    with tens of comparable inputs; memory for some MB beside the result.

    Args:
        weights: (outputs, inputs).
        bias: (outputs,).
        activations: the binned activation of each output.
        in_range: of every input.
        in_bins: equal bins of it.
        outside: "clip" or "drop".
        device: where to compute.
        progress: see `steps`.
    """
    low, high = in_range
    half, middle = (high - low) / 2, (high + low) / 2
    device = torch.device(device)
    outputs, inputs = weights.shape
    used = [np.flatnonzero(row) for row in weights]
    rows = [
        _Row(np.abs(row[some]) * half, steps_, b + row.sum() * middle, in_bins, outside, device)
        for row, b, steps_, some in zip(weights, bias, activations, used, strict=True)
    ]
    matrix, beyond = np.zeros((inputs, outputs)), np.zeros(outputs)
    bounds, terms, unknown = [0.0], 0, []
    with _one_row_a_thread(rows, device) as solved:
        for output, answer in enumerate(steps(solved, outputs, progress, "effective information", "output")):
            matrix[used[output], output], bound, beyond[output], count = answer
            terms = max(terms, count)
            if bound > MOST_ERROR:
                matrix[:, output] = np.nan
                unknown.append(output)
            else:
                bounds.append(bound * len(used[output]))
    return ExactPairs(matrix, float(np.sum(bounds)), beyond, np.array(unknown, np.int64), terms)


@contextlib.contextmanager
def _one_row_a_thread(rows: list[_Row], device: torch.device) -> Iterator[Iterator[_Answer]]:
    """Solve the rows, each in one thread.

    Rows are small: torch's own threads, several a row, would wait for each other most of the time, and for ever so long when
    other programs use the cores.
    """
    with one_thread_each() as threads:
        pool = ThreadPoolExecutor(
            threads if device.type == "cpu" else 1, initializer=torch.set_num_threads, initargs=(1,)
        )
        try:
            yield pool.map(_Row.solve, rows)
        finally:
            pool.shutdown(cancel_futures=True)


_Answer = tuple[NDArray, float, float, int]
"""Bits of each pair of an output, the bound on the error of each, the share outside, the terms used."""


@dataclass(frozen=True, eq=False)
class _Row:
    """All pairs of one output."""

    half_widths: NDArray
    activation: Steps
    middle: float
    bins: int
    outside: str
    device: torch.device

    def solve(self) -> _Answer:
        """Answer."""
        n = len(self.half_widths)
        _, cells, present = self._cells()
        if len(present) == 1:  # the output never moves, or never leaves one bin
            return np.zeros(n), 0.0, float(present[0] >= self.activation.bins), 0
        closed = self._from_closed_form() if n <= _QUICKLY_CLOSED else None
        if closed and closed[1] <= MOST_ERROR:
            return closed
        terms = terms_needed(self.half_widths, self.bins, _probability_error(_AIM, len(cells)))
        if bits_at_most(terms.error, len(cells)) <= MOST_ERROR:
            return self._from_series(terms)
        closed = closed or (self._from_closed_form() if n <= _FEW_INPUTS else None)
        return closed if closed and closed[1] <= MOST_ERROR else (np.zeros(n), np.inf, 0.0, 0)

    def _from_series(self, terms: Terms) -> _Answer:
        points, cells, present = self._cells()
        series = Series(
            self._tensor(self.half_widths),
            self._tensor(points),
            torch.from_numpy(cells).to(self.device),
            len(present),
            self.bins,
            terms.count,
        )
        n = len(self.half_widths)
        size = max(1, _CHUNK // (self.bins * max(terms.count, len(present))))
        bits = [
            self._bits(series.probabilities(slice(start, start + size)), present)
            for start in range(0, n, size)
        ]
        beyond = self._beyond(series.probabilities(slice(0, 1)), present)
        return (
            torch.cat(bits).cpu().numpy(),
            self._bound(terms.error, len(cells), beyond),
            beyond,
            terms.count,
        )

    def _from_closed_form(self) -> _Answer:
        points, cells, present = self._cells()
        gather = np.eye(len(present))[cells]
        bits, error, beyond = [], 0.0, 0.0
        for k, own in enumerate(self.half_widths):
            given, one = closed_form(np.delete(self.half_widths, k), own, self.bins, points)
            given = torch.from_numpy(given @ gather)[None]
            bits.append(self._bits(given, present))
            beyond = self._beyond(given, present)
            error = max(error, one)
        return torch.cat(bits).numpy(), self._bound(error, len(cells), beyond), beyond, 0

    def _bound(self, error: float, intervals: int, beyond: float) -> float:
        """Return the bits by which a pair can be off when the probability of every interval is off by `error`."""
        error += _ROUNDING
        kept = 1.0 if self.outside == "clip" else 1 - beyond - intervals * error
        return bits_at_most(error, intervals, kept) if kept > 0 else math.inf

    def _cells(self) -> tuple[NDArray, NDArray, NDArray]:
        """Return the points from -L to L, the cell of each interval between them, and the label of each cell."""
        reach = self.half_widths.sum()
        breaks = self.activation.breaks - self.middle
        inside = (breaks > -reach) & (breaks < reach)
        first = np.searchsorted(breaks, -reach, side="right")  # a z of exactly a break lies behind it
        labels = self.activation.labels[first : first + inside.sum() + 1]
        present, cells = np.unique(labels, return_inverse=True)
        return np.concatenate([[-reach], breaks[inside], [reach]]), cells, present

    def _bits(self, given: Tensor, present: NDArray) -> Tensor:
        return pair_bits(self._placed(given, present))

    def _placed(self, given: Tensor, present: NDArray) -> Tensor:
        if present[-1] < self.activation.bins:
            return given  # nothing is outside
        full = torch.zeros(
            *given.shape[:-1], self.activation.bins + 2, dtype=given.dtype, device=given.device
        )
        full[..., torch.from_numpy(present).to(given.device)] = given
        return place_outside(full, self.outside)

    def _beyond(self, given: Tensor, present: NDArray) -> float:
        return float(given[0][:, torch.from_numpy(present >= self.activation.bins)].sum() / self.bins)

    def _tensor(self, array: NDArray) -> Tensor:
        return torch.from_numpy(array).to(self.device)


def _probability_error(bits: float, cells: int) -> float:
    """Return an error of single probabilities that keeps the information within `bits`."""
    error = bits / cells
    while bits_at_most(error, cells) > bits:
        error /= 2
    return error
