"""EI of every input-output pair of one affine layer, all inputs random, without sampling.

z_B = b_B + sum_k W[B, k] x_k with x_k uniform on the input range. Given the bin of x_A, z_B is a sum of independent uniform numbers,
whose distribution is known exactly (`_uniform_sums`); the bins of the output are intervals of z (`binned_activation`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn._progress import Progress, steps
from nbwidgets_nn.kernels._exact_bits import pair_bits, series_bits, series_probabilities
from nbwidgets_nn.kernels._threads import in_order
from nbwidgets_nn.kernels._uniform_sums import Terms, closed_form, series_of, terms_needed
from nbwidgets_nn.kernels.binned_activation import Steps
from nbwidgets_nn.kernels.pair_information import bits_at_most

MOST_ERROR = 1e-6
"""Bits by which a pair may be off at most; a pair that cannot be known so well is not answered here."""

_AIM = 1e-9
_ROUNDING = 1e-14  # of a single probability
_FEW_INPUTS = 3  # rounding of the closed form grows with their number, the series converges faster


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
    progress: Progress = False,
) -> ExactPairs:
    """Compute I(x_A; y_B) with all inputs independent and uniform.

    Cost: for each output of n inputs about n * in_bins * out_bins * (terms + 1) operations, terms being 30 to 100 for layers
    with tens of comparable inputs; some hundred kB of memory a thread beside the result.

    Args:
        weights: (outputs, inputs).
        bias: (outputs,).
        activations: the binned activation of each output.
        in_range: of every input.
        in_bins: equal bins of it.
        outside: "clip" or "drop".
        progress: see `steps`.
    """
    low, high = in_range
    half, middle = (high - low) / 2, (high + low) / 2
    outputs, inputs = weights.shape
    used = [np.flatnonzero(row) for row in weights]
    rows = [
        _Row(np.abs(row[some]) * half, steps_, b + row.sum() * middle, in_bins, outside)
        for row, b, steps_, some in zip(weights, bias, activations, used, strict=True)
    ]
    matrix, beyond = np.zeros((inputs, outputs)), np.zeros(outputs)
    bounds, terms, unknown = [0.0], 0, []
    with closing(in_order(_Row.solve, rows, numba.get_num_threads())) as solved:
        for output, answer in enumerate(steps(solved, outputs, progress, "effective information", "output")):
            matrix[used[output], output], bound, beyond[output], count = answer
            terms = max(terms, count)
            if bound > MOST_ERROR:
                matrix[:, output] = np.nan
                unknown.append(output)
            else:
                bounds.append(bound * len(used[output]))
    return ExactPairs(matrix, float(np.sum(bounds)), beyond, np.array(unknown, np.int64), terms)


_Answer = tuple[NDArray, float, float, int]
"""Bits of each pair of an output, the bound on the error of each, the share outside, the terms used."""


class _Row:
    """All pairs of one output."""

    def __init__(
        self, half_widths: NDArray, activation: Steps, middle: float, bins: int, outside: str
    ) -> None:
        """Find the intervals of z, from -L to L about the middle, that its bins are."""
        self._half_widths, self._bins, self._outside = half_widths, bins, outside
        reach, breaks = half_widths.sum(), activation.breaks - middle
        inside = (breaks > -reach) & (breaks < reach)
        first = np.searchsorted(breaks, -reach, side="right")  # a z of exactly a break lies behind it
        met = slice(first, first + inside.sum() + 1)
        self._points = np.concatenate([[-reach], breaks[inside], [reach]])
        self._into, self._beyond = same_cells(activation.placed(outside)[met]), activation.beyond[met]

    def solve(self) -> _Answer:
        """Answer."""
        n, intervals = len(self._half_widths), len(self._into)
        if intervals == 1:  # the output never moves, or never leaves one bin
            return np.zeros(n), 0.0, float(self._beyond[0]), 0
        if n <= _FEW_INPUTS and (closed := self._from_closed_form())[1] <= MOST_ERROR:
            return closed
        terms = terms_needed(self._half_widths, self._bins, _probability_error(_AIM, intervals))
        if bits_at_most(terms.error, intervals) <= MOST_ERROR:
            return self._from_series(terms)
        return np.zeros(n), math.inf, 0.0, 0

    def _from_series(self, terms: Terms) -> _Answer:
        series = series_of(self._half_widths, self._points, self._bins, terms.count)
        bits, given = np.empty(len(self._half_widths)), np.empty((len(self._into), self._bins))
        series_bits(series, self._into, bits)
        series_probabilities(series, 0, given)
        beyond = self._share_beyond(given)
        return bits, self._bound(terms.error, beyond), beyond, terms.count

    def _from_closed_form(self) -> _Answer:
        bits, error, beyond = np.empty(len(self._half_widths)), 0.0, 0.0
        for k, own in enumerate(self._half_widths):
            given, one = closed_form(np.delete(self._half_widths, k), own, self._bins, self._points)
            given = given.T.copy()
            beyond, error = self._share_beyond(given), max(error, one)
            bits[k] = pair_bits(given, self._into)
        return bits, self._bound(error, beyond), beyond, 0

    def _share_beyond(self, given: NDArray) -> float:
        return float(given[self._beyond].sum() / self._bins)

    def _bound(self, error: float, beyond: float) -> float:
        """Return the bits by which a pair can be off when the probability of every interval is off by `error`."""
        error, intervals = error + _ROUNDING, len(self._into)
        kept = 1.0 if self._outside == "clip" else 1 - beyond - intervals * error
        return bits_at_most(error, intervals, kept) if kept > 0 else math.inf


def same_cells(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each label where it came first, as `pair_bits` takes it; -1 stays.

    >>> same_cells(np.array([-1, 7, 8, 7]))
    array([-1,  1,  2,  1])
    """
    _, first, number = np.unique(labels, return_index=True, return_inverse=True)
    return np.where(labels < 0, -1, first[number])


def _probability_error(bits: float, cells: int) -> float:
    """Return an error of single probabilities that keeps the information within `bits`."""
    error = bits / cells
    while bits_at_most(error, cells) > bits:
        error /= 2
    return error
