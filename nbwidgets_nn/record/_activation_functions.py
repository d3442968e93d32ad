"""Which modules and functions are activations, and a function together with its arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

ACTIVATION_MODULES = tuple(
    cls
    for cls in vars(nn.modules.activation).values()
    if isinstance(cls, type)
    and issubclass(cls, nn.Module)
    and cls.__module__ == nn.modules.activation.__name__
    and cls is not nn.MultiheadAttention
)

ACTIVATIONS = frozenset().union(
    [
        "relu",
        "relu6",
        "rrelu",
        "leaky_relu",
        "prelu",
        "elu",
        "selu",
        "celu",
        "gelu",
        "silu",
        "mish",
        "glu",
        "threshold",
        "clamp",
        "clip",
        "sin",
    ],
    [
        "sigmoid",
        "hardsigmoid",
        "logsigmoid",
        "expit",
        "tanh",
        "hardtanh",
        "hardswish",
        "tanhshrink",
        "softplus",
        "softsign",
    ],
    ["softshrink", "hardshrink", "softmax", "softmin", "log_softmax", "gumbel_softmax"],
)
"""Names of activation functions; with `_` behind it, each is in place."""


@dataclass(frozen=True)
class BoundFunction:
    """An activation function with its further arguments: `softmax(dim=1)`; call it with a tensor."""

    function: Callable
    args: tuple = ()
    kwargs: dict[str, Any] = field(default_factory=dict)

    @property
    def __name__(self) -> str:
        return self.function.__name__

    def __call__(self, x: Tensor) -> Tensor:
        return self.function(x, *self.args, **self.kwargs)

    def __repr__(self) -> str:
        given = [*map(repr, self.args), *(f"{key}={value!r}" for key, value in self.kwargs.items())]
        return f"{self.__name__}({', '.join(given)})"


Applied = Callable[[Tensor], Tensor]


def applied(function: Callable, args: tuple, kwargs: dict) -> Applied:
    """Return the activation that `function(*args, **kwargs)` applied to `args[0]`.

    The function itself when nothing but the tensor was given, a `BoundFunction` otherwise. A method, and anything in
    place, is replaced by the function of torch that returns a new tensor, so that calling it later changes nothing.

    >>> x = torch.zeros(1)
    >>> applied(torch.Tensor.relu_, (x,), {}) is torch.relu
    True
    >>> applied(functional.leaky_relu, (x,), {"negative_slope": 0.2, "inplace": True})
    leaky_relu(negative_slope=0.2)
    """
    name = function.__name__.rstrip("_")
    if function.__name__ != name or getattr(Tensor, name, None) is function:
        function = getattr(torch, name, None) or getattr(functional, name)
    usual = _defaults(function)
    further = {
        key: value
        for key, value in kwargs.items()
        if key not in ("inplace", "input", "out") and not (key in usual and usual[key] == value)
    }
    further.pop("_stacklevel", None)
    if not args[1:] and not further:
        return function
    return BoundFunction(function, args[1:], further)


def _defaults(function: Callable) -> dict[str, Any]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # torch.relu and other compiled functions have no signature
        return {}
    return {p.name: p.default for p in parameters if p.default is not p.empty}
