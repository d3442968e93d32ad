"""Arrays of a content in the dtypes in which browsers read them; errors name the argument."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn._arrays import as_array, as_numpy, expected


def single_precision(values: Any, name: str) -> NDArray[np.float32]:
    """Return values rounded to float32, for what is seen and not read; beyond its range they become infinite."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(as_numpy(as_array(values, name)), np.float32)


def whole_numbers(values: Any, name: str) -> NDArray[np.int32]:
    """Return whole numbers as int32, without changing any; TypeError or ValueError where that cannot be."""
    array = as_numpy(as_array(values, name))
    if array.dtype.kind not in "iu" and array.size:
        raise TypeError(expected(name, "whole numbers", f"dtype {array.dtype}"))
    if array.size and not -(2**31) <= int(array.min()) <= int(array.max()) < 2**31:
        raise ValueError(expected(name, "numbers below 2^31", f"{array.max()}"))
    return np.ascontiguousarray(array, np.int32)


def set_values(frozen: Any, **values: Any) -> None:
    """Set values of a frozen dataclass while it is made."""
    for key, value in values.items():
        object.__setattr__(frozen, key, value)
