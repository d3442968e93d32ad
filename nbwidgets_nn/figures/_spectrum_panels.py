"""The panels of a spectrum's still picture: numbers of a layer, energies at frequencies, and the energy of all layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from nbwidgets_nn._themes import THEMES, Theme
from nbwidgets_nn.color_range import MASKED, ColorRange
from nbwidgets_nn.figures._pattern_page import Band, Page
from nbwidgets_nn.widgets._energy_scale import EnergyScale
from nbwidgets_nn.widgets._pattern_png import TOUCHED
from nbwidgets_nn.widgets._pattern_png import colors as colors_of
from nbwidgets_nn.widgets.layer_pattern import LayerPattern

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

    from nbwidgets_nn.widgets._spectrum_state import SpectrumState
    from nbwidgets_nn.widgets.spectrum_content import SpectrumLayer

SIZE = (5.4, 3.8)  # inches of a panel
_LETTER = 0.075  # inches


@dataclass(frozen=True, eq=False)
class Shown:
    """Numbers of a layer, their colours, and which units are outlined."""

    layer: SpectrumLayer
    title: str
    values: NDArray
    span: ColorRange
    scale: str
    chosen: tuple[NDArray, ...] = ()

    def draw(self, place: Figure | SubFigure, theme: str) -> Axes | None:
        """Draw it, and return the axes that the units stand in; None where there is no unit."""
        layer = self.layer
        kind = layer.name if layer.kind == layer.name else f"{layer.name} · {layer.kind}"
        values = self.values.reshape(layer.shape)
        pattern = LayerPattern(self.title, kind, values, layer.channel_axis)
        table = np.zeros((257, 4), np.uint8)
        table[:256, :3], table[:256, 3] = colors_of(self.span, theme), 255
        table[MASKED] = 0  # nothing is masked here
        key = "touched" if self.span is TOUCHED else ""
        return Band(pattern, self.span, self.scale, table, theme, key).draw(place, SIZE, self.chosen)

    def boxes(self) -> NDArray[np.float64]:
        """Return left, top, right, bottom of every unit as other views know it, as the axes count."""
        layer = self.layer
        if layer.layout.is_vector:
            left = np.arange(layer.units, dtype=np.float64)
            low, high = min(self.span.low, 0.0), max(self.span.high, 0.0)
            ends = np.full_like(left, high), np.full_like(left, low)
            return np.stack([left, ends[0], left + 1, ends[1]], axis=1)
        around = [layer.layout.around(layer.of_units((unit,))) for unit in range(layer.units)]
        return np.array(around, np.float64).reshape(-1, 4)


@dataclass(frozen=True, eq=False)
class Peaks:
    """The energy at each frequency, and which is picked."""

    frequencies: NDArray
    shares: NDArray
    picked: int | None
    title: str = "Spectrum"

    def draw(self, place: Figure | SubFigure, theme: str) -> None:
        """Draw a line on each frequency."""
        colors = THEMES[theme]
        page = Page(place, SIZE, colors)
        place.set_facecolor(colors.paper)
        page.write(self.title, 0.0, SIZE[1] - 0.42, size=12, weight="bold", color=colors.ink)
        page.write("share of the energy at each frequency of the graph", 0.0, SIZE[1] - 0.64)
        axes = page.axes(0.65, 0.7, SIZE[0] - 0.95, SIZE[1] - 1.6)
        axes.vlines(self.frequencies, 0, np.nan_to_num(self.shares), color=colors.ink, lw=1.2)
        if self.picked is not None:
            at = self.picked
            # A share that is too small to be seen is still marked where it stands.
            height = max(np.nan_to_num(self.shares[at]), 0.02 * np.nan_to_num(self.shares).max())
            axes.vlines(self.frequencies[at], 0, height, color=colors.accent, lw=2.5)
            axes.axvline(self.frequencies[at], color=colors.accent, lw=0.8, ls=(0, (4, 3)))
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.yaxis.set_major_locator(MaxNLocator(6))
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")
        axes.set_xlabel("frequency (eigenvalue of the graph's Laplacian)", size=8, color=colors.muted)
        axes.set_ylim(0)
        axes.tick_params(length=0, labelsize=7.5, colors=colors.muted)


def energy_size(names: list[str], width: float | None = None) -> tuple[float, float]:
    """Return how many inches the energy of the layers needs: names that do not fit side by side stand upright."""
    width = min(max(SIZE[0], 0.6 * len(names) + 0.95), 2 * SIZE[0]) if width is None else width
    return width, 1.65 + (_LETTER * max(map(len, names)) if _upright(names, width) else 0.15)


def _upright(names: list[str], width: float) -> bool:
    return _LETTER * max(map(len, names)) > (width - 0.95) / len(names)


def draw_energy(page: Page, bottom: float, state: SpectrumState, colors: Theme, selected: str = "") -> Axes:
    """Draw one or two bars a layer below the words of a page: its share of the sum of squares."""
    names = [layer.name for layer in state.content.layers]
    scale = EnergyScale.of(list(state.energies.values()))
    upright = _upright(names, page.size[0])
    below = energy_size(names, page.size[0])[1] - 1.5
    axes = page.axes(0.65, bottom + below, page.size[0] - 0.95, 1.0)
    x, width = np.arange(len(names)), 0.75 / len(state.energies)
    for k, ((name, shares), fill) in enumerate(
        zip(state.energies.items(), (colors.sum, colors.ink), strict=False)
    ):
        left = x - 0.375 + k * width
        axes.bar(left, scale.heights(shares), width, align="edge", color=fill, label=name)
    every = -(-len(names) // 60)
    axes.set_xticks(x[::every], names[::every], rotation=90 if upright else 0)
    axes.set_yticks([at for at, _ in scale.ticks], [label for _, label in scale.ticks])
    axes.tick_params(length=0, labelsize=7.5, colors=colors.muted)
    axes.grid(axis="y", color=colors.faint, lw=0.6)
    axes.set_axisbelow(True)
    for name, tick in zip(names[::every], axes.get_xticklabels(), strict=True):
        tick.set_parse_math(parse_math=False)
        if name == selected:
            tick.set_color(colors.accent)
    axes.set(xlim=(-0.5, len(names) - 0.5), ylim=(0, 1))
    axes.legend(
        title=" · ".join(filter(None, ("each layer's share of the energy (sum of squares)", scale.words))),
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=2,
        frameon=False,
        fontsize=7.5,
        labelcolor=colors.muted,
        alignment="left",
    ).get_title().set(color=colors.muted, size=7.5)
    return axes


def panels(state: SpectrumState, chosen: tuple[NDArray, ...] = ()) -> list[Shown | Peaks]:
    """Return what stands below the energy, ``chosen`` units outlined."""

    def shown(title: str, flat: NDArray, span: ColorRange, scale: str) -> Shown:
        return Shown(state.shown, title, state.here(flat), span, scale, chosen)

    spans = state.ranges
    found: list[Shown | Peaks] = [shown("Activations", state.values, spans[0], state.scale)]
    if state.by_frequency:
        found.append(Peaks(*state.content.spaces(state.spectrum, state.sample), state.picked_space))
    else:
        found.append(shown("Coefficients", state.coefficients, spans[1], state.scale))
    if state.pattern is not None:
        found.append(shown(state.title_of_pattern, state.pattern, state.span_of_pattern, ""))
    return found
