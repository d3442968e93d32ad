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

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.storage._archive import Planned, WrongFileError
from nbwidgets_nn.storage._tensors import ARRAY_MAKERS, DTYPES, LAYOUTS, Parts, array_parts


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
        made = self.further(value, where) or array_parts(value, where, self._plan)
        if made is None:
            what = "arrays, tensors, recordings, graphs, results, and lists, tuples and dicts of them"
            raise TypeError(
                expected(
                    where,
                    what,
                    f"an object of class {type(value).__qualname__}",
                    _HINTS.get(type(value).__name__, ""),
                )
            )
        name, parts = made
        written = {key: self.write(part, f"{where}.{key}") for key, part in parts.items()}
        self.objects.append({"is": name, **written})
        return len(self.objects) - 1

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
        maker = ARRAY_MAKERS.get(written["is"])
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


def _dict(pairs: list) -> dict:
    if any(type(pair) is not list or len(pair) != 2 for pair in pairs):  # a range is a pair of any length
        raise WrongFileError("a dict without pairs")
    return dict(pairs)


_READERS: dict[Any, Callable[[Any], Any]] = {
    "float": lambda bits: struct.unpack(">d", bytes.fromhex(bits))[0],
    "complex": lambda pair: complex(*pair),
    "bytes": bytes.fromhex,
    "tuple": tuple,
    "dict": _dict,
    "set": set,
    "frozenset": frozenset,
    "size": torch.Size,
    "slice": lambda parts: slice(*parts),
    "range": lambda parts: range(*parts),
    "ellipsis": lambda _: Ellipsis,
    "dtype": lambda name: DTYPES[name],
    "layout": lambda name: LAYOUTS[name],
    "device": lambda _: torch.device("cpu"),
    "number": lambda parts: _number(*parts),
    "numpy text": lambda text: np.str_("".join(text)),
}

_HINTS = {
    "Triplets": "save its recording",
    "LayerTriplets": "save its recording",
    "Explorer": "save its recording",
    "NNGraph": "save the graph that it is a copy of",
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
