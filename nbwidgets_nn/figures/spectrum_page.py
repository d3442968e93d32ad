"""The still pictures of a spectrum for a saved page, with the places of the units in them, so that they can be linked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nbwidgets_nn._themes import THEMES
from nbwidgets_nn.figures._file_bytes import file_bytes
from nbwidgets_nn.figures._pattern_page import Page
from nbwidgets_nn.figures._spectrum_panels import SIZE, Shown, draw_energy, energy_size, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nbwidgets_nn.widgets._spectrum_state import SpectrumState

_PIXELS = 96  # an inch

Draw = Callable[[Figure, str], "Axes | None"]


def overview_picture(state: SpectrumState) -> dict[str, Any]:
    """Return the energy of the layers; its boxes are those of the layers."""
    names = [layer.name for layer in state.content.layers]
    size = energy_size(names)

    def draw(figure: Figure, theme: str) -> Axes:
        return draw_energy(Page(figure, size, THEMES[theme]), 0.0, state, THEMES[theme])

    left = np.arange(len(names)) - 0.5
    boxes = np.stack([left, np.ones_like(left), left + 1, np.zeros_like(left)], axis=1)
    said = "; ".join(f"{name}: {_largest(names, shares)}" for name, shares in state.energies.items())
    return _picture("Energy of the layers", said, size, draw, boxes)


def panel_pictures(state: SpectrumState) -> list[dict[str, Any]]:
    """Return a picture of each panel of the layer; the boxes are those of its units, none where frequencies stand."""
    found = []
    for panel in panels(state):
        boxes = panel.boxes() if isinstance(panel, Shown) else np.empty((0, 4))
        found.append(_picture(panel.title, f"{panel.title} of {state.shown.words}", SIZE, panel.draw, boxes))
    return found


def _picture(
    title: str, said: str, size: tuple[float, float], draw: Draw, boxes: NDArray[np.float64]
) -> dict[str, Any]:
    """Draw for light and for dark pages; boxes become shares of the picture's width and height from its upper left."""
    files, axes = {}, None
    for theme, colors in THEMES.items():
        figure = Figure(figsize=size, facecolor=colors.paper)
        axes = draw(figure, theme)
        files[theme] = np.frombuffer(file_bytes(figure, "svg", 72), np.uint8)
    placed = np.empty((0, 4), np.float32)
    if axes is not None and len(boxes):
        corners = figure.transFigure.inverted().transform(axes.transData.transform(boxes.reshape(-1, 2)))
        corners[:, 1] = 1 - corners[:, 1]
        placed = corners.reshape(-1, 4).astype(np.float32)
    return {
        "title": title,
        "alt": said,
        "files": files,
        "width": round(size[0] * _PIXELS),
        "height": round(size[1] * _PIXELS),
        "boxes": placed,
    }


def _largest(names: list[str], shares: NDArray) -> str:
    order = np.argsort(-np.nan_to_num(shares), kind="stable")[:3]
    return ", ".join(f"{names[k]} {100 * np.nan_to_num(shares[k]):.3g} %" for k in order)
