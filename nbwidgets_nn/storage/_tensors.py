"""Arrays, tensors and sparse matrices as plain arrays with a few facts, and back."""

from __future__ import annotations

from collections.abc import Callable
from types import NoneType
from typing import Any

import numpy as np
import torch
from scipy import sparse

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.storage._archive import WrongFileError

Parts = tuple[str, dict[str, Any]]
"""What a value is, and the simpler values it is made of."""

Plan = Callable[[np.dtype, tuple[int, ...], Callable[[], np.ndarray]], int]
"""Takes down an array to be written, and returns its number."""

_BITS = {
    name: bits
    for bits, names in {
        torch.uint8: ("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"),
        torch.int16: ("bfloat16",),
        torch.int32: ("complex32",),
    }.items()
    for name in names
    if hasattr(torch, name)
}
"""dtypes that NumPy does not have, and the integers that hold their bits."""

DTYPES = {str(value)[6:]: value for value in vars(torch).values() if isinstance(value, torch.dtype)}
_SPARSE = {
    cls.__name__: cls
    for cls in (
        sparse.csr_array,
        sparse.csr_matrix,
        sparse.csc_array,
        sparse.csc_matrix,
        sparse.coo_array,
        sparse.coo_matrix,
    )
}
_COMPRESSED = {
    torch.sparse_csr: ("crow_indices", "col_indices", torch.sparse_csr_tensor),
    torch.sparse_csc: ("ccol_indices", "row_indices", torch.sparse_csc_tensor),
    torch.sparse_bsr: ("crow_indices", "col_indices", torch.sparse_bsr_tensor),
    torch.sparse_bsc: ("ccol_indices", "row_indices", torch.sparse_bsc_tensor),
}
LAYOUTS = {str(layout)[6:]: layout for layout in (torch.strided, torch.sparse_coo, *_COMPRESSED)}


def array_parts(value: Any, where: str, plan: Plan) -> Parts | None:
    """Return what an array, tensor or sparse matrix is and consists of; None for anything else."""
    return _dense_or_tensor(value, where, plan) or _array_like(value, where)


def _dense_or_tensor(value: Any, where: str, plan: Plan) -> Parts | None:
    if type(value) in (np.ndarray, np.memmap):
        if value.dtype.kind not in "biufcSUmM" or not value.dtype.itemsize:
            raise TypeError(expected(where, "an array of numbers or text", f"dtype {value.dtype}"))
        return "array", {"number": plan(value.dtype, value.shape, lambda: value)}
    if type(value) not in (torch.Tensor, torch.nn.Parameter):
        return None
    tensor = value.detach()
    name = str(tensor.dtype)[6:]
    if tensor.is_quantized or tensor.is_nested or tensor.layout not in LAYOUTS.values() or name not in DTYPES:
        came = "quantised" if tensor.is_quantized else "nested" if tensor.is_nested else str(tensor.layout)
        raise TypeError(expected(where, "a dense or sparse tensor", f"a {came} one ({tensor.dtype})"))
    if tensor.layout is not torch.strided:
        return "sparse tensor", _sparse_parts(tensor)
    if tensor.is_meta:
        return "empty tensor", {"dtype": name, "shape": list(tensor.shape)}
    like = torch.empty(0, dtype=_BITS.get(name, tensor.dtype)).numpy()
    number = plan(like.dtype, tuple(tensor.shape), lambda: on_cpu(tensor))
    return "tensor", {"number": number, "dtype": name}


def on_cpu(tensor: torch.Tensor) -> np.ndarray:
    tensor = tensor.cpu().resolve_conj().resolve_neg()
    bits = _BITS.get(str(tensor.dtype)[6:])
    return (tensor if bits is None else tensor.view(bits)).numpy()


def _sparse_parts(tensor: torch.Tensor) -> dict[str, Any]:
    shared = {"layout": tensor.layout, "shape": list(tensor.shape)}
    if tensor.layout is torch.sparse_coo:
        parts = {"indices": tensor._indices(), "values": tensor._values()}  # noqa: SLF001 - also before coalesce()
        return {**shared, **parts, "coalesced": tensor.is_coalesced()}
    outer, inner, _ = _COMPRESSED[tensor.layout]
    return {
        **shared,
        "outer": getattr(tensor, outer)(),
        "inner": getattr(tensor, inner)(),
        "values": tensor.values(),
    }


def _array_like(value: Any, where: str) -> Parts | None:
    if type(value) is np.ma.MaskedArray:
        mask = None if value.mask is np.ma.nomask else value.mask
        return "masked array", {"data": value.data, "mask": mask, "fill": value.fill_value}
    if sparse.issparse(value):
        name = type(value).__name__
        if _SPARSE.get(name) is not type(value):
            raise TypeError(
                expected(where, "a sparse matrix in CSR, CSC or COO form", name, f"{where}.tocsr()")
            )
        shared = {"kind": name, "shape": list(value.shape), "data": value.data}
        if value.format == "coo":
            return "sparse matrix", {**shared, "indices": list(value.coords), "indptr": None}
        return "sparse matrix", {**shared, "indices": value.indices, "indptr": value.indptr}
    return None


def without_values(shape: Any, dtype: torch.dtype) -> torch.Tensor:
    """Return a tensor on the meta device, which takes no memory."""
    return torch.empty(_checked_shape(shape), dtype=dtype, device="meta")


def _checked_shape(shape: Any) -> tuple[int, ...]:
    if type(shape) is not list or len(shape) > 32 or any(type(n) is not int or n < 0 for n in shape):
        raise WrongFileError("an impossible shape")
    return tuple(shape)


def _make_tensor(array: Callable[[Any], np.ndarray], number: Any, dtype: Any) -> torch.Tensor:
    values = torch.from_numpy(array(number))
    wanted = DTYPES[dtype]
    if _BITS.get(dtype, wanted) != values.dtype:
        raise WrongFileError(f"a tensor of dtype {dtype} in an array of {values.dtype}")
    return values.view(wanted) if dtype in _BITS else values


def _make_sparse_tensor(
    _: Any,
    layout: Any,
    shape: Any,
    values: Any,
    indices: Any = None,
    coalesced: Any = False,
    outer: Any = None,
    inner: Any = None,
) -> torch.Tensor:
    _check_given(torch.Tensor, values, *(part for part in (indices, outer, inner) if part is not None))
    # check_invariants: an index out of range would be read and written outside the tensor's memory.
    if layout is torch.sparse_coo:
        made = torch.sparse_coo_tensor(indices, values, _checked_shape(shape), check_invariants=True)
        return made._coalesced_(bool(coalesced) and _is_sorted(indices, shape))
    return _COMPRESSED[layout][2](outer, inner, values, _checked_shape(shape), check_invariants=True)


def _is_sorted(indices: torch.Tensor, shape: Any) -> bool:
    flat = (
        np.ravel_multi_index(tuple(indices.numpy()), tuple(shape[: len(indices)]))
        if len(indices)
        else np.zeros(0)
    )
    return bool(np.all(flat[1:] > flat[:-1]))


def _make_masked(_: Any, data: Any, mask: Any, fill: Any) -> np.ma.MaskedArray:
    _check_given(np.ndarray, data)
    _check_given((np.ndarray, np.bool_, NoneType), mask)
    made = np.ma.MaskedArray(data, np.ma.nomask if mask is None else mask, fill_value=fill)
    if made.data is not data and not np.shares_memory(made.data, data):
        raise WrongFileError("a masked array that does not fit its mask")
    return made


def _make_sparse(_: Any, kind: Any, shape: Any, data: Any, indices: Any, indptr: Any) -> Any:
    cls = _SPARSE[kind]
    _check_given(np.ndarray, data, *(indices if type(indices) is list else [indices]))
    _check_given((np.ndarray, NoneType), indptr)
    if indptr is None:
        return cls((data, tuple(indices)), shape=_checked_shape(shape))  # which looks at every index
    made = cls((data, indices, indptr), shape=_checked_shape(shape))
    made.check_format(full_check=True)  # SciPy's compiled loops trust the indices
    return made


def _check_given(kinds: Any, *parts: Any) -> None:
    """Refuse what is no array: of a range, which is short in a file, NumPy would make one of any length."""
    if not all(isinstance(part, kinds) for part in parts):
        raise WrongFileError("a part that is no array")


ARRAY_MAKERS: dict[str, Callable[..., Any]] = {
    "array": lambda array, number: array(number),
    "tensor": _make_tensor,
    "empty tensor": lambda _, dtype, shape: without_values(shape, DTYPES[dtype]),
    "sparse tensor": _make_sparse_tensor,
    "masked array": _make_masked,
    "sparse matrix": _make_sparse,
}
"""Functions from a reader of arrays and the parts to the value."""
