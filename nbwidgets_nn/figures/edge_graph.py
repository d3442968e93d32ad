"""A still picture of an edge graph: the units, edges, colours, selection and paths that the widget shows, without zoom."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from nbwidgets_nn.figures._edge_ink import LIT, STEPPED_BACK, EdgeInk, ink_for
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
from nbwidgets_nn.widgets._edge_layout import HEAD_HEIGHT, GraphLayout, lay_out
from nbwidgets_nn.widgets._edge_scene import EdgeScene, EdgeView
from nbwidgets_nn.widgets.edge_graph_content import EdgeGraphContent

WIDTH = 1080.0
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
    picture = EdgePicture(content, view)
    paper = Paper(picture.width, picture.height, theme)
    picture.draw_on(paper)
    return paper.save(format, dpi)


class EdgePicture:
    """The picture of one scene: how high it is at some width, and how it is drawn; all in pixels of a screen.

    Raises:
        ValueError: nothing to draw.
    """

    def __init__(self, content: EdgeGraphContent, view: EdgeView, width: float = WIDTH) -> None:
        if not content.columns:
            raise ValueError(f"there is nothing to draw: {content.message}")
        self.width = width
        self._scene = EdgeScene(content, view)

    @cached_property
    def _lines(self) -> list[str]:
        return wrapped(self._scene.sentences(), self.width - 2 * MARGIN)

    @property
    def _top(self) -> float:
        below = len(self._lines) - lines_beside(self.width, self._scene.heading, self._lines)
        return 44.0 + 15 * below

    @property
    def _bottom(self) -> float:
        return self._top + self._scene.view.height

    @property
    def height(self) -> float:
        """Return how high a sheet it needs."""
        return self._bottom + _LEGEND

    def draw_on(self, paper: Paper) -> None:
        """Draw on a sheet of this width and height."""
        scene, content = self._scene, self._scene.content
        left, right = side_room(scene, 0), self.width - side_room(scene, -1)
        rows = rows_of_heads(scene, (right - left) / max(1, len(content.columns) - 1))
        top = self._top + rows * HEAD_HEIGHT
        layout = lay_out(content, left=left, right=right, top=top, bottom=self._bottom - _FEET)
        ink = ink_for(sum(map(len, scene.drawn)))
        _draw_bundles(paper, scene, layout, ink)
        for column, place in zip(content.columns, layout.columns, strict=True):
            draw_column(paper, scene, column, place)
        draw_labels(paper, scene, layout)
        draw_heads(paper, scene, layout, self._top, rows)
        draw_feet(paper, scene, layout, self._bottom - _FEET + 10)
        draw_title(paper, scene, self._lines)
        draw_legend(paper, scene, ink, self._bottom + 16)


def _draw_bundles(paper: Paper, scene: EdgeScene, layout: GraphLayout, ink: EdgeInk) -> None:
    """Draw the strongest edges, and over them those of the lit paths, whether they are among the strongest or not."""
    opacity = STEPPED_BACK if scene.lit.into or scene.lit.out else 1.0
    for k, (bundle, edges) in enumerate(zip(scene.content.bundles, scene.drawn, strict=True)):
        relative = scene.strengths.relative(k)
        draw_bundle(paper, layout, bundle, edges, relative, ink, opacity=opacity)
        lit = np.array(scene.lit.edges_of(k), np.intp)
        draw_bundle(
            paper,
            layout,
            bundle,
            lit[np.argsort(np.abs(relative[lit]), kind="stable")],
            relative,
            LIT,
            level=3,
        )
