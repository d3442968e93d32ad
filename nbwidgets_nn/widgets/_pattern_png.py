"""A layer's picture as PNG, in the colours of light pages and of dark ones."""

from __future__ import annotations

from functools import cache
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn._themes import THEMES, Theme
from nbwidgets_nn.color_range import LEVELS, MASKED, ColorRange, encode
from nbwidgets_nn.colormaps import color_table
from nbwidgets_nn.widgets.pattern_layout import GAP, PatternLayout

TOUCHED = ColorRange(0.0, 1.0, diverging=False)
"""The range of what is touched or not, which wears the accent instead of a colour map."""


def pattern_png(layout: PatternLayout, values: NDArray, span: ColorRange) -> dict[str, bytes]:
    """Return the picture of a layer's values by theme; what is between channels is transparent."""
    codes = encode(values.reshape(1, -1), span)[0]
    picture = layout.picture(codes, diverging=span.diverging)
    picture = np.where(picture == GAP, MASKED, picture).astype(np.uint8)  # nothing is masked here
    return {theme: _png(picture, colors(span, theme)) for theme in THEMES}


@cache
def colors(span: ColorRange, theme: str) -> NDArray[np.uint8]:
    """Return (256, 3) bytes: the colours of the codes."""
    table = np.zeros((256, 3), np.uint8)
    table[:LEVELS] = (
        _accented(THEMES[theme]) if span is TOUCHED else color_table(diverging=span.diverging, theme=theme)
    )
    table[LEVELS:] = [_rgb(color) for color in THEMES[theme].marks]
    return table


def _accented(theme: Theme) -> NDArray[np.uint8]:
    ends = np.array([_rgb(theme.faint), _rgb(theme.accent)])
    return (ends[0] + np.linspace(0, 1, LEVELS)[:, None] * (ends[1] - ends[0])).round().astype(np.uint8)


def _rgb(color: str) -> list[int]:
    return [int(color[i : i + 2], 16) for i in (1, 3, 5)]


def _png(codes: NDArray[np.uint8], table: NDArray[np.uint8]) -> bytes:
    from PIL import Image  # noqa: PLC0415 - only for display

    image = Image.fromarray(codes)
    image.putpalette(table.tobytes())
    file = BytesIO()
    image.save(file, "PNG", transparency=MASKED)
    return file.getvalue()
