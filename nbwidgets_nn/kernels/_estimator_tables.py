"""The estimators of `information` as tables over counts, for code that looks up what it cannot compute fast."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import exp1, gammaln

from nbwidgets_nn.kernels.information import cell_terms, entropy_constant

THIN_GRID = 512
"""Entries of `thin` for a step of 1 in the root of the expected count."""
_FILLED = 9.0  # expected count from which a cell is not thin: e E1(2e) is 7e-9 there


class Estimator(NamedTuple):
    """An estimator of `information` as tables, up to the largest count that can come."""

    terms: np.ndarray
    """(draws + 1,) f(n) of H = ln N - (sum f(n) + constant)/N."""
    plain: np.ndarray
    """(draws + 1,) n ln n."""
    steps: np.ndarray
    """(draws + 1,) by how much one more draw raises the sum of f(n), as far as it is smooth."""
    constant: float
    thin: np.ndarray
    """(entries, 6) over the root of the expected count e: e E1(2e), exp(-2e), and by how much the mean of `steps` differs
    from that of the estimator; each with its step to the next entry. (0, 6) where thin cells are not looked at."""
    adjust: bool
    """Is it "adjusted"?"""


def make_estimator(name: str, draws: int) -> Estimator:
    """Tabulate an estimator for up to `draws` draws."""
    counts = np.arange(draws + 1)
    looks_at_thin = name in {"grassberger", "adjusted"}
    return Estimator(
        terms=cell_terms(counts, name),
        plain=cell_terms(counts, "plugin"),
        steps=_smooth_steps(counts, name),
        constant=entropy_constant(name),
        thin=_thin_table(name) if looks_at_thin else np.zeros((0, 6)),
        adjust=name == "adjusted",
    )


def _smooth_steps(counts: np.ndarray, name: str) -> np.ndarray:
    """Give the steps of f(n) with which the jackknife is right.

    Those of Grassberger's f(n) go up and down by 1 for even and odd n, which the jackknife would take for spread. Those
    of Miller and Madow have the same mean and, in filled cells, the spread that remains; only their first two are too
    alike. With a third of the way to Grassberger's, standard errors are right to a quarter from 0.05 draws a cell on.
    """
    if name in {"plugin", "miller-madow"}:
        return np.diff(cell_terms(counts, name), prepend=0.0)
    steps = np.diff(cell_terms(counts, "miller-madow"), prepend=0.0)
    steps[1:3] += 0.3 * (np.diff(cell_terms(counts[:3], name)) - steps[1:3])
    return steps


@cache
def _thin_table(name: str) -> np.ndarray:
    e = np.square(np.arange(1, int(_FILLED**0.5 * THIN_GRID) + 1) / THIN_GRID)
    # A draw finds itself and a Poisson number of others in its cell.
    others = np.arange(80)
    chance = np.exp(others * np.log(e)[:, None] - e[:, None] - gammaln(others + 1))
    drift = chance @ _smooth_steps(np.arange(81), name)[1:] - np.log(e) - 1
    if name == "grassberger":
        drift -= exp1(2 * e) - np.exp(-2 * e)  # the slope of e E1(2e), which stays in this estimator
    values = np.stack([e * exp1(2 * e), np.exp(-2 * e), drift], axis=1)
    values = np.concatenate([[[0, 1, drift[0]]], values, np.zeros((1, 3))])
    steps = np.diff(values, axis=0, append=0.0)
    return np.ascontiguousarray(np.stack([values, steps], axis=2).reshape(-1, 6))
