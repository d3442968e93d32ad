"""What a coefficient touches: a small picture of every layer."""

from __future__ import annotations

from base64 import b64encode
from html import escape

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn._themes import THEMES
from nbwidgets_nn._words import plural
from nbwidgets_nn.color_range import ColorRange, choose_range
from nbwidgets_nn.widgets._pattern_png import TOUCHED, pattern_png
from nbwidgets_nn.widgets.pattern_layout import PatternLayout
from nbwidgets_nn.widgets.spectrum_content import SpectrumContent, SpectrumLayer, number

_PIXELS = 150
_MOST = 60
_HIGH = 56
_ROUNDING = 1e-9


def range_of_pattern(pattern: NDArray) -> ColorRange:
    """Return the colours of a pattern: touched or not where it is only 0 and 1, else symmetric about 0 over all layers."""
    if np.isin(pattern, (0, 1)).all():
        return TOUCHED
    return choose_range(pattern, diverging=True)


def range_of_part(part: NDArray, pattern: NDArray) -> ColorRange:
    """Return the colours of a pattern in one layer: elsewhere it may be far stronger.

    What is 1e-9 of the strongest value of all layers or less is what rounding has left: its colour is that of 0.
    """
    span = range_of_pattern(pattern)
    if not span.diverging:
        return span
    span = choose_range(part, diverging=True)
    finite = np.abs(pattern[np.isfinite(pattern)])
    least = _ROUNDING * float(finite.max(initial=0.0))
    return span if span.high > least else ColorRange(-1e3 * least, 1e3 * least, diverging=True)


def strip(content: SpectrumContent, pattern: NDArray, layer: str) -> str:
    """Draw the pattern in every layer that it is not 0 in; the one that is shown large wears the accent."""
    is_signed = range_of_pattern(pattern).diverging
    counts = content.touched(pattern)
    shown = [k for k, count in enumerate(counts) if count][:_MOST]
    parts = content.by_layer(pattern)
    figures = "".join(
        _figure(content.layers[k], parts[k], range_of_part(parts[k], pattern), counts[k], layer)
        for k in shown
    )
    untouched = [one.name for one, count in zip(content.layers, counts, strict=True) if not count]
    left_out = sum(count > 0 for count in counts) - len(shown)
    said = [
        "each layer on a scale of its own, symmetric about 0" if is_signed else "",
        f"{plural(left_out, 'more layer')} not drawn" if left_out else "",
        f"not touched: {_first(untouched)}" if untouched else "",
    ]
    words = escape(" · ".join(filter(None, said)))
    return f'<div class="nbw-strip">{figures}</div><div class="nbw-text">{words}</div>'


def _figure(layer: SpectrumLayer, part: NDArray, span: ColorRange, count: int, here: str) -> str:
    layout = PatternLayout(layer.shape, layer.channel_axis, bars=False, pixels=_PIXELS)
    files = pattern_png(layout, part, span)
    width = round(_HIGH * layout.aspect)
    images = "".join(
        f'<span class="nbw-on-{theme}"><img alt="" style="width:{width}px;height:{_HIGH}px" src="data:image/png;base64,{b64encode(files[theme]).decode()}"></span>'
        for theme in THEMES
    )
    chosen = ' class="nbw-here"' if layer.name == here else ""
    said = (
        f"up to ±{number(np.abs(part).max())}"
        if span.diverging
        else f"{count:,} of {plural(layer.size, 'unit')}"
    )
    return f"<figure{chosen}>{images}<figcaption><b>{escape(layer.name)}</b> {said}</figcaption></figure>"


def _first(names: list[str], most: int = 8) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
