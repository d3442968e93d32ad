"""Activations that are known in full, and what binning their output means for the pre-activation.

An activation followed by bins is a step function of the pre-activation z: between two breaks every z lands in the same
bin. The breaks are found by sections of all float64 numbers with the activation itself, so plateaus (ReLU, Hardtanh), jumps and
saturation need no cases of their own, and nothing is approximated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from nbwidgets_nn.record._activation_functions import BoundFunction

# Where each scalar activation changes direction; between these points it is monotone. Minima by Newton's method in
# float64: of x Phi(x) (GELU), of its tanh approximation, of x sigmoid(x), of x tanh(softplus(x)).
_TURNS: dict[str, tuple[float, ...]] = {
    **dict.fromkeys(
        ("sigmoid", "tanh", "relu", "leakyrelu", "elu", "selu", "celu", "softplus", "hardtanh", "relu6"), ()
    ),
    **dict.fromkeys(("hardsigmoid", "logsigmoid", "softsign", "softshrink", "hardshrink", "tanhshrink"), ()),
    **dict.fromkeys(("clamp", "clip", "identity", "expit"), ()),
    "gelu": (-0.7517915246935643,),
    "gelu tanh": (-0.7524614220710162,),
    "silu": (-1.278464542761074,),
    "mish": (-1.192431214515495,),
    "hardswish": (-1.5,),
}
_VECTOR_RANGES = {"softmax": (0.0, 1.0), "softmin": (0.0, 1.0)}
_FAR = 1e300
_UNBOUNDED = 1e100
_USUAL = 10.0
_SIGN = np.uint64(2**63)
_SIXTEENTHS = np.arange(17, dtype=np.uint64)[:, None]


@dataclass(frozen=True)
class Activation:
    """A scalar function of z with its turning points and the range that bins span by default."""

    function: Callable[[Tensor], Tensor]
    turns: tuple[float, ...]
    range: tuple[float, float]
    name: str

    def __call__(self, z: NDArray) -> NDArray:
        """Apply it in float64."""
        return _evaluate(self.function, z)


@dataclass(frozen=True, eq=False)
class Steps:
    """A binned activation: z in [breaks[r - 1], breaks[r]) lands in bin `labels[r]` of `bins`.

    The labels `bins` and `bins + 1` stand for values below and above the output range.
    """

    breaks: NDArray[np.float64]
    labels: NDArray[np.int64]
    bins: int

    @property
    def beyond(self) -> NDArray[np.bool_]:
        """Whether each label stands for values outside the output range."""
        return self.labels >= self.bins

    def placed(self, outside: str) -> NDArray[np.int64]:
        """Return the labels with what lies outside in the first and the last bin ("clip") or as -1 ("drop")."""
        below, above = (0, self.bins - 1) if outside == "clip" else (-1, -1)
        return np.where(self.beyond, np.where(self.labels == self.bins, below, above), self.labels)


def known_activation(activation: Callable | None) -> Activation | None:
    """Return what is known of an activation; None stands for the identity, and is returned for an unknown one.

    Known are torch's scalar modules and functions, with their arguments, as long as they are monotone between the turning
    points listed here: a LeakyReLU of negative slope is not known.

    >>> known_activation(nn.LeakyReLU(0.1)).range, known_activation(torch.tanh).range, known_activation(None).range
    ((-1.0, 10.0), (-1.0, 1.0), (-10.0, 10.0))
    >>> known_activation(lambda z: z * 2) is None
    True
    """
    if activation is None:
        return Activation(torch.clone, (), (-_USUAL, _USUAL), "identity")
    if isinstance(activation, nn.PReLU) and activation.weight.numel() == 1:
        activation = nn.LeakyReLU(activation.weight.item())
    name = _name(activation)
    if name not in _TURNS:
        return None
    turns = _TURNS[name]
    if not _is_monotone_between(activation, turns):
        return None
    return Activation(activation, turns, _usual_range(activation, turns), name)


def default_range(activation: Callable | None) -> tuple[float, float] | None:
    """Return the range of an activation's output: its bounds, or where it has none its value at ±10; None if not known."""
    known = known_activation(activation)
    return known.range if known else _VECTOR_RANGES.get(_name(activation))


def binned(activation: Activation, low: float, high: float, bins: int) -> Steps:
    """Return the step function of z that puts activation(z) into `bins` equal bins of [low, high]."""
    edges = np.linspace(low, high, bins + 1)
    ends = [-_FAR, *activation.turns, _FAR]
    pieces = [_crossings(activation, edges, *piece) for piece in pairwise(ends)]
    starts = np.concatenate([starts for starts, _ in pieces])
    passed = np.concatenate([passed for _, passed in pieces])
    # Of edges that are crossed at one place only the last tells where z has got to.
    passed = passed[np.append(starts[1:] != starts[:-1], True)]
    starts = np.unique(starts)
    labels = np.where(passed == 0, bins, np.where(passed > bins, bins + 1, passed - 1))
    changes = labels[1:] != labels[:-1]
    return Steps(starts[1:][changes], np.concatenate([labels[:1], labels[1:][changes]]), bins)


def label_values(values: NDArray, edges: NDArray) -> NDArray[np.int64]:
    """Give the bin of each value; `bins` below the first edge, `bins + 1` above the last, which is in the last bin.

    >>> label_values(np.array([-0.1, 0.0, 0.5, 1.0, 1.1]), np.array([0.0, 0.5, 1.0]))
    array([2, 0, 1, 1, 3])
    """
    bins = len(edges) - 1
    labels = np.searchsorted(edges, values, side="right") - 1
    labels = np.where(values == edges[-1], bins - 1, labels)
    return np.where(values < edges[0], bins, np.where(values > edges[-1], bins + 1, labels))


def _crossings(activation: Activation, edges: NDArray, start: float, stop: float) -> tuple[NDArray, NDArray]:
    """Return the start and the places in (start, stop) where activation(z) crosses an edge, and how many edges it has passed.

    The place is the smallest z on the other side. Counting edges, and not asking for the bin there, because the last bit of a
    value can differ between two calls: torch evaluates the end of an array in another way than its middle.
    """

    def above(z: NDArray) -> NDArray:
        y = activation(z)
        passed = y >= edges
        # The upper end belongs to the last bin, so only what lies beyond it has passed it.
        passed[..., -1] = y[..., -1] > edges[-1]
        return passed

    low, high = np.full(len(edges), start), np.full(len(edges), stop)
    first, last = above(low), above(np.nextafter(high, -np.inf))
    low, high = _ordered(low), _ordered(high)
    for _ in range(
        17
    ):  # a float64 has 64 bits, of which each step finds 4; one more for what rounding down leaves
        width = high - low
        points = low + (width >> 4) * _SIXTEENTHS + ((width & 15) * _SIXTEENTHS >> 4)
        same = (above(_from_ordered(points[1:-1])) == first).sum(axis=0)
        low, high = (np.take_along_axis(points, at[None], axis=0)[0] for at in (same, same + 1))
    places = np.sort(_from_ordered(high)[first != last])
    rises = 1 if last.sum() >= first.sum() else -1
    return np.append(start, places), first.sum() + rises * np.arange(len(places) + 1)


def _ordered(values: NDArray) -> NDArray[np.uint64]:
    """Count float64 values so that neighbours in value are neighbours in number."""
    bits = (values + 0.0).view(np.uint64)
    return np.where(bits < _SIGN, bits | _SIGN, ~bits)


def _from_ordered(numbers: NDArray[np.uint64]) -> NDArray[np.float64]:
    return np.where(numbers < _SIGN, ~numbers, numbers ^ _SIGN).view(np.float64)


def _evaluate(function: Callable, z: NDArray) -> NDArray:
    with torch.no_grad():
        return function(torch.from_numpy(np.ascontiguousarray(z, np.float64))).double().numpy()


def _name(activation: Callable | None) -> str:
    """Name a module or function of torch as in the table; "" for anything else."""
    if isinstance(activation, nn.Module):
        kind = type(activation).__name__
        name = kind.lower() if getattr(nn, kind, None) is type(activation) else ""
        approximate = getattr(activation, "approximate", "none")
    else:
        bound = activation if isinstance(activation, BoundFunction) else BoundFunction(activation)
        name = _names_of_functions().get(bound.function, "") if callable(bound.function) else ""
        approximate = bound.kwargs.get("approximate", "none")
    return "gelu tanh" if (name, approximate) == ("gelu", "tanh") else name


@cache
def _names_of_functions() -> dict[Callable, str]:
    known = [*_TURNS, *_VECTOR_RANGES, "leaky_relu"]
    found = {}
    for owner in (torch, functional, torch.special, Tensor):
        for name in known:
            if callable(function := getattr(owner, name, None)):
                found[function] = name.replace("_", "")
    return found


def _is_monotone_between(activation: Callable, turns: tuple[float, ...]) -> bool:
    ends = [-30.0, *turns, 30.0]
    for start, stop in pairwise(ends):
        rises = np.diff(_evaluate(activation, np.linspace(start, stop, 2001)))
        if (rises > 1e-12).any() and (rises < -1e-12).any():
            return False
    return True


def _usual_range(activation: Callable, turns: tuple[float, ...]) -> tuple[float, float]:
    """Return the bounds of the activation, with its value at ±10, to three digits, where there is no bound."""
    far, near = (
        _evaluate(activation, np.array([-_FAR, _FAR])),
        _evaluate(activation, np.array([-_USUAL, _USUAL])),
    )
    rounded = [float(f"{value:.3g}") for value in near]
    ends = [float(f) if abs(f) < _UNBOUNDED else r for f, r in zip(far, rounded, strict=True)]
    values = [*ends, *_evaluate(activation, np.array(turns)).tolist()]
    return min(values) + 0.0, max(values) + 0.0
