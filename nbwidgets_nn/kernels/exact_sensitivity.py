"""Sensitivity of every input-output pair of one affine layer, without sampling: one input uniform, the others 0.

Then z_B = b_B + W[B, A] x_A is uniform too, so the joint probability of an input bin and an output bin is the length of an
overlap: of the bin of x with the interval of x that leads to the output bin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn.kernels.binned_activation import Steps
from nbwidgets_nn.kernels.exact_parts import ExactPairs

_PAIRS_AT_ONCE = 4096


def exact_sensitivity(
    weights: NDArray,
    bias: NDArray,
    activations: Sequence[Steps],
    in_range: tuple[float, float],
    in_bins: int,
    *,
    outside: str = "clip",
) -> ExactPairs:
    """Compute I(x_A; y_B) with x_A uniform on the input range and all other inputs 0.

    Cost: a few operations for each input, output and output bin. Arguments as for `exact_parts`.
    """
    outputs, inputs = weights.shape
    matrix, beyond = np.zeros((inputs, outputs)), np.zeros((inputs, outputs))
    for steps, same in _alike(activations):
        # A weight of 0 leaves z at the bias.
        label = steps.labels[np.searchsorted(steps.breaks, bias[same], side="right")]
        beyond[:, same] = label >= steps.bins
        of, to = np.nonzero(weights[same].T)
        for start in range(0, len(of), _PAIRS_AT_ONCE):
            a, b = of[start : start + _PAIRS_AT_ONCE], same[to[start : start + _PAIRS_AT_ONCE]]
            places = _places(steps.breaks, weights[b, a], bias[b], in_range, in_bins)
            matrix[a, b], beyond[a, b] = information_of_steps(
                places, weights[b, a] > 0, steps, in_bins, outside
            )
    return ExactPairs(matrix, 0.0, beyond.mean(axis=0), np.zeros(0, np.int64), 0)


def _alike(activations: Sequence[Steps]) -> Iterator[tuple[Steps, NDArray]]:
    """Yield each binned activation with the outputs that have it."""
    outputs: dict[int, list[int]] = {}
    for output, steps in enumerate(activations):
        outputs.setdefault(id(steps), []).append(output)
    for same in outputs.values():
        yield activations[same[0]], np.array(same)


def _places(
    breaks: NDArray, weights: NDArray, bias: NDArray, in_range: tuple[float, float], bins: int
) -> NDArray:
    """Return where z reaches each break, counted in input bins from the lower end of the range: (pairs, breaks)."""
    low, high = in_range
    with np.errstate(over="ignore"):
        x = (breaks - bias[:, None]) / weights[:, None]
        return np.clip((x - low) * (bins / (high - low)), 0, bins)


def information_of_steps(
    places: NDArray, rising: NDArray, steps: Steps, bins: int, outside: str
) -> tuple[NDArray, NDArray]:
    """Return the bits between the bin of a uniform input and the bin of a step function of it, and the share outside.

    Args:
        places: (pairs, breaks) where in [0, bins] each break lies, in steps of one input bin.
        rising: (pairs,) do the places ascend?
        steps: whose labels the intervals between the breaks have; none more than twice.
        bins: of the input.
        outside: "clip" or "drop".
    """
    ends = _Ends(places, rising, bins)
    beyond = steps.labels >= steps.bins
    labels = np.where(beyond, -1, steps.labels) if outside == "drop" else steps.clipped
    kept = np.where(labels >= 0, 0, -1)
    mass = ends.lengths(kept)[:, 0]
    # H(X) + H(Y) - H(X, Y) of lengths that sum to `mass`. Kept whole, every input bin has length 1: nothing to sum.
    inputs = ends.sum_over_cells(kept) if (kept < 0).any() else 0.0
    outputs = _xlogx(ends.lengths(labels)).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = np.log2(mass) + (ends.sum_over_cells(labels) - inputs - outputs) / mass
    bits = np.where(mass > bins * 1e-15, np.maximum(bits, 0), 0.0)
    return bits, ends.lengths(np.where(beyond, 0, -1)).sum(axis=1) / bins


def information_of_one_input(places: NDArray, labels: NDArray, bins: int) -> float:
    """Return the bits between the bin of a uniform input and a label that is a step function of it.

    Args:
        places: ascending, where in (0, bins) the label changes, in steps of one input bin.
        labels: (places + 1,) from 0; the same one may come any number of times.
        bins: of the input.

    >>> information_of_one_input(np.array([1.0, 2.0, 3.0]), np.array([0, 1, 0, 1]), 4)
    1.0
    """
    ends = np.union1d(places, np.arange(bins + 1.0))
    middles = (ends[1:] + ends[:-1]) / 2
    cells = middles.astype(np.int64) * (labels.max() + 1) + labels[np.searchsorted(places, middles)]
    joint = np.bincount(cells, np.diff(ends)) / bins
    outputs = np.bincount(cells % (labels.max() + 1), np.diff(ends)) / bins
    return max(0.0, float(np.log2(bins) + _xlogx(joint).sum() - _xlogx(outputs).sum()))


class _Ends:
    """Intervals between breaks in [0, bins], for many pairs at once."""

    def __init__(self, places: NDArray, rising: NDArray, bins: int) -> None:
        self._bins, self._rising = bins, rising[:, None]
        self._ends = np.empty((len(places), places.shape[1] + 2))
        self._ends[:, 1:-1] = places
        self._ends[:, :1], self._ends[:, -1:] = (
            np.where(self._rising, 0, bins),
            np.where(self._rising, bins, 0),
        )

    def lengths(self, labels: NDArray) -> NDArray:
        """(pairs, labels): the length of all intervals of each label; label -1 is left out."""
        known = np.unique(labels[labels >= 0])
        return np.abs(np.diff(self._ends, axis=1)) @ (labels[:, None] == known).astype(float)

    def sum_over_cells(self, labels: NDArray) -> NDArray:
        """Sum l log2 l over the cells (input bin, label), l being a cell's length; label -1 is left out.

        The whole bins inside an interval have length 1, which adds nothing: only its first and last piece count.
        """
        changes = labels[1:] != labels[:-1]
        labels = np.append(labels[:1], labels[1:][changes])
        ends = self._ends[:, np.concatenate([[True], changes, [True]])]
        lower, upper = np.minimum(ends[:, :-1], ends[:, 1:]), np.maximum(ends[:, :-1], ends[:, 1:])
        first, last = np.ceil(lower), np.floor(upper)
        pieces = np.where(first <= last, _xlogx(first - lower) + _xlogx(upper - last), _xlogx(upper - lower))
        total = pieces[:, labels >= 0].sum(axis=1)
        for label in np.unique(labels[labels >= 0]):
            same = np.flatnonzero(labels == label)
            if len(same) > 1:
                total += self._joined(lower[:, same], upper[:, same])
        return total

    def _joined(self, lower: NDArray, upper: NDArray) -> NDArray:
        """Return the change when two intervals of one label end and begin inside one bin, where they are one cell."""
        order = np.where(self._rising, [0, 1], [1, 0])
        lower, upper = np.take_along_axis(lower, order, axis=1), np.take_along_axis(upper, order, axis=1)
        inside = np.minimum(np.floor(upper[:, 0]), self._bins - 1)
        left = upper[:, 0] - np.maximum(lower[:, 0], inside)
        right = np.minimum(upper[:, 1], inside + 1) - lower[:, 1]
        change = _xlogx(left + right) - _xlogx(left) - _xlogx(right)
        return np.where((left > 0) & (right > 0), change, 0.0)


def _xlogx(lengths: NDArray) -> NDArray:
    return lengths * np.log2(np.maximum(lengths, 1e-300))
