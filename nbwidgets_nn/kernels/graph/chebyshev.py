"""Filters of the Laplacian without its eigenvectors: a polynomial in L, one product with L for each order.

Hammond, Vandergheynst, Gribonval, "Wavelets on graphs via spectral graph theory", 2011, arXiv 0912.3848, section 6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.fft import dct

from nbwidgets_nn._arrays import at_least, expected


def chebyshev_coefficients(
    response: Callable[[np.ndarray], np.ndarray], largest: float, order: int
) -> np.ndarray:
    """Return the coefficients of the polynomial that takes the response's values at the Chebyshev points of [0, largest].

    >>> chebyshev_coefficients(lambda x: x, largest=2.0, order=1).round(12).tolist()
    [1.0, 1.0]
    """
    count = order + 1
    points = np.cos(np.pi * (np.arange(count) + 0.5) / count)
    found = dct(answers(response, largest * (points + 1) / 2, "response"), type=2) / count
    found[0] /= 2
    return found


def band(low: float, high: float, order: int) -> tuple[Callable[[np.ndarray], np.ndarray], np.ndarray]:
    """Return the response of a band, 1 from `low` to `high` and 0 elsewhere, and Jackson's factors, which keep it from ringing.

    The edges are as wide as about pi * largest / order. Factors from Di Napoli, Polizzi, Saad, 2016, arXiv 1308.4275.
    """
    k, last = np.arange(order + 1), order + 2
    angle = np.pi / last
    jackson = ((last - k) * np.cos(k * angle) + np.sin(k * angle) / np.tan(angle)) / last

    def response(frequency: np.ndarray) -> np.ndarray:
        return ((frequency >= low) & (frequency <= high)).astype(np.float64)

    return response, jackson


def filtered(
    apply: Callable[[np.ndarray], np.ndarray], signal: np.ndarray, factors: np.ndarray, largest: float
) -> np.ndarray:
    """Return p(L) s for the polynomial with these coefficients: (samples, nodes).

    Args:
        apply: L s for each row: (samples, nodes) from (samples, nodes).
        signal: (samples, nodes)
        factors: from `chebyshev_coefficients`.
        largest: a bound of the largest eigenvalue; too small a one makes the result grow without end.
    """
    if not largest > 0:
        return factors @ (-1.0) ** np.arange(len(factors)) * signal  # L is 0: every frequency is 0

    def scaled(x: np.ndarray) -> np.ndarray:
        return apply(x) * (2 / largest) - x

    before, now = signal, scaled(signal)
    found = factors[0] * before + (factors[1] * now if len(factors) > 1 else 0)
    for factor in factors[2:]:
        before, now = now, 2 * scaled(now) - before
        found = found + factor * now
    return found


def check_order(order: int) -> None:
    """Raise TypeError or ValueError for an order that is none."""
    at_least("order", order, 1)


def answers(response: Callable[[np.ndarray], np.ndarray], frequencies: np.ndarray, name: str) -> np.ndarray:
    """Return what the response is at the frequencies; TypeError or ValueError unless it is a finite number for each."""
    found = as_numbers(response(frequencies), name)
    if found.shape != frequencies.shape:
        what = f"a function that returns {len(frequencies):,} numbers for as many frequencies"
        raise ValueError(expected(name, what, f"shape {found.shape}"))
    return found


def as_numbers(values: Any, name: str) -> np.ndarray:
    """Return values in float64; TypeError for what is no real number, ValueError for NaN and infinity."""
    found = np.asarray(values)
    if found.dtype.kind not in "biuf":
        raise TypeError(expected(name, "real numbers", f"{type(values).__name__} of dtype {found.dtype}"))
    if not np.isfinite(found).all():
        raise ValueError(expected(name, "finite numbers", "NaN or infinity"))
    return found.astype(np.float64)
