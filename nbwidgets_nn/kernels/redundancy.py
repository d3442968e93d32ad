"""How much of a layer is used, from the same moments as the correlation: idle units, directions, likeness of layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbwidgets_nn._arrays import as_matrix, as_numpy, compute_dtype, expected, name_units
from nbwidgets_nn.results import UnitMeasures

_AT_BOUND = 0.01  # of the range of the activation
_OFTEN = 0.95  # of the samples


def measure_units(
    X: Any, *, bounds: tuple[float, float] | None = None, rank_limit: int | None = 1024
) -> UnitMeasures:
    """Find dead, constant and saturated units, and how many directions the covariance of the units has.

    `X` is (samples, units), tensor or array. `bounds` are those of the activation, (0, 1) for a sigmoid, (-1, 1) for a
    tanh: a varying unit within 1 % of the range of one bound in at least 95 % of the samples is saturated.

    Participation ratio (tr C)^2 / ||C||_F^2 and effective rank exp H(lambda / sum lambda) (Roy and Vetterli 2007, here
    with the eigenvalues lambda) are those of the *covariance* C, so units of large spread count for more; divide the
    columns by their standard deviation for those of the correlation. Both are NaN if no unit varies.

    Cost: a copy of X and min(samples, units)^2 x max(samples, units) for the participation ratio. The effective rank
    needs all eigenvalues, which take seconds from 2,000 of them on: it is NaN where both samples and units exceed
    `rank_limit`. None: computed always.

    Raises ValueError for fewer than 2 samples, NaN or infinite samples, and bounds that are not (low, high).

    >>> x = np.array([[1.0, 0.0, 7.0], [-1.0, 0.0, 7.0]])
    >>> print(measure_units(x))
    3 units, 2 samples: 1 dead, 2 constant, 0 saturated; participation ratio 1.0, effective rank 1.0
    """
    data = _finite_columns(X, "X")
    low, high = data.min(axis=0), data.max(axis=0)
    constant = low == high
    gram = _gram(_centred(data))
    wanted = rank_limit is None or len(gram) <= rank_limit
    return UnitMeasures(
        units=data.shape[1],
        samples=data.shape[0],
        dead=np.flatnonzero(constant & (low == 0)),
        constant=np.flatnonzero(constant),
        saturated=np.flatnonzero(_saturated(data, bounds) & ~constant),
        participation_ratio=_participation_ratio(gram),
        effective_rank=_effective_rank(gram) if wanted else float("nan"),
    )


def linear_cka(X: Any, Y: Any) -> float:
    """Compare two layers over the same samples: linear centred kernel alignment, from 0 to 1.

    ||C_xy||_F^2 / (||C_xx||_F ||C_yy||_F) (Kornblith, Norouzi, Lee, Hinton 2019, arXiv 1905.00414, eq. 3 and 4); `X` is
    (samples, units), `Y` (samples, other units). Unchanged by rotating, shifting or scaling a layer as a whole. Biased
    upwards when there are fewer samples than units. Exact; a product over units or over samples is taken,
    whichever is smaller. NaN if no unit of one of them varies.

    Raises ValueError for different numbers of samples, fewer than 2, or NaN or infinite samples.

    >>> x = np.random.default_rng(0).normal(size=(30, 4))
    >>> round(linear_cka(x, -3 * x + 1), 6)
    1.0
    """
    x, y = _centred(_finite_columns(X, "X")), _centred(_finite_columns(Y, "Y"))
    if len(x) != len(y):
        came = f"{len(y):,} and {len(x):,}"
        raise ValueError(expected("Y", "as many samples (rows) as X", came, "record both in one pass"))
    if not x.any() or not y.any():
        return float("nan")
    if len(x) < max(x.shape[1], y.shape[1]):
        # <K_x, K_y> of the (samples, samples) Gram matrices is the same number.
        gram_x, gram_y = x @ x.T, y @ y.T
        shared = np.vdot(gram_x, gram_y)
        value = shared / (np.linalg.norm(gram_x) * np.linalg.norm(gram_y))
    else:
        value = np.linalg.norm(x.T @ y) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))
    return float(min(max(value, 0.0), 1.0))


def _finite_columns(X: Any, name: str) -> np.ndarray:
    data = as_numpy(as_matrix(X, name, min_samples=2))
    bad = np.flatnonzero(~np.isfinite(data).all(axis=0))
    if len(bad):
        came = f"NaN or infinity in unit {name_units(bad)}"
        raise ValueError(expected(name, "finite samples for every unit", came, "leave these units out"))
    return data


def _centred(data: np.ndarray) -> np.ndarray:
    """Move every column to mean 0 and scale all of them together; a constant column becomes exactly 0."""
    moved = data.astype(compute_dtype(data))
    moved /= max(moved.max(), -moved.min()) or 1  # before a difference of very large values can overflow
    moved -= moved[0].copy()
    moved -= moved.mean(axis=0)
    peak = max(moved.max(), -moved.min())
    if peak > 0:
        moved /= peak
    return moved


def _gram(centred: np.ndarray) -> np.ndarray:
    """Compute the covariance, up to a factor, or the smaller matrix with the same eigenvalues but for zeros."""
    samples, units = centred.shape
    return centred.T @ centred if units <= samples else centred @ centred.T


def _participation_ratio(gram: np.ndarray) -> float:
    trace = np.trace(gram, dtype=np.float64)
    return float((trace / np.linalg.norm(gram)) ** 2) if trace > 0 else float("nan")


def _effective_rank(gram: np.ndarray) -> float:
    eigenvalues = np.linalg.eigvalsh(gram.astype(np.float64))
    share = eigenvalues[eigenvalues > 0] / np.trace(gram, dtype=np.float64)
    return float(np.exp(-np.sum(share * np.log(share)))) if len(share) else float("nan")


def _saturated(data: np.ndarray, bounds: tuple[float, float] | None) -> np.ndarray:
    if bounds is None:
        return np.zeros(data.shape[1], bool)
    low, high = bounds
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ValueError(expected("bounds", "two finite numbers (low, high) of the activation", repr(bounds)))
    near = _AT_BOUND * (high - low)
    return ((data <= low + near).mean(axis=0) >= _OFTEN) | ((data >= high - near).mean(axis=0) >= _OFTEN)
