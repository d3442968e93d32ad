"""Where the names of points find room beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# The plot in a narrow column: names that find room here find it in a wider one too.
_WIDTH, _HEIGHT = 480.0, 310.0
_CHARACTER, _LINE = 7.0, 15.0
_MARK = 7.0  # half the width of a point


class Place(NamedTuple):
    """Where a name stands: pixels right of and below its point, and which end of the text is there."""

    right: int
    down: int
    align: str
    """"start", "middle" or "end"."""


PLACES = (
    Place(11, 0, "start"),
    Place(-11, 0, "end"),
    Place(8, 13, "start"),
    Place(-8, 13, "end"),
    Place(0, 18, "middle"),
    Place(0, -18, "middle"),
    Place(-8, -13, "end"),
    Place(8, -13, "start"),
    Place(0, 34, "middle"),
    Place(0, -34, "middle"),
)
"""Tried in this order; below a point comes before above it, where the diagonal runs."""


def place_labels(points: np.ndarray, names: Sequence[str], crossed: np.ndarray) -> list[Place | None]:
    """Choose for each name the place that crosses least, none that hides a point or another name.

    Args:
        points: (names, 2) in [0, 1], from the lower left corner of the plot.
        names: the texts.
        crossed: (n, 2) points of lines, which a name should rather not cross.

    Returns:
        A `Place` for each name, or None for one that has no room.

    >>> place_labels(np.array([[0.1, 0.5], [0.9, 0.5]]), ["a", "b"], np.empty((0, 2)))
    [Place(right=11, down=0, align='start'), Place(right=11, down=0, align='start')]
    """
    size = np.array([_WIDTH, _HEIGHT])
    marks = np.column_stack([points[:, 0], 1 - points[:, 1]]) * size
    lines = np.column_stack([crossed[:, 0], 1 - crossed[:, 1]]) * size
    taken = [(*(mark - _MARK), *(mark + _MARK)) for mark in marks]
    chosen: list[Place | None] = []
    for mark, name in zip(marks, names, strict=True):
        boxes = {place: _box(mark, place, name) for place in PLACES}
        free = [
            place for place, box in boxes.items() if _inside(box) and not any(_overlap(box, b) for b in taken)
        ]
        best = min(free, key=lambda place: _held(boxes[place], lines), default=None)
        if best is not None:
            taken.append(boxes[best])
        chosen.append(best)
    return chosen


def _box(mark: np.ndarray, place: Place, name: str) -> tuple[float, float, float, float]:
    width = _CHARACTER * len(name)
    left = mark[0] + place.right - {"start": 0.0, "middle": width / 2, "end": width}[place.align]
    middle = mark[1] + place.down
    return left, middle - _LINE / 2, left + width, middle + _LINE / 2


def _inside(box: tuple[float, ...]) -> bool:
    return box[0] >= 0 and box[1] >= 0 and box[2] <= _WIDTH and box[3] <= _HEIGHT


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _held(box: tuple[float, ...], points: np.ndarray) -> int:
    """Count the points inside a box."""
    inside = (points >= box[:2]) & (points <= box[2:])
    return int(inside.all(axis=1).sum())
