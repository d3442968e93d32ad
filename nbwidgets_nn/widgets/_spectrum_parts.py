"""The parts of the spectrum's view: made once, arranged, and shown anew after every choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import traitlets
from ipywidgets import HTML, Box, Layout, VBox, Widget

from nbwidgets_nn._words import plural
from nbwidgets_nn.widgets import _spectrum_words as words
from nbwidgets_nn.widgets._energy_scale import EnergyScale
from nbwidgets_nn.widgets._frequency_panel import FrequencyPanel
from nbwidgets_nn.widgets._layer_bars import LayerBars
from nbwidgets_nn.widgets._panel_style import INK, SUM
from nbwidgets_nn.widgets._pattern_panel import PatternPanel, head
from nbwidgets_nn.widgets._spectrum_choices import Choices, Picks
from nbwidgets_nn.widgets._spectrum_state import SpectrumState
from nbwidgets_nn.widgets._touched_strip import strip
from nbwidgets_nn.widgets.spectrum_content import SpectrumContent

_LISTED = 40


@dataclass(frozen=True)
class Hands:
    """What is called when a reader does something."""

    layer: Callable[[int], None]
    """Picks the layer at a position."""

    unit: Callable[[int], None]
    """Picks the unit at a flat index of the layer shown."""

    space: Callable[[int], None]
    """Picks an eigenspace."""

    coefficient: Callable[[int | None], None]
    """Picks a coefficient, or None."""

    touched: Callable[[], None]
    """Selects what is touched in the layer shown."""


class SpectrumParts:
    """Everything that the view is made of; ``owner`` has the traits that the lists of choices are linked to."""

    def __init__(self, content: SpectrumContent, owner: traitlets.HasTraits, hands: Hands) -> None:
        self.head, self.key, self.status, self.foot = HTML(), HTML(), HTML(), HTML()
        self.overview = LayerBars([layer.name for layer in content.layers], hands.layer)
        self.activations = PatternPanel("Activations", hands.unit)
        self.coefficients = PatternPanel("Coefficients", hands.unit)
        self.frequencies = FrequencyPanel(hands.space)
        self.touched = PatternPanel("What it touches", hands.unit)
        self.choices = Choices(content, owner)
        self.picks = Picks(hands.coefficient, hands.unit, hands.touched)
        self.children, self._all = self._arranged()

    def _arranged(self) -> tuple[list[Widget], Sequence[Widget]]:
        row = {"flex_flow": "row wrap", "width": "100%", "align_items": "flex-start"}
        panels = [self.activations, self.coefficients, self.frequencies, self.touched]
        beside = VBox([self.foot], layout=Layout(flex="1 1 330px", min_width="0"))
        children = [
            self.head,
            self.key,
            self.overview.figure,
            self.choices,
            self.status,
            Box(panels, layout=Layout(**row, grid_gap="8px 20px")),
            Box([self.picks, beside], layout=Layout(**row, grid_gap="8px 24px")),
        ]
        inner = (*self.choices.children, *self.picks.children, self.picks, beside, self.foot)
        return children, (*self.overview.parts, *panels, *inner, *children)

    def show(self, state: SpectrumState, problem: str = "") -> None:
        """Show what is chosen; ``problem`` says why the pattern is missing."""
        self.head.value = words.heading(state.content, state.spectrum, state.title)
        unpicked = "" if state.reading else words.unpicked(by_frequency=state.by_frequency)
        self.status.value = words.status(state.reading or unpicked, problem, chosen=bool(state.reading))
        scale = EnergyScale.of(list(state.energies.values()))
        self.overview.show(list(state.energies.values()), state.content.position(state.layer))
        self.key.value = words.key(zip(state.energies, (SUM, INK), strict=False), scale.words)
        self._show_numbers(state)
        self._show_pattern(state)
        listed = state.content.largest(state.spectrum, state.sample, state.layer, _LISTED)
        self.picks.show(
            listed, state.picked, state.picked_here, 0 if state.by_frequency else state.shown.size
        )

    def _show_numbers(self, state: SpectrumState) -> None:
        marks = state.marked, state.picked_here
        spans = state.ranges
        self.activations.show(state.shown, state.here(state.values), spans[0], *marks)
        self.coefficients.layout.display = "none" if state.by_frequency else ""
        self.frequencies.layout.display = "" if state.by_frequency else "none"
        if state.by_frequency:
            spaces = state.content.spaces(state.spectrum, state.sample)
            self.frequencies.show(*spaces, state.picked_space)
        else:
            self.coefficients.show(state.shown, state.here(state.coefficients), spans[1], *marks, state.type)

    def _show_pattern(self, state: SpectrumState) -> None:
        self.touched.title = state.title_of_pattern
        self.touched.layout.display = "none" if state.pattern is None else ""
        self.picks.show_touched(0 if state.by_frequency else state.touched_here, state.layer)
        if state.pattern is None:
            self.foot.value = ""
            return
        title = head(f"{state.title_of_pattern} in every layer", "")
        self.foot.value = title + strip(state.content, state.pattern, state.layer)
        counted = f"{state.touched_here:,} of {plural(state.shown.size, 'unit')}"
        part = state.here(state.pattern)
        self.touched.show(state.shown, part, state.span_of_pattern, state.marked, state.picked_here, counted)

    def close(self) -> None:
        """Close them all."""
        for part in self._all:
            part.close()
        self._all = ()  # closing again does nothing
