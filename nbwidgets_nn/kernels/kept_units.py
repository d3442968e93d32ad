"""Which unit each number of a tensor still is, behind functions that keep units apart: told by the steps in between."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from nbwidgets_nn.kernels.function_names import (
    JOINING,
    KEEPING_ORDER,
    LINEAR,
    MOVING,
    POINTWISE,
    PRODUCTS,
    plain_name,
)
from nbwidgets_nn.record._trees import tensors_in
from nbwidgets_nn.record.steps import Origin, Output, Step, map_arguments, parts_of, steps_in

NOBODY = -1
"""In place of the label of a unit: a constant that stands beside the numbers of units, such as a class token."""

AVERAGES = {f"{kind}avg_pool{n}d" for kind in ("", "adaptive_") for n in (1, 2, 3)} | {"mean", "sum"}
MAXIMA = {f"{kind}max_pool{n}d" for kind in ("", "adaptive_") for n in (1, 2, 3)} | {"amax", "max"}

_OF_ONE_PLACE = POINTWISE | PRODUCTS | LINEAR.keys()
_JOINED = {"cat", "concat", "concatenate", "stack", "hstack", "vstack", "dstack", "column_stack", "setitem"}
_SILENT = KEEPING_ORDER | {
    *("T", "expand", "mT", "moveaxis", "movedim", "permute", "swapaxes", "swapdims", "t", "transpose"),
    *("alias", "clone", "contiguous", "data", "detach", "double", "dropout", "float", "to", "type"),
}
_CHOOSING = {"getitem", "select", "narrow", "index_select", "chunk", "split", "unbind"}
# What is behind no labelled step and made by no call, as a constant is.
_NEUTRAL = object()


class Kept(NamedTuple):
    """Where the units went."""

    label: Tensor
    """Of the last tensor's shape: for every number the label of the unit that it was made from, or `NOBODY`."""

    functions: tuple[str, ...]
    """The functions that did something to the values, in order."""


def kept_units(origin: Origin, start: Origin, label: Tensor) -> Kept | None:
    """Follow the units of one step, or of what a call returned, to the end, through functions that keep them apart; None where one does not.

    These are functions of single numbers, also of several tensors with the same units (``z * z.sigmoid()``) or with
    constants (``z * scale + shift``; not with one that makes them more, or has other values for each sample), functions that only move numbers or choose
    among them, joining them with constants (`NOBODY`'s), and pooling within a unit.

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
            functions += [] if plain_name(node.name) in _SILENT else [in_a_word(node.name)]
    end = known.get(id(origin))
    return Kept(end, tuple(functions)) if isinstance(end, Tensor) else None


def in_a_word(name: str) -> str:
    """Name a function of a step.

    >>> in_a_word("__rsub__"), in_a_word("__getitem__"), in_a_word("relu")
    ('sub', 'select', 'relu')
    """
    name = name.strip("_")
    if name in _CHOOSING:
        return "select"
    return {"rsub": "sub", "rdiv": "div", "truediv": "div", "rtruediv": "div", "rpow": "pow"}.get(name, name)


def keeps_units(step: Step) -> bool:
    """Tell whether a function of this name can keep units apart, and takes them from one step alone."""
    known = _OF_ONE_PLACE | _JOINED | (MOVING - JOINING) | AVERAGES | MAXIMA
    return len({id(part) for part in parts_of(step)}) == 1 and plain_name(step.name) in known


def _behind(step: Step, known: dict[int, object]) -> Tensor | None:
    """Return the labels of what a step gives; None where it mixes units, or may."""
    own = [part for part in parts_of(step) if known[id(part)] is not _NEUTRAL]
    labels, name = [known[id(part)] for part in own], plain_name(step.name)
    apart = any(_is_of_each_sample(constant, step, labels[0]) for constant in _constants(step))
    if not apart and name in _OF_ONE_PLACE and all(part.shape == step.shape for part in own):
        return _same(labels)
    if apart or len(own) > 1:
        return None
    try:
        if name in _JOINED:
            return _joined(step, known)
        if name in MOVING - JOINING:
            return _moved(step, labels[0])
        return _pooled(step, labels[0].double()) if name in AVERAGES | MAXIMA and not step.pick else None
    except (RuntimeError, IndexError, TypeError, ValueError):  # made for another type, or for other samples
        return None


def _constants(step: Step) -> list[Tensor]:
    found: list[Tensor] = []
    map_arguments(
        (step.args, step.kwargs), lambda item: found.append(item) if isinstance(item, Tensor) else None
    )
    return found


def _is_of_each_sample(constant: Tensor, step: Step, label: Tensor) -> bool:
    """Tell whether a constant has other values for each sample: it is then made of them out of sight, by NumPy, say."""
    rows = step.shape[:1]
    if isinstance(constant, nn.Parameter) or constant.shape[:1] != rows or constant.ndim != len(step.shape):
        return False
    if constant.layout is not torch.strided or label.ndim < 1 or bool((label == label[:1]).all()):
        return False  # its first axis does not count samples
    return not bool(((constant == constant[:1]) | constant.isnan()).all())


def _same(labels: list[Tensor]) -> Tensor | None:
    """Return the labels that all have; what is nobody's in one is whose it is in another."""
    if any(label.shape != labels[0].shape for label in labels):
        return None
    whole = torch.stack(labels).amax(0)
    return whole if all(bool(((label == whole) | (label == NOBODY)).all()) for label in labels) else None


def _joined(step: Step, known: dict[int, object]) -> Tensor:
    """Return the labels where one tensor is joined with constants, or constants are written into it."""

    def fill(item: object) -> object:
        if isinstance(item, Origin):
            label = known[id(item)]
            return torch.full(item.shape, NOBODY) if label is _NEUTRAL else label
        return torch.full_like(item, NOBODY, dtype=torch.long) if isinstance(item, Tensor) else item

    args, kwargs = map_arguments(step.args, fill), map_arguments(step.kwargs, fill)
    if plain_name(step.name) == "setitem":
        tensor, _, value = args
        args = (tensor, step.args[1], value if isinstance(value, Tensor) else NOBODY)
    return step.function(*args, **kwargs)


def _moved(step: Step, label: Tensor) -> Tensor:
    """Return the labels elsewhere; what is put between them is nobody's."""
    if plain_name(step.name) == "pad":
        kwargs = {key: value for key, value in step.kwargs.items() if key != "value"}
        step = replace(step, args=step.args[:3], kwargs=kwargs)
    return _applied(step, label - NOBODY) + NOBODY


def _pooled(step: Step, label: Tensor) -> Tensor | None:
    """Return the labels behind pooling, where all that is pooled into one number has the same label, or is nobody's."""
    there = label != NOBODY
    if plain_name(step.name) in MAXIMA:
        least, most = -_applied(step, (-label).where(there, -torch.inf)), _applied(step, label)
        return most.long() if bool(((least == most) | (most == NOBODY)).all()) else None
    # A mean of squares is the square of the mean where all are the same.
    share = _applied(step, there.double())
    mean, square = (_applied(step, values.where(there, 0)) / share for values in (label, label**2))
    found = mean.round()
    same = torch.allclose(mean, found, rtol=0, atol=1e-3, equal_nan=True) and torch.allclose(
        square, found**2, rtol=1e-12, atol=1e-3, equal_nan=True
    )
    return found.nan_to_num(NOBODY).long() if same else None


def _applied(step: Step, label: Tensor) -> Tensor:
    fill = lambda item: label if isinstance(item, Origin) else item  # noqa: E731 - `map_arguments` takes a function
    with torch.no_grad():
        result = step.function(*map_arguments(step.args, fill), **map_arguments(step.kwargs, fill))
    return result if step.pick is None else list(tensors_in(result))[step.pick]
