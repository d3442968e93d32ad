"""Python values as plain JSON and arrays, and back: only what is listed here goes either way.

Plain are None, bool, int, str, finite floats and lists. Everything else is a JSON object that says what it `is`. What can be
shared (arrays, tensors, dataclasses) stands once in a list of objects and is referred to by its place there; an object refers to
earlier ones only, so that reading is a loop.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from types import EllipsisType, NoneType
from typing import Any

import numpy as np
import torch
from scipy import sparse

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.storage._archive import Planned, WrongFileError

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

_DTYPES = {str(value)[6:]: value for value in vars(torch).values() if isinstance(value, torch.dtype)}
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
_LAYOUTS = {str(layout)[6:]: layout for layout in (torch.strided, torch.sparse_coo, *_COMPRESSED)}

Parts = tuple[str, dict[str, Any]]
"""What a value is, and the simpler values it is made of."""


class Writer:
    """Turns values into JSON and a list of arrays."""

    def __init__(self) -> None:
        self.arrays: list[Planned] = []
        self.objects: list[dict[str, Any]] = []
        self._places: dict[
            int, tuple[int, Any]
        ] = {}  # by id; the value is kept, so that its id stays its own

    def write(self, value: Any, where: str) -> Any:
        """Return JSON for `value`; TypeError names the part, `obj.matrix`, that cannot be stored."""
        kind = type(value)
        if value is None or kind in (bool, int, str) or (kind is float and math.isfinite(value)):
            return value
        if kind is list:
            return [self.write(part, f"{where}[{k}]") for k, part in enumerate(value)]
        if kind in _SMALL:
            return self._small(value, where)
        place, held = self._places.get(id(value), (None, None))
        if held is not value:
            place = self._object(value, where)
            self._places[id(value)] = place, value
        if place is None:
            raise ValueError(f"{where}: expected values without circles, got one that contains itself")
        return {"is": "object", "at": place}

    def further(self, value: Any, where: str) -> Parts | None:  # noqa: ARG002 - for those that know more types
        """Return what the value is and the parts it is made of; None if it is not known."""
        return None

    def _small(self, value: Any, where: str) -> dict[str, Any]:
        name, make = _SMALL[type(value)]
        return {"is": name, "of": self.write(make(value), where)}

    def _object(self, value: Any, where: str) -> int:
        self._places[id(value)] = None, value
        made = self.further(value, where) or self._array(value, where) or _array_like(value, where)
        if made is None:
            what = "arrays, tensors, recordings, graphs, results, and lists, tuples and dicts of them"
            raise TypeError(
                expected(where, what, f"a {type(value).__qualname__}", _HINTS.get(type(value).__name__, ""))
            )
        name, parts = made
        written = {key: self.write(part, f"{where}.{key}") for key, part in parts.items()}
        self.objects.append({"is": name, **written})
        return len(self.objects) - 1

    def _array(self, value: Any, where: str) -> Parts | None:
        if type(value) in (np.ndarray, np.memmap):
            if value.dtype.kind not in "biufcSUmM" or not value.dtype.itemsize:
                raise TypeError(expected(where, "an array of numbers or text", f"dtype {value.dtype}"))
            return "array", {"number": self._plan(value.dtype, value.shape, lambda: value)}
        if type(value) not in (torch.Tensor, torch.nn.Parameter):
            return None
        tensor = value.detach()
        name = str(tensor.dtype)[6:]
        if (
            tensor.is_quantized
            or tensor.is_nested
            or tensor.layout not in _LAYOUTS.values()
            or name not in _DTYPES
        ):
            came = (
                "quantised" if tensor.is_quantized else "nested" if tensor.is_nested else str(tensor.layout)
            )
            raise TypeError(expected(where, "a dense or sparse tensor", f"a {came} one ({tensor.dtype})"))
        if tensor.layout is not torch.strided:
            return "sparse tensor", _sparse_parts(tensor)
        if tensor.is_meta:
            return "empty tensor", {"dtype": name, "shape": list(tensor.shape)}
        like = torch.empty(0, dtype=_BITS.get(name, tensor.dtype)).numpy()
        number = self._plan(like.dtype, tuple(tensor.shape), lambda: on_cpu(tensor))
        return "tensor", {"number": number, "dtype": name}

    def _plan(self, dtype: np.dtype, shape: tuple[int, ...], make: Callable[[], np.ndarray]) -> int:
        self.arrays.append(Planned(dtype, shape, make))
        return len(self.arrays) - 1


class Reader:
    """Turns what `Writer` made into values again; an error says what is wrong."""

    def __init__(self, array: Callable[[Any], np.ndarray]) -> None:
        self.objects: list[Any] = []
        self._array = array

    def add(self, written: Any) -> None:
        """Make the next object of the list."""
        if not isinstance(written, dict) or not isinstance(written.get("is"), str):
            raise WrongFileError("an object that does not say what it is")
        parts = {key: self.read(part) for key, part in written.items() if key != "is"}
        maker = _MAKERS.get(written["is"])
        made = self.further(written["is"], parts) if maker is None else maker(self._array, **parts)
        self.objects.append(made)

    def further(self, name: str, parts: dict[str, Any]) -> Any:  # noqa: ARG002
        """Make what the `further` of a `Writer` took apart; WrongFileError if `name` is not known."""
        raise WrongFileError(f"an object of the unknown kind {name!r}")

    def read(self, written: Any) -> Any:
        """Return the value of a piece of JSON."""
        if isinstance(written, list):
            return [self.read(part) for part in written]
        if not isinstance(written, dict):
            return written
        name, of = written.get("is"), self.read(written.get("of"))
        if name == "object":
            place = written.get("at")
            if type(place) is not int or not 0 <= place < len(self.objects):
                raise WrongFileError(f"a reference to an object {place!r} that is not there")
            return self.objects[place]
        if name not in _READERS:
            raise WrongFileError(f"a value of the unknown kind {name!r}")
        if type(of) not in (list, str, NoneType):  # a tuple of a range, say, is a short text and a long tuple
            raise WrongFileError(f"a {name} of a {type(of).__name__}")
        return _READERS[name](of)


_SMALL: dict[type, tuple[str, Callable[[Any], Any]]] = {
    float: ("float", lambda x: struct.pack(">d", x).hex()),  # those that JSON has no word for
    complex: ("complex", lambda z: [z.real, z.imag]),
    bytes: ("bytes", bytes.hex),
    tuple: ("tuple", list),
    dict: ("dict", lambda d: [list(pair) for pair in d.items()]),
    set: ("set", list),
    frozenset: ("frozenset", list),
    torch.Size: ("size", list),
    slice: ("slice", lambda s: [s.start, s.stop, s.step]),
    range: ("range", lambda r: [r.start, r.stop, r.step]),
    EllipsisType: ("ellipsis", lambda _: None),
    torch.dtype: ("dtype", lambda dtype: str(dtype)[6:]),
    torch.layout: ("layout", lambda layout: str(layout)[6:]),
    torch.device: ("device", lambda _: "cpu"),  # where the tensors of a loaded file lie
    **{
        kind: ("number", lambda x: [x.dtype.str, x.tobytes().hex()])
        for kind in {np.dtype(code).type for code in "?bBhHiIlLqQefdgFDGmM"}
    },
    np.str_: ("numpy text", str),
}
"""Values that are written where they stand: what they are, and simpler values that they are made of."""

_READERS: dict[Any, Callable[[Any], Any]] = {
    "float": lambda bits: struct.unpack(">d", bytes.fromhex(bits))[0],
    "complex": lambda pair: complex(*pair),
    "bytes": bytes.fromhex,
    "tuple": tuple,
    "dict": dict,
    "set": set,
    "frozenset": frozenset,
    "size": torch.Size,
    "slice": lambda parts: slice(*parts),
    "range": lambda parts: range(*parts),
    "ellipsis": lambda _: Ellipsis,
    "dtype": lambda name: _DTYPES[name],
    "layout": lambda name: _LAYOUTS[name],
    "device": lambda _: torch.device("cpu"),
    "number": lambda parts: _number(*parts),
    "numpy text": np.str_,
}

_HINTS = {
    "Triplets": "save its recording",
    "LayerTriplets": "save its recording",
    "Explorer": "save its recording",
    "DiGraph": "save the recording: Activations(model, input)",
    "generator": "list(...) of it",
}


def is_plain(value: Any) -> bool:
    """Whether `value` is None, a number, text, or another of the small values that are written where they stand."""
    return (
        value is None
        or type(value) in (bool, int, str)
        or (type(value) in _SMALL and type(value) not in _HOLDING)
    )


_HOLDING = (tuple, dict, set, frozenset)


def _number(dtype: str, data: str) -> np.generic:
    made = np.dtype(dtype)
    if made.kind not in "biufcmM":
        raise WrongFileError(f"a number of dtype {dtype!r}")
    return np.frombuffer(bytes.fromhex(data), made)[0]


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
    wanted = _DTYPES[dtype]
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
    made = np.ma.MaskedArray(data, np.ma.nomask if mask is None else mask, fill_value=fill)
    if made.data is not data and not np.shares_memory(made.data, data):
        raise WrongFileError("a masked array that does not fit its mask")
    return made


def _make_sparse(_: Any, kind: Any, shape: Any, data: Any, indices: Any, indptr: Any) -> Any:
    cls = _SPARSE[kind]
    if indptr is None:
        made = cls((data, tuple(indices)), shape=_checked_shape(shape))
        made._check()  # as check_format of the other forms
        return made
    made = cls((data, indices, indptr), shape=_checked_shape(shape))
    made.check_format(full_check=True)  # SciPy's compiled loops trust the indices
    return made


_MAKERS: dict[str, Callable[..., Any]] = {
    "array": lambda array, number: array(number),
    "tensor": _make_tensor,
    "empty tensor": lambda _, dtype, shape: without_values(shape, _DTYPES[dtype]),
    "sparse tensor": _make_sparse_tensor,
    "masked array": _make_masked,
    "sparse matrix": _make_sparse,
}
