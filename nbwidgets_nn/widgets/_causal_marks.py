"""bqplot's marks and axes of the causal plane, and how they show which layer is selected."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable

import numpy as np
from ipywidgets import Layout, Widget

from nbwidgets_nn.widgets._panel_style import ACCENT, BRANCH, FAINT, INK, MUTED, PAPER, TOOLTIP
from nbwidgets_nn.widgets.causal_content import CausalContent, LayerPath

with warnings.catch_warnings():
    # bqplot declares traits in a way that traitlets has deprecated, and says so on import.
    warnings.simplefilter("ignore", DeprecationWarning)
    import bqplot


class CausalMarks:
    """The figure's parts: a line a layer, three scatters over all layers (first, later, last points), names, references."""

    def __init__(self, content: CausalContent) -> None:
        (left, right), (bottom, top) = content.limits()
        self.scales = {
            "x": bqplot.LinearScale(min=left, max=right, allow_padding=False),
            "y": bqplot.LinearScale(min=bottom, max=top, allow_padding=False),
        }
        self.axes = [
            self._axis("x", "sensitivity (bits)", "36px"),
            self._axis("y", f"{content.vertical_title} (bits)", "46px", side="left"),
        ]
        self.tooltip = _tooltip(content)
        self._content = content
        self.lines = {
            path.layer: self._line(path.points, color=BRANCH, width=1.4)
            for path in content.paths
            if len(path.rows) > 1
        }
        self.points = self._scatters()
        self.names = list(self._names())
        self.drop = self._line(np.zeros((2, 2)), color=ACCENT, width=1.2)
        self.references = list(self._references())

    @property
    def all(self) -> list[bqplot.Mark]:
        """Every mark, what is drawn later standing above what was drawn before."""
        scatters = [mark for mark, _ in self.points]
        return [*self.references, *self.lines.values(), self.drop, *scatters, *self.names]

    @property
    def parts(self) -> list[Widget]:
        """Everything that has to be closed."""
        return [*self.all, *self.axes, self.tooltip, *self.scales.values()]

    def figure(self) -> bqplot.Figure:
        """Make the figure of all marks."""
        return bqplot.Figure(
            marks=self.all,
            axes=self.axes,
            fig_margin={"top": 8, "bottom": 46, "left": 62, "right": 12},
            layout=Layout(width="100%", height="400px", min_width="0"),
            display_toolbar=False,
        )

    def on_click(self, pick: Callable[[str], None]) -> None:
        """Call ``pick`` with the layer whose point is clicked."""
        for mark, layers in self.points:
            mark.on_element_click(lambda _mark, event, layers=layers: pick(layers[event["data"]["index"]]))

    def select(self, layer: str) -> None:
        """Let the layer's marks wear the accent; a name that is not on the plane takes it from all."""
        for name, line in self.lines.items():
            line.colors, line.stroke_width = ([ACCENT], 2.2) if name == layer else ([BRANCH], 1.4)
        for mark, layers in self.points:
            chosen = [index for index, name in enumerate(layers) if name == layer]
            mark.selected = np.array(chosen, np.uint32) if chosen else None
        for mark in self.names:
            mark.colors = [ACCENT if name == layer else INK for name in mark.text.tolist()]
        drop = self._content.drop(layer)
        self.drop.visible = drop is not None
        if drop is not None:
            self.drop.x, self.drop.y = drop.T

    def _axis(self, name: str, label: str, offset: str, **options: str) -> bqplot.Axis:
        options = {"grid_color": FAINT, "tick_format": ",", "label_offset": offset, **options}
        return bqplot.Axis(scale=self.scales[name], label=label, **options)

    def _line(self, points: np.ndarray, *, color: str, width: float, style: str = "solid") -> bqplot.Lines:
        """Draw one line through (n, 2) points, or a line through each of (lines, n, 2)."""
        return bqplot.Lines(
            x=points[..., 0],
            y=points[..., 1],
            scales=self.scales,
            colors=[color],
            stroke_width=width,
            line_style=style,
        )

    def _scatters(self) -> list[tuple[bqplot.Scatter, list[str]]]:
        """Draw later points small, first ones hollow, last ones large; each scatter with the layers of its points."""
        paths = self._content.paths
        later = [(path, k) for path in paths for k in range(1, len(path.rows) - 1)]
        first = [(path, 0) for path in paths if len(path.rows) > 1]
        last = [(path, -1) for path in paths]
        looks = (
            # A wide stroke that is not seen makes a small point easier to hit.
            (
                later,
                ACCENT,
                {"default_size": 18, "colors": [BRANCH], "stroke": "transparent", "stroke_width": 8},
            ),
            (first, PAPER, {"default_size": 50, "colors": [PAPER], "stroke": BRANCH, "stroke_width": 1.5}),
            (last, ACCENT, {"default_size": 110, "colors": [INK], "stroke": PAPER, "stroke_width": 1.5}),
        )
        return [
            (self._scatter(points, fill, look), [path.layer for path, _ in points])
            for points, fill, look in looks
            if points
        ]

    def _scatter(self, points: list[tuple[LayerPath, int]], selected_fill: str, look: dict) -> bqplot.Scatter:
        xy = np.array([path.points[k] for path, k in points])
        selected = {"fill": selected_fill} | ({"stroke": ACCENT} if selected_fill == PAPER else {})
        return bqplot.Scatter(
            x=xy[:, 0],
            y=xy[:, 1],
            # Without a scale of its own the size only travels: to the tooltip.
            size=np.array([path.rows[k].ei_parts.value for path, k in points]),
            names=[path.names[k] for path, k in points],
            names_unique=False,  # else bqplot would draw only one of two checkpoints with the same label
            display_names=False,
            scales=self.scales,
            selected_style=selected,
            tooltip=self.tooltip,
            tooltip_style=TOOLTIP,
            **look,
        )

    def _names(self) -> Iterable[bqplot.Label]:
        """Write the layers' names, those on the same side of their points as one mark."""
        places = self._content.label_places()
        for place in dict.fromkeys(filter(None, places.values())):
            paths = [path for path in self._content.paths if places[path.layer] == place]
            xy = np.array([path.points[-1] for path in paths])
            yield self._label(
                xy,
                [path.layer for path in paths],
                x_offset=place.right,
                y_offset=place.down,
                align=place.align,
                default_size=12,
            )

    def _label(self, xy: np.ndarray, text: list[str], *, color: str = INK, **look: str | int) -> bqplot.Label:
        return bqplot.Label(
            x=xy[:, 0],
            y=xy[:, 1],
            text=np.atleast_1d(text),
            colors=[color],
            scales=self.scales,
            font_weight="normal",
            **look,
        )

    def _references(self) -> Iterable[bqplot.Mark]:
        """Draw where a quantity is 0, the diagonal, and the error bars: all that no click reaches."""
        (left, right), (bottom, top) = self._content.limits()
        zeros = np.array([[(left, 0), (right, 0)], [(0, bottom), (0, top)]])
        yield self._line(zeros, color=BRANCH, width=0.6)
        diagonal = self._content.diagonal()
        if diagonal is not None:
            yield self._line(diagonal.line, color=MUTED, width=1, style="dashed")
            yield self._label(
                diagonal.at[None], [diagonal.text], color=MUTED, x_offset=-16, align="end", default_size=11
            )
        bars = self._content.error_bars()
        if len(bars):
            yield self._line(bars, color=MUTED, width=1)


def _tooltip(content: CausalContent) -> bqplot.Tooltip:
    fields = {"name": "", "x": "sensitivity, bits", "y": f"{content.vertical_title}, bits"}
    if content.of != "ei_parts":
        fields["size"] = "EI_parts, bits"
    return bqplot.Tooltip(
        fields=list(fields),
        formats=["" if field == "name" else ",.4~g" for field in fields],
        labels=list(fields.values()),
    )
