"""Steps from the functions that torch reports: what was given and what was written to, looked at before and after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from nbwidgets_nn.record._copies import version_of
from nbwidgets_nn.record._trees import tensors_in
from nbwidgets_nn.record.channel_axis import function_name
from nbwidgets_nn.record.steps import Origin, Output, Step, map_arguments

Holder = Callable[[Tensor], "Origin | Tensor | None"]
"""Returns what a step holds in place of a tensor: how it was computed, or the constant; None where nobody knows."""

NO_STEP = frozenset({"as_strided", "set", "resize", "resize_as", "apply", "map", "map2", "grad"})
"""Functions whose result depends on how the argument lies in memory, or on what cannot be seen; without the `_` behind."""

ASSIGNING = frozenset(
    f"__i{name}__"
    for name in "add sub mul matmul div truediv floordiv mod pow and or xor lshift rshift".split()  # noqa: SIM905 - shorter
)


class Function(NamedTuple):
    """A function and its arguments, before it runs."""

    name: str
    function: Callable
    args: tuple
    kwargs: dict
    """Held or not yet: tensors are what a step holds in place of them, or still tensors."""

    is_held: bool
    versions: list[tuple[Tensor, int | None]]
    randomness: tuple[bytes, ...]
    """The states of the random numbers it can draw: they cannot be drawn again."""


class _UnknownError(Exception):
    """One of the arguments came about out of sight."""


def before(function: Callable, args: tuple, kwargs: dict, hold: Holder) -> Function:
    """Look at a function that is about to run."""
    name = function_name(function)
    tensors = list(tensors_in((args, kwargs)))
    versions = [(tensor, version_of(tensor)) for tensor in tensors]
    early = writes_by_name(name, kwargs) or "out" in kwargs
    seen = Function(
        *_without_writing(name, function, args, kwargs), False, versions, _randomness(tensors, args, kwargs)
    )
    # What is written to has to be looked at before.
    return _held(seen, hold) if early else seen


def origins_of(seen: Function, args: tuple, kwargs: dict, result: Any, hold: Holder) -> list[Origin | None]:
    """Say how each tensor of the result came about; of a function that returns nothing, the tensor it wrote to."""
    written = written_by(seen, args, kwargs)
    changed = [args[0]] if written and args and isinstance(args[0], Tensor) else []
    results = changed if result is None else list(tensors_in(result))
    expected = [*changed, *tensors_in(kwargs.get("out"))]
    by_surprise = any(all(tensor is not other for other in expected) for tensor in written)
    drawn = seen.randomness != _randomness([tensor for tensor, _ in seen.versions], args, kwargs)
    if seen.name in NO_STEP or by_surprise or drawn:
        return [None] * len(results)
    if not written and args and result is args[0]:  # x.contiguous(), x.to(...) with nothing to do
        origin = hold(result)
        return [None if isinstance(origin, Tensor) else origin]
    seen = seen if seen.is_held else _held(seen, hold)
    if not seen.is_held:
        return [None] * len(results)
    one = isinstance(result, Tensor) or result is None
    return [_step(seen, tensor, None if one else pick, kwargs) for pick, tensor in enumerate(results)]


def writes_by_name(name: str, kwargs: dict) -> bool:
    """Whether a function of this name writes to its first argument."""
    assigns = name in ASSIGNING or name == "__setitem__" or (name.endswith("_") and not name.endswith("__"))
    return assigns or bool(kwargs.get("inplace"))


def _without_writing(
    name: str, function: Callable, args: tuple, kwargs: dict
) -> tuple[str, Callable, tuple, dict]:
    """Return a function of the same result that writes to nothing, and depends on no tensor of which it takes only the shape."""
    kwargs = {key: value for key, value in kwargs.items() if key != "out"}
    if kwargs.get("inplace"):
        kwargs["inplace"] = False
    elif name in ("copy_", "fill_") and len(args) > 1 and isinstance(args[1], Tensor):
        return _copying(args[0], args[1])
    elif writes_by_name(name, kwargs):
        plain = (
            name if name == "__setitem__" else name.strip("_").removeprefix("i" if name in ASSIGNING else "")
        )
        return plain, OnCopy(function), args, kwargs
    if name in ("view_as", "reshape_as", "expand_as", "type_as") and len(args) > 1:
        shape, dtype = args[1].shape, args[1].dtype
        if name == "type_as":
            return "to", Tensor.to, (args[0], dtype), {}
        plain = name.removesuffix("_as")
        return plain, Tensor.expand if plain == "expand" else Tensor.reshape, (args[0], shape), {}
    if name == "view" and not any(isinstance(value, torch.dtype) for value in (*args, *kwargs.values())):
        # The same, but also for tensors that lie in memory in another way than the model's own.
        function = Tensor.reshape
        kwargs = {"shape": kwargs["size"]} if "size" in kwargs else kwargs
    return name, function, args, kwargs


def _copying(tensor: Tensor, value: Tensor) -> tuple[str, Callable, tuple, dict]:
    name = "expand" if tensor.shape != value.shape else "to" if tensor.dtype != value.dtype else "clone"
    return name, _copied, (value, tensor.shape, tensor.dtype), {}


def _copied(value: Tensor, shape: torch.Size, dtype: torch.dtype) -> Tensor:
    return value.to(dtype).expand(shape)


class OnCopy:
    """A function that writes to its first argument, on a copy of that."""

    def __init__(self, function: Callable) -> None:
        self.function = function
        self.__name__ = function_name(function)

    def __call__(self, tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        tensor = tensor.clone()
        self.function(tensor, *args, **kwargs)
        return tensor

    def __repr__(self) -> str:
        return f"OnCopy({self.__name__})"


class UnderAutocast:
    """A function as it works inside ``torch.autocast(device, dtype)``."""

    def __init__(self, function: Callable, device: str, dtype: torch.dtype) -> None:
        self.function, self.device, self.dtype = function, device, dtype
        self.__name__ = function_name(function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with torch.autocast(self.device, self.dtype):
            return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"UnderAutocast({self.__name__}, {self.device!r}, {self.dtype})"


def _held(seen: Function, hold: Holder) -> Function:
    """Return the function with what a step holds in place of tensors; as it is, if that is not known of all of them."""

    def one(value: Any) -> Any:
        if value is None or isinstance(value, _PLAIN):
            return value
        if isinstance(value, Tensor):
            held = hold(value)
            if held is None:
                raise _UnknownError
            return held
        if isinstance(value, slice):
            ends = (value.start, value.stop, value.step)
            return slice(*(int(end) if isinstance(end, Tensor) else end for end in ends))
        if next(tensors_in(value), None) is not None:
            raise _UnknownError
        return value

    try:
        args, kwargs = map_arguments(seen.args, one), map_arguments(seen.kwargs, one)
    except _UnknownError:
        return seen
    return seen._replace(args=args, kwargs=kwargs, is_held=True)


_PLAIN = (bool, int, float, str, torch.dtype, torch.device, torch.Size)


def _step(seen: Function, result: Tensor, pick: int | None, kwargs: dict) -> Step:
    shape = () if result.is_nested else tuple(result.shape)
    function, device = seen.function, result.device.type
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        function = UnderAutocast(function, device, torch.get_autocast_dtype(device))
    step = Step(seen.name, function, seen.args, seen.kwargs, pick, shape)
    if "out" in kwargs:
        return Step("to", Tensor.to, (step, result.dtype), {}, None, shape)
    return step


def written_by(seen: Function, args: tuple, kwargs: dict) -> list[Tensor]:
    """Return the tensors that were written to: their versions tell, or the name where torch does not count."""
    if all(version == version_of(tensor) is not None for tensor, version in seen.versions):
        return []
    out = list(tensors_in(kwargs.get("out")))
    by_name = [*args[:1], *out] if isinstance(seen.function, OnCopy) or kwargs.get("inplace") else out
    return [
        tensor
        for tensor, version in seen.versions
        if (any(tensor is o for o in by_name) if version is None else version_of(tensor) != version)
    ]


def _randomness(tensors: list[Tensor], args: tuple, kwargs: dict) -> tuple[bytes, ...]:
    device = tensors[0].device if tensors else torch.device("cpu")
    states = [torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()]
    given = (value for value in (*args, *kwargs.values()) if isinstance(value, torch.Generator))
    states += [generator.get_state() for generator in given]
    return tuple(state.numpy().tobytes() for state in states)


def constant(tensor: Tensor) -> Step:
    """Return the step that stands for a constant."""
    return Step("constant", _itself, (tensor,), {}, None, tuple(tensor.shape))


def _itself(tensor: Tensor) -> Tensor:
    return tensor


def outputs_of(layer: str, tensors: list[Tensor]) -> list[tuple[Tensor, Output]]:
    """Return each of the tensors with its place; one that is there twice has its first."""
    places: dict[int, tuple[Tensor, Output]] = {}
    for index, tensor in enumerate(tensors):
        shape = () if tensor.is_nested else tuple(tensor.shape)
        places.setdefault(id(tensor), (tensor, Output(layer, index, shape)))
    return list(places.values())
