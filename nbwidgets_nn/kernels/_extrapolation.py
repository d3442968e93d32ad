"""The plain histogram's information at infinitely many draws, from what it says of parts of the draws.

The information I(N) of N draws is taken as C + a/N + b/N^2 (Strong et al. 1998, Phys. Rev. Lett. 80:197). I(N/2), I(N/4)
and I(N/8) are means over the 2, 4 and 8 disjoint parts of the draws, so all four share the chance of the same draws;
C is the least squares solution, which is a fixed sum of the four.
"""

from __future__ import annotations

from functools import cache

import numpy as np

_CUTS = (1, 2, 4, 8)


def nested_ranges(draws: int) -> list[tuple[float, tuple[int, int]]]:
    """Give (weight, (first, stop)) of each part of the draws, all draws first; C is the weighted sum of information.

    >>> [draws for _, draws in nested_ranges(16)][:4]
    [(0, 16), (0, 8), (8, 16), (0, 4)]
    """
    return [
        (weight / cuts, (draws * part // cuts, draws * (part + 1) // cuts))
        for cuts, weight in zip(_CUTS, _weights(), strict=True)
        for part in range(cuts)
    ]


@cache
def second_order_gain() -> float:
    """Give the variance of C over that of I(N) where the first order vanishes, as for independent units.

    There every I is the square of a sum of normal vectors, one for each eighth of the draws; C is a quadratic form of
    the eight, and its variance goes with the sum of the squared entries.

    >>> second_order_gain() > 1
    True
    """
    eighths = _CUTS[-1]
    form = np.zeros((eighths, eighths))
    for cuts, weight in zip(_CUTS, _weights(), strict=True):
        size = eighths // cuts
        form += weight * cuts / eighths * np.kron(np.eye(cuts), np.ones((size, size)))
    return float(np.square(form).sum())


def _weights() -> list[float]:
    """Give the weights of I(N), I(N/2), I(N/4), I(N/8) in the least squares value of C."""
    design = np.vander(np.array(_CUTS, np.float64), 3, increasing=True)
    return np.linalg.pinv(design)[0].tolist()
