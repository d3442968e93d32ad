"""Still pictures of the results, in pure Python: the colours, order, tree, cut and selection that the widgets show."""

from __future__ import annotations

from itertools import cycle, pairwise
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure, FigureBase
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from nbwidgets_nn._themes import MARKS, THEMES, Theme, theme_called
from nbwidgets_nn._words import format_cell, format_number, plural
from nbwidgets_nn.color_range import LEVELS, ColorRange, encode
from nbwidgets_nn.colormaps import color_table
from nbwidgets_nn.figures._file_bytes import file_bytes
from nbwidgets_nn.figures._pooling import pool_strongest
from nbwidgets_nn.figures._sum_bars import Marked, draw_sums
from nbwidgets_nn.widgets.heatmap_content import MatrixPanel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nbwidgets_nn.results import Dendrogram
    from nbwidgets_nn.widgets.heatmap_content import HeatmapContent
    from nbwidgets_nn.widgets.selection import Selection

_ANNOTATED_UNITS = 16
_NAMED = 48
_NAMED_ACROSS = 70  # characters
_DARK = 118  # luminance below which white letters are read better than black ones


def draw_heatmaps(
    content: HeatmapContent,
    *,
    cut: float,
    selection: Selection,
    format: str = "png",  # noqa: A002 - matplotlib's name for it
    dpi: int = 150,
    theme: str = "light",
) -> bytes:
    """Draw every panel of the content side by side and return the file's bytes.

    Raises:
        ValueError: a theme that is neither "light" nor "dark", or nothing to draw.
    """
    colors = theme_called(theme)
    picture = HeatmapPicture(content, cut, selection)
    figure = Figure(figsize=picture.inches, facecolor=colors.paper, layout="constrained")
    picture.draw_on(figure, theme)
    return file_bytes(figure, format, dpi)


class HeatmapPicture:
    """The picture of a content: how large it wants to be, and how it is drawn on a figure that lays out by constraints.

    Raises:
        ValueError: nothing to draw.
    """

    def __init__(self, content: HeatmapContent, cut: float, selection: Selection) -> None:
        if not content.panels:
            raise ValueError(f"there is nothing to draw for layer {content.layer!r}: {content.message}")
        self._content, self._cut, self._selection = content, cut, selection
        self._grid = _Grid(content)

    @property
    def inches(self) -> tuple[float, float]:
        """Return width and height."""
        return self._grid.inches

    def draw_on(self, figure: FigureBase, theme: str) -> None:
        """Draw into a figure, or a part of one."""
        content, grid, colors = self._content, self._grid, THEMES[theme]
        cells = figure.add_gridspec(
            len(grid.heights), len(grid.widths), width_ratios=grid.widths, height_ratios=grid.heights
        )
        heading = f"{content.layer} · {plural(len(content.order), 'unit')}"
        figure.suptitle(heading, x=0.01, ha="left", size=8, color=colors.muted)
        if content.dendrogram is not None:
            _draw_tree(figure.add_subplot(cells[-2, 0]), content.dendrogram, self._cut, colors)
            _draw_strip(figure.add_subplot(cells[-2, 1]), content.dendrogram, self._cut, colors)
        for column, panel in zip(grid.columns, content.panels, strict=True):
            *above, matrix, legend = (
                figure.add_subplot(cells[row, column]) for row in range(len(grid.heights))
            )
            rows = _selected_rows(content, self._selection)
            chosen = Marked(rows, _selected_columns(content, panel, self._selection))
            _draw_head([*above, matrix][0], panel, colors)
            _draw_panel(matrix, legend, content, panel, chosen, theme)
            for head in above:
                head.set_axis_off()
            sums = panel.sums(content.order)
            if sums is not None:
                draw_sums(above[0], figure.add_subplot(cells[-2, column + 1]), sums, chosen, colors)


def draw_correlation(
    matrix: NDArray, annotate_from: float, *, xlabel: str = "", ylabel: str = "", title: str = ""
) -> bytes:
    """Draw a correlation matrix in its own order as PNG, writing values with |r| >= ``annotate_from`` where they fit."""
    span = ColorRange(-1.0, 1.0, diverging=True)
    panel = MatrixPanel("correlation", title, np.asarray(matrix), quantity="r", span=span)
    order = np.arange(len(panel.values))
    figure = Figure(figsize=(6.2, 5.8), layout="constrained")
    axes, legend = figure.subplots(2, height_ratios=(40, 1))
    codes = encode(panel.values, span)
    _draw_cells(axes, codes, panel, "light")
    if len(order) <= _ANNOTATED_UNITS:
        _annotate(axes, panel, order, at_least=annotate_from)
    ticks = order[:: max(1, -(-len(order) // 16))]
    axes.set(
        xlabel=xlabel,
        ylabel=ylabel,
        xticks=ticks + 0.5,
        yticks=ticks + 0.5,
        xticklabels=ticks,
        yticklabels=ticks,
    )
    axes.set_title(title, loc="left", size=10, weight="bold")
    _draw_legend(legend, panel, codes, "light")
    return file_bytes(figure, "png", dpi=110)


class _Grid:
    """One grid for everything: axes in the row of the matrices have the same edges, so rows stand level in all.

    Below it are the legends. Above it, where some panel has sums, are the heads with the sums of columns.
    """

    def __init__(self, content: HeatmapContent) -> None:
        self.widths = [] if content.dendrogram is None else [3, 0.3]
        self.columns = []
        for panel in content.panels:
            self.columns.append(len(self.widths))
            self.widths += [10, 1.6] if panel.marginals else [10]
        sums = [panel.marginals for panel in content.panels].count(True)
        self.heights = (3.5, 40, 1) if sums else (40, 1)
        self.inches = (6.2 * len(content.panels) + sums, 5.8 if sums else 5.4)


def _draw_head(axes: Axes, panel: MatrixPanel, colors: Theme) -> None:
    axes.set_title(panel.title, loc="left", size=10, weight="bold", color=colors.ink)
    axes.set_title(panel.how, loc="right", size=7.5, color=colors.muted)


def _draw_panel(
    matrix: Axes, legend: Axes, content: HeatmapContent, panel: MatrixPanel, chosen: Marked, theme: str
) -> None:
    colors = THEMES[theme]
    codes = panel.in_order(encode(panel.values, panel.range), content.order)
    _draw_cells(matrix, codes, panel, theme)
    _name_rows_and_columns(matrix, content, panel, colors)
    if max(codes.shape) <= _ANNOTATED_UNITS:
        _annotate(matrix, panel, content.order, theme)
    _outline(matrix, chosen, panel, colors.accent)
    _draw_legend(legend, panel, codes, theme)


def _draw_cells(axes: Axes, codes: NDArray[np.uint8], panel: MatrixPanel, theme: str) -> None:
    rows, columns = codes.shape
    table = np.zeros((256, 3), np.uint8)
    table[:LEVELS] = color_table(diverging=panel.range.diverging, theme=theme)
    for code, color in enumerate(THEMES[theme].marks, start=LEVELS):
        table[code] = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    shown = pool_strongest(codes, diverging=panel.range.diverging)
    axes.imshow(table[shown], extent=(0, columns, rows, 0), interpolation="nearest", aspect="auto")
    axes.set(xticks=[], yticks=[])
    what = "units" if panel.columns is None else panel.columns.title
    pooled = "" if shown.shape == codes.shape else "; each pixel: the strongest of its cells"
    foot = "\n".join(filter(None, (f"{plural(rows, 'unit')} × {columns:,} {what}{pooled}", panel.note)))
    axes.set_xlabel(foot, size=7.5, color=THEMES[theme].muted)
    axes.spines[:].set_visible(False)


def _draw_tree(axes: Axes, tree: Dendrogram, cut: float, colors: Theme) -> None:
    """Draw the tree with its root on the left; leaf k of the linkage is display row k."""
    leaves = len(tree.linkage) + 1
    middle = np.concatenate([np.arange(leaves) + 0.5, np.zeros(len(tree.linkage))])
    height = np.zeros(len(middle))
    brackets = np.empty((len(tree.linkage), 4, 2))
    for k, (a, b, level, _) in enumerate(tree.linkage):
        a, b = int(a), int(b)  # noqa: PLW2901 - linkage rows are floats
        brackets[k] = [(height[a], middle[a]), (level, middle[a]), (level, middle[b]), (height[b], middle[b])]
        middle[leaves + k], height[leaves + k] = (middle[a] + middle[b]) / 2, level
    below = tree.linkage[:, 2] <= cut
    axes.add_collection(LineCollection(brackets[~below], colors=colors.branch, linewidths=0.7))
    axes.add_collection(LineCollection(brackets[below], colors=colors.ink, linewidths=0.9))
    axes.axvline(cut, color=colors.accent, lw=1.2)
    top = max(float(tree.linkage[:, 2].max(initial=0.0)), cut) * 1.05 or 1.0
    axes.set(xlim=(top, 0), ylim=(len(tree.order), 0), xticks=[], yticks=[])
    axes.set_xlabel(f"cut {cut:.2f}", size=7.5, color=colors.accent)
    distance = "1 − |r|" if tree.use_abs_correlation else "1 − r"
    axes.text(0, -0.09, distance, size=7, color=colors.muted, transform=axes.transAxes)
    if len(tree.constant):
        middle_row = len(tree.order) - len(tree.constant) / 2
        axes.text(0.02 * top, middle_row, "constant", size=7, color=colors.muted, ha="right", va="center")
    axes.patch.set_visible(False)
    axes.spines[:].set_visible(False)


def _draw_strip(axes: Axes, tree: Dendrogram, cut: float, colors: Theme) -> None:
    """Draw the clusters beside the rows; one of a single unit has no colour, so that colour means "belong together"."""
    labels = tree.labels(cut)[tree.order]
    starts = np.flatnonzero(np.diff(labels, prepend=-1))
    palette = cycle(colors.clusters)
    for start, stop in pairwise([*starts, len(labels)]):
        color = next(palette) if labels[start] and stop - start > 1 else colors.faint
        hatch = None if labels[start] else "////"
        axes.add_patch(Rectangle((0, start), 1, stop - start, fc=color, ec=colors.paper, lw=0.5, hatch=hatch))
    axes.set(xlim=(0, 1), ylim=(len(labels), 0))
    axes.set_axis_off()


def _name_rows_and_columns(axes: Axes, content: HeatmapContent, panel: MatrixPanel, colors: Theme) -> None:
    """Write names where there is room for them."""
    names = [str(unit) for unit in content.units]
    across = names if panel.columns is None else panel.columns.names
    axes.yaxis.tick_right()
    for axis, labels in ((axes.yaxis, names), (axes.xaxis, across)):
        # Rows need only a line each, columns the width of their names.
        room = _NAMED if axis is axes.yaxis else _NAMED_ACROSS // max(1, *map(len, labels))
        if len(labels) <= room:
            axis.set_ticks(np.arange(len(labels)) + 0.5, labels)
    axes.tick_params(length=0, labelsize=6, colors=colors.muted)


def _annotate(
    axes: Axes, panel: MatrixPanel, order: NDArray, theme: str = "light", at_least: float = 0.0
) -> None:
    span = panel.range
    # Luminance of the cells, 0 to 255: letters are white on dark ones.
    light = color_table(diverging=span.diverging, theme=theme) @ (0.2126, 0.7152, 0.0722)
    for (row, column), value in np.ma.ndenumerate(panel.in_order(panel.values, order)):
        if not (span.low <= value <= span.high and abs(value) >= at_least):  # NaN is not either
            continue
        ink = "white" if light[encode(np.array([value]), span)[0]] < _DARK else "black"
        axes.text(column + 0.5, row + 0.5, format_cell(value), ha="center", va="center", size=6, color=ink)


def _outline(axes: Axes, chosen: Marked, panel: MatrixPanel, accent: str) -> None:
    height, width = panel.values.shape
    behind = {"lw": 0.5, "alpha": 0.6} if panel.columns is None else {"lw": 1}
    for column in chosen.columns:
        axes.add_patch(Rectangle((column, 0), 1, height, fill=False, ec=accent, clip_on=False, **behind))
    for row in chosen.rows:
        axes.add_patch(Rectangle((0, row), width, 1, fill=False, ec=accent, lw=1, clip_on=False))


def _draw_legend(axes: Axes, panel: MatrixPanel, codes: NDArray, theme: str) -> None:
    span, colors = panel.range, THEMES[theme]
    axes.set_axis_off()
    table = ListedColormap(color_table(diverging=span.diverging, theme=theme) / 255)
    scale = ScalarMappable(Normalize(span.low, span.high), table)
    bar = axes.figure.colorbar(scale, cax=axes.inset_axes((0, 0, 0.45, 1)), orientation="horizontal")
    ticks = [span.low, (span.low + span.high) / 2, span.high] if span.diverging else [span.low, span.high]
    signs = ["+" if span.diverging and tick > 0 else "" for tick in ticks]
    bar.set_ticks(ticks, labels=[sign + format_number(tick) for sign, tick in zip(signs, ticks, strict=True)])
    bar.ax.tick_params(labelsize=7, colors=colors.muted, length=2)
    bar.outline.set_visible(False)
    counts = np.bincount(codes.ravel(), minlength=256)[LEVELS:]
    marks = [f"{mark}: {plural(int(n), 'cell')}" for mark, n in zip(MARKS, counts, strict=True) if n]
    measured = (
        f"{panel.quantity} ({panel.unit})" if panel.quantity and panel.unit else panel.quantity or panel.unit
    )
    bar.set_label(" · ".join(filter(None, (measured, *marks))), size=7.5, color=colors.muted, loc="left")
    if panel.samples is not None:
        axes.text(
            1, 0, f"n = {panel.samples:,}", size=7.5, color=colors.muted, ha="right", transform=axes.transAxes
        )


def _selected_rows(content: HeatmapContent, selection: Selection) -> NDArray:
    if selection.layer != content.layer:
        return np.empty(0, int)
    return np.flatnonzero(np.isin(content.units, selection.indices))


def _selected_columns(content: HeatmapContent, panel: MatrixPanel, selection: Selection) -> NDArray:
    if panel.columns is None:
        return _selected_rows(content, selection)
    if panel.columns.layer != selection.layer:
        return np.empty(0, int)
    return np.flatnonzero(np.isin(panel.columns.units, selection.indices))
