"""A spectrum over frequencies: how much of the energy lies at each, and any of them can be clicked."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np
from ipywidgets import HTML, Image, Layout, VBox, Widget
from numpy.typing import NDArray

from nbwidgets_nn.widgets._panel_style import ACCENT, FAINT, INK
from nbwidgets_nn.widgets._pattern_panel import CLEAR, head, round_ticks

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # as in _pattern_panel
    import bqplot


FREQUENCY = "frequency (eigenvalue of the graph's Laplacian)"


class FrequencyPanel(VBox):
    """Shows the share of the energy of each eigenspace as a line that stands on its frequency.

    Args:
        pick: called with which eigenspace is clicked.
    """

    _parts: Sequence[Widget] = ()

    def __init__(self, pick: Callable[[int], None]) -> None:
        self._frequencies = np.zeros(1)
        self._pick = pick
        self._head = HTML()
        self._across = bqplot.LinearScale(min=0, max=1, allow_padding=False)
        self._up = bqplot.LinearScale(min=0, max=1, allow_padding=False)
        scales = {"x": self._across, "y": self._up}
        self._comb = bqplot.Lines(x=[0, 0], y=[0, 0], scales=scales, colors=[INK], stroke_width=1.5)
        self._chosen = bqplot.Lines(x=[0, 0], y=[0, 0], scales=scales, colors=[ACCENT], stroke_width=3)
        # Among many a thick line alone is not found.
        self._where = bqplot.Lines(
            x=[0, 0], y=[0, 0], scales=scales, colors=[ACCENT], stroke_width=1, line_style="dashed"
        )
        self._cover = bqplot.Image(image=Image(value=CLEAR, format="png"), scales=scales)
        self._cover.on_element_click(lambda _, event: self._clicked(event["data"]["click_x"]))
        self._axes = axes = [
            bqplot.Axis(scale=self._across, grid_lines="none", label=FREQUENCY, label_offset="30px"),
            bqplot.Axis(scale=self._up, side="left", grid_color=FAINT, tick_format=".3~%"),
        ]
        self.figure = bqplot.Figure(
            marks=[self._comb, self._where, self._chosen, self._cover],
            axes=axes,
            fig_margin={"top": 8, "bottom": 40, "left": 50, "right": 10},
            layout=Layout(width="100%", height="270px", min_width="0"),
            display_toolbar=False,
        )
        parts = [*self.figure.marks, self._cover.image, *axes, self._across, self._up]
        parts += [self.figure.scale_x, self.figure.scale_y]
        super().__init__(
            [self._head, self.figure], layout=Layout(flex="1 1 260px", min_width="0", max_width="100%")
        )
        self._parts = (*parts, *self.children)

    def show(self, frequencies: NDArray, shares: NDArray, picked: int | None) -> None:
        """Show the shares of all eigenspaces, and which of them is picked."""
        self._frequencies = frequencies
        count = f"{len(shares):,} frequencies" if len(shares) > 1 else "the one frequency"
        self._head.value = head("Spectrum", f"share of the energy at {count}")
        heights = np.nan_to_num(shares)
        x = np.repeat(frequencies, 3)
        y = np.stack([np.zeros_like(heights), heights, np.zeros_like(heights)], axis=1).ravel()
        low, high = float(frequencies.min()), float(frequencies.max())
        room = 0.02 * (high - low) or 0.5
        top = float(heights.max(initial=0.0)) * 1.05 or 1.0
        self._across.min, self._across.max, self._up.max = low - room, high + room, top
        self._axes[0].tick_values = round_ticks(low, high, 6)
        self._axes[1].tick_values = round_ticks(0, top, 4)
        self._cover.x, self._cover.y = [low - room, high + room], [0, top]
        with self._comb.hold_sync():
            self._comb.x, self._comb.y = x, y
        self._chosen.visible = self._where.visible = picked is not None
        if picked is not None:
            # A share that is too small to be seen is still marked where it stands.
            at = max(heights[picked], 0.02 * top)
            self._chosen.x, self._chosen.y = [frequencies[picked]] * 2, [0, at]
            self._where.x, self._where.y = [frequencies[picked]] * 2, [0, top]

    def _clicked(self, x: float) -> None:
        self._pick(int(np.argmin(np.abs(self._frequencies - x))))

    def close(self) -> None:
        """Close everything that the panel is made of."""
        for part in self._parts:
            part.close()
        self._parts = ()
        super().close()
