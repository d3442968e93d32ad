"""Sums over the ancestors of every unit, planned from the structure alone: which layers are summed, along which axes.

A unit's ancestors are a union of products, layer by layer (`product_reach.py`). Behind a dense layer all units have the same
ancestors: their sum is one number, a *total*, whatever stands before it. So a multilayer perceptron costs one addition a unit, a
convolutional network one pass over each axis for every pair of layers since the last dense one, and the matrix of ancestors
is never formed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from nbwidgets_nn.kernels.graph import axis_reach as ax
from nbwidgets_nn.kernels.graph.composed_reach import compose
from nbwidgets_nn.kernels.graph.product_reach import Reach, full, own, union, union_sums
from nbwidgets_nn.kernels.graph.stages import Stage

Terms = tuple[Reach, ...]
Known = dict[int, Terms]
"""What a stage's units reach in each source: a stage by its number, a total by -1 - its number."""


@dataclass(frozen=True, eq=False)
class Part:
    """The sum of what is reached in several sources, each in the same way."""

    sources: tuple[int, ...]
    terms: Terms


Parts = tuple[Part, ...]


@dataclass(frozen=True, eq=False)
class Sum:
    """What is summed for one recorded stage, or for a total."""

    target: int
    """A stage, or -1 - the number of a total."""

    parts: Parts
    of_signal: bool = False
    """Every unit reads one unit at most: the sum over that unit's ancestors and itself is its signal."""


@dataclass(frozen=True, eq=False)
class Total:
    """The ancestors that all units of a dense stage have."""

    known: Known
    """With one row."""

    whole: int
    """Bit k: stage k is in it with all its units."""

    touched: int
    """Bit k: stage k is in it with some of its units."""


def plan_direct(stages: Sequence[Stage]) -> dict[int, Parts]:
    """Return what each recorded stage reads directly in other recorded stages; NoProduct where a table would be too large."""
    planner = _Planner(stages)
    found, known = {}, {}
    for number, stage in enumerate(stages):
        reached = planner.reached(stage, known)
        if stage.is_recorded:
            found[number] = grouped(reached)
            reached = {number: (_own(stage.size),)}
        known[number] = reached
    return found


def plan_ancestors(stages: Sequence[Stage], direct: dict[int, Parts]) -> list[Sum]:
    """Return the sums over all ancestors in the order in which they can be made; NoProduct where they are no products."""
    planner = _Planner(stages)
    known: dict[int, Known] = {}
    for number, stage in enumerate(stages):
        reached = planner.collapsed(planner.reached(stage, known), stage.size)
        if stage.is_recorded:
            if reads_one_at_most(direct[number]):
                planner.sums.append(Sum(number, direct[number], of_signal=True))
            else:
                planner.sums.append(Sum(number, grouped(reached)))
            reached = {**reached, number: (_own(stage.size),)}
        known[number] = reached
    return planner.sums


def reads_one_at_most(parts: Parts) -> bool:
    """Whether no unit reads more than one unit."""
    if any(len(part.terms) > 1 or part.terms[0].longest > 1 for part in parts):
        return False
    if sum(len(part.sources) for part in parts) <= 1:
        return True
    counts = sum(len(part.sources) * counts_of(part.terms) for part in parts)
    return bool(np.max(counts, initial=0) <= 1)


def counts_of(terms: Terms) -> np.ndarray:
    """Return how many units each row reads."""
    return union_sums(terms, np.ones((1, terms[0].cols)))[0]


def grouped(known: Known) -> Parts:
    """Put sources together that are reached in the same way."""
    groups: dict[tuple[int, ...], tuple[list[int], Terms]] = {}
    for source, terms in known.items():
        groups.setdefault(tuple(map(id, terms)), ([], terms))[0].append(source)
    return tuple(Part(tuple(sources), terms) for sources, terms in groups.values())


class _Planner:
    def __init__(self, stages: Sequence[Stage]) -> None:
        self.sums: list[Sum] = []
        self._stages = stages
        self._totals: list[Total] = []
        self._composed: dict[tuple[int, ...], tuple[tuple, Terms]] = {}

    def reached(self, stage: Stage, known: dict[int, Known]) -> Known:
        """Return what the stage's units reach through the stages that they read."""
        found: Known = {}
        for link in stage.links:
            through = {}
            for source, terms in known[link.source].items():
                composed = self._through(link.reach, terms)
                if composed:
                    through[source] = composed
            found = self._united(found, through)
        return found

    def collapsed(self, reached: Known, units: int) -> Known:
        """Make a total of what all units reach alike."""
        if not reached or not all(term.is_shared for terms in reached.values() for term in terms):
            return reached
        if len(reached) == 1 and next(iter(reached)) < 0:
            return reached
        rows = {source: tuple(map(_first_row, terms)) for source, terms in reached.items()}
        whole = touched = 0
        for source, terms in rows.items():
            touched |= self._touched(source)
            if terms[0].is_full:
                whole |= self._whole(source)
        self._totals.append(Total(rows, whole, touched))
        number = -len(self._totals)
        self.sums.append(Sum(number, grouped(rows)))
        return {number: (_full(units, 1),)}

    def _touched(self, source: int) -> int:
        return 1 << source if source >= 0 else self._totals[-1 - source].touched

    def _whole(self, source: int) -> int:
        return 1 << source if source >= 0 else self._totals[-1 - source].whole

    def _through(self, outer: Reach, terms: Terms) -> Terms:
        if outer.is_own:
            return terms
        key = (id(outer), *map(id, terms))
        if key not in self._composed:  # what is looked up is kept, so that no other object gets its id
            self._composed[key] = ((outer, terms), union([compose(outer, term) for term in terms]))
        return self._composed[key][1]

    def _united(self, first: Known, second: Known) -> Known:
        if not first or not second:
            return first or second
        first, second = self._apart(first, second)
        found = dict(first)
        for source, terms in second.items():
            ours = found.get(source)
            if ours is None or all(term.is_full for term in terms):
                found[source] = terms
            elif list(map(id, ours)) != list(map(id, terms)):
                found[source] = union((*ours, *terms))
        return found

    def _apart(self, first: Known, second: Known) -> tuple[Known, Known]:
        """Leave out what a total of the other side has in it; open totals that hold a part of what the other side has."""
        while True:
            pair = next(self._overlaps(first, second), None)
            if pair is None:
                return first, second
            total, other, swapped = pair
            ours, theirs = (second, first) if swapped else (first, second)
            if ours[total][0].is_full and not self._touched(other) & ~self._whole(total):
                theirs = {source: terms for source, terms in theirs.items() if source != other}
            else:
                ours = self._opened(ours, total)
            first, second = (theirs, ours) if swapped else (ours, theirs)

    def _overlaps(self, first: Known, second: Known) -> Iterable[tuple[int, int, bool]]:
        """Yield (total, source of the other side, whether the total is of the second) where both hold the same units.

        Totals that hold the other as a whole first: so as few as possible are opened.
        """
        found = []
        for swapped, ours, theirs in ((False, first, second), (True, second, first)):
            for total in (source for source in ours if source < 0):
                for other in theirs:
                    if other != total and self._touched(other) & self._touched(total):
                        holds = ours[total][0].is_full and not self._touched(other) & ~self._whole(total)
                        found.append((not holds, total, other, swapped))
        return iter([entry[1:] for entry in sorted(found)])

    def _opened(self, known: Known, total: int) -> Known:
        opened = {source: terms for source, terms in known.items() if source != total}
        (outer,) = known[total]
        for source, terms in self._totals[-1 - total].known.items():
            opened[source] = self._through(outer, terms)
        return opened


def _first_row(reach: Reach) -> Reach:
    axes = tuple(
        ax.every(1, axis.cols, axis.mask) if axis.table is None and not axis.own else axis
        for axis in reach.axes
    )
    return replace(reach, axes=axes)


@lru_cache(maxsize=1024)
def _own(units: int) -> Reach:
    """One object for each size: what is reached in the same way is found by identity."""
    return own(units)


@lru_cache(maxsize=1024)
def _full(rows: int, cols: int) -> Reach:
    return full(rows, cols)
