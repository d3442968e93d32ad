"""The distribution of a weighted sum of independent uniform inputs, given in which bin one of them lies.

z = sum_k a_k u_k with u_k uniform on [-1, 1] and half-widths a_k > 0, so |z| <= L = sum a_k. Input A is known to lie in one
of `bins` equal parts of its range; then it adds a shift d_i and a uniform part of half-width a_A / bins.
Both functions give P(z in cell | A in bin i) for cells between consecutive points of [-L, L].

* `series`: the Fourier series on the period 2 L. It is exact because z has no weight outside the period, and what is left
  out is bounded. It converges fast when several inputs count.
* `closed_form`: the sum over the 2^n corners of a box of truncated powers. Exact for few inputs; rounding grows with n,
  and is bounded.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nbwidgets_nn.kernels._scratch import scratch

# |sin x / x| is at most exp(-x^2 / 6) up to pi and at most 1 / x everywhere; beyond pi it never exceeds this.
_LOG_LOBE = math.log(0.2173)
_GROWTH = 1.4
_MOST_TERMS = 2**14


@dataclass(frozen=True)
class Terms:
    """How many terms of the series are taken, and how far any probability can then be off."""

    count: int
    error: float


def terms_needed(half_widths: NDArray, bins: int, error: float) -> Terms:
    """Find the number of terms after which the rest of the series is below `error` for every choice of A.

    The rest is bounded by the integral of a decreasing envelope of its coefficients; if no number of terms up to
    16,384 is enough, the largest is returned with the bound that it reaches.
    """
    first = 8
    steps = 1 + math.ceil(math.log(_MOST_TERMS / first, _GROWTH))
    m = np.unique(np.round(first * _GROWTH ** np.arange(steps + 30.0)))
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


class Series:
    """The series of one sum at fixed points, for any input A."""

    def __init__(
        self, half_widths: Tensor, points: Tensor, cells: Tensor, count: int, bins: int, terms: int
    ) -> None:
        """Prepare.

        Args:
            half_widths: (n,) float64, positive.
            points: ascending, from -L to L.
            cells: (points - 1,) which cell each interval between points belongs to.
            count: number of cells.
            bins: of the input.
            terms: of the series.
        """
        device = half_widths.device
        self._bins = bins
        self._a = half_widths
        self._m = torch.arange(1, terms + 1, dtype=torch.float64, device=device)
        total = half_widths.sum()
        self._x = self._m * (math.pi / total)
        angles = points[:, None] * self._x
        gather = torch.zeros(len(cells), count, dtype=torch.float64, device=device)
        gather[torch.arange(len(cells), device=device), cells] = 1.0
        self._linear = ((points.diff() / (2 * total)) @ gather)[:, None, None]
        self._sines = gather.T @ angles.sin().diff(dim=0)
        self._cosines = gather.T @ angles.cos().diff(dim=0)
        self._coefficients = self._all_coefficients()

    def _all_coefficients(self) -> Tensor:
        """Return (n, terms): the product over all inputs but A, which counts with its bin's width only."""
        factors = torch.sinc(self._a[:, None] * (self._x / math.pi))
        before = torch.ones_like(factors)
        before[1:] = factors[:-1].cumprod(dim=0)
        after = torch.ones_like(factors)
        after[:-1] = factors[1:].flip(0).cumprod(dim=0).flip(0)
        own = torch.sinc(self._a[:, None] * (self._x / (math.pi * self._bins)))
        return before * after * own / (math.pi * self._m)

    def probabilities(self, inputs: slice) -> Tensor:
        """Return (inputs, bins, cells) P(cell | A in bin i) for each A of the slice, up to the order of the bins.

        What rounding makes negative is 0. The memory is used again by the next call in the same thread.
        """
        bins = self._bins
        half = bins - bins // 2
        # Bins lie symmetrically about the middle: the cosine part of a bin and of its mirror image are the same.
        offsets = 2 * torch.arange(half, dtype=torch.float64, device=self._a.device) + (1 - bins % 2)
        shifts = self._a[inputs, None] * (offsets / bins)
        weights = self._coefficients[inputs].T[:, :, None]
        cosines, sines = _multiples(shifts * self._x[0], len(self._m))
        cells, device = len(self._sines), shifts.device
        even, odd = (scratch(name, (cells, *shifts.shape), device) for name in ("even", "odd"))
        torch.mm(self._sines, cosines.mul_(weights).flatten(1), out=even.flatten(1))
        torch.mm(self._cosines, sines.mul_(weights).flatten(1), out=odd.flatten(1))
        even += self._linear
        # An odd number of bins has one in the middle, which is its own mirror image.
        given = scratch("given", (cells, len(shifts), bins), device)
        torch.add(even[:, :, bins % 2 :], odd[:, :, bins % 2 :], out=given[:, :, : bins // 2])
        torch.sub(even, odd, out=given[:, :, bins // 2 :])
        return given.clamp_(min=0).permute(1, 2, 0)


def _multiples(angles: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return cos(m angle) and sin(m angle) for m = 1 ... count, (count, *angles.shape), by the addition theorems.

    Rounding grows with the multiple, to 2e-12 at 16,384 of them; the coefficients fall off at least as fast.
    """
    cosines, sines = (scratch(name, (count, *angles.shape), angles.device) for name in ("cosines", "sines"))
    cosines[0], sines[0] = angles.cos(), angles.sin()
    known = 1
    while known < count:
        more = min(known, count - known)
        c, s = cosines[known - 1], sines[known - 1]
        new = slice(known, known + more)
        torch.mul(cosines[:more], c, out=cosines[new]).addcmul_(sines[:more], s, value=-1)
        torch.mul(sines[:more], c, out=sines[new]).addcmul_(cosines[:more], s)
        known += more
    return cosines, sines


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
