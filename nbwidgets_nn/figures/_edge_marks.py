"""Edges as curves, and units as dots, tiles or strips, for still pictures."""

from __future__ import annotations

import numpy as np
from matplotlib.collections import PatchCollection, PathCollection
from matplotlib.patches import Rectangle
from matplotlib.path import Path
from numpy.typing import NDArray

from nbwidgets_nn.color_range import NOT_A_NUMBER
from nbwidgets_nn.figures._edge_ink import EdgeInk, code_colors, rgb_of
from nbwidgets_nn.figures._paper import POINTS, Paper
from nbwidgets_nn.figures._pooling import pool_strongest
from nbwidgets_nn.widgets._edge_layout import STRIP_WIDTH, ColumnPlace, GraphLayout
from nbwidgets_nn.widgets._edge_scene import EdgeScene
from nbwidgets_nn.widgets.edge_bundle import EdgeBundle
from nbwidgets_nn.widgets.unit_column import UnitColumn

# An SVG file holds more curves than this as one image: browsers give up on so many paths.
_MOST_PATHS = 20_000
_CURVE = [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]
_DASHED = (0, (3.9, 2.6))  # times the width
_SMALLEST_MARK = 6.0


def draw_bundle(
    paper: Paper,
    layout: GraphLayout,
    bundle: EdgeBundle,
    edges: NDArray[np.intp],
    relative: NDArray[np.float32],
    ink: EdgeInk,
    *,
    opacity: float = 1.0,
    level: float = 2,
) -> None:
    """Draw some edges of a bundle, the last one on top; dashed where the value is not finite."""
    points = layout.curves(bundle.source, bundle.target, *bundle.ends_of(edges))
    codes = _CURVE if bundle.target - bundle.source == 1 else None
    relative = relative[edges]
    curves = PathCollection(
        [Path(curve, codes) for curve in points],
        facecolors="none",
        edgecolors=ink.color(relative, paper.theme) * (1, 1, 1, opacity),
        linewidths=ink.width(relative) * POINTS,
        linestyles=["-" if finite else _DASHED for finite in np.isfinite(relative)],
        rasterized=len(edges) > _MOST_PATHS,
        zorder=level,
    )
    paper.axes.add_collection(curves, autolim=False)


def draw_column(paper: Paper, scene: EdgeScene, column: UnitColumn, place: ColumnPlace) -> None:
    """Draw the units of a column, and rings in the accent around those selected."""
    if place.tile > 0:
        _draw_tiles(paper, scene, column, place)
    elif place.tile < 0:
        _draw_strip(paper, scene, column, place)
    else:
        _draw_dots(paper, scene, column, place)
    chosen = np.array(scene.selected(column), int)
    side = max(2 * place.reach, _SMALLEST_MARK) + 2
    ring = {"facecolors": "none", "edgecolors": paper.colors.accent, "linewidths": 2 * POINTS, "zorder": 6}
    paper.dots(place.x, place.y(chosen), side, marker="s" if place.tile > 0 else "o", **ring)


def _fills(paper: Paper, scene: EdgeScene, column: UnitColumn) -> NDArray[np.float64]:
    """Return the colour (units, 3) of each unit."""
    clusters = scene.clusters(column)
    if clusters is None:
        return code_colors(diverging=column.range.diverging, theme=paper.theme)[scene.codes(column)]
    palette = rgb_of([*paper.colors.clusters, paper.colors.faint])
    return palette[np.where(clusters < 0, -1, clusters % len(paper.colors.clusters))]


def _draw_dots(paper: Paper, scene: EdgeScene, column: UnitColumn, place: ColumnPlace) -> None:
    y, side = place.y(np.arange(column.units)), 2 * place.radius
    line = {"edgecolors": paper.colors.muted, "linewidths": min(0.8, 0.2 * place.radius) * POINTS}
    paper.dots(place.x, y, side, c=_fills(paper, scene, column), zorder=4, **line)
    undefined = scene.codes(column) == NOT_A_NUMBER
    cross = {"marker": "x", "c": paper.colors.ink, "linewidths": 1.3 * POINTS, "zorder": 5}
    paper.dots(place.x, y[undefined], max(_SMALLEST_MARK, side - 4), **cross)


def _draw_tiles(paper: Paper, scene: EdgeScene, column: UnitColumn, place: ColumnPlace) -> None:
    colors, codes = code_colors(diverging=column.range.diverging, theme=paper.theme), scene.tiles(column)
    # Tiles keep the shape of their map within a square of their own.
    down, across = np.array(codes.shape[1:]) / max(codes.shape[1:]) * place.tile
    corners = [(place.x - across / 2, y - down / 2) for y in place.y(np.arange(column.units))]
    for (x, y), tile in zip(corners, codes, strict=True):
        paper.image(colors[tile], x, y, across, down)
    clustered = scene.clusters(column) is not None
    frame, width = (_fills(paper, scene, column), 2) if clustered else (paper.colors.branch, 0.5)
    frames = PatchCollection(
        [Rectangle(corner, across, down) for corner in corners],
        facecolors="none",
        edgecolors=frame,
        linewidths=width * POINTS,
        zorder=5,
    )
    paper.axes.add_collection(frames, autolim=False)


def _draw_strip(paper: Paper, scene: EdgeScene, column: UnitColumn, place: ColumnPlace) -> None:
    if scene.clusters(column) is not None:
        cells = _fills(paper, scene, column)[column.places][:, None]
    else:
        codes, span = scene.codes(column)[column.places][:, None], column.range
        shown = pool_strongest(codes, diverging=span.diverging, pixels=int(place.bottom - place.top))
        cells = code_colors(diverging=span.diverging, theme=paper.theme)[shown]
    paper.image(cells, place.x - STRIP_WIDTH / 2, place.top, STRIP_WIDTH, place.bottom - place.top)
