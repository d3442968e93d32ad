"""Pair tables, compiled: columns of bin numbers in, the information of every pair out. The same numbers as `information`.

A table is counted for one pair at a time, so that it stays in the cache nearest to the core, and no logarithm is taken
in a loop: the terms of all counts are looked up. Everything releases the interpreter's lock and writes nothing but its
own results, so tiles of pairs can run on several threads.

Importing this file imports numba (about a second); the first call ever compiles for some seconds and keeps the result
on disk. All of it stands in one file because numba looks for changes only in the file of the function that is called.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import int64, njit, uint64

from nbwidgets_nn.kernels._estimator_tables import THIN_GRID


class Columns(NamedTuple):
    """Bin numbers of every draw, (units, draws), and how many bins there are."""

    inputs: np.ndarray
    outputs: np.ndarray
    in_bins: int
    out_bins: np.ndarray
    """(outputs,) int64. A bin number of `out_bins` or more means that the draw does not count for this output."""
    width: int
    """Columns of a table: more than any bin number in `outputs`."""


@njit(cache=True, nogil=True)
def measure_tile(columns, estimator, inputs, outputs, draws, probes, results):  # noqa: ANN001, ANN202
    """Measure pairs of the inputs and outputs in two ranges (first, stop), over a range of draws.

    `results` (inputs, 3, outputs) gets the first three numbers of `_information`. Returns the sums of its last
    two over the tile, (2,), and what each of the first draws contributes to the sum of the tile's informations, on top
    of the mean: the influence function, (probes,).
    """
    influence, sums = np.zeros(probes), np.zeros(2)
    width = columns.width
    counts = np.empty(columns.in_bins * width, np.int32)
    effects = np.empty(columns.in_bins * width)
    offsets = np.empty(draws[1] - draws[0], np.uint32)
    for unit in range(*inputs):
        _offsets(columns.inputs[unit, draws[0] : draws[1]], width, offsets)
        for output in range(*outputs):
            numbers = columns.outputs[output, draws[0] : draws[1]]
            _count(offsets, numbers, counts)
            bins = columns.out_bins[output]
            found = _information(counts, effects, columns.in_bins, bins, width, estimator)
            results[unit, 0, output], results[unit, 1, output], results[unit, 2, output] = found[:3]
            sums[0] += found[3]
            sums[1] += found[4]
            for draw in range(probes):
                influence[draw] += effects[uint64(offsets[draw]) + uint64(numbers[draw])]
    return sums, influence


@njit(cache=True, nogil=True)
def _offsets(numbers, width, offsets):  # noqa: ANN001, ANN202
    for draw in range(len(numbers)):
        offsets[draw] = numbers[draw] * width


@njit(cache=True, nogil=True)
def _count(offsets, numbers, counts):  # noqa: ANN001, ANN202
    counts[:] = 0
    for draw in range(len(offsets)):
        counts[uint64(offsets[draw]) + uint64(numbers[draw])] += 1  # unsigned: no test for negative indices


@njit(cache=True, nogil=True)
def _information(counts, effects, rows, columns, width, estimator):  # noqa: ANN001, ANN202
    """Turn counts (rows x width, of which `columns` count) into five numbers, in nats.

    Information; its variance by the jackknife; the variance of its second order; by how much the plain histogram is
    too high, to first order; by how much Grassberger's estimate is above the adjusted one. `effects` gets what one draw
    in a cell adds to the information, minus the mean over the draws; 0 in the columns that do not count.
    """
    row_sums, column_sums, terms, occupied = _sums(counts, rows, columns, width, estimator.terms)
    row_terms, row_plain, occupied_rows = _margin_terms(row_sums, estimator)
    column_terms, column_plain, occupied_columns = _margin_terms(column_sums, estimator)
    effects[:] = 0.0
    if min(occupied_rows, occupied_columns) <= 1:
        return 0.0, 0.0, 0.0, 0.0, 0.0
    draws = row_sums.sum()
    information = np.log(draws) + (terms - row_terms - column_terms - estimator.constant) / draws
    above, gain = 0.0, 1.0
    if len(estimator.thin) > 0:
        filled = (occupied_rows + occupied_columns - 1) / 2  # what fixed margins change if no cell is thin
        before = np.log(draws) + (terms - row_plain - column_plain + filled) / draws
        adjusted, slope = _adjusted(before, row_sums, column_sums, draws, estimator.thin, effects, width)
        above = information - adjusted
        if estimator.adjust:
            information = adjusted
            gain += slope  # what is taken off for chance shrinks as the information grows
    mean, square = _effects(counts, effects, row_sums, column_sums, width, estimator.steps)
    _centre(effects, rows, columns, width, mean, gain / draws)
    variance = gain * gain * max(square - mean * mean, 0.0) / draws
    excess = (occupied - occupied_rows - occupied_columns + 1) / (2 * draws)
    return information, variance, gain * gain * abs(excess) / draws, excess, above


@njit(cache=True, nogil=True)
def _sums(counts, rows, columns, width, terms):  # noqa: ANN001, ANN202
    """Sum the rows, the columns and f(n) of all cells, and count the cells that are not empty."""
    row_sums, column_sums = np.zeros(rows, np.int32), np.zeros(columns, np.int32)
    total, occupied = 0.0, 0
    for row in range(rows):
        row_sum, part = 0, 0.0  # sums of a row: the chain of additions stays short
        for column in range(columns):
            count = counts[row * width + column]
            row_sum += count
            column_sums[column] += count
            part += terms[uint64(count)]
            occupied += count > 0
        row_sums[row] = row_sum
        total += part
    return row_sums, column_sums, total, occupied


@njit(cache=True, nogil=True)
def _margin_terms(sums, estimator):  # noqa: ANN001, ANN202
    """Sum f(n) and n ln n of a margin and count what is occupied."""
    total, plain, occupied = 0.0, 0.0, 0
    for count in sums:
        total += estimator.terms[uint64(count)]
        plain += estimator.plain[uint64(count)]
        occupied += count > 0
    return total, plain, occupied


@njit(cache=True, nogil=True)
def _effects(counts, effects, row_sums, column_sums, width, steps):  # noqa: ANN001, ANN202
    """Replace drifts by effects; give the mean over all draws of the effect and of its square."""
    columns = len(column_sums)
    column_steps = np.empty(columns)
    for column in range(columns):
        column_steps[column] = steps[uint64(column_sums[column])]
    first, second, draws = 0.0, 0.0, 0
    for row in range(len(row_sums)):
        draws += row_sums[row]
        row_step = steps[uint64(row_sums[row])]
        part_first, part_second = 0.0, 0.0
        for column in range(columns):
            cell = row * width + column
            count = counts[cell]
            effect = steps[uint64(count)] - row_step - column_steps[column] - effects[cell]
            effects[cell] = effect
            weighted = count * effect
            part_first += weighted
            part_second += weighted * effect
        first += part_first
        second += part_second
    return first / draws, second / draws


@njit(cache=True, nogil=True)
def _adjusted(before, row_sums, column_sums, draws, table, effects, width):  # noqa: ANN001, ANN202
    """Compute the adjusted information from the one that holds when no cell is thin, and its slope against that.

    `effects` gets the drifts of thin cells.
    """
    row_shares, column_shares = row_sums / draws, column_sums / draws
    chance, _ = _thin(row_shares, column_shares, float(draws), 1.0, table, effects, width)
    scale = np.exp(before - chance / draws)
    effects[:] = 0.0
    chance, slope = _thin(row_shares, column_shares, float(draws), scale, table, effects, width)
    return before - chance / draws, slope / draws


@njit(cache=True, nogil=True)
def _thin(row_shares, column_shares, draws, scale, table, effects, width):  # noqa: ANN001, ANN202
    """Sum what thin cells add by chance, and its slope; functions of the root of a count by lines between entries."""
    row_roots = np.sqrt(row_shares * draws) * THIN_GRID
    least, last = row_roots.min(), float(len(table) - 1)
    chance, slope = 0.0, 0.0
    for column in range(len(column_shares)):
        share = column_shares[column]
        root = np.sqrt(share * scale)
        if share == 0 or least * root >= last:
            continue
        for row in range(len(row_shares)):
            place = min(row_roots[row] * root, last)
            below = int64(place)  # converting to unsigned at once takes twice as long
            entry, beyond = table[uint64(below)], place - below
            full = place * place / (THIN_GRID * THIN_GRID)
            falling = entry[2] + beyond * entry[3]
            fixed = row_shares[row] + share - row_shares[row] * share
            chance += (entry[0] + beyond * entry[1]) / scale + 0.5 * fixed * (1 - 2 * full) * falling
            slope += full * falling / scale
            effects[row * width + column] = entry[4] + beyond * entry[5]
    return chance, slope


@njit(cache=True, nogil=True)
def _centre(effects, rows, columns, width, mean, factor):  # noqa: ANN001, ANN202
    for row in range(rows):
        for column in range(width):
            cell = row * width + column
            effects[cell] = (effects[cell] - mean) * factor if column < columns else 0.0
