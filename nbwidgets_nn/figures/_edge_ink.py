"""How the strength of an edge becomes width and ink. Twin: ``js/src/views/graph_edges.ts``."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn._themes import THEMES
from nbwidgets_nn.color_range import LEVELS, MINUS_INFINITY, NOT_A_NUMBER, PLUS_INFINITY
from nbwidgets_nn.colormaps import color_table

# How far from the middle of the diverging table, which is the colour of the paper, the weakest and the strongest edge are.
_SHADES = (0.4, 0.86)
_MARKED_WIDTH, _MARKED_OPACITY = 1.4, 0.95
# What stands out does so only if the rest steps back.
STEPPED_BACK = 0.22


def code_colors(*, diverging: bool, theme: str) -> NDArray[np.float64]:
    """Return the colours (256, 3) of all codes: the table, then the marks."""
    return np.concatenate(
        [color_table(diverging=diverging, theme=theme, quiet=True) / 255, rgb_of(THEMES[theme].marks)]
    )


def rgb_of(colors: tuple[str, ...] | list[str]) -> NDArray[np.float64]:
    """Return colours written like #1c2128 as (colours, 3) shares of red, green and blue."""
    return np.array([[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in colors]) / 255


@dataclass(frozen=True)
class EdgeInk:
    """Width in pixels and opacity of the weakest and the strongest edge; ink grows with strength to the power gamma."""

    widths: tuple[float, float]
    opacities: tuple[float, float]
    gamma: float

    def width(self, relative: NDArray) -> NDArray[np.float64]:
        """Return how wide edges of some relative strengths are."""
        return np.where(np.isfinite(relative), _between(self.widths, _size(relative)), _MARKED_WIDTH)

    def color(self, relative: NDArray, theme: str) -> NDArray[np.float64]:
        """Return red, green, blue and opacity (edges, 4); what is not finite has its mark's colour."""
        shade = _size(relative) ** self.gamma
        away = np.sign(np.nan_to_num(relative)) * _between(_SHADES, shade)
        code = np.floor((LEVELS - 1) * (0.5 + 0.5 * away) + 0.5).astype(int)
        for mark, where in (
            (NOT_A_NUMBER, np.isnan(relative)),
            (MINUS_INFINITY, relative == -np.inf),
            (PLUS_INFINITY, relative == np.inf),
        ):
            code[where] = mark
        opacity = np.where(np.isfinite(relative), _between(self.opacities, shade), _MARKED_OPACITY)
        return np.column_stack([code_colors(diverging=True, theme=theme)[code], opacity])


LIT = EdgeInk(widths=(1.2, 3.4), opacities=(1.0, 1.0), gamma=0.8)
"""For the few edges that are lit: full colour, and a width that tells them apart."""


def ink_for(count: int) -> EdgeInk:
    """Choose the ink for a number of edges: the more, the thinner and the paler, so that what is strong stands out."""
    crowd = min(1.0, max(0.0, log10(max(1, count) / 400) / 2.4))

    def mix(few: float, many: float) -> float:
        return few + (many - few) * crowd

    opacities = (0.2 * 0.17**crowd, mix(0.95, 0.75))
    return EdgeInk((mix(0.7, 0.5), mix(2.6, 1.6)), opacities, mix(1.1, 1.4))


def _size(relative: NDArray) -> NDArray[np.float64]:
    return np.nan_to_num(np.abs(relative), nan=1.0, posinf=1.0)


def _between(ends: tuple[float, float], share: NDArray) -> NDArray[np.float64]:
    return ends[0] + (ends[1] - ends[0]) * share
