"""Every layer's share of the energy, and how much of it is touched: an overview in which layers are picked."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from ipywidgets import Image, Layout
from numpy.typing import NDArray

from nbwidgets_nn.widgets._energy_scale import EnergyScale
from nbwidgets_nn.widgets._panel_style import ACCENT, FAINT, INK, MUTED, SUM
from nbwidgets_nn.widgets._pattern_panel import CLEAR

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # as in _pattern_panel
    import bqplot

_LETTER, _NARROW = (
    6.5,
    520,
)  # pixels: names that do not fit side by side into a narrow panel are written at a slant
_NAMED = 60  # of more layers, every second or third is named


class LayerBars:
    """Two bars a layer; a click anywhere above a name picks the layer.

    Args:
        names: of the layers.
        pick: called with the position of a layer.
    """

    def __init__(self, names: Sequence[str], pick: Callable[[int], None]) -> None:
        self.names = list(names)
        count = len(self.names)
        x = np.arange(count)
        self._across = bqplot.LinearScale(min=-0.5, max=count - 0.5, allow_padding=False)
        self._up = bqplot.LinearScale(min=0, max=1, allow_padding=False)
        scales = {"x": self._across, "y": self._up}
        self._bars = bqplot.Bars(
            x=np.arange(count + 1),
            y=np.zeros((2, count + 1)),
            scales=scales,
            type="grouped",
            color_mode="element",
            colors=[SUM, INK],
            padding=0.25,
            stroke=None,
        )
        self._cover = bqplot.Image(
            image=Image(value=CLEAR, format="png"), scales=scales, x=[-0.5, count - 0.5], y=[0, 1]
        )
        self._cover.on_element_click(lambda _, event: self._clicked(event["data"]["click_x"], pick))
        slanted = count * (_LETTER * max(map(len, self.names)) + 8) > _NARROW
        every = -(-count // _NAMED)
        self._named = list(range(0, count, every))
        self._labels = _label(
            x=x[self._named],
            y=np.zeros(len(self._named)),
            text=[self.names[k] for k in self._named],
            scales=scales,
            colors=[INK],
            align="start" if slanted else "middle",
            rotate_angle=35 if slanted else 0,
            y_offset=14,
        )
        self._line = bqplot.Lines(x=[0, 1], y=[0, 0], scales=scales, colors=[ACCENT], stroke_width=6)
        # An axis of bqplot draws names of ticks once, and keeps them when they change.
        self._axis = axis = bqplot.Axis(
            scale=self._up, side="left", grid_color=FAINT, tick_style={"display": "none"}
        )
        self._ticks = _label(
            x=[-0.5],
            y=[0.0],
            text=["0"],
            scales=scales,
            colors=[MUTED],
            align="end",
            x_offset=-5,
            y_offset=4,
        )
        bottom = 12 + (6 * min(max(map(len, self.names)), 16) if slanted else 14)
        self.figure = bqplot.Figure(
            marks=[self._bars, self._line, self._labels, self._ticks, self._cover],
            axes=[axis],
            fig_margin={"top": 6, "bottom": bottom, "left": 44, "right": 40 if slanted else 4},
            layout=Layout(width="100%", height=f"{96 + bottom}px", min_width="0"),
            display_toolbar=False,
        )
        self.parts = [
            *self.figure.marks,
            self._cover.image,
            axis,
            self._across,
            self._up,
            self.figure.scale_x,
            self.figure.scale_y,
            self.figure,
        ]

    def show(self, shares: Sequence[NDArray], selected: int) -> None:
        """Show one or two shares of each layer and which layer is selected."""
        # One more layer that nobody sees, and always two rows: bqplot takes a single bar for a number.
        scale = EnergyScale.of(shares)
        heights = np.array([scale.heights(part) for part in shares])
        self._bars.y = np.pad(heights, ((0, 2 - len(shares)), (0, 1)))
        at, said = zip(*scale.ticks, strict=True)
        self._axis.tick_values = np.array(at)
        with self._ticks.hold_sync():
            self._ticks.x, self._ticks.y = np.full(len(at), -0.5), np.array(at)
            self._ticks.text = np.array(said)
        self._labels.colors = [ACCENT if k == selected else INK for k in self._named]
        self._line.x = [selected - 0.42, selected + 0.42]

    def _clicked(self, x: float, pick: Callable[[int], None]) -> None:
        pick(min(max(round(x), 0), len(self.names) - 1))


def _label(**options: Any) -> bqplot.Label:
    return bqplot.Label(default_size=11, font_weight="normal", apply_clip=False, **options)
