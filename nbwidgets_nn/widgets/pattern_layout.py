"""Where each unit of a layer stands in its picture: channels side by side in a grid, vectors as bars or folded into rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn._words import plural
from nbwidgets_nn.figures._pooling import pool_strongest

GAP = -1
"""What stands between the channels of a picture, in place of a code."""

_BARS = 512
_PIXELS = 1200
_CELL = 28  # pixels that a side of a small channel gets, about
_TALLEST, _WIDEST = 0.4, 2.4  # width of a picture by its height at which cells stop to be square
_WIDE = 1.6  # width of a picture by its height, about


class PatternLayout:
    """The picture of one layer's units, of one sample.

    Axes of length 1 are left out. What then has one axis is a vector: bars, or rows of cells if they are very many. Two
    axes are one map. With more, each channel is a map, or a row of maps if it has depth.

    >>> layout = PatternLayout((16, 8, 8), channel_axis=0)
    >>> layout.maps, layout.cells, layout.columns, layout.words
    (16, (8, 8), 4, '16 maps of 8 × 8')
    >>> PatternLayout((64,)).is_vector, PatternLayout((32, 1, 1), 0).is_vector
    (True, True)

    Args:
        shape: the shape of the layer's output for one sample.
        channel_axis: which of its axes counts the channels; None if that is not known.
        bars: whether a vector of up to 512 units is drawn as bars.
        pixels: how many the picture has on either side at most, gaps not counted.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        channel_axis: int | None = None,
        *,
        bars: bool = True,
        pixels: int = _PIXELS,
    ) -> None:
        self.shape, self.channel_axis = tuple(shape), channel_axis
        self.size = math.prod(shape)
        self._axes = _drawn_axes(self.shape, channel_axis)
        lengths = [self.shape[axis] for axis in self._axes]
        self.is_vector = bars and len(lengths) < 2 and self.size <= _BARS
        self.folded = len(lengths) < 2 and not self.is_vector
        if len(lengths) < 2:
            across = self.size if self.is_vector else math.ceil(math.sqrt(self.size * _WIDE))
            lengths = [-(-self.size // max(across, 1)), across]
        self.maps = math.prod(lengths[:-2])
        self.cells = (lengths[-2], lengths[-1])
        """Height and width of one map."""
        self.columns = _columns(self.maps, *self.cells, lengths[-3] if len(lengths) > 3 else 1)
        self.rows = -(-self.maps // self.columns) if self.maps else 0
        largest = max(self.rows * self.cells[0], self.columns * self.cells[1], 1)
        self.pooled = -(-largest // pixels)
        """How many cells a side a pixel stands for; it shows the strongest of them."""
        self.zoom = max(1, min(_CELL // max(*self.cells, 1), pixels // largest))
        self._tile = tuple(-(-cells // self.pooled) * self.zoom for cells in self.cells)
        self._gap = max(1, round(0.04 * max(self._tile)), self.zoom // 3) if self.maps > 1 else 0

    @property
    def pixels(self) -> tuple[int, int]:
        """Height and width of the picture."""
        (height, width), gap = self._tile, self._gap
        return self.rows * (height + gap) - gap, self.columns * (width + gap) - gap

    @property
    def aspect(self) -> float:
        """Width by height at which the picture is drawn: cells are square, but in a long strip they are stretched.

        >>> PatternLayout((16, 8, 8), 0).aspect, PatternLayout((4, 2000), 1).aspect
        (1.0, 2.4)
        """
        height, width = self.pixels
        return float(min(max(width / max(height, 1), _TALLEST), _WIDEST))

    @property
    def words(self) -> str:
        """What the picture shows, and what it leaves out."""
        height, width = self.cells
        if self.is_vector:
            said = plural(self.size, "unit")
        elif self.folded:
            said = f"{plural(self.size, 'unit')}, {width:,} in a row"
        elif self.maps == 1:
            said = f"{height:,} × {width:,}"
        else:
            said = f"{self.maps:,} maps of {height:,} × {width:,}"
        strongest = f"; each pixel: the strongest of {self.pooled} × {self.pooled} values"
        return said + strongest * (self.pooled > 1)

    def picture(self, codes: NDArray[np.uint8], *, diverging: bool) -> NDArray[np.int16]:
        """Return the picture of the layer's colour codes; `GAP` where no unit stands."""
        maps = self._in_maps(codes)
        shown = np.full(self.pixels, GAP, np.int16)
        for k, codes_of_map in enumerate(maps):
            left, top = self._corner(k)
            pooled = self._pool(codes_of_map, diverging=diverging).astype(np.int16)
            if self.folded:
                pooled[self._pool((self._units[0] >= 0).astype(np.uint8), diverging=False) == 0] = GAP
            height, width = self._tile
            shown[top : top + height, left : left + width] = pooled.repeat(self.zoom, 0).repeat(self.zoom, 1)
        return shown

    def units_at(self, x: float, y: float) -> NDArray[np.int64]:
        """Return the flat indices of the units that the pixel at x, y (from the upper left) stands for; none in a gap."""
        (height, width), gap = self._tile, self._gap
        column, across = divmod(x, width + gap)
        row, down = divmod(y, height + gap)
        k = int(row * self.columns + column)
        inside = 0 <= x < self.pixels[1] and 0 <= y < self.pixels[0] and across < width and down < height
        if not inside or k >= self.maps:
            return np.empty(0, np.int64)
        step = self.pooled
        i, j = int(down / self.zoom) * step, int(across / self.zoom) * step
        found = self._units[k, i : i + step, j : j + step].ravel()
        return found[found >= 0]

    def box(self, unit: int) -> tuple[float, float, float, float]:
        """Return left, top, right, bottom of a unit's cell in pixels."""
        k, i, j = self._place(unit)
        left, top = self._corner(k)
        x, y = left + j // self.pooled * self.zoom, top + i // self.pooled * self.zoom
        return x, y, x + self.zoom, y + self.zoom

    def around(self, units: Sequence[int] | NDArray) -> tuple[float, float, float, float]:
        """Return left, top, right, bottom of the box around the first and the last of some units: the cells of a channel."""
        boxes = np.array([self.box(int(unit)) for unit in (min(units), max(units))])
        return (*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist())

    def index(self, unit: int) -> tuple[int, ...]:
        """Return a unit's index in the layer's shape."""
        return tuple(int(i) for i in np.unravel_index(unit, self.shape)) if self.shape else ()

    @cached_property
    def _units(self) -> NDArray[np.int64]:
        """Flat indices of the units, as the maps stand; -1 where a folded vector has no more."""
        return self._in_maps(np.arange(self.size), fill=-1)

    def _in_maps(self, values: NDArray, fill: int = 0) -> NDArray:
        if len(self._axes) < 2:
            room = self.cells[0] * self.cells[1]
            values = np.concatenate([values.ravel(), np.full(room - self.size, fill, values.dtype)])
            return values.reshape(1, *self.cells)
        rest = [axis for axis in range(len(self.shape)) if axis not in self._axes]
        return values.reshape(self.shape).transpose(*rest, *self._axes).reshape(self.maps, *self.cells)

    def _place(self, unit: int) -> tuple[int, int, int]:
        if len(self._axes) < 2:
            return (0, *divmod(unit, self.cells[1]))
        index = np.unravel_index(unit, self.shape)
        *before, i, j = (int(index[axis]) for axis in self._axes)
        lengths = [self.shape[axis] for axis in self._axes[:-2]]
        return int(np.ravel_multi_index(before, lengths)) if before else 0, i, j

    def _pool(self, codes: NDArray[np.uint8], *, diverging: bool) -> NDArray[np.uint8]:
        """Shrink both axes by the same step."""
        if self.pooled == 1:
            return codes
        down, across = (-(-cells // self.pooled) for cells in self.cells)
        wide = [(0, down * self.pooled - self.cells[0]), (0, across * self.pooled - self.cells[1])]
        padded = np.pad(codes, wide, mode="edge")
        side = max(down, across)
        square = np.pad(padded, [(0, side * self.pooled - length) for length in padded.shape], mode="edge")
        return pool_strongest(square, diverging=diverging, pixels=side)[:down, :across]

    def _corner(self, k: int) -> tuple[int, int]:
        row, column = divmod(k, self.columns)
        return column * (self._tile[1] + self._gap), row * (self._tile[0] + self._gap)


def _drawn_axes(shape: tuple[int, ...], channel_axis: int | None) -> list[int]:
    """Return the axes longer than 1: the channels first where there are maps, and all others in their order."""
    axes = [axis for axis, length in enumerate(shape) if length != 1]
    if len(axes) > 2 and channel_axis in axes:
        axes.remove(channel_axis)
        axes.insert(0, channel_axis)
    return axes


def _columns(maps: int, height: int, width: int, together: int) -> int:
    """Return how many maps stand in a row: a multiple of those that belong together, in a wide picture with few holes."""

    def badness(columns: int) -> float:
        rows = -(-maps // columns)
        shape = math.log(columns * max(width, 1) / (rows * max(height, 1)) / _WIDE)
        holes = rows * columns - maps
        return abs(shape) + 2 * holes / maps + 0.4 * (holes > 0)

    return min(range(together, max(maps, 1) + 1, together), key=badness, default=1) if maps else 1
