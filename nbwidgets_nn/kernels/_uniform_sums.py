"""The distribution of a weighted sum of independent uniform inputs, given in which bin one of them lies.

z = sum_k a_k u_k with u_k uniform on [-1, 1] and half-widths a_k > 0, so |z| <= L = sum a_k. Input A is known to lie in one
of `bins` equal parts of its range; then it adds a shift d_i and a uniform part of half-width a_A / bins.
Both functions give P(z in cell | A in bin i) for cells between consecutive points of [-L, L].

* `series_of`: the Fourier series on the period 2 L. It is exact because z has no weight outside the period, and what is left
  out is bounded. It converges fast when several inputs count.
* `closed_form`: the sum over the 2^n corners of a box of truncated powers. Exact for few inputs; rounding grows with n,
  and is bounded.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# |sin x / x| is at most exp(-x^2 / 6) up to pi and at most 1 / x everywhere; beyond pi it never exceeds this.
_LOG_LOBE = math.log(0.2173)
_GROWTH = 1.4
_MOST_TERMS = 2**14


@dataclass(frozen=True)
class Terms:
    """How many terms of the series are taken, a multiple of 4, and how far any probability can then be off."""

    count: int
    error: float


def terms_needed(half_widths: NDArray, bins: int, error: float) -> Terms:
    """Find the number of terms after which the rest of the series is below `error` for every choice of A.

    The rest is bounded by the integral of a decreasing envelope of its coefficients; if no number of terms up to
    16,384 is enough, the largest is returned with the bound that it reaches.
    """
    first = 8
    steps = 1 + math.ceil(math.log(_MOST_TERMS / first, _GROWTH))
    m = np.unique(4 * np.round(first / 4 * _GROWTH ** np.arange(steps + 30.0)))
    x = np.pi * m * (half_widths[:, None] / half_widths.sum())
    logs = _log_envelope(x)
    # Input A itself is only as wide as its bin.
    logs = logs.sum(axis=0) - logs + _log_envelope(x / bins)
    envelope = np.exp(logs.max(axis=0)) / (np.pi * m)
    # Beyond the last point every input with x past its first lobe makes the envelope fall by another power.
    power = max(1, int((x[:, -1] > 4.7).sum()) - 1)
    rest = envelope[-1] * m[-1] / power
    tails = np.append(np.cumsum((envelope[:-1] * np.diff(m))[::-1])[::-1], 0.0) + rest
    usable = m <= _MOST_TERMS
    enough = np.flatnonzero(usable & (tails <= error))
    chosen = enough[0] if len(enough) else np.flatnonzero(usable)[-1]
    # A probability is the difference of two values of the series.
    return Terms(int(m[chosen]), float(2 * tails[chosen]))


def _log_envelope(x: NDArray) -> NDArray:
    return np.where(x <= np.pi, np.maximum(x * x * (-1 / 6), _LOG_LOBE), np.minimum(_LOG_LOBE, -np.log(x)))


class Series(NamedTuple):
    """The series of one sum at fixed points, for any input A; `_exact_bits` adds it up."""

    angles: NDArray[np.float64]
    """(inputs,) of the first term for a shift by the half-width of A."""
    coefficients: NDArray[np.float64]
    """(inputs, terms)."""
    linear: NDArray[np.float64]
    """(intervals,) what each has without the series."""
    sines: NDArray[np.float64]
    """(intervals, terms) differences of the sine over each interval."""
    cosines: NDArray[np.float64]
    bins: int
    """Of the input."""


def series_of(half_widths: NDArray, points: NDArray, bins: int, terms: int) -> Series:
    """Prepare the series for the intervals between points.

    Args:
        half_widths: (inputs,) positive.
        points: ascending, from -L to L.
        bins: of each input.
        terms: of the series, a multiple of 4.
    """
    m = np.arange(1.0, terms + 1)
    first = np.pi / half_widths.sum()
    angles = points[:, None] * (m * first)
    return Series(
        half_widths * first,
        _coefficients(half_widths[:, None] * first, m, bins),
        np.diff(points) / (2 * half_widths.sum()),
        np.diff(np.sin(angles), axis=0),
        np.diff(np.cos(angles), axis=0),
        bins,
    )


def _coefficients(angles: NDArray, m: NDArray, bins: int) -> NDArray:
    """Return for each input A the product over all inputs but A, which counts with its bin's width only."""
    factors = np.sinc(angles * m / np.pi)
    before, after = np.ones_like(factors), np.ones_like(factors)
    np.cumprod(factors[:-1], axis=0, out=before[1:])
    np.cumprod(factors[:0:-1], axis=0, out=after[-2::-1])
    own = np.sinc(angles * m / (np.pi * bins))
    return before * after * own / (np.pi * m)


def closed_form(others: NDArray, own: float, bins: int, points: NDArray) -> tuple[NDArray, float]:
    """Return (bins, points - 1) probabilities and a bound on the error that rounding makes in each.

    Args:
        others: (n - 1,) half-widths of the other inputs, positive.
        own: half-width of A.
        bins: of A.
        points: ascending, from -L to L.
    """
    real = np.longdouble
    sides = others.astype(real)
    edges = np.linspace(real(-own), real(own), bins + 1)
    t = points.astype(real) - edges[:, None]
    n = len(sides) + 1
    # The uniform part of A is a difference between its bin's two edges.
    corners = np.zeros_like(t)
    for signs in itertools.product((-1, 1), repeat=n - 1):
        corner = t + (np.array(signs, real) * sides).sum()
        corners += math.prod(signs) * _power(np.maximum(corner, 0), n)
    scale = math.factorial(n) * np.prod(2 * sides) * (2 * real(own) / bins)
    widest = (2 * (sides.sum() + own)) ** n
    # Each of 2**n corners is rounded some n times before it is raised to the power n, and then added up.
    error = float(2**n * (n * (n + 2) + 2**n) * np.finfo(real).eps * widest / scale)
    cdf = np.clip((corners[:-1] - corners[1:]) / scale, 0, 1)
    cdf[:, 0], cdf[:, -1] = 0, 1
    return np.maximum(np.diff(cdf, axis=1), 0).astype(np.float64), 2 * error


def _power(base: NDArray, exponent: int) -> NDArray:
    """Multiply: ten times as fast as NumPy's power of long doubles."""
    result = base.copy()
    for _ in range(exponent - 1):
        result *= base
    return result
