"""Entropy and mutual information of counts, in bits.

The plain histogram ("plugin") is biased: with N draws a table of two independent variables shows about
(cells - rows - columns + 1)/(2 N ln 2) bits that are not there. Three estimators correct it:

* "grassberger" (Grassberger 2003, arXiv physics/0307138, eq. 35): ln n of a count n becomes G(n). What is left of the
  bias is e E1(2e)/N for a cell in which e draws are expected: nothing where cells are filled, but much where most are
  nearly empty, as in the tails of a table with many bins.
* "adjusted", of tables only: the sum of Grassberger's terms n G(n), less what it is on average where rows and columns
  are independent and have the same sums. Of independent variables it is right at any number of draws. Dependence puts
  the draws into fewer cells, so for a pair with I bits a cell is taken to be filled 2^I times as well; with less than
  one or two draws a cell, moderate dependence comes out too low.
* "miller-madow" (Miller 1955): adds (occupied cells - 1)/(2N). Good where most cells hold several draws.

Every estimate here is built from sums of one function of a count, f(n): H = ln N - (sum f(n) + c)/N in nats.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import digamma, exp1, xlogy

from nbwidgets_nn._arrays import as_array, as_numpy, expected

ESTIMATORS = ("adjusted", "grassberger", "miller-madow", "plugin")


def entropy_from_counts(
    counts: Any, estimator: str = "grassberger", axis: int | tuple[int, ...] | None = None
) -> Any:
    """Entropy in bits of distributions of which only counts are known.

    `counts`: whole numbers, one per outcome, over `axis` (all axes by default); the other axes are kept. Without a
    single count there is no distribution: NaN. A single outcome has entropy exactly 0. The corrected estimators can
    exceed the logarithm of the number of outcomes. "adjusted" is about pairs: for an entropy it is "grassberger".
    Raises TypeError or ValueError for counts that are not whole numbers from 0, or for an unknown estimator.

    >>> print(f"{entropy_from_counts([50, 50], 'plugin'):.6f}")
    1.000000
    """
    counts = _checked_counts(counts)
    total = counts.sum(axis)
    sums = cell_terms(counts, estimator).sum(axis) + entropy_constant(estimator)
    draws = np.where(total > 0, total, np.nan)
    bits = (np.log(draws) - sums / draws) / np.log(2)
    return np.where((counts > 0).sum(axis) == 1, 0.0, bits)[()]


def mutual_information(counts: Any, estimator: str = "grassberger") -> Any:
    """Mutual information in bits of the rows and columns of tables of counts: (..., rows, columns) -> (...).

    H(row) + H(column) - H(row, column). A table with at most one occupied row or column holds no information: exactly
    0, as does one without counts. The corrected estimators are unbiased for independent variables, so they can be
    negative there; they are not cut at 0, or sums over many pairs would be too high.
    Raises TypeError or ValueError for counts that are not whole numbers from 0, fewer than two dimensions, or an
    unknown estimator.

    >>> print(f"{mutual_information([[10, 0], [0, 10]], 'plugin'):.6f}")
    1.000000
    """
    counts = _checked_tables(counts)
    rows, columns = counts.sum(-1), counts.sum(-2)
    draws = np.maximum(rows.sum(-1), 1)
    sums = cell_terms(counts, estimator).sum((-2, -1))
    if estimator == "adjusted":
        nats = (sums - _chance(rows, columns, 0.0)) / draws
        nats = (sums - _chance(rows, columns, nats)) / draws
    else:
        sums = sums - cell_terms(rows, estimator).sum(-1) - cell_terms(columns, estimator).sum(-1)
        nats = np.log(draws) + (sums - entropy_constant(estimator)) / draws
    varies = ((rows > 0).sum(-1) > 1) & ((columns > 0).sum(-1) > 1)
    if estimator == "plugin":
        nats = np.maximum(nats, 0.0)  # only rounding can have taken it below
    return np.where(varies, nats / np.log(2), 0.0)[()]


def plugin_bias(counts: Any) -> Any:
    """Bits by which "plugin" is too high, to first order: (K_XY - K_X - K_Y + 1)/(2 N ln 2), K: occupied cells.

    `counts` (..., rows, columns) -> (...). 0 for a table without counts.

    >>> print(f"{plugin_bias([[5, 5], [5, 5]]):.4f}")
    0.0361
    """
    counts = _checked_tables(counts)
    occupied = (counts > 0).sum((-2, -1)) - (counts.sum(-1) > 0).sum(-1) - (counts.sum(-2) > 0).sum(-1) + 1
    total = counts.sum((-2, -1))
    return np.where(total > 0, occupied / (2 * np.log(2) * np.maximum(total, 1)), 0.0)[()]


def _chance(rows: np.ndarray, columns: np.ndarray, nats: Any) -> np.ndarray:
    """Sum, over the cells of tables with these margins, the mean of Grassberger's term n G(n) when there are no bits.

    For e expected draws: e ln e + e E1(2e) if the count is Poisson; given the sums of its row and column, shares p and
    q of the draws, its variance is smaller by the share p + q - pq, which changes the mean by that times half of
    1 - (1 - 2e) exp(-2e). With `nats` of information the cells that matter are exp(nats) times as full; only the first
    term, which is not an error of the estimator, stays as it is.
    """
    draws = np.maximum(rows.sum(-1), 1)[..., None, None]
    p, q = rows[..., :, None] / draws, columns[..., None, :] / draws
    e = p * q * draws
    full = e * np.exp(nats)[..., None, None] if np.ndim(nats) else e * np.exp(nats)
    poisson = xlogy(e, e) + e * exp1(2 * np.where(e > 0, full, np.inf))
    fixed = (p + q - p * q) / 2 * (1 - (1 - 2 * full) * np.exp(-2 * full))
    return (poisson - fixed).sum((-2, -1))


def MI(  # noqa: N802 - the seed's name
    x: Any,
    y: Any,
    bins: int | tuple[int, int] = 32,
    range: Any = ((0, 1), (0, 1)),  # noqa: A002 - the seed's name
    *,
    estimator: str = "plugin",
    outside: str = "drop",
) -> float:
    """Mutual information in bits of two variables, from a histogram of equal bins.

    `x`, `y`: as many real numbers each, tensors or arrays of any shape. `bins`: of both, or of each. `range`: one
    (low, high) a variable. A value on an edge between two bins belongs to the upper one, `high` to the last bin.
    `outside`: "drop" leaves out pairs with a value beyond its range, "clip" moves the value to the nearest bin.
    If no pair is left, or a variable fills one bin only, the result is 0. Estimators: see `mutual_information`.
    Raises TypeError for what is not numbers, ValueError for different lengths, nothing, NaN, ranges that are not finite
    and rising, fewer than 1 bin, an unknown estimator or `outside`.

    >>> print(f"{MI([0.3, 0.2, 0.4, 0.7], [0.6, 0.7, 0.2, 0.3], bins=2):.6f}")
    0.311278
    """
    x, y = _checked_values(x, "x"), _checked_values(y, "y")
    if len(x) != len(y):
        raise ValueError(expected("y", f"as many values as x, {len(x):,}", f"{len(y):,}"))
    check_estimator(estimator)
    if outside not in {"drop", "clip"}:
        raise ValueError(expected("outside", '"drop" or "clip"', repr(outside)))
    bins, ends = _checked_bins(bins), _checked_range(range)
    if outside == "clip":
        x, y = np.clip(x, *ends[0]), np.clip(y, *ends[1])
    counts = np.histogram2d(x, y, bins, ends)[0]
    return float(mutual_information(counts, estimator))


def cell_terms(counts: np.ndarray, estimator: str) -> np.ndarray:
    """f(n) of the estimator for each count: n G(n), n ln n - 1/2 [n > 0], or n ln n; 0 for n = 0.

    G(n) = digamma(floor(n/2) + 1/2) + ln 2 is Grassberger's recurrence in closed form.
    """
    check_estimator(estimator)
    if estimator in {"adjusted", "grassberger"}:
        return counts * (digamma(counts // 2 + 0.5) + np.log(2))
    return xlogy(counts, counts) - (0.5 * (counts > 0) if estimator == "miller-madow" else 0.0)


def entropy_constant(estimator: str) -> float:
    """Give c of H = ln N - (sum f(n) + c)/N."""
    return 0.5 if estimator == "miller-madow" else 0.0


def check_estimator(estimator: str) -> None:
    """Raise ValueError for a name that is not in ESTIMATORS."""
    if estimator not in ESTIMATORS:
        raise ValueError(expected("estimator", f"one of {', '.join(ESTIMATORS)}", repr(estimator)))


def _checked_counts(counts: Any) -> np.ndarray:
    counts = as_numpy(as_array(counts, "counts"))
    if counts.dtype.kind == "f":
        whole = np.isfinite(counts).all() and (counts == np.floor(counts)).all()
        if not whole:
            raise ValueError(
                expected("counts", "whole numbers", "fractions, NaN or inf", "counts, not shares")
            )
    counts = counts.astype(np.int64)
    if (counts < 0).any():
        raise ValueError(expected("counts", "numbers from 0", f"{counts.min()}"))
    return counts


def _checked_tables(counts: Any) -> np.ndarray:
    counts = _checked_counts(counts)
    if counts.ndim < 2:
        raise ValueError(expected("counts", "tables (..., rows, columns)", f"shape {counts.shape}"))
    return counts


def _checked_values(values: Any, name: str) -> np.ndarray:
    values = as_numpy(as_array(values, name)).astype(np.float64).ravel()
    if len(values) == 0:
        raise ValueError(expected(name, "at least 1 value", "none"))
    if np.isnan(values).any():
        hint = f"leave those pairs out: keep = ~numpy.isnan({name})"
        raise ValueError(expected(name, "numbers", f"{np.isnan(values).sum():,} NaN", hint))
    return values


def _checked_bins(bins: Any) -> tuple[int, int]:
    try:
        pair = np.broadcast_to(np.asarray(bins), (2,))
        if pair.dtype.kind not in "iu" or pair.min() < 1:
            raise ValueError  # noqa: TRY301 - one message for everything that is not two numbers of bins
    except ValueError:
        what = "a number of bins from 1, or one of x and one of y"
        raise ValueError(expected("bins", what, repr(bins), "bins=32 or bins=(32, 16)")) from None
    return int(pair[0]), int(pair[1])


def _checked_range(ends: Any) -> np.ndarray:
    try:
        pairs = np.asarray(ends, np.float64).reshape(2, 2)
        if not (np.isfinite(pairs).all() and (pairs[:, 0] < pairs[:, 1]).all()):
            raise ValueError  # noqa: TRY301 - one message for everything that is not two ranges
    except (TypeError, ValueError):
        what = "((low, high) of x, (low, high) of y), finite, low < high"
        raise ValueError(expected("range", what, repr(ends), "range=((0, 1), (0, 1))")) from None
    return pairs
