"""The words and scales around an edge graph in still pictures: title, heads and feet of columns, legend."""

from __future__ import annotations

from math import ceil

import numpy as np
from matplotlib.patches import Polygon

from nbwidgets_nn._themes import MARKS
from nbwidgets_nn._words import format_number, plural
from nbwidgets_nn.color_range import LEVELS, NOT_A_NUMBER, ColorRange, encode
from nbwidgets_nn.colormaps import color_table
from nbwidgets_nn.figures._edge_ink import EdgeInk
from nbwidgets_nn.figures._paper import POINTS, Paper, shortened, width_of
from nbwidgets_nn.widgets._edge_layout import HEAD_HEIGHT, GraphLayout
from nbwidgets_nn.widgets._edge_scene import EdgeScene

MARGIN = 16.0
_NAME, _TITLE, _LABEL = 12.0, 14.0, 11.0
_LABEL_PITCH = 8.0
_BETWEEN = 14.0
_MOST_ROWS = 3
_SELECTED_NAMED = 6
_NARROWEST_SIDE, _WIDEST_SIDE = 52.0, 120.0


def draw_title(paper: Paper, scene: EdgeScene, lines: list[str]) -> None:
    """Write the title, and what was left out: right of it where there is room for that, else below."""
    title = shortened(scene.heading, paper.width - 2 * MARGIN, _TITLE, "bold")
    paper.write(title, MARGIN, 22, size=_TITLE, color=paper.colors.ink, weight="bold")
    if lines_beside(paper.width, title, lines):
        paper.write(lines[0], paper.width - MARGIN, 22, ha="right")
        lines = lines[1:]
    for row, line in enumerate(lines):
        paper.write(line, MARGIN, 43 + 15 * row)


def lines_beside(width: float, title: str, lines: list[str]) -> bool:
    """Tell whether the first line has room beside the title."""
    return width_of(title, _TITLE, "bold") + width_of(lines[0]) + 4 * MARGIN < width


def rows_of_heads(scene: EdgeScene, spacing: float) -> int:
    """Return in how many rows heads take turns where columns are narrower than their heads."""
    widest = max(max(width_of(name, _NAME, "bold"), width_of(kind)) for name, kind in _heads(scene))
    return max(1, min(_MOST_ROWS, len(scene.content.columns), ceil((widest + _BETWEEN) / spacing)))


def draw_heads(paper: Paper, scene: EdgeScene, layout: GraphLayout, y: float, rows: int) -> None:
    """Write name, kind and number of units over each column; the picked layer's in the accent."""
    room = rows * layout.spacing - _BETWEEN if len(layout.columns) > 1 else paper.width
    for k, ((name, kind), place) in enumerate(zip(_heads(scene), layout.columns, strict=True)):
        column = scene.content.columns[k]
        picked = scene.view.layer in (*column.aliases, column.layer)
        color = paper.colors.accent if picked else paper.colors.ink
        name, kind = shortened(name, room, _NAME, "bold", keep="end"), shortened(kind, room)  # noqa: PLW2901
        x = _inside(paper, place.x, max(width_of(name, _NAME, "bold"), width_of(kind)))
        top = y + HEAD_HEIGHT * (k % rows)
        paper.write(name, x, top + 8, size=_NAME, color=color, ha="center", weight="bold")
        paper.write(kind, x, top + 22, ha="center")


def _heads(scene: EdgeScene) -> list[tuple[str, str]]:
    return [
        (column.layer or column.name, " · ".join(filter(None, (column.kind, plural(column.units, "unit")))))
        for column in scene.content.columns
    ]


def side_room(scene: EdgeScene, column: int) -> float:
    """Return how far an outer column stands from the edge of the paper: its head and its labels need room there."""
    labels = [width_of(label, _LABEL, "bold") for label in scene.content.columns[column].labels or ()]
    name, kind = _heads(scene)[column]
    head = max(width_of(name, _NAME, "bold"), width_of(kind)) / 2 + 8
    return max(_NARROWEST_SIDE + min(max(labels, default=0.0), _WIDEST_SIDE), min(head, _WIDEST_SIDE))


def draw_labels(paper: Paper, scene: EdgeScene, layout: GraphLayout) -> None:
    """Write the names of units beside them, left of the first column; the unit with the largest value is bold."""
    for k, (column, place) in enumerate(zip(scene.content.columns, layout.columns, strict=True)):
        if column.labels is None or place.pitch < _LABEL_PITCH:
            continue
        values = column.values[scene.view.sample]
        largest = values.max(initial=-np.inf, where=np.isfinite(values))
        side, align = (-1, "right") if k == 0 else (1, "left")
        x, size = place.x + side * (place.reach + 6), min(_LABEL, place.pitch)
        for value, y, label in zip(values, place.y(np.arange(column.units)), column.labels, strict=True):
            strong = {"weight": "bold", "color": paper.colors.ink} if value == largest else {}
            fitting = shortened(label, _WIDEST_SIDE, size, "bold")
            paper.write(fitting, x, y, size=size, ha=align, halo=True, **strong)


def draw_feet(paper: Paper, scene: EdgeScene, layout: GraphLayout, y: float) -> None:
    """Draw the scale of each column's colours below it, and between columns the largest |value| of each bundle."""
    wide = min(44.0, 0.35 * layout.spacing) if len(layout.columns) > 1 else 44.0
    for column, place in zip(scene.content.columns, layout.columns, strict=True):
        span = column.maps_range if place.tile > 0 else column.range
        words = f"{format_number(span.low)} to {format_number(span.high)}"
        if scene.clusters(column) is not None:
            words = "clusters"
        else:
            table = color_table(diverging=span.diverging, theme=paper.theme, quiet=True)[None]
            paper.image(table, place.x - wide / 2, y, wide, 5)
        paper.write(words, _inside(paper, place.x, width_of(words, 9)), y + 15, size=9, ha="center")
    rows = [0] * len(layout.columns)
    for k, bundle in enumerate(scene.content.bundles):
        number = scene.largest_in_words(k)
        source = scene.content.columns[bundle.source].name
        longer = f"{number} from {source}" if bundle.target - bundle.source > 1 else f"largest {number}"
        fits = width_of(longer) < layout.spacing - wide - _BETWEEN
        x = layout.columns[bundle.target].x - layout.spacing / 2
        row, rows[bundle.target] = rows[bundle.target], rows[bundle.target] + 1
        paper.write(longer if fits else number, x, y + 2 - 13 * row, ha="center", halo=True)


def draw_legend(paper: Paper, scene: EdgeScene, ink: EdgeInk, y: float) -> None:
    """Draw what colour and width of edges mean, what colours nodes, and the marks that are there."""
    _draw_wedge(paper, ink, MARGIN, y)
    x = _flow(paper, f"edges: {scene.view.quantity}, relative to its layer’s largest", MARGIN + 132, y)
    by = "activation, on the scale below each column"
    if any(scene.clusters(column) is not None for column in scene.content.columns):
        by = f"clusters of {scene.view.clusters['layer']}; others: {by}"
    x = _flow(paper, f"nodes: {by}", _swatch(paper, x, y, facecolors="none", ec=paper.colors.muted), y)
    names = scene.view.selection.units if any(map(scene.selected, scene.content.columns)) else ()
    if names:
        words = (
            ", ".join(names[:_SELECTED_NAMED]) if len(names) <= _SELECTED_NAMED else f"{len(names):,} units"
        )
        x = _flow(
            paper,
            f"selected: {words}",
            _swatch(paper, x, y, facecolors="none", ec=paper.colors.accent, lw=2),
            y,
        )
    for code in marks_shown(scene):
        color = paper.colors.marks[code - LEVELS]
        after = _swatch(paper, x, y, c=color, marker="s")
        if code == NOT_A_NUMBER:
            _swatch(paper, x, y, c=paper.colors.ink, marker="x", side=6)
        x = _flow(paper, MARKS[code - LEVELS], after, y)


def marks_shown(scene: EdgeScene) -> list[int]:
    """Return the codes of the marks that nodes or drawn edges wear."""
    edges = [scene.strengths.relative(k)[edges] for k, edges in enumerate(scene.drawn)]
    codes = [encode(values, ColorRange(-1.0, 1.0, diverging=True)) for values in edges]
    codes += [
        scene.codes(column) if column.maps is None else scene.tiles(column).ravel()
        for column in scene.content.columns
    ]
    counts = np.bincount(np.concatenate(codes), minlength=256)
    return [code for code in range(LEVELS, 256) if counts[code]]


def _draw_wedge(paper: Paper, ink: EdgeInk, x: float, y: float, width: float = 116.0) -> None:
    """Draw the ink of all strengths side by side, high where edges are wide."""
    strengths = np.linspace(-1, 1, 2 * LEVELS)
    half = 1.5 * ink.width(strengths)
    across = x + width * (strengths + 1) / 2
    outline = np.concatenate([np.column_stack([across, y - half]), np.column_stack([across, y + half])[::-1]])
    colors = ink.color(strengths, paper.theme)[None]
    bar = paper.image(colors, x, y - half.max(), width, 2 * half.max())
    bar.set_clip_path(Polygon(outline, transform=paper.axes.transData))
    for at, align, words in (
        (x, "left", "−largest"),
        (x + width / 2, "center", "0"),
        (x + width, "right", "+largest"),
    ):
        paper.write(words, at, y + 14, size=9, ha=align)


def _swatch(paper: Paper, x: float, y: float, *, side: float = 9, lw: float = 0.8, **look: object) -> float:
    """Draw a sample of a mark and return where its words begin."""
    paper.dots(x + 5, np.array([y]), side, linewidths=lw * POINTS, **look)
    return x + 14


def _flow(paper: Paper, words: str, x: float, y: float) -> float:
    """Write words and return where the next ones may begin."""
    paper.write(words, x, y)
    # At few dots an inch letters are set on whole pixels, and a line of them is a little longer than they are.
    return x + 1.06 * width_of(words) + 14


def _inside(paper: Paper, x: float, width: float) -> float:
    """Move the middle of words so that they stay on the paper."""
    return min(max(x, 8 + width / 2), paper.width - 8 - width / 2)
