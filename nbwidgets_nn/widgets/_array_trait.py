"""The one form in which arrays travel to the browser: raw bytes with their dtype and shape."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_NATIVE = ("uint8", "int32", "float32", "float64")
_LARGEST_EXACT_INTEGER = 2**53


def pack(state: Any) -> Any:
    """Replace every array inside nested dicts, lists and tuples by ``{"data", "dtype", "shape"}``."""
    if isinstance(state, np.ndarray):
        return pack_array(state)
    if isinstance(state, dict):
        return {key: pack(value) for key, value in state.items()}
    if isinstance(state, list | tuple):
        return [pack(value) for value in state]
    return state


def pack_array(array: NDArray) -> dict[str, Any]:
    """Give an array's bytes, C-ordered and little-endian, with what is needed to read them again.

    The bytes are a copy: a live memoryview that changes in place would compare equal and never be sent again.
    """
    array = travelling(array)
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return {"data": little.tobytes(), "dtype": array.dtype.name, "shape": list(array.shape)}


def travelling(array: NDArray) -> NDArray:
    """Return the array in a dtype that browsers read, without changing any value.

    Raises:
        TypeError: complex numbers or objects, which no picture can show as they are.
        ValueError: integers beyond 2^53, which the browser's numbers cannot hold.
    """
    if array.dtype.name in _NATIVE:
        return array
    if array.dtype == np.float16:
        return array.astype(np.float32)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"values must be real numbers, but an array of {array.dtype} came")
    if (
        array.dtype.kind in "iu"
        and array.size
        and max(-int(array.min()), int(array.max())) > _LARGEST_EXACT_INTEGER
    ):
        raise ValueError(
            f"values of {array.dtype} beyond 2^53 would be rounded in the browser; divide them or pass float64"
        )
    return array.astype(np.float64)
