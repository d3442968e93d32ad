"""Correlations of a few units with a few others, made when asked for: for what must not form the whole matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from nbwidgets_nn._arrays import as_numpy, compute_dtype


class Standardised:
    """The columns of X with mean 0 and length 1, so that their products are correlations. Memory: three vectors.

    Each column is moved to its first sample before its mean is taken, and scaled by its largest deviation before
    its squares are: float32 is safe far from zero and at any size.
    """

    def __init__(self, X: Any) -> None:
        self.dtype = compute_dtype(X)
        self._data = as_numpy(X)
        self.samples, self.units = self._data.shape
        low, high = self._data.min(axis=0), self._data.max(axis=0)
        finite = np.isfinite(low) & np.isfinite(high)
        self.nonfinite = np.flatnonzero(~finite)
        self.constant = np.flatnonzero((low == high) & finite)
        self._centre = np.zeros(self.units, self.dtype)
        self._scale = np.ones(self.units, self.dtype)
        for start in range(0, self.units, _COLUMNS):
            self._measure(slice(start, start + _COLUMNS))

    def columns(self, units: Any) -> np.ndarray:
        """Give (samples, k) standardised columns; those of constant units are not numbers to use."""
        block = self._moved(units)
        block -= self._centre[units]
        block *= self._scale[units]
        return block

    def correlation(self, rows: Any, columns: Any) -> np.ndarray:
        """Give the (rows, columns) block of the correlation matrix."""
        left = self.columns(rows)
        right = left if rows is columns else self.columns(columns)
        return np.clip(left.T @ right, -1, 1)

    def _moved(self, units: Any) -> np.ndarray:
        block = self._data[:, units].astype(self.dtype)
        block -= block[0].copy()
        return block

    def _measure(self, units: slice) -> None:
        with np.errstate(all="ignore"):  # constant units and those that are not finite are never asked for
            block = self._moved(units)
            self._centre[units] = block.mean(axis=0)
            block -= self._centre[units]
            peak = np.maximum(block.max(axis=0), -block.min(axis=0))
            block /= peak
            squares = np.einsum("ij,ij->j", block, block, dtype=np.float64)  # a long sum
            self._scale[units] = 1 / (np.sqrt(squares) * peak)


_COLUMNS = 2048  # columns standardised at a time
