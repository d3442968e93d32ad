"""A still picture of the spectrum: energy of the layers, the layer's activations, its coefficients, and what is touched."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from nbwidgets_nn._themes import Theme, theme_called
from nbwidgets_nn.color_range import MASKED, ColorRange
from nbwidgets_nn.figures._file_bytes import file_bytes
from nbwidgets_nn.figures._pattern_page import Band, Page
from nbwidgets_nn.widgets._pattern_png import colors as colors_of
from nbwidgets_nn.widgets._spectrum_words import about
from nbwidgets_nn.widgets.layer_pattern import LayerPattern

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nbwidgets_nn.widgets._spectrum_state import SpectrumState
    from nbwidgets_nn.widgets.spectrum_content import SpectrumLayer

_PART = (5.4, 3.8)  # inches of a panel
_TOP = 2.35
_NAMED = 14  # names of more layers are written upright


@dataclass(frozen=True, eq=False)
class Shown:
    """One panel: numbers of the layer, their colours, and which units are outlined."""

    title: str
    values: NDArray
    span: ColorRange
    scale: str
    chosen: tuple[NDArray, ...] = ()


@dataclass(frozen=True, eq=False)
class Peaks:
    """The energy at each frequency, and which is picked."""

    frequencies: NDArray
    shares: NDArray
    picked: int | None


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
    panels = _panels(state)
    names = [layer.name for layer in state.content.layers]
    width = _PART[0] * max(len(panels), 2)
    room = int((width - 0.6) * 15.5)
    lines = [line for part in _words(state) for line in wrap(part, room)]
    top = _TOP + 0.17 * len(lines)
    figure = Figure(figsize=(width, top + _PART[1]), facecolor=colors.paper)
    above, below = figure.subfigures(2, height_ratios=(top, _PART[1]))
    above.set_facecolor(colors.paper)
    page = Page(above, (width, top), colors)
    page.write(state.title, 0.0, top - 0.35, size=12, weight="bold", color=colors.ink)
    for k, line in enumerate(lines):
        page.write(line, 0.0, top - 0.6 - 0.17 * k)
    axes = page.axes(0.65, 0.35, width - 0.95, 1.0)
    _draw_energy(axes, state.energies, names, names.index(state.layer), colors)
    places = below.subfigures(1, max(len(panels), 2), squeeze=False)[0]
    for place, panel in zip(places, panels, strict=False):
        if isinstance(panel, Peaks):
            _draw_peaks(Page(place, _PART, colors), panel, colors)
        else:
            _band(state.shown, panel, theme).draw(place, _PART, panel.chosen)
    return file_bytes(figure, format, dpi)


def _panels(state: SpectrumState) -> list[Shown | Peaks]:
    picked = state.picked_here
    chosen = (*state.marked, *([np.array([picked])] if picked is not None else []))
    spans = state.ranges
    panels: list[Shown | Peaks] = [
        Shown("Activations", state.here(state.values), spans[0], state.scale, chosen)
    ]
    if state.by_frequency:
        panels.append(Peaks(*state.content.spaces(state.spectrum, state.sample), state.picked_space))
    else:
        panels.append(Shown("Coefficients", state.here(state.coefficients), spans[1], state.scale, chosen))
    if state.pattern is not None:
        part = state.here(state.pattern)
        panels.append(Shown(state.title_of_pattern, part, state.span_of_pattern, "", chosen))
    return panels


def _words(state: SpectrumState) -> list[str]:
    said = (state.type, about(state.content), state.spectrum.how, *state.spectrum.notes, state.reading)
    return list(filter(None, said))


def _band(layer: SpectrumLayer, panel: Shown, theme: str) -> Band:
    kind = layer.name if layer.kind == layer.name else f"{layer.name} · {layer.kind}"
    pattern = LayerPattern(panel.title, kind, panel.values.reshape(layer.shape), layer.channel_axis)
    table = np.zeros((257, 4), np.uint8)
    table[:256, :3], table[:256, 3] = colors_of(panel.span, theme), 255
    table[MASKED] = 0  # nothing is masked here
    return Band(pattern, panel.span, panel.scale, table, theme)


def _draw_energy(
    axes: Axes, energies: dict[str, NDArray], names: list[str], selected: int, colors: Theme
) -> None:
    """Draw one or two bars a layer: its share of the sum of squares."""
    fills = (colors.sum, colors.ink)
    x = np.arange(len(names))
    width = 0.75 / len(energies)
    for k, ((name, shares), fill) in enumerate(zip(energies.items(), fills, strict=False)):
        left = x - 0.375 + k * width
        axes.bar(left, np.nan_to_num(shares), width, align="edge", color=fill, label=name)
    every = -(-len(names) // 60)
    axes.set_xticks(x[::every], names[::every], rotation=90 if len(names) > _NAMED else 0)
    axes.tick_params(length=0, labelsize=7.5, colors=colors.muted)
    for tick in axes.get_xticklabels():
        tick.set_parse_math(parse_math=False)
    if selected % every == 0:
        axes.get_xticklabels()[selected // every].set_color(colors.accent)
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.yaxis.set_major_formatter("{x:.0%}")
    axes.legend(
        title="each layer's share of the energy",
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=2,
        frameon=False,
        fontsize=7.5,
        labelcolor=colors.muted,
        alignment="left",
    ).get_title().set(color=colors.muted, size=7.5)


def _draw_peaks(page: Page, peaks: Peaks, colors: Theme) -> None:
    page.figure.set_facecolor(colors.paper)
    page.write("Spectrum", 0.0, page.size[1] - 0.42, size=12, weight="bold", color=colors.ink)
    page.write("share of the energy at each frequency of the graph", 0.0, page.size[1] - 0.64)
    axes = page.axes(0.65, 0.7, page.size[0] - 0.95, page.size[1] - 1.6)
    axes.vlines(peaks.frequencies, 0, np.nan_to_num(peaks.shares), color=colors.ink, lw=1.2)
    if peaks.picked is not None:
        at = peaks.picked
        axes.vlines(peaks.frequencies[at], 0, np.nan_to_num(peaks.shares[at]), color=colors.accent, lw=2.5)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_formatter("{x:.3g}")
    axes.set_ylim(0)
    axes.tick_params(length=0, labelsize=7.5, colors=colors.muted)
