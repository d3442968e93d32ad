"""A still picture of the explorer: the heatmaps of a layer, and below them the edges of all layers, in the same width."""

from __future__ import annotations

from matplotlib.figure import Figure

from nbwidgets_nn._themes import theme_called
from nbwidgets_nn.figures._file_bytes import file_bytes
from nbwidgets_nn.figures._paper import PIXELS_PER_INCH, Paper
from nbwidgets_nn.figures.edge_graph import WIDTH, EdgePicture
from nbwidgets_nn.figures.heatmaps import HeatmapPicture
from nbwidgets_nn.widgets._edge_scene import EdgeView
from nbwidgets_nn.widgets.edge_graph_content import EdgeGraphContent


def draw_explorer(
    heatmaps: HeatmapPicture,
    content: EdgeGraphContent,
    view: EdgeView,
    *,
    format: str = "png",  # noqa: A002 - matplotlib's name for it
    dpi: int = 150,
    theme: str = "light",
) -> bytes:
    """Draw both and return the file's bytes. Heatmaps that want less width than edges need keep their own.

    Raises:
        ValueError: a theme that is neither "light" nor "dark", or no edges to draw.
    """
    wide, high = heatmaps.inches
    width = max(wide, WIDTH / PIXELS_PER_INCH)
    edges = EdgePicture(content, view, width * PIXELS_PER_INCH)
    below = edges.height / PIXELS_PER_INCH
    figure = Figure(figsize=(width, high + below), facecolor=theme_called(theme).paper, layout="constrained")
    columns = [wide] if wide == width else [wide, width - wide]
    parts = figure.add_gridspec(2, len(columns), width_ratios=columns, height_ratios=(high, below))
    heatmaps.draw_on(figure.add_subfigure(parts[0, 0], facecolor="none"), theme)
    # Constraints move parts by a hair; the edges stand where their pixels are.
    edges.draw_on(Paper(edges.width, edges.height, theme, figure))
    return file_bytes(figure, format, dpi)
