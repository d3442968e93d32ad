"""One layer's numbers in a panel: maps side by side as a picture, a vector as bars, and any of them can be clicked."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from html import escape

import numpy as np
from ipywidgets import HTML, Image, Layout, VBox, Widget
from numpy.typing import NDArray

from nbwidgets_nn._themes import MARKS, THEMES
from nbwidgets_nn._words import format_number
from nbwidgets_nn.color_range import LEVELS, ColorRange, encode
from nbwidgets_nn.widgets._panel_style import ACCENT, BRANCH, FAINT, SUM
from nbwidgets_nn.widgets._pattern_png import TOUCHED, colors, pattern_png
from nbwidgets_nn.widgets.spectrum_content import SpectrumLayer

with warnings.catch_warnings():
    # bqplot declares traits in a way that traitlets has deprecated, and says so on import.
    warnings.simplefilter("ignore", DeprecationWarning)
    import bqplot

Box = tuple[float, float, float, float]

_NOTHING = {"top": 0, "bottom": 0, "left": 0, "right": 0}
_HIGH, _ACROSS = 270, 380  # pixels of a panel
_SMOOTH = 480  # a picture of more pixels is shrunk on most screens: then neighbours are averaged
# One pixel that is not seen: it lies over bars, so that a click beside a short one still reaches it.
CLEAR = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d494441"
    "5478da63606060600000000500017aa857500000000049454e44ae426082"
)


class PatternPanel(VBox):
    """Shows one layer at a time.

    Args:
        title: what the numbers are.
        pick: called with the flat index of a unit that is clicked; of several that share a pixel, the strongest.
    """

    _parts: Sequence[Widget] = ()

    def __init__(self, title: str, pick: Callable[[int], None]) -> None:
        self.title = title
        self._pick = pick
        self._layer: SpectrumLayer | None = None
        self._values = np.empty(0)
        self._head, self._foot = HTML(), HTML()
        self._cells, self._bars = _Cells(self._picked_at), _Bars(self._picked_bar)
        super().__init__(
            [self._head, self._cells.figure, self._bars.figure, self._foot],
            layout=Layout(flex="1 1 260px", min_width="0", max_width="100%"),
        )
        self._parts = (*self._cells.parts, *self._bars.parts, *self.children)

    def show(
        self,
        layer: SpectrumLayer,
        values: NDArray,
        span: ColorRange,
        marked: Sequence[NDArray],
        picked: int | None,
        words: str = "",
    ) -> None:
        """Show a layer's values; ``marked`` are flat indices in groups, one outline a group, ``picked`` is one more.

        ``words`` stand behind the title, by default the layer's.
        """
        self._layer, self._values = layer, values
        codes = encode(values.reshape(1, -1), span)[0]
        self._head.value = head(self.title, words or layer.words)
        self._foot.value = _legend(layer, codes, span)
        vector = layer.layout.is_vector
        self._bars.figure.layout.display = "" if vector and layer.size else "none"
        self._cells.figure.layout.display = "none" if vector or not layer.size else ""
        if not layer.size:
            return
        if vector:
            chosen = {int(k) for group in marked for k in group} | ({picked} if picked is not None else set())
            touched = set(np.flatnonzero(values).tolist()) if span is TOUCHED else set()
            self._bars.show(values, span, chosen | touched)
        else:
            groups = [*marked, *([[picked]] if picked is not None else [])]
            self._cells.show(
                layer, values, span, [layer.layout.around(group) for group in groups if len(group)]
            )

    def clear(self, words: str) -> None:
        """Show nothing but words."""
        self._layer = None
        self._head.value = head(self.title, words)
        self._foot.value = ""
        self._bars.figure.layout.display = self._cells.figure.layout.display = "none"

    def _picked_at(self, x: float, y: float) -> None:
        if self._layer is None:
            return
        found = self._layer.layout.units_at(x, y)
        if len(found):
            strength = np.abs(self._values.ravel()[found].astype(np.float64))
            self._pick(int(found[np.argmax(np.where(np.isnan(strength), np.inf, strength))]))

    def _picked_bar(self, k: int) -> None:
        if self._layer is not None and 0 <= k < self._layer.size:
            self._pick(k)

    def close(self) -> None:
        """Close everything that the panel is made of."""
        for part in self._parts:
            if isinstance(part, bqplot.Image):
                part.image.close()
            part.close()
        self._parts = ()
        super().close()


class _Cells:
    """A figure with the picture in both themes and outlines over it."""

    def __init__(self, pick: Callable[[float, float], None]) -> None:
        self._across = bqplot.LinearScale(min=0, max=1, allow_padding=False)
        self._down = bqplot.LinearScale(min=0, max=1, allow_padding=False, reverse=True)
        scales = {"x": self._across, "y": self._down}
        self._pictures = {
            theme: bqplot.Image(image=Image(value=CLEAR, format="png"), scales=scales) for theme in THEMES
        }
        for picture in self._pictures.values():
            picture.on_element_click(
                lambda _, event: pick(event["data"]["click_x"], event["data"]["click_y"])
            )
        self._outline = bqplot.Lines(
            x=[0.0, 0.0], y=[0.0, 0.0], scales=scales, colors=[ACCENT], stroke_width=2
        )
        self.figure = bqplot.Figure(
            marks=[*self._pictures.values(), self._outline],
            fig_margin=_NOTHING,
            layout=Layout(width="100%", height=f"{_HIGH}px", min_width="0"),
            display_toolbar=False,
        )
        self.figure.add_class("nbw-cells")
        self.parts = [
            *self._pictures.values(),
            self._outline,
            self._across,
            self._down,
            self.figure.scale_x,
            self.figure.scale_y,
        ]

    def show(self, layer: SpectrumLayer, values: NDArray, span: ColorRange, boxes: list[Box]) -> None:
        height, width = layer.layout.pixels
        self._across.max, self._down.max = float(width), float(height)
        for theme, png in pattern_png(layer.layout, values, span).items():
            picture = self._pictures[theme]
            old = picture.image
            # bqplot draws another picture, but not another value of the same one.
            picture.image = Image(value=png, format="png")
            old.layout.close()
            old.close()
            picture.x, picture.y = [0, width], [height, 0]
            picture.pixelated = max(height, width) <= _SMOOTH
        # A wide picture needs no more height than it has at the width of a wide panel.
        self.figure.layout.height = f"{min(_HIGH, round(_ACROSS / layer.layout.aspect))}px"
        # In this order neither is ever beyond the other, which bqplot refuses.
        self.figure.max_aspect_ratio = max(layer.layout.aspect, self.figure.min_aspect_ratio)
        self.figure.min_aspect_ratio = self.figure.max_aspect_ratio = layer.layout.aspect
        corners = np.array([_corners(box) for box in boxes]).reshape(-1, 5, 2)
        self._outline.visible = bool(len(boxes))
        if len(boxes):
            self._outline.x, self._outline.y = corners[..., 0], corners[..., 1]


class _Bars:
    """A figure with a bar a unit; a click anywhere above or below a bar is a click on it."""

    def __init__(self, pick: Callable[[int], None]) -> None:
        self._across = bqplot.LinearScale(min=-0.5, max=0.5, allow_padding=False)
        self._up = bqplot.LinearScale(min=0, max=1, allow_padding=False)
        scales = {"x": self._across, "y": self._up}
        self._bars = bqplot.Bars(x=[0, 1], y=[0, 0], scales=scales, colors=[SUM], padding=0.15, stroke=None)
        self._cover = bqplot.Image(image=Image(value=CLEAR, format="png"), scales=scales)
        self._cover.on_element_click(lambda _, event: pick(round(event["data"]["click_x"])))
        self._axes = [
            bqplot.Axis(
                scale=self._across, grid_lines="none", tick_format="d", label="unit", label_offset="28px"
            ),
            bqplot.Axis(scale=self._up, side="left", grid_color=FAINT, tick_format=".3~g"),
        ]
        self.figure = bqplot.Figure(
            marks=[self._bars, self._cover],
            axes=self._axes,
            fig_margin={"top": 8, "bottom": 40, "left": 44, "right": 4},
            layout=Layout(width="100%", height=f"{_HIGH}px", min_width="0"),
            display_toolbar=False,
        )
        self.parts = [
            self._bars,
            self._cover,
            *self._axes,
            self._across,
            self._up,
            self.figure.scale_x,
            self.figure.scale_y,
        ]

    def show(self, values: NDArray, span: ColorRange, chosen: set[int]) -> None:
        numbers = values.ravel().astype(np.float64)
        low, high = min(span.low, 0.0), max(span.high, 0.0)
        room = 0.03 * (high - low)
        # A bar that is not defined has no height; an infinite one ends at the axes' ends. The legend counts both.
        heights = np.clip(np.nan_to_num(numbers, nan=0.0, posinf=high, neginf=low), low, high)
        with self._bars.hold_sync():
            # One more that nobody sees: bqplot takes a single bar for a number.
            self._bars.x, self._bars.y = np.arange(len(heights) + 1), np.append(heights, 0.0)
            self._bars.colors = [ACCENT if k in chosen else SUM for k in range(len(heights))]
        self._across.min, self._across.max = -0.5, len(heights) - 0.5
        self._up.min, self._up.max = low - room, high + room
        self._axes[0].tick_values = round_ticks(0, len(heights) - 1, 6, whole=True)
        self._axes[1].tick_values = round_ticks(low, high, 4)
        self._cover.x, self._cover.y = [-0.5, len(heights) - 0.5], [low - room, high + room]


def _corners(box: Box) -> list[tuple[float, float]]:
    left, top, right, bottom = box
    return [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]


def round_ticks(low: float, high: float, count: int, *, whole: bool = False) -> NDArray[np.float64]:
    """Return about so many round numbers from low to high: bqplot would cut the axis into equal parts.

    >>> round_ticks(0, 0.71, 4).tolist()
    [0.0, 0.2, 0.4, 0.6]
    """
    if not low < high:
        return np.array([low])
    power = 10.0 ** np.floor(np.log10((high - low) / count))
    step = next(size * power for size in (1, 2, 5, 10) if size * power * (count + 1) >= high - low)
    step = max(1.0, round(step)) if whole else step
    return np.round(np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step, 12) + 0.0


def head(title: str, words: str) -> str:
    """Return a panel's title and what it shows."""
    return f'<div class="nbw-text"><span class="nbw-subtitle">{escape(title)}</span>{escape(words)}</div>'


def _legend(layer: SpectrumLayer, codes: NDArray[np.uint8], span: ColorRange) -> str:
    counts = np.bincount(codes, minlength=256)[LEVELS:]
    marks = [
        f'<span class="nbw-on-{theme}"><i class="nbw-key" style="background:{THEMES[theme].marks[k]}"></i>'
        f"{int(counts[k]):,} {MARKS[k]} </span>"
        for k in np.flatnonzero(counts)
        for theme in THEMES
    ]
    shown = "" if layer.layout.is_vector else _bar(span)
    return f'<div class="nbw-text">{shown}{" ".join(marks)} {escape(layer.layout.words)}</div>'


def _bar(span: ColorRange) -> str:
    if span is TOUCHED:
        return f'<i class="nbw-key" style="background:{ACCENT}"></i>touched · '
    low, high = (format_number(value) for value in (span.low, span.high))
    bars = []
    for theme in THEMES:
        stops = colors(span, theme)[np.linspace(0, LEVELS - 1, 12).round().astype(int)]
        gradient = ",".join(f"rgb{tuple(stop)}" for stop in stops.tolist())
        bars.append(
            f'<span class="nbw-on-{theme}"><i class="nbw-scale" style="background:linear-gradient(to right,{gradient});'
            f'outline:1px solid {BRANCH}40"></i></span>'
        )
    return f"{low}{''.join(bars)}{high} · "
