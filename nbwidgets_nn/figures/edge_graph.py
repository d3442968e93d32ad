"""A still picture of an edge graph: the units, edges, colours and selection that the widget shows, without its zoom."""

from __future__ import annotations

from nbwidgets_nn.figures._edge_ink import ink_for
from nbwidgets_nn.figures._edge_marks import draw_bundle, draw_column
from nbwidgets_nn.figures._edge_words import (
    MARGIN,
    draw_feet,
    draw_heads,
    draw_labels,
    draw_legend,
    draw_title,
    lines_beside,
    rows_of_heads,
    side_room,
)
from nbwidgets_nn.figures._paper import Paper, wrapped
from nbwidgets_nn.widgets._edge_layout import HEAD_HEIGHT, lay_out
from nbwidgets_nn.widgets._edge_scene import EdgeScene, EdgeView
from nbwidgets_nn.widgets.edge_graph_content import EdgeGraphContent

_WIDTH = 1080.0
_FEET = 44.0
_LEGEND = 44.0


def draw_edges(
    content: EdgeGraphContent,
    view: EdgeView,
    *,
    format: str = "png",  # noqa: A002 - matplotlib's name for it
    dpi: int = 150,
    theme: str = "light",
) -> bytes:
    """Draw columns, units and the strongest edges, and return the file's bytes.

    An SVG file holds more than 20,000 edges of one layer as an image.

    Raises:
        ValueError: a theme that is neither "light" nor "dark", or nothing to draw.
    """
    if not content.columns:
        raise ValueError(f"there is nothing to draw: {content.message}")
    scene = EdgeScene(content, view)
    lines = wrapped(scene.sentences(), _WIDTH - 2 * MARGIN)
    below = len(lines) - lines_beside(_WIDTH, scene.heading, lines)
    top = 44.0 + 15 * below
    bottom = top + view.height
    left, right = side_room(scene, 0), _WIDTH - side_room(scene, -1)
    rows = rows_of_heads(scene, (right - left) / max(1, len(content.columns) - 1))
    layout = lay_out(content, left=left, right=right, top=top + rows * HEAD_HEIGHT, bottom=bottom - _FEET)

    paper = Paper(_WIDTH, bottom + _LEGEND, theme)
    ink = ink_for(sum(map(len, scene.drawn)))
    for k, (bundle, edges) in enumerate(zip(content.bundles, scene.drawn, strict=True)):
        draw_bundle(paper, layout, bundle, edges, scene.strengths.relative(k), ink)
    for column, place in zip(content.columns, layout.columns, strict=True):
        draw_column(paper, scene, column, place)
    draw_labels(paper, scene, layout)
    draw_heads(paper, scene, layout, top, rows)
    draw_feet(paper, scene, layout, bottom - _FEET + 10)
    draw_title(paper, scene, lines)
    draw_legend(paper, scene, ink, bottom + 16)
    return paper.save(format, dpi)
