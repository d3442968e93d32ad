"""One layer of an activation pattern on a page: its title, its units as cells or bars, and its colour bar."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from nbwidgets_nn._arrays import expected
from nbwidgets_nn._themes import MARKS, THEMES, Theme
from nbwidgets_nn._words import format_number, plural
from nbwidgets_nn.color_range import LEVELS, ColorRange, encode
from nbwidgets_nn.figures._paper import POINTS, width_of, wrapped
from nbwidgets_nn.widgets.layer_pattern import LayerPattern
from nbwidgets_nn.widgets.pattern_layout import PatternLayout

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

_MARGIN = 0.3
_BAR = 2.6  # width of the colour bar
_SMALL = 8.5  # points

_SCALES_IN_WORDS = {
    "layerscale": "one scale a layer",
    "layernorm": "one scale a layer, centred at 0",
    "globalscale": "one scale for all layers",
    "globalnorm": "one scale for all layers, centred at 0",
}


def cell_colors(cmap_style: str | Colormap, colors: Theme) -> NDArray[np.uint8]:
    """Return (257, 4) bytes: the map's colours, those of the marks, and nothing for a gap (-1)."""
    if isinstance(cmap_style, str) and cmap_style not in mpl.colormaps:
        near = difflib.get_close_matches(cmap_style, mpl.colormaps, cutoff=0.5) or ["viridis", "RdBu_r"]
        came = repr(cmap_style)
        raise ValueError(
            expected("cmap_style", "the name of a colour map of matplotlib", came, ", ".join(near))
        )
    if not isinstance(cmap_style, str | Colormap):
        came = type(cmap_style).__name__
        raise TypeError(expected("cmap_style", "the name of a colour map of matplotlib", came, '"viridis"'))
    table = np.zeros((257, 4), np.uint8)
    table[:LEVELS] = mpl.colormaps.get_cmap(cmap_style)(np.linspace(0, 1, LEVELS), bytes=True)
    for code, color in enumerate(colors.marks, start=LEVELS):
        table[code] = [int(color[i : i + 2], 16) for i in (1, 3, 5)] + [255]
    return table


class Band:
    """One layer of the pattern: its title, its units, and its colour bar, or a ``key`` to the highest colour alone."""

    def __init__(
        self,
        pattern: LayerPattern,
        span: ColorRange,
        scale: str,
        table: NDArray[np.uint8],
        theme: str,
        key: str = "",
    ) -> None:
        self.key = key
        self.pattern, self.span, self.scale, self.table = pattern, span, scale, table
        self.colors = THEMES[theme]
        self.layout = PatternLayout(pattern.shape, pattern.channel_axis)
        self.codes = encode(pattern.values.reshape(1, -1), span)[0]

    def draw(
        self, figure: Figure | SubFigure, size: tuple[float, float], chosen: Sequence[NDArray] = ()
    ) -> Axes | None:
        """Draw the layer on a page, or a part of one, of some inches; ``chosen`` are flat indices with an outline a group.

        Returns the axes that the units stand in; None where there is no unit.
        """
        figure.set_facecolor(self.colors.paper)
        place = Page(figure, size, self.colors)
        notes = filter(
            None,
            (
                self.pattern.of_samples,
                self.layout.words if self.layout.size else "",
                "all values are 0" if self.layout.size and not self.pattern.values.any() else "",
                self.pattern.note,
            ),
        )
        foot = wrapped(list(notes), (size[0] - 2 * _MARGIN) * 96, _SMALL / POINTS)
        below = _MARGIN + 0.58 + 0.16 * len(foot)
        shape = " × ".join(map(str, self.pattern.shape)) or "a single number"
        kind = self.pattern.kind
        title = self.pattern.title or self.pattern.name
        place.write(title, 0.0, size[1] - _MARGIN - 0.12, size=12, weight="bold", color=self.colors.ink)
        place.write(
            shape if kind == self.pattern.name else f"{kind} · {shape}", 0.0, size[1] - _MARGIN - 0.34
        )
        said = f"{self.scale}: {_SCALES_IN_WORDS[self.scale]}" if self.scale else ""
        place.write(said, 1.0, size[1] - _MARGIN - 0.34, ha="right")
        for line, words in enumerate(reversed(foot)):
            place.write(words, 0.0, _MARGIN + 0.42 + 0.16 * line)
        if not self.layout.size:
            place.write(self.pattern.missing or "no units", 0.0, size[1] / 2)
            return None
        axes = place.axes(
            _MARGIN + 0.25, below, size[0] - 2 * _MARGIN - 0.25, size[1] - below - _MARGIN - 0.5
        )
        if self.layout.is_vector:
            self._draw_bars(axes, chosen)
        else:
            self._draw_cells(axes, chosen)
        self._draw_legend(place)
        return axes

    def _draw_bars(self, axes: Axes, chosen: Sequence[NDArray]) -> None:
        """Draw upright bars from 0; one that is infinite or not defined is as high as the axes, in its mark's colour."""
        values = self.pattern.values.ravel().astype(np.float64)
        low, high = min(self.span.low, 0.0), max(self.span.high, 0.0)
        ends = np.where(np.isnan(values) | (values == np.inf), high, np.where(values == -np.inf, low, values))
        left = np.arange(len(values)) + 0.1
        corners = np.zeros((len(values), 4, 2))
        corners[:, :, 0] = np.stack([left, left, left + 0.8, left + 0.8], axis=1)
        corners[:, 1:3, 1] = ends[:, None]
        colors = self.table[self.codes] / 255
        # A hairline of ink keeps pale colours of the map apart from the page.
        axes.add_collection(
            PolyCollection(corners, facecolors=colors, edgecolors=self.colors.branch, linewidths=0.3)
        )
        outlined = np.array([int(k) for group in chosen for k in group], int)
        axes.add_collection(
            PolyCollection(corners[outlined], facecolors=self.colors.accent, edgecolors=self.colors.accent)
        )
        room = 0.03 * (high - low)
        axes.set(xlim=(0, len(values)), ylim=(low - room, high + room))
        axes.axhline(0, color=self.colors.branch, lw=0.6)
        step = max(1, 2 ** math.ceil(math.log2(len(values) / 16))) if len(values) > 16 else 1
        ticks = np.arange(0, len(values), step)
        axes.set_xticks(ticks + 0.5, ticks)
        axes.yaxis.set_major_locator(mpl.ticker.MaxNLocator(5))
        axes.yaxis.set_major_formatter(lambda value, _: format_number(value))
        axes.tick_params(length=0, labelsize=7.5, colors=self.colors.muted)

    def _draw_cells(self, axes: Axes, chosen: Sequence[NDArray]) -> None:
        picture = self.layout.picture(self.codes, diverging=self.span.diverging)
        height, width = picture.shape
        stretched = width / height / self.layout.aspect
        axes.imshow(
            self.table[picture], extent=(0, width, height, 0), interpolation="nearest", aspect=stretched
        )
        axes.set_anchor("W")
        for left, top, right, bottom in (self.layout.around(group) for group in chosen if len(group)):
            outline = Rectangle(
                (left, top), right - left, bottom - top, fill=False, ec=self.colors.accent, lw=1.5
            )
            outline.set_clip_on(False)
            axes.add_patch(outline)
        if self.layout.maps > 1:
            self._number_rows(axes)

    def _number_rows(self, axes: Axes) -> None:
        """Write the number of the first map of each row, as far as there is room."""
        rows, columns = self.layout.rows, self.layout.columns
        every = -(-rows // 24)
        side = self.layout.pixels[0] / rows
        shown = range(0, rows, every)
        axes.set_yticks([(row + 0.5) * side for row in shown], [row * columns for row in shown])
        axes.tick_params(length=0, labelsize=7, colors=self.colors.muted)

    def _draw_legend(self, place: Page) -> None:
        keys = [] if not self.key else [(LEVELS - 1, self.key)]
        if not keys:
            self._draw_colors(place)
        counts = np.bincount(self.codes, minlength=256)[LEVELS:]
        keys += [
            (LEVELS + k, f"{MARKS[k]}: {plural(int(counts[k]), 'unit')}") for k in np.flatnonzero(counts)
        ]
        left = 0.0 if self.key else _BAR + 0.25
        for code, words in keys:
            mark = place.axes(_MARGIN + left, _MARGIN + 0.16, 0.12, 0.12)
            mark.imshow(self.table[[[code]]], aspect="auto")
            place.write(words, left + 0.18, _MARGIN + 0.22, inches=True)
            left += 0.4 + width_of(words, _SMALL / POINTS) / 96

    def _draw_colors(self, place: Page) -> None:
        span = self.span
        axes = place.axes(_MARGIN, _MARGIN + 0.16, _BAR, 0.12)
        axes.imshow(self.table[None, :LEVELS], extent=(0, 1, 0, 1), aspect="auto")
        for at, align, value in (
            (0, "left", span.low),
            (0.5, "center", span.low / 2 + span.high / 2),
            (1, "right", span.high),
        ):
            place.write(format_number(value), at * _BAR, _MARGIN + 0.04, inches=True, ha=align)


class Page:
    """A page, or a part of one, on which everything has its place in inches from the lower left."""

    def __init__(self, figure: Figure | SubFigure, size: tuple[float, float], colors: Theme) -> None:
        self.figure, self.size, self.colors = figure, size, colors

    def write(self, words: str, x: float, y: float, *, inches: bool = False, **look: Any) -> None:
        """Write words in the middle of height ``y``; ``x`` counts from the margin, as a share of the width or in inches."""
        x = _MARGIN + (x if inches else x * (self.size[0] - 2 * _MARGIN))
        look = {"size": _SMALL, "color": self.colors.muted, "va": "center_baseline", **look}
        text = self.figure.text(x / self.size[0], y / self.size[1], words, **look)
        text.set_parse_math(parse_math=False)  # a dollar in a name is a dollar

    def axes(self, left: float, bottom: float, width: float, height: float) -> Axes:
        """Return empty axes without a frame."""
        across, up = self.size
        axes = self.figure.add_axes((left / across, bottom / up, width / across, max(height, 0.1) / up))
        axes.patch.set_visible(False)
        axes.spines[:].set_visible(False)
        axes.set(xticks=[], yticks=[])
        return axes
