"""Pearson correlation of units: as NumPy returns it (`corrcoef`), streamed, and with its reference (`correlate`).

    correlate(rec["features.3"].matrix())     # strongest pair, p-value, dead units
    corrcoef(activations, rowvar=False)       # only the matrix

Cost: samples x units^2 multiplications and additions, half of those of `X.T @ X`; memory the result and one block.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nbwidgets_nn._arrays import as_array, as_matrix, as_numpy, expected, is_tensor, like
from nbwidgets_nn.kernels.moments import CoMoments
from nbwidgets_nn.kernels.null_reference import largest_p_value, null_reference
from nbwidgets_nn.results import Correlation

_ROWS = 256  # rows of the matrix finished at a time: a strip stays in the cache
_MAX_PAIRS = 1000  # tied pairs listed; identical units tie by the million
_ONE_SAMPLE = "record more inputs at once"


def corrcoef(m: Any, rowvar: bool = True) -> Any:
    """Pearson product-moment correlation coefficients, like `numpy.corrcoef`.

    `m` is a tensor or array: with `rowvar` every row is a unit and every column a sample; `rowvar=False` takes
    (samples, units) as `rec[name].matrix()` gives. One dimension is one unit. It is never changed.

    Returns the (units, units) matrix (0-dimensional for 1-D input) as `m` came: tensor on its device or array, of its
    floating dtype. Half precision is computed in float32 and rounded at the end; integers and bool are computed and
    returned in float64, as NumPy does; long double comes back as float64. Symmetric, within [-1, 1], diagonal exactly 1. float32 agrees with float64
    arithmetic to about 1e-6, also for units far from zero (two-pass means; see `moments`).

    A constant unit, one whose largest sample equals its smallest, has no correlation: its row and column are NaN, the
    diagonal too. So are those of a unit with a NaN or infinite sample. No other unit is affected.

    Raises ValueError for fewer than 2 samples or more than 2 dimensions, TypeError for complex or non-numeric input.

    >>> print(corrcoef(np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])))
    [[ 1. -1.]
     [-1.  1.]]
    """
    array = as_array(m, "m")
    if array.ndim not in (1, 2):
        came = f"{array.ndim}: shape {tuple(array.shape)}"
        raise ValueError(expected("m", "1 or 2 dimensions", came, "rec[name].matrix() with rowvar=False"))
    units_first = array if array.ndim == 2 and rowvar else array.T if array.ndim == 2 else array[None, :]
    if units_first.shape[1] < 2:
        came = f"{units_first.shape[1]} (shape {tuple(array.shape)}, rowvar={rowvar})"
        raise ValueError(expected("m", "at least 2 samples", came, f"{_ONE_SAMPLE}, or rowvar={not rowvar}"))
    _, matrix = correlation_matrix(as_matrix(units_first.T, "m"))
    result = _rounded_as(matrix, array)
    return result if array.ndim == 2 else result[0, 0] if is_tensor(result) else result.reshape(())


class CorrelationMoments(CoMoments):
    """Correlation over batches or machines: `update(batch)`, `merge(other)`, `result()`.

    Updates are exact in order and size of batches up to rounding; a unit is constant if it is so over all batches.

    >>> x = np.random.default_rng(0).normal(size=(100, 3))
    >>> parts = CorrelationMoments().update(x[:30]).merge(CorrelationMoments().update(x[30:]))
    >>> bool(np.allclose(parts.result().matrix, corrcoef(x, rowvar=False)))
    True
    """

    def result(self) -> Correlation:
        """Give the correlation of all samples so far; more may be added afterwards. ValueError before 2 samples."""
        if self.samples < 2:
            came = f"{self.samples} so far"
            raise ValueError(expected("samples", "at least 2, as one has no correlation", came, _ONE_SAMPLE))
        return _describe(self, _finish(self, self.engine.copy(self.sums)))


def correlate(X: Any) -> Correlation:
    """Correlation of all pairs of units, with the strongest pair and the reference by chance alone.

    `X` is (samples, units), tensor or array. The matrix is float32 for half and single precision, float64 otherwise,
    always a NumPy array. Constant units and those with NaN or infinite samples are NaN and listed.
    `null_mean`, `null_std` and `p_value` count the varying units and take normal samples: see `null_reference`.
    With fewer than two varying units `strongest` is NaN and there are no pairs.

    Raises ValueError for fewer than 2 samples, for no units and for other than 2 dimensions.

    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(1000, 4)); x[:, 3] = -x[:, 0]
    >>> print(correlate(x))
    4 units, 1,000 samples: strongest correlation -1.000 of (0, 3), by chance alone 0.052 ± 0.017
    """
    return _describe(*correlation_matrix(as_matrix(X, "X", min_samples=2)))


def correlation_matrix(X: Any) -> tuple[CoMoments, Any]:
    """Compute the correlation matrix of a checked matrix, on its device, with the moments that it came from."""
    moments = CoMoments().update(X)
    return moments, _finish(moments, moments.sums)


def _describe(moments: CoMoments, matrix: Any) -> Correlation:
    matrix = as_numpy(matrix)
    varying = moments.units - len(moments.constant) - len(moments.nonfinite)
    strongest, pairs, ties = _strongest(matrix)
    mean, std = null_reference(varying, moments.samples)
    p_value = float(largest_p_value(strongest, varying, moments.samples)) if pairs else float("nan")
    return Correlation(
        matrix=matrix,
        samples=moments.samples,
        constant=moments.constant,
        nonfinite=moments.nonfinite,
        strongest=strongest,
        pairs=pairs,
        ties=ties,
        null_mean=mean,
        null_std=std,
        p_value=p_value,
    )


def _finish(moments: CoMoments, sums: Any) -> Any:
    """Turn sums of products into correlations, in place: scale, bound, mirror the lower triangle."""
    engine = moments.engine
    spread = np.sqrt(moments.squares())
    no_correlation = np.concatenate([moments.constant, moments.nonfinite])
    spread[no_correlation] = np.nan
    inverse = engine.vector(1 / spread)
    for start in range(0, moments.units, _ROWS):
        stop = min(start + _ROWS, moments.units)
        strip = sums[start:stop, :stop]
        strip *= inverse[start:stop, None]
        strip *= inverse[:stop]
        engine.clip(strip)
        sums[:start, start:stop] = strip[:, :start].T
        _mirror_square(strip[:, start:])
    diagonal = sums.diagonal() if is_tensor(sums) else np.einsum("ii->i", sums)
    diagonal[...] = engine.vector(np.where(np.isnan(spread), np.nan, 1.0))
    return sums


def _mirror_square(square: Any) -> None:
    """Write the lower triangle over the upper one."""
    i, j = np.triu_indices(square.shape[0], 1)
    square[i, j] = square[j, i]


def _rounded_as(matrix: Any, original: Any) -> Any:
    """Give the matrix the user's type and floating dtype; integers stay with what they were computed in."""
    if not is_tensor(original):
        return matrix.astype(original.dtype, copy=False) if original.dtype.kind == "f" else matrix
    matrix = matrix if is_tensor(matrix) else like(matrix, original)
    return matrix.to(original.dtype) if original.is_floating_point() else matrix


def _strongest(matrix: np.ndarray) -> tuple[float, tuple[tuple[int, int], ...], int]:
    """Signed r of the largest |r| below the diagonal, the pairs that reach it up to rounding, and their number."""
    peaks = [_off_diagonal(matrix, start).max(initial=-1) for start in range(0, len(matrix), _ROWS)]
    if max(peaks) < 0:
        return float("nan"), (), 0
    reach = max(peaks) - 8 * np.finfo(matrix.dtype).eps
    pairs, ties = [], 0
    for strip in np.flatnonzero(np.array(peaks) >= reach):
        rows, columns = np.nonzero(_off_diagonal(matrix, strip * _ROWS) >= reach)
        ties += len(rows)
        pairs.append(np.stack([columns, rows + strip * _ROWS], axis=1)[:_MAX_PAIRS])
    listed = np.concatenate(pairs)
    listed = listed[np.lexsort((listed[:, 1], listed[:, 0]))][:_MAX_PAIRS]
    values = matrix[listed[:, 0], listed[:, 1]]
    return float(values[np.argmax(np.abs(values))]), tuple(map(tuple, listed.tolist())), ties


def _off_diagonal(matrix: np.ndarray, start: int) -> np.ndarray:
    """|r| of the rows from `start`, on and above the diagonal and where there is none -1."""
    strip = np.abs(matrix[start : start + _ROWS, : start + _ROWS])
    strip[np.isnan(strip)] = -1
    below = np.arange(strip.shape[1]) < np.arange(start, start + len(strip))[:, None]
    strip[~below] = -1
    return strip
