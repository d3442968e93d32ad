"""A sheet measured in pixels of a screen, y running down, on which words and shapes are placed exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.image import AxesImage
from matplotlib.patheffects import withStroke
from matplotlib.textpath import text_to_path
from numpy.typing import NDArray

from nbwidgets_nn._themes import theme_called
from nbwidgets_nn.figures._file_bytes import file_bytes

# A pixel of a screen in the points that matplotlib measures lines and letters in.
POINTS = 0.75
PIXELS_PER_INCH = 96


class Paper:
    """An empty sheet of some pixels, in the colours of a theme: a figure of its own, or the foot of a ``figure``."""

    def __init__(self, width: float, height: float, theme: str, figure: Figure | None = None) -> None:
        self.width, self.height, self.theme, self.colors = width, height, theme, theme_called(theme)
        size = np.array([width, height]) / PIXELS_PER_INCH
        self.figure = Figure(figsize=size, facecolor=self.colors.paper) if figure is None else figure
        self.axes = self.figure.add_axes((0, 0, *(size / self.figure.get_size_inches())))
        self.axes.set(xlim=(0, width), ylim=(height, 0), autoscale_on=False)
        self.axes.set_axis_off()

    def write(
        self, words: str, x: float, y: float, *, size: float = 9.5, halo: bool = False, **options: Any
    ) -> None:
        """Write words, the middle of their line at ``y``; a halo keeps them readable over edges."""
        around = [withStroke(linewidth=2.5, foreground=self.colors.paper)] if halo else None
        look = {"color": self.colors.muted, "va": "center_baseline", "zorder": 9, "path_effects": around}
        text = self.axes.text(x, y, words, size=size * POINTS, **{**look, **options})
        text.set_parse_math(parse_math=False)  # a dollar in a name is a dollar

    def dots(self, x: float, y: NDArray, side: float, **options: Any) -> None:
        """Draw marks of some size below each other."""
        self.axes.scatter(np.full(len(y), x), y, s=(side * POINTS) ** 2, **options)

    def image(self, colors: NDArray, x: float, y: float, width: float, height: float) -> AxesImage:
        """Draw cells of colour into a rectangle."""
        extent = (x, x + width, y + height, y)
        return self.axes.imshow(colors, extent=extent, aspect="auto", interpolation="nearest", zorder=4)

    def save(self, format: str, dpi: int) -> bytes:  # noqa: A002 - matplotlib's name for it
        """Return the bytes of the file."""
        return file_bytes(self.figure, format, dpi)


def width_of(words: str, size: float = 9.5, weight: str = "normal") -> float:
    """Return how many pixels wide words are."""
    font = FontProperties(size=size * POINTS, weight=weight)
    return text_to_path.get_text_width_height_descent(words, font, ismath=False)[0] / POINTS


def shortened(
    words: str, room: float, size: float = 9.5, weight: str = "normal", *, keep: str = "start"
) -> str:
    """Return words that fit into ``room`` pixels, with an ellipsis for what is cut off."""
    if width_of(words, size, weight) <= room:
        return words
    for length in range(len(words) - 1, 0, -1):
        shorter = f"{words[:length].rstrip()}…" if keep == "start" else f"…{words[-length:]}"
        if width_of(shorter, size, weight) <= room:
            return shorter
    return ""


def wrapped(parts: list[str], room: float, size: float = 9.5) -> list[str]:
    """Return sentences joined into as few lines of ``room`` pixels as they need; one that is longer goes on in the next."""
    lines: list[str] = []
    for part in parts:
        joined = f"{lines[-1]} · {part}" if lines else part
        if lines and width_of(joined, size) <= room:
            lines[-1] = joined
        else:
            lines += _broken(part, room, size)
    return lines


def _broken(sentence: str, room: float, size: float) -> list[str]:
    """Return a sentence in lines of ``room`` pixels, broken between words; only a word that is longer is cut."""
    lines: list[str] = []
    for word in sentence.split(" "):
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(joined, size) <= room:
            lines[-1] = joined
        else:
            lines.append(shortened(word, room, size))
    return lines
