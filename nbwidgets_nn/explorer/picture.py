"""The explorer as a still picture: heatmaps, and below them the edge graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.widgets._still import Drawable
from nbwidgets_nn.widgets.edge_graph import EdgeGraph
from nbwidgets_nn.widgets.linked_heatmaps import LinkedHeatmaps


class ExplorerPicture(Drawable):
    """Pictures of `heatmaps` and `graph`."""

    heatmaps: LinkedHeatmaps
    graph: EdgeGraph | None

    def to_png(
        self,
        path: str | Path | None = None,
        *,
        parts: str | Sequence[str] | None = None,
        dpi: int = 150,
        theme: str = "light",
    ) -> bytes | Path:
        """Draw the heatmaps as they are shown, and below them the edge graph, as PNG.

        Args:
            path: where to; without one the bytes are returned.
            parts: "heatmaps" or "graph" for one alone; by default both, as far as there is something to draw.
            dpi: dots an inch.
            theme: "light" or "dark".

        Raises:
            ValueError: unknown parts or theme, nothing to draw, or a path with another ending.
            OSError: the path cannot be written; nothing is left behind.
        """
        return super().to_png(path, parts=parts, dpi=dpi, theme=theme)

    def to_svg(
        self,
        path: str | Path | None = None,
        *,
        parts: str | Sequence[str] | None = None,
        theme: str = "light",
    ) -> str | Path:
        """Draw the same as SVG; without a path the text is returned."""
        return super().to_svg(path, parts=parts, theme=theme)

    def _draw(self, format: str, *, parts: str | Sequence[str] | None, **options: Any) -> bytes:  # noqa: A002
        from nbwidgets_nn.figures.explorer import draw_explorer  # noqa: PLC0415 - matplotlib only for a picture
        from nbwidgets_nn.figures.heatmaps import HeatmapPicture  # noqa: PLC0415

        parts = self._checked_parts(parts)
        if "graph" not in parts:
            return self.heatmaps._draw(format, **options)  # noqa: SLF001 - the same for one part
        if "heatmaps" not in parts:
            return self.graph._draw(format, **options)  # noqa: SLF001
        picture = HeatmapPicture(self.heatmaps.content, self.heatmaps.cut, self.heatmaps.selection)
        return draw_explorer(picture, self.graph.content, self.graph.view(), format=format, **options)

    def _checked_parts(self, parts: str | Sequence[str] | None) -> list[str]:
        there = ["graph"] if self.graph is not None and self.graph.content.columns else []
        if self.heatmaps.content.panels or not there:
            there.append("heatmaps")
        if parts is None:
            return there
        asked = [parts] if isinstance(parts, str) else list(parts)
        if not asked or not set(asked) <= {"heatmaps", "graph"}:
            raise ValueError(expected("parts", 'some of "heatmaps" and "graph"', f"{parts!r}"))
        if "graph" in asked and self.graph is None:
            raise ValueError(expected("parts", '"heatmaps", as max_edges=0 left the graph out', f"{parts!r}"))
        return asked
