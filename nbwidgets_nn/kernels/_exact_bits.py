"""Mutual information of exact probabilities, compiled: of a table, of the pairs of a series, of steps along one input.

Everything releases the interpreter's lock and writes nothing but its own results, so outputs can run on several threads.
Logarithms are taken by a polynomial: a call in the loop would keep it from computing eight numbers at a time.

Importing this file imports numba (about a second); the first call ever compiles for some seconds and keeps the result
on disk. All of it stands in one file because numba looks for changes only in the file of the function that is called.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

# Sums may be taken in another order and products be added unrounded; infinities and NaN keep their meaning.
_FAST = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract", "reassoc", "nsz"}}
_BLOCK = 32  # terms of the series at once: their sines and cosines stay in the nearest cache
_TINY = 1e-300
_ROOT_HALF = np.int64(0x3FE6A09E667F3BCD)  # the bits of the square root of 1/2
_LOG_2 = math.log(2)


@njit(**_FAST)
def pair_bits(given, into):  # noqa: ANN001, ANN202 - numba infers the types
    """Mutual information in bits of a cell and an equally likely bin.

    Args:
        given: (cells, bins) P(cell | bin), overwritten. A column may sum to less than 1: what is missing was dropped, and
            the information is that of what is left. All dropped gives 0.
        into: (cells,) the earliest cell that counts as the same, or -1 for a cell that is dropped.

    >>> pair_bits(np.eye(4), np.array([0, 1, 2, 3])), pair_bits(np.eye(4), np.array([0, 0, 2, 2]))
    (2.0, 1.0)
    >>> round(pair_bits(np.eye(4), np.array([0, 0, 2, -1])), 6)  # log2 3 - 2/3
    0.918296
    """
    cells, bins = given.shape
    kept = np.zeros(bins)
    joint, outputs, mass = 0.0, 0.0, 0.0
    for cell in range(cells):
        row, target = given[cell], into[cell]
        if 0 <= target < cell:
            whole = given[target]
            for i in range(bins):
                whole[i] += row[i]
    for cell in range(cells):
        if into[cell] != cell:
            continue
        row, total, part = given[cell], 0.0, 0.0
        for i in range(bins):
            total += row[i]
            kept[i] += row[i]
            part += _xlogx(row[i])
        joint += part
        mass += total
        outputs += _xlogx(total)
    if mass <= bins * 1e-15:
        return 0.0
    # The three entropies are of numbers that sum to `mass`, not to 1.
    nats = (joint - outputs - _sum_xlogx(kept)) / mass + math.log(mass)
    return max(nats / _LOG_2, 0.0)


@njit(**_FAST)
def series_bits(series, into, bits):  # noqa: ANN001, ANN202
    """Write the bits between each input of a `Series` and its cells, joined as for `pair_bits`, into `bits` (inputs,)."""
    given = np.empty((len(series.linear), series.bins))
    for number in range(len(bits)):
        series_probabilities(series, number, given)
        bits[number] = pair_bits(given, into)


@njit(**_FAST)
def series_probabilities(series, number, given):  # noqa: ANN001, ANN202
    """Write P(interval | input `number` in bin i) of a `Series` into `given` (intervals, bins)."""
    intervals, terms = series.sines.shape
    bins, coefficients = series.bins, series.coefficients[number]
    # Bins lie symmetrically about the middle: the cosine part of a bin and of its mirror image are the same.
    half, middle = bins - bins // 2, bins % 2
    even, odd = np.zeros((intervals, half)), np.zeros((intervals, half))
    step_cosines, step_sines = np.empty(half), np.empty(half)
    for i in range(half):
        angle = series.angles[number] * (2 * i + 1 - middle) / bins
        step_cosines[i], step_sines[i] = math.cos(angle), math.sin(angle)
    last_cosines, last_sines = np.ones(half), np.zeros(half)
    cosines, sines = np.empty((_BLOCK, half)), np.empty((_BLOCK, half))
    for start in range(0, terms, _BLOCK):
        stop = min(start + _BLOCK, terms)
        for m in range(start, stop):
            # The next multiple of the angle by the addition theorems. Rounding grows with the multiple, to 2e-12 at
            # 16,384 of them; the coefficients fall off at least as fast.
            for i in range(half):
                cosine = last_cosines[i] * step_cosines[i] - last_sines[i] * step_sines[i]
                last_sines[i] = last_sines[i] * step_cosines[i] + last_cosines[i] * step_sines[i]
                last_cosines[i] = cosine
                cosines[m - start, i] = coefficients[m] * cosine
                sines[m - start, i] = coefficients[m] * last_sines[i]
        _add_products(series.sines[:, start:stop], cosines, even)
        _add_products(series.cosines[:, start:stop], sines, odd)
    for interval in range(intervals):
        # An odd number of bins has one in the middle, which is its own mirror image. What rounding makes negative is 0.
        for i in range(half):
            mean = series.linear[interval] + even[interval, i]
            given[interval, half - middle + i] = max(mean - odd[interval, i], 0.0)
            given[interval, half - 1 - i] = max(mean + odd[interval, i], 0.0)


@njit(**_FAST)
def _add_products(left, right, result):  # noqa: ANN001, ANN202
    """Add left @ right to the result; the columns of `left` are a multiple of 4, for which each number is loaded once."""
    for m in range(0, left.shape[1], 4):
        first, second, third, fourth = right[m], right[m + 1], right[m + 2], right[m + 3]
        for row in range(len(result)):
            sums = result[row]
            a, b, c, d = left[row, m], left[row, m + 1], left[row, m + 2], left[row, m + 3]
            for i in range(len(sums)):
                sums[i] += a * first[i] + b * second[i] + c * third[i] + d * fourth[i]


@njit(**_FAST)
def line_bits(weights, bias, breaks, labels, beyond, low, scale, bins, results):  # noqa: ANN001, ANN202
    """Write the bits between one uniform input and the bin of bias + weight x, and the share beyond, for every weight.

    Args:
        weights: (outputs, inputs).
        bias: (outputs,).
        breaks: of the output's `Steps`.
        labels: of the intervals between them, as for `step_bits`.
        beyond: which intervals between them lie outside the output's range.
        low: end of the input's range.
        scale: input bins in 1.
        bins: of the input.
        results: (2, inputs, outputs).
    """
    falling, places = labels[::-1].copy(), np.empty(len(breaks))
    for output in range(weights.shape[0]):
        for number in range(weights.shape[1]):
            weight = weights[output, number]
            _find_places(breaks - bias[output], weight, low, scale, bins, places)
            share = 0.0
            for r in beyond:
                start = places[r - 1] if r > 0 else (0.0 if weight >= 0 else float(bins))
                end = places[r] if r < len(places) else (float(bins) if weight >= 0 else 0.0)
                share += abs(end - start) / bins
            results[1, number, output] = share
            upwards = places if weight >= 0 else places[::-1].copy()
            results[0, number, output] = step_bits(upwards, labels if weight >= 0 else falling, bins)


@njit(**_FAST)
def _find_places(distances, weight, low, scale, bins, places):  # noqa: ANN001, ANN202
    """Write where in [0, bins] weight x reaches each distance from the bias."""
    if weight == 0:  # it stays at the bias
        for r in range(len(places)):
            places[r] = 0.0 if distances[r] <= 0 else float(bins)
        return
    for r in range(len(places)):
        places[r] = min(max((distances[r] / weight - low) * scale, 0.0), float(bins))


@njit(**_FAST)
def step_bits(places, labels, bins):  # noqa: ANN001, ANN202
    """Mutual information in bits of the bin of a uniform input and a label that is a step function of it.

    Args:
        places: ascending, where in [0, bins] the label changes, in steps of one input bin.
        labels: (places + 1,) from 0, the same one any number of times; what has label -1 is dropped.
        bins: of the input.

    >>> float(step_bits(np.array([1.0, 2.0, 3.0]), np.array([0, 1, 0, 1]), 4))
    1.0
    """
    totals = np.zeros(labels.max() + 1)
    # A whole bin has length 1, which adds 1 log 1 = 0 to an entropy: only the pieces at an interval's ends count.
    # They are collected for each label, and for all that is kept, until the next one lies in another bin.
    cells, inputs = _pieces(len(labels), len(totals)), _pieces(len(labels), 1)
    whole, end = labels.min() >= 0, 0.0
    for r in range(len(labels)):
        start, end = end, (places[r] if r < len(places) else float(bins))
        if labels[r] >= 0 and end > start:
            totals[labels[r]] += end - start
            _collect(cells, labels[r], start, end)
            if not whole:
                _collect(inputs, 0, start, end)
    mass = totals.sum()
    if mass <= bins * 1e-15:
        return 0.0
    nats = (_sum_pieces(cells) - _sum_xlogx(totals) - _sum_pieces(inputs)) / mass + math.log(mass)
    return max(nats / _LOG_2, 0.0)


class _Pieces(NamedTuple):
    """Lengths of the cells (label, input bin) that are finished, and of the one each label is in."""

    finished: np.ndarray
    count: np.ndarray
    """(1,) how many are finished."""
    bins: np.ndarray
    """(labels,) the input bin of the cell each label is in."""
    lengths: np.ndarray
    """(labels,) its length so far."""


@njit(**_FAST)
def _pieces(intervals, labels):  # noqa: ANN001, ANN202
    return _Pieces(
        np.empty(2 * intervals + labels), np.zeros(1, np.int64), np.zeros(labels, np.int64), np.zeros(labels)
    )


@njit(**_FAST)
def _collect(pieces, label, start, end):  # noqa: ANN001, ANN202
    """Add the two ends of an interval that begins where the last one ended, or later."""
    first, last = int(start), int(end)
    _lengthen(pieces, label, first, min(end, first + 1.0) - start)
    if first < last:
        _lengthen(pieces, label, last, end - last)


@njit(**_FAST)
def _lengthen(pieces, label, number, length):  # noqa: ANN001, ANN202
    if pieces.bins[label] != number:
        pieces.finished[pieces.count[0]] = pieces.lengths[label]
        pieces.count[0] += 1
        pieces.bins[label], pieces.lengths[label] = number, 0.0
    pieces.lengths[label] += length


@njit(**_FAST)
def _sum_pieces(pieces):  # noqa: ANN001, ANN202
    return _sum_xlogx(pieces.finished[: pieces.count[0]]) + _sum_xlogx(pieces.lengths)


@njit(**_FAST)
def _sum_xlogx(values):  # noqa: ANN001, ANN202
    total = 0.0
    for i in range(len(values)):
        total += _xlogx(values[i])
    return total


@njit(**_FAST)
def _xlogx(value):  # noqa: ANN001, ANN202
    return value * _log(max(value, _TINY))


@njit(**_FAST)
def _log(value):  # noqa: ANN001, ANN202
    """Natural logarithm of a positive normal number, to four units in the last place.

    value = 2^k x with x between the roots of 1/2 and 2, and log x = 2 artanh f by its series in f = (x - 1) / (x + 1).
    """
    bits = np.float64(value).view(np.int64)
    k = (bits - _ROOT_HALF) >> 52
    x = np.int64(bits - (k << 52)).view(np.float64)
    f = (x - 1.0) / (x + 1.0)
    z = f * f
    series = 1 / 19
    for odd in (17, 15, 13, 11, 9, 7, 5, 3):
        series = series * z + 1 / odd
    return k * _LOG_2 + 2 * f * (1 + z * series)
