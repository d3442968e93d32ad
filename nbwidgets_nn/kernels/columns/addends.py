"""The edges into a sum, of every addend that is no constant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nbwidgets_nn.kernels.channel_edges import ChannelEdges
from nbwidgets_nn.kernels.layer_triplets import LayerTriplets


@dataclass(frozen=True, eq=False)
class Addend:
    """One addend of a sum with samples in its rows, and where its numbers come from and go to.

    ``values`` (samples, numbers) as they are added, before their ``weight``; ``source`` (numbers,) the unit that each one
    is of, in a ``column`` of ``units``; that of a constant is None. ``words`` say what is added.
    """

    values: Tensor
    weight: float
    source: NDArray | None = None
    units: int = 0
    column: int = -1
    words: str = ""


def addends_of(addition: LayerTriplets) -> list[Addend]:
    """Return what is added, before it is known whose units these are."""
    parts = addition.source.unflatten(1, (len(addition.addends), -1)).unbind(1)
    weights = addition.block.kernel.flatten().tolist()
    return [Addend(values, weight) for values, weight in zip(parts, weights, strict=True)]


def added_up(addends: list[Addend]) -> list[Addend]:
    """Return the addends with each unit once, as their edges would lie on each other.

    Of equal values the weights are added, ``h - h / 2 + 2 * h``; other values of the same units, ``h + h.relu()``, are
    one addend that says so: what they add in all, with weight 1.
    """
    return _joined(
        _joined(addends, _with_its_weight, is_same=_has_values), _with_its_values, is_same=_has_units
    )


def _joined(
    addends: list[Addend],
    join: Callable[[Addend, Addend], Addend],
    is_same: Callable[[Addend, Addend], bool],
) -> list[Addend]:
    kept: list[Addend] = []
    for addend in addends:
        k = next((k for k, other in enumerate(kept) if is_same(other, addend)), None)
        if k is None:
            kept.append(addend)
        else:
            kept[k] = join(kept[k], addend)
    return kept


def _has_units(one: Addend, other: Addend) -> bool:
    if one.source is None or other.source is None or one.column != other.column:
        return False
    return np.array_equal(one.source, other.source)


def _has_values(one: Addend, other: Addend) -> bool:
    return _has_units(one, other) and alike(one.values, other.values)


def _with_its_weight(one: Addend, other: Addend) -> Addend:
    return replace(one, weight=one.weight + other.weight)


def _with_its_values(one: Addend, other: Addend) -> Addend:
    values = one.weight * one.values + other.weight * other.values
    sign = "−" if other.weight < 0 else "+"
    words = f"{_times(one.weight, one.words)} {sign} {_times(abs(other.weight), other.words)}"
    return replace(one, values=values, weight=1.0, words=words)


def _times(weight: float, words: str) -> str:
    return words if weight == 1 else f"{weight:g} · {words}"


def alike(one: Tensor, other: Tensor) -> bool:
    """Tell whether two tensors are the same; what is not a number is the same as itself."""
    same = one.shape == other.shape and one.dtype == other.dtype
    return same and torch.allclose(one, other, rtol=0, atol=0, equal_nan=True)


def sum_edges(
    addition: LayerTriplets, addends: list[Addend], target: NDArray, units: int
) -> list[tuple[Addend, ChannelEdges, NDArray]] | None:
    """Return each addend that is no constant, with its edges and their ends.

    Contributions of all and the bias of the first one sum to the target. None if a constant differs from sample to sample:
    it is neither a bias nor some layer's.

    Args:
        addition: from `triplets`.
        addends: all of them, in order.
        target: (numbers,) the unit of the sum that each number of an addend is part of.
        units: how many units the sum has.
    """
    bias = np.zeros(units)
    if addition.bias is not None:
        bias += np.bincount(target, addition.bias.double().cpu().numpy(), minlength=units)
    for addend in addends:
        if addend.source is None:
            if not alike(addend.values, addend.values[:1].expand_as(addend.values)):
                return None
            one = addend.values[0].double().cpu().numpy()
            bias += addend.weight * np.bincount(target, one, minlength=units)
    sums = _summed(addition.target, target, units)
    found = []
    for addend in addends:
        if addend.source is None:
            continue
        pairs, pair = np.unique(addend.source * units + target, return_inverse=True)
        each = _summed(addend.values, pair.reshape(-1), len(pairs))
        weights = np.full(len(pairs), addend.weight, np.float32)
        source = _summed(addend.values, addend.source, addend.units)
        added = bias.astype(np.float32) if bias.any() and not found else None
        edges = ChannelEdges(source, weights, sums, added, (addend.weight * each).astype(np.float32))
        found.append((addend, edges, np.stack(np.divmod(pairs, units), axis=1)))
    return found


def _summed(values: Tensor, group: NDArray, groups: int) -> NDArray[np.float32]:
    """Return (samples, groups) sums of the numbers of each group."""
    rows = values.detach().float().cpu().reshape(len(values), -1)
    sums = torch.zeros(len(rows), groups)
    return sums.index_add_(1, torch.as_tensor(group), rows).numpy()


def _along(shape: tuple[int, ...], axis: int) -> NDArray[np.int64]:
    """Return the place along an axis of every number of a sample of this shape, without the samples."""
    places = np.arange(shape[axis - 1]).reshape(-1, *[1] * (len(shape) - axis))
    return np.broadcast_to(places, shape).flatten()
