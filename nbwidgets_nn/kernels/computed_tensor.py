"""A tensor that is computed where it is read, and never held."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nbwidgets_nn._arrays import as_numpy, expected
from nbwidgets_nn.kernels._memory import free_memory

CPU = torch.device("cpu")

_MOST_PRINTED = 100
_VALUES = ("T", "H", "mT", "mH", "real", "imag", "data")
_OF_SHAPE = ("size", "dim", "ndimension", "nelement", "element_size", "is_floating_point", "is_complex")
_SIZES = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("bytes", 1))


class ComputedTensor:
    """Reads like a tensor of `shape`, and computes the elements that are asked for.

    >>> squares = ComputedTensor((10, 10), torch.float32, torch.device("cpu"), lambda i, j: (i * j).float())
    >>> squares[3, 4], squares[-1, :3], squares[[1, 2], [3, 4]]
    (tensor(12.), tensor([ 0.,  9., 18.]), tensor([3., 8.]))

    ``t[index]`` equals ``t.materialize()[index]`` for every index that torch knows: integers, slices, an ellipsis, None,
    index tensors, masks. The result is a tensor of its own memory, with one exception: an integer alone, also while
    iterating, gives the same kind of object of one axis less as long as two axes remain, so that ``t[b][i][j]`` computes
    no more than it shows.

    `torch.as_tensor`, `numpy.asarray`, arithmetic, the methods of a tensor (``t.sum(1)``), and any function of torch that is
    given the object compute all of it first: that costs the memory of the whole tensor, as `materialize` does, and raises
    MemoryError where there is not enough. Methods that change a tensor in place are refused: they would change a copy.
    """

    _at: Callable[..., Tensor]
    _fill: Callable[[Tensor], None] | None = None

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: torch.dtype,
        device: torch.device,
        at: Callable[..., Tensor] | None = None,
        instead: str = "index it: t[0, 1]",
        fill: Callable[[Tensor], None] | None = None,
    ) -> None:
        self.shape = torch.Size(shape)
        self.dtype = dtype
        self.device = device
        self._instead = instead
        # A class can have them as methods: bound ones kept here would hold the object itself, and free it late.
        if at is not None:
            self._at = at
        if fill is not None:
            self._fill = fill

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def numel(self) -> int:
        """Return the number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that the whole tensor would take."""
        return self.numel() * self.dtype.itemsize

    def materialize(self, out: Tensor | None = None, dtype: torch.dtype | None = None) -> Tensor:
        """Return the whole tensor.

        Args:
            out: a tensor of this shape to write to, which is returned.
            dtype: of the result; that of ``out``, or of this object, if not given.

        Raises:
            MemoryError: it does not fit in the memory that is free.
            ValueError: ``out`` has another shape, or another dtype than ``dtype``.
            TypeError: the dtype cannot hold the values: integers for fractions.
        """
        out = self._checked(out, dtype)
        if self._fill is None:
            return out.copy_(self[...])
        self._fill(out)
        return out

    def _checked(self, out: Tensor | None, dtype: torch.dtype | None) -> Tensor:
        wanted = out.dtype if dtype is None and out is not None else dtype
        if wanted is not None and not torch.can_cast(self.dtype, wanted):
            name = "dtype" if dtype is not None else "out"
            what = f"a dtype that holds {self.dtype}"
            raise TypeError(expected(name, what, str(wanted), f"materialize().to({wanted})"))
        if out is None:
            dtype = self.dtype if dtype is None else dtype
            check_memory(self.shape, dtype, self._instead, self.device)
            return self._empty(dtype)
        if out.shape != self.shape:
            raise ValueError(expected("out", f"shape {tuple(self.shape)}", str(tuple(out.shape))))
        if dtype not in (None, out.dtype):
            raise ValueError(expected("dtype", f"that of out, {out.dtype}", str(dtype), "leave it out"))
        return out

    def _empty(self, dtype: torch.dtype) -> Tensor:
        return empty(self.shape, dtype, self.device)

    def __getitem__(self, index: Any) -> Tensor | ComputedTensor:
        if self.ndim > 2 and isinstance(index, int | np.integer) and not isinstance(index, bool | np.bool_):
            return self._fixed(int(index))
        per_axis = _per_axis(index, self.shape, self.device)
        views = [self._coordinate(axis, per_axis) for axis in range(self.ndim)]
        shape = torch.broadcast_shapes(*(view.shape for view in views))
        check_memory(shape, self.dtype, self._instead, self.device)
        values = self._at(*views).expand(shape)
        return values.to(self.dtype).contiguous()

    def _coordinate(self, axis: int, index: list[Any]) -> Tensor:
        """Return the place along one axis of the elements at `index`; where only others differ it is there once."""
        along = torch.arange(self.shape[axis], device=self.device)
        along = along.view([-1 if other == axis else 1 for other in range(self.ndim)])
        axes = iter(range(self.ndim))
        return along[tuple(e if not _takes_axis(e) or next(axes) == axis else _first(e) for e in index)]

    def _fixed(self, index: int) -> ComputedTensor:
        length = self.shape[0]
        if not -length <= index < length:
            raise IndexError(f"index {index} is out of bounds for axis 0 with size {length}")
        place = torch.tensor(index % length, device=self.device)
        return ComputedTensor(
            self.shape[1:], self.dtype, self.device, lambda *rest: self._at(place, *rest), self._instead
        )

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor | ComputedTensor]:
        return (self[index] for index in range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("copy: expected True or None, as the values are computed, got False")
        array = as_numpy(self.materialize())
        return array if dtype is None else array.astype(dtype, copy=False)

    def __dlpack__(self, **options: Any) -> Any:
        return self.materialize().__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return torch.empty(0, device=self.device).__dlpack_device__()

    @classmethod
    def __torch_function__(
        cls, function: Callable, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        return function(*_computed(args), **_computed(kwargs or {}))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(Tensor, name):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        if name.endswith("_"):
            raise AttributeError(
                f"{name!r} changes a tensor in place, and this one is computed. Try: materialize().{name}"
            )
        if name in _VALUES:
            return getattr(self.materialize(), name)
        if not callable(getattr(Tensor, name)):
            return getattr(torch.empty(0, dtype=self.dtype, device=self.device), name)
        if name in _OF_SHAPE:
            return getattr(torch.empty(self.shape, dtype=self.dtype, device="meta"), name)

        def method(*args: Any, **kwargs: Any) -> Any:
            return getattr(self.materialize(), name)(*_computed(args), **_computed(kwargs))

        method.__name__ = name
        return method

    def __repr__(self) -> str:
        if self.numel() <= _MOST_PRINTED:
            return f"{type(self).__name__}({self.materialize()})"
        size = next(f"{self.nbytes / unit:,.1f} {name}" for name, unit in _SIZES if self.nbytes >= unit)
        return f"{type(self).__name__}(shape {tuple(self.shape)}, {self.dtype}, {size} if materialised)"


def _with_all_of_it(name: str) -> Callable:
    def operator(self: ComputedTensor, *others: Any) -> Tensor:
        return getattr(self.materialize(), name)(*map(_computed, others))

    operator.__name__ = name
    return operator


# Python looks for operators on the class, and not by __getattr__.
_ARITHMETIC = ("add", "sub", "mul", "truediv", "pow", "matmul")
for _name in (*_ARITHMETIC, "neg", "abs", "lt", "le", "gt", "ge", "eq", "ne"):
    setattr(ComputedTensor, f"__{_name}__", _with_all_of_it(f"__{_name}__"))
for _name in _ARITHMETIC:
    setattr(ComputedTensor, f"__r{_name}__", _with_all_of_it(f"__r{_name}__"))


def empty(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return memory to write to; on the CPU as NumPy asks for it, in huge pages, which is five times as fast at first touch."""
    if device.type != "cpu":
        return torch.empty(shape, dtype=dtype, device=device)
    memory = np.empty(math.prod(shape) * dtype.itemsize, dtype=np.uint8)
    return torch.from_numpy(memory).view(dtype).view(shape)


def check_memory(
    shape: tuple[int, ...], dtype: torch.dtype, instead: str, device: torch.device = CPU
) -> None:
    """MemoryError if a tensor of this shape does not fit; it states the size and what to do instead."""
    size, free = math.prod(shape) * dtype.itemsize, free_memory(device)
    if size > free:
        what = f"{size / 1e9:,.1f} GB for shape {tuple(shape)}, {free / 1e9:,.1f} GB are free"
        raise MemoryError(f"{what}. Try: {instead}")


def _per_axis(index: Any, shape: torch.Size, device: torch.device) -> list[Any]:
    """Return one index for each axis, None or a truth value for new ones: without ellipsis and masks, and of any list a tensor."""
    found = []
    for element in index if isinstance(index, tuple) else (index,):
        if element is None or element is Ellipsis or isinstance(element, slice | int | np.integer):
            found.append(element)
            continue
        element = torch.as_tensor(_computed(element), device=device)  # noqa: PLW2901 - the same elements
        if element.dtype not in (torch.bool, torch.uint8):
            found.append(element.long() if not element.numel() else element)
            continue
        if not element.ndim:
            found.append(bool(element))
            continue
        start = sum(map(_takes_axis, found))
        _check_mask(element, shape, start, follows=not any(other is Ellipsis for other in found))
        found.extend(element.nonzero(as_tuple=True))
    missing = len(shape) - sum(map(_takes_axis, found))
    if missing < 0 or sum(other is Ellipsis for other in found) > 1:
        raise IndexError(f"too many indices for {len(shape)} axes")
    place = next((i for i, other in enumerate(found) if other is Ellipsis), len(found))
    return [*found[:place], *[slice(None)] * missing, *found[place + 1 :]]


def _takes_axis(element: Any) -> bool:
    return element is not None and element is not Ellipsis and not isinstance(element, bool)


def _check_mask(mask: Tensor, shape: torch.Size, start: int, *, follows: bool) -> None:
    if follows and mask.shape != shape[start : start + mask.ndim]:
        what = f"shape {tuple(shape[start : start + mask.ndim])}"
        raise IndexError(expected("mask", what, str(tuple(mask.shape))))


def _first(index: Any) -> Any:
    """Return the index of the same form that takes the one element of an axis of length 1."""
    if isinstance(index, Tensor):
        return torch.zeros_like(index)
    return slice(None) if isinstance(index, slice) else 0


def _computed(value: Any) -> Any:
    """Return `value` with every ComputedTensor inside it as a tensor."""
    if isinstance(value, ComputedTensor):
        return value.materialize()
    if isinstance(value, dict):
        return {key: _computed(item) for key, item in value.items()}
    return type(value)(map(_computed, value)) if type(value) in (list, tuple) else value
