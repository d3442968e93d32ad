"""Reaches behind each other: the units that read, and what is read by the units that they read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise
from math import prod

from nbwidgets_nn.kernels.graph import axis_reach as ax
from nbwidgets_nn.kernels.graph.axis_reach import AxisReach, NoProduct
from nbwidgets_nn.kernels.graph.product_reach import Reach, flat, full


def compose(outer: Reach, inner: Reach) -> Reach:
    """Rows of `outer` read what the rows of `inner` read that they read.

    Axes that are mixed up are joined to one, as patches of a picture are; NoProduct if its table would be too large.

    >>> compose(full(2, 3), Reach((ax.each(3),))).is_full
    True
    """
    if outer.is_own:
        return inner
    if inner.is_own:
        return outer
    if outer.is_full and inner.is_full:
        return full(outer.rows, inner.cols)
    try:
        return _by_axes(outer, inner)
    except NoProduct:
        return _by_blocks(outer, inner)


def _by_axes(outer: Reach, inner: Reach) -> Reach:
    left, right = _Parts.of(outer), _Parts.of(inner)
    joined = []
    for ours, theirs in ax.common_sizes(left.sizes("col"), right.sizes("row")):
        joined += _joined(left, right, ours, theirs)
    return _Parts(joined).reach()


def _by_blocks(outer: Reach, inner: Reach) -> Reach:
    """Join the axes between two places that cut both reaches, in their rows and in their columns."""
    left, right = _blocks(outer, "cols"), _blocks(inner, "rows")
    runs = [([0], [0])]
    if outer.cols > 1:
        runs = ax.common_sizes([block.cols for block in left], [block.rows for block in right])
    axes = [ax.compose(_one([left[k] for k in a]), _one([right[k] for k in b])) for a, b in runs]
    return Reach(tuple(axes))


def _blocks(reach: Reach, side: str) -> list[Reach]:
    """Divide a reach into as many neighbours as there are; none but the only one has the size 1 on that side."""
    axes, cuts = reach.axes, [0]
    wide = [k for k in reach.order if axes[k].cols > 1]
    for stop in range(1, len(axes) + 1):
        before = [k for k in range(stop) if axes[k].cols > 1]
        size = prod(getattr(axis, side) for axis in axes[cuts[-1] : stop])
        if size > 1 and sorted(wide[: len(before)]) == before:
            cuts.append(stop)
    cuts = [*cuts[: max(1, len(cuts) - 1)], len(axes)]
    return [
        replace(reach, axes=axes[a:b], order=tuple(k - a for k in reach.order if a <= k < b))
        for a, b in pairwise(cuts)
    ]


def _one(blocks: list[Reach]) -> AxisReach:
    return reduce(ax.kron, (flat(block).axes[0] for block in blocks))


@dataclass
class _Part:
    """An axis while axes are divided and joined, with its place among the rows' and among the columns' axes."""

    axis: AxisReach
    row: tuple
    col: tuple


_LAST = (float("inf"),)


class _Parts(list):
    @classmethod
    def of(cls, reach: Reach) -> _Parts:
        place = {axis: k for k, axis in enumerate(reach.order)}
        return cls(_Part(axis, (k,), (place[k],)) for k, axis in enumerate(reach.axes))

    def sorted(self, side: str) -> list[_Part]:
        return sorted(self, key=lambda part: getattr(part, side))

    def sizes(self, side: str) -> list[int]:
        return [getattr(part.axis, f"{side}s") for part in self.sorted(side)]

    def reach(self) -> Reach:
        rows = sorted(self, key=lambda part: part.row)
        order = sorted(range(len(rows)), key=lambda k: rows[k].col)
        return Reach(tuple(part.axis for part in rows), tuple(order))


def _joined(left: _Parts, right: _Parts, ours: list[int], theirs: list[int]) -> list[_Part]:
    """Compose a run of the outer's axes with the run of the inner's axes that it reads."""
    outer, inner = [left.sorted("col")[k] for k in ours], [right.sorted("row")[k] for k in theirs]
    if not inner:
        return [_Part(part.axis, part.row, (*_LAST, *part.row)) for part in outer]
    if not outer:
        return [_Part(part.axis, (*_LAST, *part.col), part.col) for part in inner]
    if len(outer) == 1 < len(inner):
        outer = _divided(outer[0], [part.axis.rows for part in inner], "col") or outer
    elif len(inner) == 1 < len(outer):
        inner = _divided(inner[0], [part.axis.cols for part in outer], "row") or inner
    if len(outer) != len(inner) or any(a.axis.cols != b.axis.rows for a, b in zip(outer, inner, strict=True)):
        outer, inner = [_merged(left, outer, "row")], [_merged(right, inner, "col")]
    return [_Part(ax.compose(a.axis, b.axis), a.row, b.col) for a, b in zip(outer, inner, strict=True)]


def _divided(part: _Part, sizes: list[int], side: str) -> list[_Part] | None:
    pieces = ax.split(part.axis, *((None, sizes) if side == "col" else (sizes, None)))
    if pieces is None:
        return None
    return [_Part(piece, (*part.row, k), (*part.col, k)) for k, piece in enumerate(pieces)]


def _merged(parts: _Parts, run: list[_Part], other_side: str) -> _Part:
    """Join axes that follow each other on one side; NoProduct if on the other side they do not."""
    wide = [part for part in parts.sorted(other_side) if getattr(part.axis, f"{other_side}s") > 1]
    inside = [part for part in run if getattr(part.axis, f"{other_side}s") > 1]
    if inside:
        first = next(k for k, part in enumerate(wide) if part is inside[0])
        if [id(part) for part in wide[first : first + len(inside)]] != [id(part) for part in inside]:
            raise NoProduct("axes that are mixed up")
    anchor = (inside or run)[0]
    row, col = (anchor.row, run[0].col) if other_side == "row" else (run[0].row, anchor.col)
    return _Part(reduce(ax.kron, (part.axis for part in run)), row, col)
