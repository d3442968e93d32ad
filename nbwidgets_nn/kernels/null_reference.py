"""What the strongest of many correlations is when there is nothing to find.

Of n independent units the largest |r| is not 0: with M = n(n-1)/2 pairs it grows like sqrt(2 log M / N)
(Jiang 2004, Ann. Appl. Probab. 14:865). A measured maximum says something only beside this reference.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.special import betainc, betaincinv

from nbwidgets_nn._arrays import expected


def pair_p_value(correlation: np.ndarray | float, samples: int) -> np.ndarray:
    """P(|r| >= |correlation|) for one pair of independent normal units.

    Exact: r^2 has a Beta(1/2, (samples - 2)/2) distribution, which is the t test with samples - 2 degrees of freedom
    in a form without cancellation. With 2 samples |r| is always 1, so the probability is 1.
    """
    r = np.minimum(np.abs(np.asarray(correlation, dtype=np.float64)), 1.0)
    if samples <= 2:
        return np.ones_like(r)
    return betainc((samples - 2) / 2, 0.5, (1 - r) * (1 + r))


def largest_p_value(correlation: np.ndarray | float, units: int, samples: int) -> np.ndarray:
    """P(max |r| >= |correlation|) over all pairs of `units` independent units: 1 - (1 - p_pair)^M.

    The pairs are taken as independent of each other; for independent normal units any two of them are.
    Exact for tiny p and huge M. 0 with fewer than two units: there is no pair.
    """
    pairs = units * (units - 1) / 2
    if pairs == 0:
        return np.zeros_like(np.asarray(correlation, dtype=np.float64))
    with np.errstate(divide="ignore"):  # log(0) = -inf is right: certain for one pair, certain for all
        return -np.expm1(pairs * np.log1p(-pair_p_value(correlation, samples)))


def null_reference(units: int, samples: int) -> tuple[float, float]:
    """Mean and standard deviation of max |r| over the pairs of `units` independent normal units.

    E[max] is the integral of P(max > r) over r from 0 to 1, E[max^2] that of 2 r P(max > r).
    With 2 samples every |r| is 1: (1.0, 0.0). With fewer than 2 units there is no pair: (nan, nan).
    Raises ValueError for fewer than 2 samples.

    >>> mean, std = null_reference(units=100, samples=1000)
    >>> print(f"{mean:.3f} +- {std:.3f}")
    0.121 +- 0.010
    """
    if samples < 2:
        hint = "record more inputs at once"
        raise ValueError(
            expected("samples", "at least 2, as one sample has no correlation", str(samples), hint)
        )
    if units < 2:
        return float("nan"), float("nan")
    if samples == 2:
        return 1.0, 0.0
    low, high = _step(units, samples)
    nodes, weights = _quadrature()
    r = low + (high - low) * (nodes + 1) / 2
    weights = weights * (high - low) / 2
    above = largest_p_value(r, units, samples)
    mean = low + weights @ above
    # The variance about `low`, not about 0: for many samples both moments are nearly equal.
    square = weights @ (2 * (r - low) * above)
    return float(mean), float(np.sqrt(max(square - (mean - low) ** 2, 0.0)))


@cache
def _quadrature() -> tuple[np.ndarray, np.ndarray]:
    """Give Gauss-Legendre nodes and weights; the integrand is one smooth step, 60 nodes would do."""
    return np.polynomial.legendre.leggauss(200)


def _step(units: int, samples: int) -> tuple[float, float]:
    """Find the stretch of r in which P(max > r) falls from 1 - 1e-12 to 1e-12."""
    pairs = units * (units - 1) / 2
    ends = -np.expm1(np.log([1e-12, 1 - 1e-12]) / pairs)  # p_pair where P(max <= r) is 1e-12, 1 - 1e-12
    low, high = np.sqrt(1 - betaincinv((samples - 2) / 2, 0.5, ends))
    return float(low), float(high)
