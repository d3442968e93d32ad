"""Tensor or array in, checked matrix out; tensor in, tensor back. The error messages of the whole package.

An error names the argument as typed, then what was expected, what came, and what to try.
Nothing here copies more than it must, and nothing changes the caller's data.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np


def is_tensor(value: Any) -> bool:
    """Is `value` a torch.Tensor? Asks without importing torch: nobody can hold a tensor before it is imported."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def expected(name: str, what: str, came: str, try_: str = "") -> str:
    """Write an error: argument, what was expected, what came, what to try.

    >>> expected("X", "a matrix", "a string", "pass the activations")
    'X: expected a matrix, got a string. Try: pass the activations'
    """
    return f"{name}: expected {what}, got {came}" + (f". Try: {try_}" if try_ else "")


def at_least(name: str, number: Any, least: int) -> int:
    """Return a whole number of at least `least`.

    TypeError for what is no whole number (True is none), ValueError for a smaller one.
    """
    what = f"a whole number of at least {least}"
    if isinstance(number, bool) or not isinstance(number, int | np.integer):
        raise TypeError(expected(name, what, repr(number)))
    if number < least:
        raise ValueError(expected(name, what, repr(number)))
    return int(number)


def as_array(value: Any, name: str) -> Any:
    """Read a tensor (detached) or a real NumPy array, of any shape; TypeError if it does not hold real numbers.

    Half, float, integer and bool pass through with their dtype; only what neither NumPy's nor torch's products know
    (long double, foreign byte order) is converted. No copy otherwise.
    """
    if is_tensor(value):
        return _checked_tensor(value, name)
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            expected(name, "an array without a mask", "a masked array", f"{name}.filled(numpy.nan)")
        )
    try:
        array = np.asarray(value)
    except ValueError as error:  # ragged lists
        raise TypeError(
            expected(name, "a tensor or an array", f"something NumPy cannot read ({error})")
        ) from error
    if array.dtype.kind == "c":
        raise TypeError(
            expected(name, "real numbers", f"complex ({array.dtype})", f"{name}.real or abs({name})")
        )
    if array.dtype.kind not in "fiub":
        came = f"dtype {array.dtype} ({type(value).__name__})"
        raise TypeError(expected(name, "a tensor or an array of numbers", came, "rec[name].matrix()"))
    if array.dtype.itemsize > 8:
        return array.astype(np.float64)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _checked_tensor(tensor: Any, name: str) -> Any:
    if tensor.is_complex():
        raise TypeError(
            expected(name, "real numbers", f"complex ({tensor.dtype})", f"{name}.real or {name}.abs()")
        )
    if str(tensor.layout) != "torch.strided":
        raise TypeError(expected(name, "a dense tensor", f"layout {tensor.layout}", f"{name}.to_dense()"))
    if tensor.is_quantized:
        raise TypeError(
            expected(name, "a plain tensor", f"a quantised one ({tensor.dtype})", f"{name}.dequantize()")
        )
    if tensor.device.type == "meta":
        raise TypeError(expected(name, "a tensor with values", "a tensor on the meta device, which has none"))
    return tensor.detach()


def as_matrix(value: Any, name: str = "X", *, min_samples: int = 1) -> Any:
    """`value` as a (samples, units) tensor or array with at least one unit and `min_samples` samples.

    Raises TypeError for what is not real numbers, ValueError for a wrong shape; the message says what to try.

    >>> as_matrix([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    matrix = as_array(value, name)
    shape = tuple(matrix.shape)
    if len(shape) != 2:
        hint = "rec[name].matrix(), or reshape it so that every row is one sample"
        raise ValueError(
            expected(name, "2 dimensions (samples, units)", f"{len(shape)}: shape {shape}", hint)
        )
    if shape[1] == 0:
        raise ValueError(expected(name, "at least 1 unit (column)", f"none: shape {shape}"))
    if shape[0] < min_samples:
        plural = "sample" if min_samples == 1 else "samples"
        came = f"{shape[0]}: shape {shape}"
        hint = "record more inputs at once; (units, samples) data is transposed first"
        raise ValueError(expected(name, f"at least {min_samples} {plural} (rows)", came, hint))
    return matrix


def as_numpy(array: Any) -> np.ndarray:
    """View a checked tensor or array as a NumPy array, sharing memory where it can (bfloat16 becomes float32)."""
    if not is_tensor(array):
        return array
    array = array.detach().cpu()
    try:
        return array.numpy()
    except TypeError:  # bfloat16 and the 8-bit floats: NumPy has no such dtype
        return array.float().numpy()


def compute_dtype(array: Any) -> np.dtype:
    """Choose the dtype to compute in: float32 for half and single precision, float64 for double, integers and bool.

    Integers go to float64 because float32 holds them only up to 2**24.
    """
    if is_tensor(array):
        single = array.is_floating_point() and array.element_size() <= 4
    else:
        single = array.dtype.kind == "f" and array.dtype.itemsize <= 4
    return np.dtype(np.float32 if single else np.float64)


def like(result: np.ndarray, original: Any) -> Any:
    """Give `result` as what `original` was: a tensor on its device, or an array; the dtype stays that of `result`."""
    if not is_tensor(original):
        return result
    import torch  # noqa: PLC0415 - arrays alone do not need it

    return tensor_view(result).to(torch.device(original.device))


def tensor_view(array: np.ndarray) -> Any:
    """Make a tensor on the same memory; a copy only where torch cannot look (negative strides)."""
    import torch  # noqa: PLC0415 - arrays alone do not need it

    if any(stride < 0 for stride in array.strides):
        array = array.copy()
    with warnings.catch_warnings():  # torch warns about read-only arrays; nothing here writes to them
        warnings.simplefilter("ignore", UserWarning)
        return torch.from_numpy(array)


def name_units(indices: Any, limit: int = 5) -> str:
    """List unit indices for a message, the first few: "3, 7, 12 and 40 more".

    >>> name_units([1, 2, 3], limit=2)
    '1, 2 and 1 more'
    """
    indices = [int(index) for index in indices]
    text = ", ".join(map(str, indices[:limit]))
    return text if len(indices) <= limit else f"{text} and {len(indices) - limit:,} more"
