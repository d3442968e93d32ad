"""A tensor that is computed where it is read, and never held."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nbwidgets_nn._arrays import as_numpy, expected

CPU = torch.device("cpu")

_MOST_PRINTED = 100
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
    MemoryError where there is not enough.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: torch.dtype,
        device: torch.device,
        at: Callable[..., Tensor],
        instead: str = "index it: t[0, 1]",
        fill: Callable[[Tensor], None] | None = None,
    ) -> None:
        self.shape = torch.Size(shape)
        self.dtype = dtype
        self.device = device
        self._at = at
        self._instead = instead
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
        """
        out = self._checked(out, dtype)
        if self._fill is None:
            return out.copy_(self[...])
        self._fill(out)
        return out

    def _checked(self, out: Tensor | None, dtype: torch.dtype | None) -> Tensor:
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
        views = [self._coordinate(axis)[index] for axis in range(self.ndim)]
        shape = views[0].shape
        check_memory(shape, self.dtype, self._instead, self.device)
        values = self._at(*map(_shrunk, views)).expand(shape)
        return values.to(self.dtype).contiguous()

    def _coordinate(self, axis: int) -> Tensor:
        """Return the place of every element along one axis: a view that takes the memory of the axis alone."""
        along = torch.arange(self.shape[axis], device=self.device)
        return along.view(-1, *[1] * (self.ndim - axis - 1)).expand(self.shape)

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
        return getattr(self.materialize(), name)

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
for _name in ("neg", "abs", "add", "sub", "mul", "truediv", "pow", "matmul", "lt", "le", "gt", "ge"):
    setattr(ComputedTensor, f"__{_name}__", _with_all_of_it(f"__{_name}__"))
for _name in ("add", "sub", "mul", "truediv", "pow", "matmul"):
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
    size, free = math.prod(shape) * dtype.itemsize, _free_memory(device)
    if size > free:
        what = f"{size / 1e9:,.1f} GB for shape {tuple(shape)}, {free / 1e9:,.1f} GB are free"
        raise MemoryError(f"{what}. Try: {instead}")


def _shrunk(view: Tensor) -> Tensor:
    """Return the view without its repetitions: what does not move along an axis is there once."""
    return view[tuple(slice(0, 1) if stride == 0 else slice(None) for stride in view.stride())]


def _computed(value: Any) -> Any:
    """Return `value` with every ComputedTensor inside it as a tensor."""
    if isinstance(value, ComputedTensor):
        return value.materialize()
    if isinstance(value, dict):
        return {key: _computed(item) for key, item in value.items()}
    return type(value)(map(_computed, value)) if type(value) in (list, tuple) else value


def _free_memory(device: torch.device) -> float:
    """Bytes that are free, or all that there are where the system does not say more; infinite where it says nothing."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type != "cpu":
        return math.inf
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        pass
    names = getattr(os, "sysconf_names", {})
    if "SC_PHYS_PAGES" not in names:
        return math.inf
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
