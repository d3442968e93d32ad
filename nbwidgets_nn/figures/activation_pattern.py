"""`Visualizer`: an activation pattern as a PDF with a page a layer, or as one picture."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.colors import Colormap
from matplotlib.figure import Figure

from nbwidgets_nn._files import write_whole
from nbwidgets_nn._themes import THEMES, theme_called
from nbwidgets_nn.color_range import pattern_ranges
from nbwidgets_nn.figures._file_bytes import file_bytes
from nbwidgets_nn.figures._pattern_page import Band, cell_colors
from nbwidgets_nn.widgets._still import check_ending
from nbwidgets_nn.widgets.layer_pattern import patterns_of

_PAGE = (9.6, 6.4)  # inches
_PART = (6.4, 3.8)  # inches for each layer of a picture of several, two in a row


class Visualizer:
    """Draw what every layer gave: activations, or the coefficients that took their place in a spectrum.

    The channels of a convolution stand side by side, a vector is drawn as bars. NaN, infinite values and what lies outside
    the scale have colours of their own, counted below the colour bar.
    """

    @staticmethod
    def visualize_pattern(
        activations: Any,
        pdf_filepath: str | Path,
        scale: str = "layerscale",
        cmap_style: str | Colormap = "viridis",
        *,
        sample: int = 0,
    ) -> None:
        """Write a PDF with a page a layer.

        Args:
            activations: an `Activations`: a recording, or a spectrum of `NNGraph.transform`.
            pdf_filepath: where to; an existing file is replaced.
            scale: what the colours span: 'layerscale', the values of each layer; 'layernorm', the same centred at 0;
                'globalscale', the values of all layers; 'globalnorm', the same centred at 0. The norms suit diverging colours.
            cmap_style: any of matplotlib's colour maps, by name.
            sample: which sample of a recording of several.

        Raises:
            TypeError, ValueError, IndexError: bad input, by the argument's name.
            OSError: the path cannot be written; nothing is left behind.
        """
        check_ending(pdf_filepath, ".pdf", "pdf_filepath")
        pages = _bands(activations, scale, cmap_style, sample, "light")
        file = BytesIO()
        # Without a date the same pattern is the same file; TrueType keeps the words searchable.
        with mpl.rc_context({"pdf.fonttype": 42}), PdfPages(file, metadata={"CreationDate": None}) as pdf:
            for band in pages:
                figure = Figure(figsize=_PAGE)
                band.draw(figure, _PAGE)
                pdf.savefig(figure)
        write_whole(pdf_filepath, file.getvalue())

    @staticmethod
    def to_png(
        activations: Any, path: str | Path | None = None, *, dpi: int = 150, **options: Any
    ) -> bytes | Path:
        """Draw one layer (``layer=``) or all of them below each other as PNG, with the options of `visualize_pattern`.

        Written to ``path``, which is returned; without one the bytes are. ``theme`` is "light" or "dark".
        """
        check_ending(path, ".png")
        picture = _picture(activations, "png", dpi, **options)
        return picture if path is None else write_whole(path, picture)

    @staticmethod
    def to_svg(activations: Any, path: str | Path | None = None, **options: Any) -> str | Path:
        """Draw one layer (``layer=``) or all of them below each other as SVG, with the options of `visualize_pattern`.

        Written to ``path``, which is returned; without one the text is. ``theme`` is "light" or "dark".
        """
        check_ending(path, ".svg")
        picture = _picture(activations, "svg", 150, **options)
        return picture.decode() if path is None else write_whole(path, picture)


def _picture(
    activations: Any,
    format: str,  # noqa: A002 - matplotlib's name for it
    dpi: int,
    *,
    layer: str | None = None,
    scale: str = "layerscale",
    cmap_style: str | Colormap = "viridis",
    sample: int = 0,
    theme: str = "light",
) -> bytes:
    colors = theme_called(theme)
    bands = _bands(activations, scale, cmap_style, sample, theme)
    if layer is not None:
        name = activations[layer].name  # its KeyError names the layers that there are
        bands = [band for band in bands if band.pattern.name == name]
    columns = min(len(bands), 2)
    rows = -(-len(bands) // columns)
    size = _PAGE if len(bands) == 1 else _PART
    figure = Figure(figsize=(size[0] * columns, size[1] * rows), facecolor=colors.paper)
    places = figure.subfigures(rows, columns, squeeze=False).ravel() if len(bands) > 1 else [figure]
    for band, place in zip(bands, places, strict=False):  # an odd one leaves a place empty
        band.draw(place, size)
    return file_bytes(figure, format, dpi)


def _bands(activations: Any, scale: str, cmap_style: str | Colormap, sample: int, theme: str) -> list[Band]:
    """Return what is drawn of each layer, all checked before anything is drawn."""
    table = cell_colors(cmap_style, THEMES[theme])
    patterns = patterns_of(activations, sample)
    ranges = pattern_ranges([pattern.values for pattern in patterns], scale)
    return [Band(pattern, span, scale, table, theme) for pattern, span in zip(patterns, ranges, strict=True)]
