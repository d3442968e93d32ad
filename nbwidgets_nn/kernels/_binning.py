"""Values to bin numbers, compiled: one column a unit, one entry a draw.

Importing this file imports numba (about a second); the first call ever compiles and keeps the result on disk.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def bin_values(values, low, high, bins, drop, columns, first):  # noqa: ANN001, ANN202 - numba infers the types
    """Write the bin numbers of values (draws, units) into columns[:, first:]; edges are those of np.linspace.

    With `drop`, a value outside gets the number `bins`. Returns per unit the count of values outside and of NaN.
    """
    draws, units = values.shape
    outside, missing = np.zeros(units, np.int64), np.zeros(units, np.int64)
    for unit in range(units):
        start, end, last = low[unit], high[unit], bins[unit] - 1
        step = (end - start) / bins[unit]
        for draw in range(draws):
            value = values[draw, unit]
            if start <= value < end:
                number = min(int((value - start) / step), last)
                # The quotient is rounded: compare with the edges themselves.
                if value < number * step + start:
                    number -= 1
                elif number < last and value >= (number + 1) * step + start:
                    number += 1
            elif value == end:
                number = last
            else:
                outside[unit] += 1
                missing[unit] += value != value  # noqa: PLR0124 - only NaN differs from itself
                number = last + 1 if drop else (0 if value < start else last)
            columns[unit, first + draw] = number
    return outside, missing


@njit(cache=True, nogil=True)
def bin_shares(shares, bins, columns, first):  # noqa: ANN001, ANN202
    """Write the bin numbers of shares (draws, units), from 0 to 1, into columns[:, first:]."""
    draws, units = shares.shape
    for unit in range(units):
        for draw in range(draws):
            # The product can round up to the number of bins.
            columns[unit, first + draw] = min(int(shares[draw, unit] * bins), bins - 1)
