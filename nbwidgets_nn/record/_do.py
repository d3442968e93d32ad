"""Setting the tensor that a call reads to given values while the model runs: Pearl's do().

The values must be there for all who read that tensor, also for a skip connection around the call. So a first run finds
the event (a function of torch, or a module that returns) after which the tensor's memory is not written to any more, and
later runs write the values there, as soon as that event has happened.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode

from nbwidgets_nn.record._copies import storage_of, version_of
from nbwidgets_nn.record._inputs import Arguments
from nbwidgets_nn.record._trees import first_tensor, map_tensors, tensors_in

BEFORE_THE_RUN = -1


@dataclass(frozen=True)
class Place:
    """Where the tensor that the first call reads gets its values, and how it lies in memory there."""

    event: int | None
    """Number of the event; None where it cannot be set before the call itself."""

    carrier: int = 0
    """Which of the event's tensors holds its memory."""

    replaced: bool = False
    """Whether the event's tensor gives way to another, because its memory is not to be written to."""

    size: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    offset: int = 0


@dataclass(frozen=True)
class Event:
    """A function of torch was called, or a module has returned."""

    number: int
    result: Any
    given: list[Tensor]
    versions: list[int | None]
    """How often each of `given` had been written to before."""

    is_module: bool = False

    @property
    def tensors(self) -> list[Tensor]:
        """Those of the result, then those given."""
        return [*tensors_in(self.result), *self.given]

    def written(self) -> list[int]:
        """Which of the tensors have memory that a function made or wrote to."""
        if self.is_module:  # what a module returns and no function made can be older than the run
            return []
        tensors = self.tensors
        made = len(tensors) - len(self.given)
        known = {storage_of(tensor) for tensor in self.given}
        fresh = [index for index in range(made) if storage_of(tensors[index]) not in known]
        changed = [version != version_of(t) for t, version in zip(self.given, self.versions, strict=True)]
        return fresh + [made + index for index, yes in enumerate(changed) if yes]


class MovedError(BaseException):
    """The model did not do what it did in the run that found the place. Not caught by a model's `except Exception`."""


class Events(TorchFunctionMode):
    """Numbers the functions of torch and the returns of modules while it is active, and does nothing about them."""

    def __init__(self) -> None:
        super().__init__()
        self.paused = False
        self._count = 0

    def __torch_function__(
        self, func: Callable, types: Iterable[type], args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if self.paused:
            return func(*args, **kwargs)
        given = list(tensors_in((args, kwargs)))
        versions = [version_of(tensor) for tensor in given]
        return self._next(func(*args, **kwargs), given, versions)

    def returned(self, output: Any) -> Any:
        """Count the return of a module; return what it shall return."""
        return self._next(output, [], [], is_module=True)

    def _next(self, *about: Any, is_module: bool = False) -> Any:
        event = Event(self._count, *about, is_module=is_module)
        self._count += 1
        return self.happened(event)

    def happened(self, event: Event) -> Any:
        """Return what the model shall see as the event's result."""
        raise NotImplementedError

    def first_call(self, args: tuple, kwargs: dict) -> tuple[tuple, dict] | None:
        """Return other arguments for the span's first call, or None."""
        raise NotImplementedError


class Probe(Events):
    """Finds the `place` of the tensor that the first call reads."""

    def __init__(self, arguments: Arguments) -> None:
        super().__init__()
        self.place = Place(None)
        self.read: Tensor | None = None
        self.alone = False
        """Whether the tensor is all that the call is given."""
        self._writes: dict[int, _Write] = {}
        self._made: dict[int, _Made] = {}
        for index, tensor in enumerate(arguments.tensors()):
            self._note(tensor, Place(BEFORE_THE_RUN, index))

    def happened(self, event: Event) -> Any:
        tensors, written = event.tensors, event.written()
        for tensor in event.given:
            if storage_of(tensor) not in self._writes:  # older than the run: not ours to write to
                self._note(tensor, None)
        for index in written:
            write = self._writes.get(storage_of(tensors[index]))
            if write is None or write.place:
                self._note(tensors[index], Place(event.number, index))
        for index, tensor in enumerate(tensors[: len(tensors) - len(event.given)]):
            self._made[id(tensor)] = _Made(weakref.ref(tensor), Place(event.number, index, replaced=True))
        return event.result

    def _note(self, tensor: Tensor, place: Place | None) -> None:
        key = storage_of(tensor)
        if key is not None:
            # The weak reference keeps the storage's key from being used again, but not its memory.
            self._writes[key] = _Write(StorageWeakRef(tensor.untyped_storage()), place, tensor.dtype)

    def first_call(self, args: tuple, kwargs: dict) -> None:
        found = first_tensor((args, kwargs))
        if found is not None:
            self.read = found[0]
            self.place = self._place_of(found[0])
            self.alone = len(args) == 1 and args[0] is found[0] and not kwargs

    def _place_of(self, tensor: Tensor) -> Place:
        write = self._writes.get(storage_of(tensor))
        if write and write.place and write.dtype == tensor.dtype and not _overlaps(tensor):
            layout = {"size": tensor.shape, "stride": tensor.stride(), "offset": tensor.storage_offset()}
            return replace(write.place, **layout)
        made = self._made.get(id(tensor))
        return made.place if made is not None and made.tensor() is tensor else Place(None)


class Setting(Events):
    """Sets the tensor at `place` to `values`."""

    def __init__(self, place: Place, values: Tensor) -> None:
        super().__init__()
        self._place, self._values = place, values
        self.done = False
        """Whether the first call has read the values."""

    def set_arguments(self, arguments: Arguments) -> None:
        """Set the tensor if it is one of the model's arguments, which are copies."""
        if self._place.event == BEFORE_THE_RUN:
            self._write(arguments.tensors()[self._place.carrier])

    def happened(self, event: Event) -> Any:
        if event.number != self._place.event:
            return event.result
        carrier, tensors = self._place.carrier, event.tensors
        if self._place.replaced and carrier < len(tensors):
            old = tensors[carrier]
            return map_tensors(event.result, lambda tensor: self._values if tensor is old else tensor)
        # Never write to what another event than the one that was found has only read: it can be a weight.
        if carrier not in event.written():
            raise MovedError
        self._write(tensors[carrier])
        return event.result

    def _write(self, tensor: Tensor) -> None:
        try:
            memory = tensor.as_strided(self._place.size, self._place.stride, self._place.offset)
        except RuntimeError as error:  # it ends before
            raise MovedError from error
        memory.copy_(self._values)

    def first_call(self, args: tuple, kwargs: dict) -> tuple[tuple, dict] | None:
        tensor, _ = first_tensor((args, kwargs)) or (None, "")
        if tensor is None or tensor.shape != self._values.shape:
            raise MovedError
        self.done = True
        if self._place.event is None:
            return map_tensors((args, kwargs), lambda other: self._values if other is tensor else other)
        if not _same(tensor, self._values):
            raise MovedError
        return None


class _Write(NamedTuple):
    storage: StorageWeakRef
    place: Place | None
    dtype: Any


class _Made(NamedTuple):
    tensor: weakref.ref
    place: Place


def _overlaps(tensor: Tensor) -> bool:
    """Whether several elements may share memory, as after `expand`; they cannot all be set."""
    reach = 0
    for stride, size in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if size > 1 and stride <= reach:
            return True
        reach += stride * (size - 1)
    return False


def _same(one: Tensor, other: Tensor) -> bool:
    return torch.equal(one, other) or torch.allclose(one, other, rtol=0, atol=0, equal_nan=True)
