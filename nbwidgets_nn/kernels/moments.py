"""The one place where co-moments are summed: a mergeable accumulator, safe in float32.

Every block of rows is moved to its own first row and then to its own mean, so products are taken of numbers of the
size of the spread, however far the data are from zero; blocks are joined by Chan, Golub and LeVeque's formula
(Stanford STAN-CS-79-773, eq. 2.1), whose correction d d' na nb / (na + nb) rides along as one more row of the product.
Means are float64. Units of extreme size are scaled by powers of two, which rounds nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nbwidgets_nn._arrays import as_matrix, as_numpy, compute_dtype, expected
from nbwidgets_nn.kernels._engine import DeviceEngine, HostEngine, engine_for

_BLOCK_VALUES = 2**22  # values in a block: 16 MB of float32, in the reach of a cache, enough rows for BLAS
_SLACK = 30  # powers of two that a unit may be away from its scale: squares stay far inside float32


class CoMoments:
    """Sums of (x_i - mean_i)(x_j - mean_j) over samples that come in batches.

    Memory: one (units, units) matrix and one block. The first batch decides units, precision and device.
    """

    def __init__(self) -> None:
        self.samples = 0
        self.mean = np.zeros(0)  # float64, in the data's own scale
        self.sums: Any = None  # only the lower triangle counts; unit i is scaled by 2**-_exponent[i]
        self.engine: HostEngine | None = None

    @property
    def units(self) -> int:
        """The number of units; 0 before the first batch."""
        return len(self.mean)

    def update(self, batch: Any) -> CoMoments:
        """Add a (samples, units) tensor or array; it is read, never changed. Returns self."""
        batch = as_matrix(batch, "batch")
        dtype = compute_dtype(batch)
        if self.engine is None:
            self._start(batch.shape[1], engine_for(batch, dtype))
        self._check_fits(batch.shape[1], dtype, "batch")
        rows = max(256, _BLOCK_VALUES // self.units)
        buffer = self.engine.buffer((min(rows, batch.shape[0]) + 1) * self.units)
        batch = self.engine.own(batch)
        for start in range(0, batch.shape[0], rows):
            self._add_block(batch[start : start + rows], buffer)
        return self

    def merge(self, other: CoMoments) -> CoMoments:
        """Add everything that `other` has seen, as if it had come here; `other` is unchanged. Returns self."""
        if not isinstance(other, CoMoments):
            raise TypeError(expected("other", f"a {type(self).__name__}", type(other).__name__))
        if other.engine is None:
            return self
        if self.engine is None:
            self._start(other.units, other.engine)
        self._check_fits(other.units, other.engine.dtype, "other")
        gap = self._gap(other.mean)
        self.is_nonfinite |= other.is_nonfinite
        self._set_scale(np.ldexp(np.sqrt(other.squares()), other._exponent), np.abs(gap))
        factor = self.engine.vector(np.ldexp(1.0, other._exponent - self._exponent))
        added = self.engine.copy(self.engine.own(other.sums))
        added *= factor[:, None]
        added *= factor
        self.sums += added
        self.engine.add_gram(self.sums, self._gap_row(gap, other.samples)[None, :])
        self._count(other.mean, other.samples)
        return self

    @property
    def constant(self) -> np.ndarray:
        """Indices of the units whose largest sample equals their smallest, exactly."""
        return np.flatnonzero(~self._varied & ~self.is_nonfinite)

    @property
    def nonfinite(self) -> np.ndarray:
        """Indices of the units that had a NaN or infinite sample."""
        return np.flatnonzero(self.is_nonfinite)

    def squares(self) -> np.ndarray:
        """Give the sums of squares, the diagonal of `sums`, as a float64 host vector."""
        return as_numpy(self.sums.diagonal()).astype(np.float64)

    def _start(self, units: int, engine: HostEngine) -> None:
        self.engine = engine
        self.mean = np.zeros(units)
        self.is_nonfinite = np.zeros(units, bool)
        self.sums = engine.square(units)
        self._exponent = np.zeros(units, np.int64)
        self._varied = np.zeros(units, bool)

    def _check_fits(self, units: int, dtype: np.dtype, name: str) -> None:
        if units != self.units:
            raise ValueError(expected(name, f"{self.units} units, as before", f"{units}"))
        if dtype != self.engine.dtype:
            hint = "give every batch the same dtype"
            raise TypeError(
                expected(name, f"data summed in {self.engine.dtype}, as before", str(dtype), hint)
            )

    def _add_block(self, rows: Any, buffer: Any) -> None:
        count, engine = rows.shape[0], self.engine
        block = self._block_like(rows, buffer)
        body = block[:count]
        with np.errstate(invalid="ignore", over="ignore"):  # NaN, inf: found by `peak`
            first = engine.shift(rows, body)
            peak = as_numpy(engine.peak(body)).astype(np.float64)
        origin = as_numpy(first).astype(np.float64)
        self._drop_nonfinite(peak, origin, body)
        self._set_scale(peak, np.abs(self._gap(origin)))
        if self._exponent.any():
            body *= engine.vector(np.ldexp(1.0, -self._exponent))
        centre = body.mean(0)
        body -= centre
        mean = origin + np.ldexp(as_numpy(centre).astype(np.float64), self._exponent)
        block[count] = self._gap_row(self._gap(mean), count)
        engine.add_gram(self.sums, block)
        self._count(mean, count)

    def _block_like(self, rows: Any, buffer: Any) -> Any:
        """Shape a (rows + 1, units) view of the buffer with the memory order of `rows`, so that the copy streams."""
        count = rows.shape[0] + 1
        flat = buffer[: count * self.units]
        sample_step, unit_step = rows.stride() if isinstance(self.engine, DeviceEngine) else rows.strides
        if abs(unit_step) <= abs(sample_step):
            return flat.reshape(count, self.units)
        return flat.reshape(self.units, count).T

    def _drop_nonfinite(self, peak: np.ndarray, origin: np.ndarray, body: Any) -> None:
        """From a unit's first NaN or infinity on, count it as zeros: it must not reach the others' sums."""
        self.is_nonfinite |= ~np.isfinite(peak)
        if self.is_nonfinite.any():
            columns = self.nonfinite
            body[:, columns] = 0
            peak[columns] = origin[columns] = 0

    def _set_scale(self, peak: np.ndarray, gap: np.ndarray) -> None:
        """Choose 2**exponent for the units that `peak` and `gap` show to be far from their present scale."""
        size = np.maximum(peak, gap)
        exponent = np.frexp(size)[1].astype(np.int64)
        far = exponent > self._exponent + _SLACK
        far |= ~self._varied & (exponent < self._exponent - _SLACK)
        far &= (size > 0) & ~self.is_nonfinite
        self._varied |= size > 0
        if far.any():
            limit = np.finfo(self.engine.dtype).maxexp - 8
            new = np.where(far, np.clip(exponent, -limit, limit), self._exponent)
            factor = self.engine.vector(np.ldexp(1.0, self._exponent - new))
            self.sums *= factor[:, None]
            self.sums *= factor
            self._exponent = new

    def _gap(self, mean: np.ndarray) -> np.ndarray:
        return mean - self.mean if self.samples else np.zeros(self.units)

    def _gap_row(self, gap: np.ndarray, count: int) -> Any:
        weight = np.sqrt(self.samples * (count / (self.samples + count)))
        return self.engine.vector(np.ldexp(weight * gap, -self._exponent))

    def _count(self, mean: np.ndarray, count: int) -> None:
        share = count / (self.samples + count)
        # Exact where both means are equal, as those of a constant unit are.
        self.mean = self.mean + (mean - self.mean) * share if self.samples else mean
        self.samples += count
