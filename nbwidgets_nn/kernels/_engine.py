"""Where the sums of the correlation run: NumPy with BLAS for host memory, torch for any other device.

Host products go to SciPy's symmetric rank-k update because it does half the work of a general product and adds to
its result in place. Host arithmetic stays in NumPy: torch's OpenMP threads spin after each operation and take the
cores from BLAS (measured: half as slow again).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import blas

from nbwidgets_nn._arrays import as_numpy


class HostEngine:
    """Arrays in host memory; CPU tensors are looked at as arrays."""

    def __init__(self, dtype: np.dtype) -> None:
        self.dtype = dtype

    def square(self, units: int) -> np.ndarray:
        """Make a zero (units, units) matrix."""
        return np.zeros((units, units), self.dtype)

    def own(self, array: Any) -> np.ndarray:
        """`array` on this engine, converted only if it must be."""
        return as_numpy(array)

    def buffer(self, size: int) -> np.ndarray:
        return np.empty(size, self.dtype)

    def vector(self, values: np.ndarray) -> np.ndarray:
        """Put a float64 host vector into the engine's dtype and memory."""
        return values.astype(self.dtype)

    def shift(self, rows: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Write `rows` minus its first row to `out`; return that row in the engine's dtype."""
        first = rows[0].astype(self.dtype)
        np.subtract(rows, first, out=out)  # converts as it goes, in one pass
        return first

    def peak(self, block: np.ndarray) -> np.ndarray:
        """Find max |value| of every column, NaN where a value is NaN."""
        return np.maximum(block.max(axis=0), -block.min(axis=0))

    def clip(self, block: np.ndarray) -> None:
        np.clip(block, -1, 1, out=block)

    def copy(self, square: np.ndarray) -> np.ndarray:
        return square.copy()

    def add_gram(self, square: np.ndarray, block: np.ndarray) -> None:
        """Add block.T @ block to the lower triangle of `square`."""
        rank_k = blas.ssyrk if self.dtype == np.float32 else blas.dsyrk
        # BLAS counts columns first, so it sees square.T and fills its upper triangle: our lower one.
        if block.flags.c_contiguous:
            rank_k(1.0, block.T, beta=1.0, c=square.T, overwrite_c=1)
        else:
            rank_k(1.0, block, trans=1, beta=1.0, c=square.T, overwrite_c=1)


class DeviceEngine(HostEngine):
    """Tensors on a torch device."""

    def __init__(self, dtype: np.dtype, device: Any) -> None:
        import torch  # noqa: PLC0415 - arrays alone do not need it

        super().__init__(dtype)
        self._torch = torch
        self._options = {"dtype": getattr(torch, dtype.name), "device": device}

    def square(self, units: int) -> Any:
        return self._torch.zeros((units, units), **self._options)

    def own(self, array: Any) -> Any:
        return self._torch.as_tensor(array).to(self._options["device"])

    def buffer(self, size: int) -> Any:
        return self._torch.empty(size, **self._options)

    def vector(self, values: np.ndarray) -> Any:
        return self._torch.as_tensor(values.astype(self.dtype)).to(self._options["device"])

    def shift(self, rows: Any, out: Any) -> Any:
        out.copy_(rows)
        first = out[0].clone()
        out -= first
        return first

    def peak(self, block: Any) -> Any:
        return self._torch.maximum(block.amax(dim=0), -block.amin(dim=0))

    def clip(self, block: Any) -> None:
        block.clamp_(-1, 1)

    def copy(self, square: Any) -> Any:
        return square.clone()

    def add_gram(self, square: Any, block: Any) -> None:
        square.addmm_(block.T, block)


def engine_for(array: Any, dtype: np.dtype) -> HostEngine:
    """Choose the engine for the memory that `array` is in."""
    device = getattr(array, "device", "cpu")  # NumPy 2 arrays have a device too: the string "cpu"
    return HostEngine(dtype) if getattr(device, "type", device) == "cpu" else DeviceEngine(dtype, device)
