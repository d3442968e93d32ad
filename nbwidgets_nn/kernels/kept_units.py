"""Which unit each number of a tensor still is, behind functions that keep units apart: told by the steps in between."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from nbwidgets_nn.kernels.added_outputs import POINTWISE
from nbwidgets_nn.record._trees import tensors_in
from nbwidgets_nn.record.channel_axis import RESHAPES
from nbwidgets_nn.record.steps import Origin, Output, Step, map_arguments, parts_of, steps_in

MOVING = RESHAPES | {
    "movedim",
    "moveaxis",
    "mT",
    "permute",
    "squeeze",
    "swapaxes",
    "swapdims",
    "T",
    "transpose",
    "unsqueeze",
}
"""Functions that put numbers elsewhere, and change none."""

AVERAGES = {f"{kind}avg_pool{n}d" for kind in ("", "adaptive_") for n in (1, 2, 3)} | {"mean", "sum"}
MAXIMA = {f"{kind}max_pool{n}d" for kind in ("", "adaptive_") for n in (1, 2, 3)} | {"amax", "max"}

_SILENT = MOVING | {"clone", "contiguous", "data", "detach", "dropout", "double", "float", "to", "type_as"}
# What is behind no labelled step and made by no call, as a constant is.
_NEUTRAL = object()


class Kept(NamedTuple):
    """Where the units went."""

    label: Tensor
    """Of the last tensor's shape: for every number the label of the unit that it was made from."""

    functions: tuple[str, ...]
    """The functions that did something to the values, in order."""


def kept_units(origin: Origin, start: Origin, label: Tensor) -> Kept | None:
    """Follow the units of one step, or of what a call returned, to the end, through functions that keep them apart; None where one does not.

    These are functions of single numbers, also of several tensors with the same units (``z * z.sigmoid()``) or with
    constants, functions that only move numbers, and pooling within a unit.

    >>> import nbwidgets_nn as nw
    >>> class Net(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.conv, self.fc = torch.nn.Conv2d(1, 3, 1), torch.nn.Linear(3, 2)
    ...     def forward(self, x):
    ...         return self.fc((self.conv(x) + x).relu().mean((2, 3)))
    >>> origin = nw.Activations(Net(), torch.ones(1, 1, 2, 2))["fc"].origin
    >>> start = origin.args[0].args[0]
    >>> start, kept_units(origin, start, torch.arange(3)[None, :, None, None].expand(start.shape))
    (Step('add', shape=(1, 3, 2, 2)), Kept(label=tensor([[0, 1, 2]]), functions=('relu', 'mean')))

    Args:
        origin: the end, `Layer.origin`.
        start: a step or a call's output behind it.
        label: whole numbers of the shape of `start`, of fewer samples where the functions take any number of them.
    """
    known: dict[int, object] = {id(start): label.long()}
    functions = []
    for node in steps_in(origin, {id(start)}):
        if node is start or isinstance(node, Output):
            continue
        parts = {id(part) for part in parts_of(node)}
        if not parts or all(known.get(part) is _NEUTRAL for part in parts):
            known[id(node)] = _NEUTRAL
        elif all(part in known for part in parts) and (found := _behind(node, known)) is not None:
            known[id(node)] = found
            functions += [node.name] if node.name not in _SILENT else []
    end = known.get(id(origin))
    return Kept(end, tuple(functions)) if isinstance(end, Tensor) else None


def _behind(step: Step, known: dict[int, object]) -> Tensor | None:
    """Return the labels of what a step gives; None where it mixes units, or may."""
    labels = [known[id(part)] for part in parts_of(step) if known[id(part)] is not _NEUTRAL]
    first = labels[0]
    if step.name in POINTWISE:
        wide = [
            label
            for label in labels
            if len(label.shape) == len(step.shape) and tuple(label.shape[1:]) == step.shape[1:]
        ]
        return first if len(wide) == len(labels) and all(map(first.equal, labels)) else None
    if step.name not in MOVING | AVERAGES | MAXIMA or len(parts_of(step)) != 1 or step.pick:
        return None
    try:
        if step.name in MOVING:
            return _applied(step, first)
        return _pooled(step, first.double())
    except (RuntimeError, IndexError, TypeError):  # made for another type
        return None


def _pooled(step: Step, label: Tensor) -> Tensor | None:
    """Return the labels behind pooling, where all that is pooled into one number has the same label."""
    if step.name in MAXIMA:
        least, most = -_applied(step, -label), _applied(step, label)
        return most.long() if least.equal(most) else None
    # A mean of squares is the square of the mean where all are the same.
    share = _applied(step, torch.ones_like(label))
    mean, square = (_applied(step, values) / share for values in (label, label**2))
    found = mean.round()
    same = torch.allclose(mean, found, rtol=0, atol=1e-3) and torch.allclose(
        square, found**2, rtol=1e-12, atol=1e-3
    )
    return found.long() if same else None


def _applied(step: Step, label: Tensor) -> Tensor:
    fill = lambda item: label if isinstance(item, Origin) else item  # noqa: E731 - `map_arguments` takes a function
    with torch.no_grad():
        result = step.function(*map_arguments(step.args, fill), **map_arguments(step.kwargs, fill))
    return result if step.pick is None else list(tensors_in(result))[step.pick]
