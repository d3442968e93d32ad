"""One look at a spectrum: what is chosen, and all that is to be seen of it, on a screen and in a still picture alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn.color_range import ColorRange, pattern_ranges
from nbwidgets_nn.widgets import _spectrum_words as words
from nbwidgets_nn.widgets._touched_strip import range_of_part
from nbwidgets_nn.widgets.selection import Selection
from nbwidgets_nn.widgets.spectrum_content import Spectrum, SpectrumContent, SpectrumLayer


@dataclass(frozen=True, eq=False)
class SpectrumState:
    """What is chosen: names, numbers, and the pattern that the picked coefficient stands for, None for no pick."""

    content: SpectrumContent
    layer: str
    type: str
    scale: str = "layernorm"
    sample: int = 0
    picked: int | None = None
    selection: Selection = field(default_factory=Selection)
    pattern: NDArray | None = None
    title: str = ""

    @property
    def spectrum(self) -> Spectrum:
        """The spectrum shown."""
        return self.content.spectrum(self.type)

    @property
    def by_frequency(self) -> bool:
        """Whether coefficients belong to frequencies, and not to units."""
        return self.spectrum.frequencies is not None

    @property
    def shown(self) -> SpectrumLayer:
        """The layer shown."""
        return self.content.layer(self.layer)

    @property
    def values(self) -> NDArray:
        """The activations of all layers."""
        return self.content.values[self.sample]

    @property
    def coefficients(self) -> NDArray:
        """The coefficients of all layers, or of all frequencies."""
        return self.spectrum.coefficients[self.sample]

    def here(self, flat: NDArray) -> NDArray:
        """Return the part of the layer shown."""
        return self.content.of_layer(flat, self.layer)

    @cached_property
    def ranges(self) -> tuple[ColorRange, ColorRange]:
        """The colour ranges of activations and of coefficients in the layer shown."""
        k = self.content.position(self.layer)
        values = pattern_ranges(self.content.by_layer(self.values), self.scale)[k]
        if self.by_frequency:
            return values, values
        return values, pattern_ranges(self.content.by_layer(self.coefficients), self.scale)[k]

    @cached_property
    def marked(self) -> list[NDArray]:
        """The flat indices of the layer's selected units, one array for each unit."""
        if self.selection.layer != self.layer:
            return []
        return [self.shown.of_units((unit,)) for unit in self.selection.indices]

    @property
    def picked_here(self) -> int | None:
        """The flat index of the picked unit in the layer shown."""
        if self.picked is None or self.by_frequency:
            return None
        layer, index = self.content.place(self.picked)
        return index if layer.name == self.layer else None

    @property
    def picked_space(self) -> int | None:
        """Which eigenspace is picked."""
        if self.picked is None or not self.by_frequency:
            return None
        return int(self.content.groups(self.spectrum)[self.picked])

    @cached_property
    def energies(self) -> dict[str, NDArray]:
        """Each layer's share of the energy of one or two things, by their names."""
        energies = {"activations": self.content.energy(self.values)}
        if not self.by_frequency:
            energies["coefficients"] = self.content.energy(self.coefficients)
        elif self.pattern is not None:
            energies["part at the picked frequency"] = self.content.energy(self.pattern)
        return energies

    @property
    def title_of_pattern(self) -> str:
        """What the pattern is."""
        return "Part at this frequency" if self.by_frequency else "What it touches"

    @cached_property
    def touched_here(self) -> int:
        """How many units of the layer shown the pattern is not 0 in."""
        return 0 if self.pattern is None else int(np.count_nonzero(self.here(self.pattern)))

    @property
    def span_of_pattern(self) -> ColorRange:
        """The colours of the pattern in the layer shown."""
        return range_of_part(self.here(self.pattern), self.pattern)

    @property
    def reading(self) -> str:
        """What there is to know about what is picked and selected; nothing where nothing is."""
        said = []
        own = None
        if self.picked is not None:
            said.append(self.content.reading(self.spectrum, self.sample, self.picked, self.pattern))
            own = None if self.by_frequency else self.content.selection(self.picked).units
        if self.selection.units and self.selection.units != own:
            said.append(words.selected(self.selection.units))
        return " · ".join(said)

    @property
    def words(self) -> list[str]:
        """What must be said beside a still picture: which transform, how large, what a coefficient is, and warnings."""
        sample = self.content.samples[self.sample] if len(self.content.samples) > 1 else ""
        head = " · ".join(filter(None, (self.type, sample, words.about(self.content))))
        return list(filter(None, (head, self.spectrum.how, *self.spectrum.notes, self.reading)))
