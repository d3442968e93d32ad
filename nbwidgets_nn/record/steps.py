"""How a tensor was computed from what recorded calls returned: the functions in between, and computing them again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nbwidgets_nn.record._trees import tensors_in


@dataclass(frozen=True, eq=False)
class Output:
    """What a recorded call returned, or one of the model's inputs: where the steps start from."""

    layer: str
    """Name of the call, or of the input."""

    index: int
    """Which tensor of the call's output; 0 is the one in `Layer.output`."""

    shape: tuple[int, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Step:
    """One function of torch that was called between two recorded calls.

    Dropout is here what it is in eval mode. Numbers that left torch on the way (`.item()`, `.tolist()`) are held as they were,
    as constants are. Tensors computed from calls are not held, only how they were computed.
    """

    name: str
    """"relu", "add", "view", "max_pool2d", ...: the function's name, for `x.relu_()` and ``x += y`` as well "relu" and "add".
    "constant": no function, the one argument is the value."""

    function: Callable[..., Any]
    """What was called; it writes into none of its arguments, also where the model's own did."""

    args: tuple
    """As given, but tensors made from recorded calls are a Step or Output; parameters and constants are tensors."""

    kwargs: dict[str, Any]

    pick: int | None
    """Which tensor of the result, if the function returned several (`chunk`); else None."""

    shape: tuple[int, ...]
    """Shape of the result."""

    def __repr__(self) -> str:
        # Not the arguments: behind them stand all the steps before.
        return f"Step({self.name!r}, shape={self.shape})"


Origin = Step | Output


def replay(origin: Origin, given: Callable[[Origin], Tensor], known: Container[int] = frozenset()) -> Tensor:
    """Compute a tensor again, from other tensors in place of those that the calls returned.

    Every function is called once, and a value is given up when the last function that takes it has run. Random numbers
    that the model drew are held, not drawn again.

    >>> import nbwidgets_nn as nw
    >>> class Skip(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.a, self.b = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    ...     def forward(self, x):
    ...         return self.b(x + self.a(x).relu())
    >>> origin = nw.Activations(Skip(), torch.ones(1, 2))["b"].origin
    >>> origin, origin.args[1], outputs_in(origin)[1].layer
    (Step('add', shape=(1, 2)), Step('relu', shape=(1, 2)), 'a')
    >>> other = {"input": torch.tensor([1.0, 1.0]), "a": torch.tensor([-1.0, 5.0])}
    >>> replay(origin, lambda output: other[output.layer])
    tensor([1., 6.])

    Args:
        origin: `Layer.origin`, `Activations.origin`, or a part of one.
        given: returns the tensor for an `Output`, or for a step that is known; called once for each.
        known: ids of steps that are not computed again either, nor what is behind them alone.

    Raises:
        RuntimeError: torch's own, if a function does not take the tensors given. Shapes that the model worked out, as in
            ``x.view(len(x), -1)``, are held as they were.
    """
    order = list(steps_in(origin, known))
    computed = [node for node in order if id(node) not in known]
    left = Counter(id(part) for node in computed for part in parts_of(node))
    left[id(origin)] += 1
    siblings = Counter(id(node.kwargs) for node in computed if _is_picked(node))
    values: dict[int, Tensor] = {}
    results: dict[int, list[Tensor]] = {}
    leaves: dict[tuple[str, int], Tensor] = {}
    with torch.no_grad():
        for node in order:
            if isinstance(node, Output):
                key = node.layer, node.index
                if key not in leaves:
                    leaves[key] = given(node)
                values[id(node)] = leaves[key]
                continue
            if id(node) in known:
                values[id(node)] = given(node)
                continue
            call = id(node.kwargs)
            result = results.pop(call, None)
            if result is None:
                result = node.function(*_filled(node.args, values), **_filled(node.kwargs, values))
                result = list(tensors_in(result)) if _is_picked(node) else result
            values[id(node)] = result if node.pick is None else result[node.pick]
            siblings[call] -= 1
            if siblings[call] > 0:
                results[call] = result
            for part in parts_of(node):
                left[id(part)] -= 1
                if not left[id(part)]:
                    values.pop(id(part), None)
    return values[id(origin)]


def outputs_in(origin: Origin, stop: Container[int] = frozenset()) -> tuple[Output, ...]:
    """Return what the steps start from, in the order of first use, each once; not what is only behind those to stop at."""
    found: dict[tuple[str, int], Output] = {}
    for node in steps_in(origin, stop):
        if isinstance(node, Output):
            found.setdefault((node.layer, node.index), node)
    return tuple(found.values())


def steps_in(origin: Origin, stop: Container[int] = frozenset()) -> Iterator[Origin]:
    """Yield every step and output behind `origin`, and last itself; each once, and after all that it is made from.

    Args:
        origin: how a tensor came about.
        stop: ids of steps behind which it does not look.
    """

    def behind(node: Origin) -> Iterator[Origin]:
        return iter(() if id(node) in stop else parts_of(node))

    seen: set[int] = set()
    stack = [(origin, behind(origin))]  # a recursion would end at a thousand steps
    while stack:
        node, parts = stack[-1]
        part = next((part for part in parts if id(part) not in seen), None)
        if part is not None:
            stack.append((part, behind(part)))
            continue
        stack.pop()
        seen.add(id(node))
        yield node


def parts_of(node: Origin) -> list[Origin]:
    """Return what the step takes from other steps and calls, as often as it takes it."""
    found: list[Origin] = []
    if isinstance(node, Step):
        map_arguments(
            (node.args, node.kwargs), lambda item: found.append(item) if isinstance(item, Origin) else None
        )
    return found


def map_arguments(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return the arguments of a function with `change` made to everything that is no list, tuple or dict.

    >>> map_arguments((1, [2, (3,)], {"dim": 4}), lambda number: -number)
    (-1, [-2, (-3,)], {'dim': -4})
    """
    if isinstance(value, list | tuple) and not isinstance(value, torch.Size):
        changed = [map_arguments(item, change) for item in value]
        return changed if isinstance(value, list) else tuple(changed)
    if isinstance(value, dict):
        return {key: map_arguments(item, change) for key, item in value.items()}
    return change(value)


def _is_picked(node: Origin) -> bool:
    return isinstance(node, Step) and node.pick is not None


def _filled(arguments: Any, values: dict[int, Tensor]) -> Any:
    return map_arguments(arguments, lambda item: values[id(item)] if isinstance(item, Origin) else item)
