"""A still picture of the spectrum: energy of the layers, the layer's activations, its coefficients, and what is touched."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from nbwidgets_nn._themes import theme_called
from nbwidgets_nn.figures._file_bytes import file_bytes
from nbwidgets_nn.figures._pattern_page import Page
from nbwidgets_nn.figures._spectrum_panels import SIZE, draw_energy, energy_size, panels

if TYPE_CHECKING:
    from nbwidgets_nn.widgets._spectrum_state import SpectrumState

_LINE = 0.17  # inches


def draw_spectrum(
    state: SpectrumState,
    *,
    format: str = "png",  # noqa: A002 - matplotlib's name for it
    dpi: int = 150,
    theme: str = "light",
) -> bytes:
    """Draw panels side by side below the energy of the layers, and return the file's bytes.

    Raises:
        ValueError: a theme that is neither "light" nor "dark".
    """
    colors = theme_called(theme)
    picked = state.picked_here
    shown = panels(state, (*state.marked, *([np.array([picked])] if picked is not None else [])))
    width = SIZE[0] * max(len(shown), 2)
    lines = [line for part in state.words for line in wrap(part, int((width - 0.6) * 15.5))]
    names = [layer.name for layer in state.content.layers]
    top = energy_size(names, width)[1] + 0.7 + _LINE * len(lines)
    figure = Figure(figsize=(width, top + SIZE[1]), facecolor=colors.paper)
    above, below = figure.subfigures(2, height_ratios=(top, SIZE[1]))
    above.set_facecolor(colors.paper)
    page = Page(above, (width, top), colors)
    page.write(state.title, 0.0, top - 0.35, size=12, weight="bold", color=colors.ink)
    for k, line in enumerate(lines):
        page.write(line, 0.0, top - 0.6 - _LINE * k)
    draw_energy(page, 0.05, state, colors, state.layer)
    places = below.subfigures(1, max(len(shown), 2), squeeze=False)[0]
    for place, panel in zip(places, shown, strict=False):
        panel.draw(place, theme)
    return file_bytes(figure, format, dpi)
