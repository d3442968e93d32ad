"""Activations and their Fourier coefficients, layer by layer, and what each coefficient touches."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np
import traitlets
from ipywidgets import HTML, Box, Layout, VBox, Widget
from numpy.typing import NDArray

from nbwidgets_nn._arrays import expected
from nbwidgets_nn._words import plural
from nbwidgets_nn.color_range import SCALES, ColorRange, choose_range, pattern_ranges
from nbwidgets_nn.widgets import _spectrum_words as words
from nbwidgets_nn.widgets._frequency_panel import FrequencyPanel
from nbwidgets_nn.widgets._layer_bars import LayerBars
from nbwidgets_nn.widgets._panel_style import INK, SUM
from nbwidgets_nn.widgets._pattern_panel import PatternPanel, head
from nbwidgets_nn.widgets._spectrum_choices import Choices, Picks
from nbwidgets_nn.widgets._still import Drawable, StillPicture
from nbwidgets_nn.widgets._touched_strip import range_of_pattern, strip
from nbwidgets_nn.widgets.selection import Selection, SelectionTrait
from nbwidgets_nn.widgets.spectrum_content import Spectrum, SpectrumContent

_LISTED = 40

Touch = Callable[[str, int, int], NDArray]


class SpectrumView(StillPicture, Drawable, VBox):
    """Activations above, their coefficients below; a click on a coefficient shows every unit that it touches.

    Args:
        content: the arrays.
        touch: ``touch(type, k, sample)`` gives the pattern (units of all layers) that coefficient k stands for; without it
            nothing is shown of it. What it raises stands in the status line.
        layer, type, scale, sample: what is shown first.
        title: shown above all.

    Traits:
        layer, type, scale, sample: what is shown; to be read, set and observed.
        picked: the coefficient picked: which of all units in the order of the layers, or which of all frequencies; None.
        selection: the `Selection` of the picked coefficient's unit, as heatmaps and edge graph know it: of a convolution
            its channel. May be set to unit names, indices or None; a unit that is a single number is then picked.

    Raises:
        ValueError, KeyError: what is shown first is not there.

    >>> from nbwidgets_nn.widgets.spectrum_content import Spectrum, SpectrumContent, SpectrumLayer
    >>> layers = (SpectrumLayer("input", "input", (2,)), SpectrumLayer("fc", "Linear", (1,)))
    >>> spectrum = Spectrum("standard", np.array([[1.0, 2.0, -1.0]]))
    >>> view = SpectrumView(SpectrumContent(layers, np.array([[1.0, 2.0, 2.0]]), (spectrum,)))
    >>> view
    SpectrumView(2 layers, 3 units, type='standard', layer='fc')
    >>> view.picked = 2
    >>> view.selection.units
    ('fc:0',)
    """

    layer = traitlets.Unicode()
    type = traitlets.Unicode()
    scale = traitlets.Enum(SCALES, "layernorm")
    sample = traitlets.Int()
    picked = traitlets.Int(None, allow_none=True)
    selection = SelectionTrait()
    _parts: tuple[Widget, ...] = ()

    def __init__(
        self,
        content: SpectrumContent,
        *,
        touch: Touch | None = None,
        layer: str | None = None,
        type: str | None = None,  # noqa: A002 - the seed's name
        scale: str = "layernorm",
        sample: int = 0,
        title: str = "",
    ) -> None:
        if not isinstance(content, SpectrumContent):
            raise TypeError(expected("content", "a SpectrumContent", content.__class__.__name__))
        if scale not in SCALES:
            raise ValueError(expected("scale", f"one of {', '.join(map(repr, SCALES))}", repr(scale)))
        self.content, self.title = content, title or "Graph Fourier spectrum"
        self._touch, self._pattern, self._problem = touch, None, ""
        first = layer or content.layers[min(1, len(content.layers) - 1)].name
        super().__init__(
            layout=Layout(width="100%"),
            layer=first,
            type=type or content.spectra[0].type,
            scale=scale,
            sample=sample,
            selection=Selection(first),
        )
        self._make_parts()
        self.children = self._arranged()
        self.add_class("nbw-spectrum")
        self.observe(self._show, ["layer", "scale", "sample", "type"])
        self.observe(self._follow_type, ["type", "sample"])
        self.observe(self._follow_pick, "picked")
        self.observe(self._follow_selection, "selection")
        self._show()

    # ---- what there is to see

    def _make_parts(self) -> None:
        content = self.content
        self._head, self._status, self._foot = HTML(), HTML(), HTML()
        self._overview = LayerBars([layer.name for layer in content.layers], self._pick_layer)
        self._key = HTML()
        self._activations = PatternPanel("Activations", self._pick_unit)
        self._coefficients = PatternPanel("Coefficients", self._pick_unit)
        self._frequencies = FrequencyPanel(self._pick_space)
        self._touched = PatternPanel("What it touches", self._pick_unit)
        self._choices = Choices(content, self)
        self._picks = Picks(self._pick, self._pick_unit, self._select_touched)

    def _arranged(self) -> list[Widget]:
        row = {"flex_flow": "row wrap", "width": "100%", "align_items": "flex-start"}
        panels = [self._activations, self._coefficients, self._frequencies, self._touched]
        beside = VBox([self._foot], layout=Layout(flex="1 1 330px", min_width="0"))
        arranged = [
            self._head,
            self._key,
            self._overview.figure,
            self._choices,
            self._status,
            Box(panels, layout=Layout(**row, grid_gap="8px 20px")),
            Box([self._picks, beside], layout=Layout(**row, grid_gap="8px 24px")),
        ]
        inner = (*self._choices.children, *self._picks.children, self._picks, beside, self._foot)
        self._parts = (*self._overview.parts, *panels, *inner, *arranged)
        return arranged

    # ---- choices

    @traitlets.validate("layer")
    def _known_layer(self, proposal: Any) -> str:
        return self.content.layer(proposal.value).name

    @traitlets.validate("type")
    def _known_type(self, proposal: Any) -> str:
        return self.content.spectrum(proposal.value).type

    @traitlets.validate("sample")
    def _known_sample(self, proposal: Any) -> int:
        if not 0 <= proposal.value < len(self.content.samples):
            what = f"a number below {len(self.content.samples)}"
            raise ValueError(expected("sample", what, f"{proposal.value}"))
        return proposal.value

    @traitlets.validate("picked")
    def _known_unit(self, proposal: Any) -> int | None:
        count = self.spectrum.coefficients.shape[1]
        if proposal.value is not None and not 0 <= proposal.value < count:
            raise ValueError(expected("picked", f"a number below {count:,}, or None", f"{proposal.value}"))
        return proposal.value

    def read_selection(self, value: Any) -> Selection:
        """Read names, indices, or None as a selection within the layer shown, or of another layer by names."""
        return Selection.of(value, self.layer)

    @property
    def spectrum(self) -> Spectrum:
        """The spectrum shown."""
        return self.content.spectrum(self.type)

    @property
    def pattern(self) -> NDArray | None:
        """What the picked coefficient stands for, a number for every unit; None if nothing is picked."""
        return self._pattern

    @property
    def by_frequency(self) -> bool:
        """Whether coefficients belong to frequencies, and not to units."""
        return self.spectrum.frequencies is not None

    def _pick_layer(self, position: int) -> None:
        self.layer = self.content.layers[position].name

    def _pick_unit(self, index: int) -> None:
        node = self.content.node(self.layer, index)
        if self.by_frequency:  # a unit has no coefficient of its own there
            self.selection = self.content.selection(node)
        else:
            self.picked = node

    def _pick_space(self, space: int) -> None:
        self.picked = int(np.flatnonzero(self.content.groups(self.spectrum) == space)[0])

    def _pick(self, k: int | None) -> None:
        self.picked = k

    def _select_touched(self) -> None:
        """Select every unit of the layer shown that the picked coefficient touches."""
        layer = self.content.layer(self.layer)
        found = np.flatnonzero(self.content.of_layer(self._pattern, self.layer))
        units = dict.fromkeys(layer.unit_of(int(index)) for index in found)
        self.selection = Selection(layer.name, tuple(f"{layer.name}:{unit}" for unit in units))

    # ---- what follows from a choice

    def _follow_type(self, change: Any) -> None:
        if change.name == "type":
            self.picked = None
        elif self.by_frequency and self.picked is not None:
            self._find_pattern()
            self._show()

    def _follow_pick(self, _change: Any) -> None:
        self._find_pattern()
        if self.picked is not None and not self.by_frequency:
            own = self.content.selection(self.picked)
            if (own.layer, own.units) != (self.selection.layer, self.selection.units):
                self.selection = own
        self._show()

    def _follow_selection(self, _change: Any) -> None:
        """Pick the unit that was selected elsewhere if it is a single number; forget a pick that is no longer selected."""
        if self.by_frequency:
            self._show()
            return
        chosen = self._chosen_nodes()
        if self.picked is not None and self.picked in chosen:
            self._show()
        elif len(chosen) == 1:
            self.picked = chosen[0]
        else:
            had = self.picked is not None and not self._touches_selection()
            if had:
                self.picked = None
            else:
                self._show()

    def _touches_selection(self) -> bool:
        """Whether what is selected is what the picked coefficient touches."""
        return self._pattern is not None and bool(np.count_nonzero(self._pattern[self._chosen_nodes()]))

    def _chosen_nodes(self) -> list[int]:
        try:
            layer = self.content.layer(self.selection.layer)
        except KeyError:
            return []  # another view may have layers that are not in the graph
        return [self.content.node(layer.name, int(k)) for k in layer.of_units(self.selection.indices)]

    def _find_pattern(self) -> None:
        self._pattern, self._problem = None, ""
        if self.picked is None or self._touch is None:
            return
        try:
            self._pattern = np.asarray(self._touch(self.type, self.picked, self.sample))
        except Exception as error:  # noqa: BLE001 - a pick must not break the view; the reader sees why
            self._problem = f"{error.__class__.__name__}: {error}"

    # ---- showing

    def ranges(self) -> tuple[ColorRange, ColorRange]:
        """Return the colour ranges of activations and of coefficients in the layer shown."""
        k = self.content.position(self.layer)
        values = pattern_ranges(self.content.by_layer(self.content.values[self.sample]), self.scale)[k]
        if self.by_frequency:
            return values, values
        flat = self.spectrum.coefficients[self.sample]
        return values, pattern_ranges(self.content.by_layer(flat), self.scale)[k]

    def _show(self, _change: Any = None) -> None:
        content, layer = self.content, self.content.layer(self.layer)
        self._head.value = words.heading(content, self.spectrum, self.title)
        self._status.value = self._reading()
        self._show_overview()
        marked = self._marked()
        picked = self._picked_here()
        spans = self.ranges()
        self._activations.show(
            layer, content.of_layer(content.values[self.sample], layer.name), spans[0], marked, picked
        )
        self._coefficients.layout.display = "none" if self.by_frequency else ""
        self._frequencies.layout.display = "" if self.by_frequency else "none"
        if self.by_frequency:
            groups = content.groups(self.spectrum)
            space = None if self.picked is None else int(groups[self.picked])
            self._frequencies.show(*content.spaces(self.spectrum, self.sample), space)
        else:
            flat = self.spectrum.coefficients[self.sample]
            self._coefficients.show(
                layer, content.of_layer(flat, layer.name), spans[1], marked, picked, self.type
            )
        self._show_pattern(marked, picked)
        listed = content.largest(self.spectrum, self.sample, layer.name, _LISTED)
        self._picks.show(listed, self.picked, picked, 0 if self.by_frequency else layer.size)

    def _energies(self) -> dict[str, NDArray]:
        content = self.content
        energies = {"activations": content.energy(content.values[self.sample])}
        if not self.by_frequency:
            energies["coefficients"] = content.energy(self.spectrum.coefficients[self.sample])
        elif self._pattern is not None:
            energies["part at the picked frequency"] = content.energy(self._pattern)
        return energies

    def _show_overview(self) -> None:
        energies = self._energies()
        position = self.content.position(self.layer)
        self._overview.show(list(energies.values()), position)
        self._key.value = words.key(zip(energies, (SUM, INK), strict=False))

    def _show_pattern(self, marked: list[NDArray], picked: int | None) -> None:
        pattern, content = self._pattern, self.content
        self._touched.title = "Part at this frequency" if self.by_frequency else "What it touches"
        self._touched.layout.display = "none" if pattern is None else ""
        here = 0 if pattern is None else int(np.count_nonzero(content.of_layer(pattern, self.layer)))
        self._picks.show_touched(0 if self.by_frequency else here, self.layer)
        self._foot.value = (
            ""
            if pattern is None
            else head(f"{self._touched.title} in every layer", "") + strip(content, pattern, self.layer)
        )
        if pattern is None:
            return
        layer = content.layer(self.layer)
        part = content.of_layer(pattern, layer.name)
        counted = f"{here:,} of {plural(layer.size, 'unit')}"
        self._touched.show(layer, part, self._span_of_pattern(part), marked, picked, counted)

    def _span_of_pattern(self, part: NDArray) -> ColorRange:
        """Return touched or not, or the range of the layer shown: elsewhere the pattern may be far stronger."""
        span = range_of_pattern(self._pattern)
        return choose_range(part, diverging=True) if span.diverging else span

    def _marked(self) -> list[NDArray]:
        """Return the flat indices of the layer's selected units, one array for each unit."""
        if self.selection.layer != self.layer:
            return []
        layer = self.content.layer(self.layer)
        return [layer.of_units((unit,)) for unit in self.selection.indices]

    def _picked_here(self) -> int | None:
        if self.picked is None or self.by_frequency:
            return None
        layer, index = self.content.place(self.picked)
        return index if layer.name == self.layer else None

    def _said(self) -> str:
        return self.content.reading(self.spectrum, self.sample, self.picked, self._pattern)

    def _reading(self) -> str:
        if self.picked is not None:
            return words.status(self._said(), self._problem, chosen=True)
        units = self.selection.units
        return words.status(words.unpicked(units, by_frequency=self.by_frequency), chosen=bool(units))

    def close(self) -> None:
        """Close everything that the view is made of."""
        for part in self._parts:
            part.close()
        self._parts = ()  # closing again does nothing
        super().close()

    def __repr__(self) -> str:
        size = f"{plural(len(self.content.layers), 'layer')}, {plural(self.content.size, 'unit')}"
        return f"SpectrumView({size}, type={self.type!r}, layer={self.layer!r})"

    def static_html(self) -> str:
        """Return the still picture that is seen where no widget can run."""
        about = f"{self.title}: {self.type}, {self.layer}"
        source = f"data:image/png;base64,{b64encode(self.to_png(dpi=100)).decode()}"
        return f'<img width="860" alt="{escape(about)}" src="{source}">'

    def _draw(self, format: str, **options: Any) -> bytes:  # noqa: A002
        from nbwidgets_nn.figures.spectrum import Peaks, Shown, draw_spectrum  # noqa: PLC0415 - matplotlib only here

        content, layer, sample = self.content, self.content.layer(self.layer), self.sample
        values, coefficients = self.ranges()
        picked = self._picked_here()
        chosen = (*self._marked(), *([np.array([picked])] if picked is not None else []))

        def shown(title: str, flat: NDArray, span: ColorRange, scale: str) -> Shown:
            return Shown(title, content.of_layer(flat, layer.name), span, scale, chosen)

        panels: list[Shown | Peaks] = [shown("Activations", content.values[sample], values, self.scale)]
        if self.by_frequency:
            space = None if self.picked is None else int(content.groups(self.spectrum)[self.picked])
            panels.append(Peaks(*content.spaces(self.spectrum, sample), space))
        else:
            panels.append(shown("Coefficients", self.spectrum.coefficients[sample], coefficients, self.scale))
        if self._pattern is not None:
            span = self._span_of_pattern(content.of_layer(self._pattern, layer.name))
            panels.append(shown(self._touched.title, self._pattern, span, ""))
        return draw_spectrum(
            layer,
            panels,
            self._energies(),
            [one.name for one in content.layers],
            title=self.title,
            notes=[
                part
                for part in (self.type, words.about(content), self.spectrum.how, *self.spectrum.notes)
                if part
            ],
            reading="" if self.picked is None else self._said(),
            format=format,
            **options,
        )
