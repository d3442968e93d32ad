"""What the user gives as `input`, checked and turned into the arguments of the network's forward."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from nbwidgets_nn.record._trees import first_tensor, map_tensors, parts, tensors_in

INPUT = "input"


@dataclass(frozen=True)
class Arguments:
    """The positional and keyword arguments of one call of the network."""

    args: tuple
    kwargs: dict[str, Any]

    def copy(self) -> Arguments:
        """Return the same arguments with tensors of their own, so that a model that writes into them harms nobody."""
        return self.map(lambda tensor: tensor.detach().clone())

    def map(self, change: Callable[[Tensor], Tensor]) -> Arguments:
        """Return the same arguments with every tensor replaced by `change(tensor)`; one given twice stays one tensor."""
        changed: dict[int, Tensor] = {}

        def once(tensor: Tensor) -> Tensor:
            if id(tensor) not in changed:
                changed[id(tensor)] = change(tensor)
            return changed[id(tensor)]

        return Arguments(map_tensors(self.args, once), map_tensors(self.kwargs, once))

    @property
    def samples(self) -> int:
        """Length of the first tensor along dim 0."""
        shape = self.first[0].shape
        return shape[0] if shape else 1

    @property
    def first(self) -> tuple[Tensor, str]:
        """The first tensor and how it is reached."""
        found = first_tensor((self.args, self.kwargs))
        assert found is not None, "read_input refuses input without a tensor"  # noqa: S101
        return found

    def tensors(self) -> list[Tensor]:
        """All tensors among the arguments."""
        return list(tensors_in((self.args, self.kwargs)))

    def named(self, network: nn.Module) -> list[tuple[str, Tensor]]:
        """Return each tensor once with its name: "input" the first, others after their argument.

        "input:mask"; inside an argument with its place there, "input:batch.mask", "input:images.1".
        """
        found: dict[int, tuple[str, Tensor]] = {}
        names = _positional_names(network, len(self.args))
        for name, value in (*zip(names, self.args, strict=True), *self.kwargs.items()):
            for place, tensor in _places(value, name):
                found.setdefault(id(tensor), (f"{INPUT}:{place}" if found else INPUT, tensor))
        return list(found.values())

    def pieces(self, batch_size: int | None) -> Iterator[Arguments]:
        """Yield the arguments cut along dim 0 into pieces of at most `batch_size` samples."""
        if batch_size is None or batch_size >= self.samples:
            yield self
            return
        for start, stop in _cuts(self.samples, batch_size):

            def cut(tensor: Tensor, start: int = start, stop: int = stop) -> Tensor:
                return tensor[start:stop] if tensor.ndim else tensor

            yield self.map(cut)


def _positional_names(network: nn.Module, count: int) -> list[str]:
    """Return what forward calls its positional arguments."""
    try:
        known = list(inspect.signature(network.forward).parameters.values())
    except (TypeError, ValueError):  # compiled code does not tell
        known = []
    names = [p.name for p in known if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in known if p.kind is p.VAR_POSITIONAL), "args")
    return [*names, *(f"{rest}.{k}" for k in range(count - len(names)))][:count]


def _places(value: Any, name: str) -> Iterator[tuple[str, Tensor]]:
    if isinstance(value, Tensor):
        yield name, value
    for part, item in parts(value):
        yield from _places(item, f"{name}.{part.strip(_BRACKETS)}")


_BRACKETS = ".[]'\""


def _cuts(samples: int, batch_size: int) -> list[tuple[int, int]]:
    """Return the ends of the pieces, which are not all equally long, except for single samples.

    Two lengths show whether an output grows with the samples: after a transpose to (time, samples, ...) it does not,
    and must not be joined along dim 0. Equal pieces would hide that.

    >>> _cuts(10, 4), _cuts(8, 4)
    ([(0, 4), (4, 8), (8, 10)], [(0, 4), (4, 6), (6, 8)])
    """
    starts = list(range(0, samples, batch_size))
    if samples % batch_size == 0 and batch_size > 1:
        starts.append(samples - batch_size // 2)
    return list(zip(starts, [*starts[1:], samples], strict=True))


def check_network(network: Any) -> nn.Module:
    """`network` if it can be recorded, else a TypeError or ValueError that says why not."""
    if isinstance(network, type) and issubclass(network, nn.Module):
        raise TypeError(
            f"network: expected a torch.nn.Module object, got the class {network.__name__}; "
            f"make one first: {network.__name__}(...)"
        )
    # What torch.compile returns wraps the module that was given; hooks do not fire inside compiled code.
    network = getattr(network, "_orig_mod", network)
    if not isinstance(network, nn.Module):
        raise TypeError(
            f"network: expected a torch.nn.Module, got {type(network).__name__}; "
            "wrap a function in a Module whose forward calls it"
        )
    lazy = [
        name for name, weights in (*network.named_parameters(), *network.named_buffers()) if is_lazy(weights)
    ]
    if lazy:
        raise ValueError(
            f"network: {', '.join(lazy[:3])}: not initialised yet (a lazy module), and recording must not change "
            "the model; run network(input) once, then record"
        )
    return network


def read_input(network: nn.Module, value: Any) -> Arguments:
    """Return the arguments that `value` stands for.

    A tuple holds several positional arguments. A mapping whose keys are parameters of `network.forward` holds
    keyword arguments, any other mapping is one argument. Everything else (a tensor, a list, a named tuple, a
    dataclass) is one argument. A NumPy array becomes a tensor on the network's device, floating values in the
    network's floating dtype (NumPy's default is float64, torch's float32).
    """
    value = _arrays_to_tensors(network, value)
    if type(value) is tuple:
        arguments = Arguments(value, {})
    elif isinstance(value, Mapping) and _are_keywords(network, value):
        arguments = Arguments((), dict(value))
    else:
        arguments = Arguments((value,), {})
    _check_tensors(arguments, value)
    return arguments


def check_batch_size(batch_size: Any, arguments: Arguments) -> None:
    """Raise if `batch_size` is no positive integer or the tensors cannot be cut together."""
    if batch_size is None:
        return
    if isinstance(batch_size, bool) or not isinstance(batch_size, int | np.integer):
        raise TypeError(f"batch_size: expected a positive integer or None, got {batch_size!r}")
    if batch_size < 1:
        raise ValueError(f"batch_size: expected at least 1, got {batch_size}; None runs all samples at once")
    lengths = {tensor.shape[0] for tensor in arguments.tensors() if tensor.ndim}
    if len(lengths) > 1 and batch_size < arguments.samples:
        raise ValueError(
            f"batch_size: the tensors of input have {sorted(lengths)} entries along dim 0, so they cannot be cut "
            "into pieces together; leave batch_size=None"
        )


def _arrays_to_tensors(network: nn.Module, value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return _array_to_tensor(network, value)
    if type(value) in (tuple, list):
        return type(value)(_arrays_to_tensors(network, item) for item in value)
    if type(value) is dict:
        return {key: _arrays_to_tensors(network, item) for key, item in value.items()}
    return value


def _array_to_tensor(network: nn.Module, array: np.ndarray) -> Tensor:
    if array.dtype.kind not in "biufc":
        raise TypeError(f"input: expected numbers, got a NumPy array of dtype {array.dtype}")
    # A copy: torch cannot hold negative strides, and warns about read-only arrays.
    tensor = torch.from_numpy(np.array(array, order="C"))
    weights = [parameter for parameter in network.parameters() if parameter.is_floating_point()]
    if not weights:
        return tensor
    dtype = weights[0].dtype if tensor.is_floating_point() else tensor.dtype
    return tensor.to(device=weights[0].device, dtype=dtype)


def _are_keywords(network: nn.Module, value: Mapping) -> bool:
    """Whether the keys of `value` are parameters of forward; some being so and some not is an error."""
    known = inspect.signature(network.forward).parameters.values()
    names = [p.name for p in known if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    if any(p.kind is p.VAR_KEYWORD for p in known) and all(isinstance(key, str) for key in value):
        return True
    strange = [key for key in value if key not in names]
    if strange and len(strange) < len(value):
        near = difflib.get_close_matches(str(strange[0]), names, n=3, cutoff=0.5)
        raise TypeError(
            f"input: forward of {type(network).__name__} has no parameter {strange[0]!r}; "
            + (f"did you mean {' or '.join(near)}? " if near else "")
            + f"it takes {', '.join(names)}"
        )
    return not strange


def _check_tensors(arguments: Arguments, value: Any) -> None:
    tensors = arguments.tensors()
    if not tensors:
        raise TypeError(
            f"input: expected a tensor, an array, a tuple of tensors or a dict of tensors, got {_describe(value)}"
        )
    if tensors[0].numel() == 0:
        raise ValueError(
            f"input: no samples in a tensor of shape {tuple(tensors[0].shape)}; record at least one"
        )


def _describe(value: Any) -> str:
    kind = type(value).__name__
    if isinstance(value, list | tuple | Mapping):
        return f"a {kind} without tensors" if len(value) else f"an empty {kind}"
    return kind
