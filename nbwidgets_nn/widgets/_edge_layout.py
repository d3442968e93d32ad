"""Where columns, units and edges stand, in pixels. Twin: ``js/src/core/graph_layout.ts`` and ``graph_curve.ts``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn.widgets.edge_graph_content import EdgeGraphContent
from nbwidgets_nn.widgets.unit_column import UnitColumn

STRIP_WIDTH = 8.0
HEAD_HEIGHT = 30.0
# Between a mark and the edges that begin or end there.
_CLEAR = 2.0
_UNDER_HEADS = 8.0
# Room above the units for edges that pass columns; they keep a little of their own height in it, to stay apart.
_SKIPS = 28.0
_INTO_LANE = 0.94
_SKIP_PIECES = 48
# Closer than this units melt into a strip; from this on feature maps can be told apart.
_CLOSEST = 3.0
_SMALLEST_TILE_PITCH = 10.0
_LARGEST_TILE = 64.0
_LARGEST_DOT = 7.0


@dataclass(frozen=True, eq=False)
class ColumnPlace:
    """One column: its middle, where its units begin, the distance between them, and how they are drawn.

    ``tile`` is the side of its tiles, 0 where units are dots of ``radius``, −1 where they are a strip.
    """

    x: float
    top: float
    pitch: float
    radius: float
    tile: float
    place_of: NDArray[np.int32]

    @property
    def reach(self) -> float:
        """Return half the width of a unit."""
        return self.radius if self.tile == 0 else STRIP_WIDTH / 2 if self.tile < 0 else self.tile / 2

    @property
    def bottom(self) -> float:
        """Return where the last unit ends."""
        return self.top + self.pitch * len(self.place_of)

    def y(self, units: NDArray) -> NDArray[np.float64]:
        """Return the heights of the middles of some units."""
        return self.top + (self.place_of[units] + 0.5) * self.pitch


@dataclass(frozen=True, eq=False)
class GraphLayout:
    """The columns, the distance between them, and the height (``lane``) at which edges pass columns."""

    columns: tuple[ColumnPlace, ...]
    spacing: float
    lane: float

    def curves(self, source: int, target: int, inputs: NDArray, outputs: NDArray) -> NDArray[np.float64]:
        """Return the points (edges, points, 2) of edges from some units of a column to some of another.

        Between neighbours they are the corners of Bézier curves, which are smooth steps: x runs evenly, y as
        3t² − 2t³. Edges that pass columns are lines of short pieces through the lane.
        """
        begin, end = self.columns[source], self.columns[target]
        x0, x1 = begin.x + begin.reach + _CLEAR, end.x - end.reach - _CLEAR
        y0, y1 = begin.y(inputs)[:, None], end.y(outputs)[:, None]
        gaps = target - source
        if gaps == 1:
            return _points(np.linspace(x0, x1, 4), np.concatenate([y0, y0, y1, y1], axis=1))
        t = np.linspace(0, 1, _SKIP_PIECES + 1)
        straight = y0 + (y1 - y0) * _smooth(t)
        share = _INTO_LANE * _smooth(np.minimum(1, gaps * np.minimum(t, 1 - t)))
        return _points(x0 + (x1 - x0) * t, straight + (self.lane - straight) * share)


def lay_out(
    content: EdgeGraphContent, *, left: float, right: float, top: float, bottom: float
) -> GraphLayout:
    """Spread columns evenly from left to right, and the units of each from top to bottom in the column's order."""
    columns = content.columns
    spacing = (right - left) / max(1, len(columns) - 1)
    lane = top + _UNDER_HEADS
    skips = any(bundle.target - bundle.source > 1 for bundle in content.bundles)
    first = lane + (_SKIPS if skips else 0)
    middle = (left + right) / 2
    places = [
        _place(column, left + k * spacing if len(columns) > 1 else middle, first, bottom, spacing)
        for k, column in enumerate(columns)
    ]
    return GraphLayout(tuple(places), spacing, lane)


def _place(column: UnitColumn, x: float, top: float, bottom: float, spacing: float) -> ColumnPlace:
    pitch = (bottom - top) / column.units
    radius = min(_LARGEST_DOT, max(1.2, 0.45 * pitch))
    tiled = column.maps is not None and pitch >= _SMALLEST_TILE_PITCH
    tile = min(0.9 * pitch, 0.4 * spacing, _LARGEST_TILE) if tiled else -1.0 if pitch < _CLOSEST else 0.0
    place_of = np.empty(column.units, np.int32)
    place_of[column.places] = np.arange(column.units)
    return ColumnPlace(x, top, pitch, radius, tile, place_of)


def _smooth(t: NDArray) -> NDArray[np.float64]:
    return t * t * (3 - 2 * t)


def _points(x: NDArray, y: NDArray) -> NDArray[np.float64]:
    return np.stack([np.broadcast_to(x, y.shape), y], axis=2)
