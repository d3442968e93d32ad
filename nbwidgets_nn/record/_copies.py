"""Copies of tensors as they were at one moment, shared by all records of that moment."""

from __future__ import annotations

import weakref

from torch import Tensor


class Copies:
    """Copies of tensors as they were; asking again for one that was not changed since gives the same copy."""

    def __init__(self) -> None:
        self._copies: dict[int, tuple[weakref.ref, int | None, weakref.ref]] = {}

    def of(self, tensor: Tensor) -> Tensor:
        """Return a copy of the tensor as it is now."""
        version = version_of(tensor)
        known = self._copies.get(id(tensor))
        if known is not None and version is not None and known[0]() is tensor and known[1] == version:
            copy = known[2]()
            if copy is not None:
                return copy
        copy = tensor.detach().clone()
        # Weak: a copy that no record keeps is not kept here either.
        self._copies[id(tensor)] = (weakref.ref(tensor), version, weakref.ref(copy))
        return copy

    def share(self, tensor: Tensor, alias: Tensor) -> None:
        """`alias` is another object for the same values as `tensor`."""
        known = self._copies.get(id(tensor))
        if known is not None:
            self._copies[id(alias)] = (weakref.ref(alias), known[1], known[2])


def version_of(tensor: Tensor) -> int | None:
    """How often the tensor was written to; None where torch does not count."""
    return None if tensor.is_inference() else tensor._version  # noqa: SLF001 - no public name


def storage_of(tensor: Tensor) -> int | None:
    """Return what tells the tensor's memory from any other; None if torch does not show it (sparse, inside vmap)."""
    try:
        return tensor.untyped_storage()._cdata  # noqa: SLF001 - views share it, and torch has no public name for it
    except (NotImplementedError, RuntimeError):
        return None
