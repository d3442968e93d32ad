"""Sums of products over a shared axis, between recorded values or with constants: matrix products, einsum, attention.

Axes have labels. A result reads along a label that it does not have everything, along one that it has its own place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from nbwidgets_nn.kernels.graph import axis_reach as ax
from nbwidgets_nn.kernels.graph.axis_reach import AxisReach
from nbwidgets_nn.kernels.graph.laid import Found, Laid, Operands
from nbwidgets_nn.kernels.graph.product_reach import Reach, contains
from nbwidgets_nn.kernels.graph.stages import Read
from nbwidgets_nn.record.steps import Origin, Step

Label = str | int
"""A letter, or the place of an axis counted from the last: -1, -2, ..."""

Labels = tuple[Label, ...]


class Taken(NamedTuple):
    """An argument with the labels of its axes."""

    value: Any
    labels: Labels
    tables: Mapping[Label, AxisReach] = {}
    """Of labels along which a result reads other places than its own."""


def product_of(step: Step, operands: Operands, name: str) -> Found:
    """Return what a sum of products reads of each operand; ValueError where that has no simple form."""
    taken, result = PRODUCTS_OF_AXES[name](step)
    laid_of = {id(origin): laid for origin, laid in operands}
    laid = _laid(step.shape, result, [(t, laid_of[id(t.value)]) for t in taken if id(t.value) in laid_of])
    reads = []
    for origin, source in operands:
        ways = [_reach(one, result, source.shape, laid.shape) for one in taken if one.value is origin]
        if not ways:
            raise ValueError("it is given more than it multiplies")
        reads.append(tuple(Read(reach, None) for reach in _largest(ways)))
    return laid, reads


def _laid(shape: tuple[int, ...], result: Labels, given: Sequence[tuple[Taken, Laid]]) -> Laid:
    """Say how the result lies: the samples of all operands have to lie along one label, which the result has."""
    several = {one.labels[source.axis] for one, source in given if source.samples > 1}
    counted = [
        (one.labels[source.axis], source)
        for one, source in given
        if source.axis is not None and (not several or source.samples > 1)
    ]
    if len(several) > 1 or not several <= set(result):
        raise ValueError("it mixes the samples")
    label, source = next(((label, source) for label, source in counted if label in result), (None, None))
    if source is None:
        return Laid(shape, None)
    axis = result.index(label)
    if shape[axis] % source.samples:
        raise ValueError("it mixes the samples")
    return Laid(shape, axis, shape[axis] // source.samples)


def _reach(taken: Taken, result: Labels, source: Sequence[int], shape: Sequence[int]) -> Reach:
    labels = taken.labels
    if len(set(labels)) < len(labels) or len(labels) != len(source):
        raise ValueError("it takes a diagonal")
    sizes = dict(zip(labels, source, strict=True))
    axes = [_axis(taken.tables.get(x), sizes.get(x, 1), n) for x, n in zip(result, shape, strict=True)]
    summed = [label for label in labels if label not in result]
    axes += [ax.every(1, sizes[label]) for label in summed]
    named = [*result, *summed]
    order = sorted(range(len(named)), key=lambda k: labels.index(named[k]) if named[k] in labels else -1)
    return Reach(tuple(axes) or (ax.each(1),), tuple(order))


def _axis(table: AxisReach | None, size: int, places: int) -> AxisReach:
    if table is not None:
        return table
    if size not in (1, places):
        raise ValueError("its arguments have other places than its result")
    return ax.each(places) if size == places else ax.every(places, 1)


def _largest(ways: list[Reach]) -> list[Reach]:
    """Leave out what is read in another way as well."""
    kept: list[Reach] = []
    for reach in ways:
        if not any(contains(other, reach) for other in kept):
            kept = [*(other for other in kept if not contains(reach, other)), reach]
    return kept


def _arguments(step: Step, names: str) -> dict[str, Any]:
    return dict(zip(names.split(), step.args, strict=False)) | step.kwargs


def _ndim(value: Any) -> int:
    return len(value.shape)


def _last(count: int, skip: int = 0) -> Labels:
    """Return labels of axes counted from the last, the first of `count` of them first."""
    return tuple(range(-count - skip, -skip))


def _matrices(names: str, *, turned: bool = False) -> Callable[[Step], tuple[list[Taken], Labels]]:
    """(..., i, k) times (..., k, j); `turned`: times (..., j, k); behind what is added, if there are three names."""

    def read(step: Step) -> tuple[list[Taken], Labels]:
        given = _arguments(step, names)
        *added, first, second = (given.get(name) for name in names.split())
        second = given.get("other", given.get("tensor2", second)) if second is None else second
        if first is None or second is None:
            raise ValueError("its arguments are not known")
        rows, columns = _ndim(first), _ndim(second)
        left: Labels = ("k",) if rows == 1 else (*_last(rows - 2, 2), "i", "k")
        ends = ("j", "k") if turned else ("k", "j")
        right: Labels = ("k",) if columns == 1 else (*_last(columns - 2, 2), *ends)
        lead = max(rows, columns, 2) - 2
        result = (*_last(lead, 2), *("i",) * (rows > 1), *("j",) * (columns > 1))
        taken = [Taken(first, left), Taken(second, right)]
        return taken + [Taken(one, result[len(result) - _ndim(one) :]) for one in added], result

    return read


def _bilinear(step: Step) -> tuple[list[Taken], Labels]:
    given = _arguments(step, "input1 input2 weight bias")
    lead = _last(len(step.shape) - 1, 1)
    return [Taken(given["input1"], (*lead, "i")), Taken(given["input2"], (*lead, "j"))], (*lead, "o")


def _einsum(step: Step) -> tuple[list[Taken], Labels]:
    equation, *operands = step.args
    if not isinstance(equation, str):
        raise ValueError("its equation is no text")  # noqa: TRY004 - caught, as all that is not known
    if len(operands) == 1 and isinstance(operands[0], list | tuple):
        operands = list(operands[0])
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if not arrow:
        letters = sorted(letter for letter in set(left) - {",", "."} if left.count(letter) == 1)
        right = "..." * ("..." in left) + "".join(letters)
    taken = [Taken(value, _labels(term, _ndim(value))) for term, value in zip(terms, operands, strict=True)]
    return taken, _labels(right, len(step.shape))


def _labels(term: str, ndim: int) -> Labels:
    """Return the labels of a term of einsum; axes in place of dots are counted from the last of them."""
    before, dots, behind = term.partition("...")
    hidden = ndim - len(before) - len(behind)
    if hidden < 0 or (hidden and not dots):
        raise ValueError("its equation does not fit")
    return (*before, *_last(hidden), *behind)


def _attention(step: Step) -> tuple[list[Taken], Labels]:
    """Softmax of q k, times v: tokens l read tokens s, which share the label "l" and have a table."""
    names = "query key value attn_mask dropout_p is_causal scale enable_gqa"
    given = {"attn_mask": None, "is_causal": False} | _arguments(step, names)
    query, key, value, mask = (given[name] for name in ("query", "key", "value", "attn_mask"))
    if given.get("enable_gqa"):
        raise ValueError("its heads share keys")
    ends = query.shape[-2], key.shape[-2]
    tokens = {"l": _tokens(ends, mask, is_causal=bool(given["is_causal"]))}
    lead = [_last(_ndim(one) - 2, 2) for one in (query, key, value)]
    taken = [
        Taken(query, (*lead[0], "l", "e")),
        Taken(key, (*lead[1], "l", "e"), tokens),
        Taken(value, (*lead[2], "l", "f"), tokens),
    ]
    if isinstance(mask, Origin):
        taken.append(Taken(mask, (*_last(_ndim(mask) - 2, 2), "l", "s")))
    return taken, (*_last(len(step.shape) - 2, 2), "l", "f")


def _tokens(ends: tuple[int, int], mask: Any, *, is_causal: bool) -> AxisReach:
    if ends[0] * ends[1] > ax.DENSE:
        return ax.every(*ends)
    table = np.tri(*ends, dtype=bool) if is_causal else np.ones(ends, dtype=bool)
    if isinstance(mask, Tensor):
        table &= seen(mask if mask.dtype == torch.bool else mask > -torch.inf, ends)
    return ax.some(table)


def seen(mask: Tensor, ends: tuple[int, int]) -> np.ndarray:
    """Return which tokens take part for which, in any sample or head."""
    whole = mask.detach().cpu().broadcast_to(torch.broadcast_shapes(mask.shape, ends))
    return whole.reshape(-1, *ends).any(0).numpy()


PRODUCTS_OF_AXES: dict[str, Callable[[Step], tuple[list[Taken], Labels]]] = {
    "matmul": _matrices("input other"),
    "mm": _matrices("input mat2"),
    "bmm": _matrices("input mat2"),
    "mv": _matrices("input vec"),
    "addmm": _matrices("input mat1 mat2"),
    "baddbmm": _matrices("input batch1 batch2"),
    "cdist": _matrices("x1 x2", turned=True),
    "bilinear": _bilinear,
    "einsum": _einsum,
    "scaled_dot_product_attention": _attention,
}
"""Functions by name: what they are given with labels, and the labels of their result."""
