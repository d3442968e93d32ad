"""What can be chosen of a spectrum: layer, transform, colours and sample; and the controls that pick a coefficient."""

from __future__ import annotations

from collections.abc import Callable

import traitlets
from ipywidgets import BoundedIntText, Box, Button, Dropdown, Layout, Select, VBox

from nbwidgets_nn._words import plural
from nbwidgets_nn.color_range import SCALES
from nbwidgets_nn.widgets.spectrum_content import SpectrumContent


class Choices(Box):
    """Lists to choose from, each linked to a trait of its owner; where there is one thing only there is no list."""

    def __init__(self, content: SpectrumContent, owner: traitlets.HasTraits) -> None:
        options = {
            "layer": ("layer", [layer.name for layer in content.layers]),
            "type": ("transform", [spectrum.type for spectrum in content.spectra]),
            "scale": ("colours", SCALES),
            "sample": ("sample", [(name, k) for k, name in enumerate(content.samples)]),
        }
        self.lists = {}
        for trait, (words, there_are) in options.items():
            layout = Layout(width="auto", min_width="150px", max_width="100%")
            layout.display = "" if len(there_are) > 1 else "none"
            self.lists[trait] = Dropdown(description=words, options=there_are, layout=layout)
            traitlets.link((owner, trait), (self.lists[trait], "value"))
        super().__init__(list(self.lists.values()), layout=Layout(flex_flow="row wrap", width="100%"))


class Picks(VBox):
    """Pick a coefficient without pointing at it: from the largest, by rank, or by its number in the layer.

    Args:
        pick: called with a coefficient, or None for none.
        pick_unit: called with the number of a unit in the layer shown.
        select: called when all that is touched shall be selected.
    """

    def __init__(
        self,
        pick: Callable[[int | None], None],
        pick_unit: Callable[[int], None],
        select: Callable[[], None],
    ) -> None:
        self.largest = Select(description="largest", rows=5, layout=Layout(width="100%", max_width="330px"))
        # Arrow keys reach a field of numbers in a notebook; in a list they would move between cells.
        self.rank = BoundedIntText(description="rank", min=0, layout=Layout(width="170px"))
        self.unit = BoundedIntText(description="unit", min=0, layout=Layout(width="170px"))
        self.touched = Button(layout=Layout(width="auto", display="none"))
        self.touched.on_click(lambda _: select())
        self._observers = {
            self.largest: lambda change: change.new is not None and pick(change.new),
            self.rank: lambda change: pick(self.largest.options[change.new - 1][1] if change.new else None),
            self.unit: lambda change: pick_unit(change.new),
        }
        self._listen()
        super().__init__(list(self._shown()), layout=Layout(flex="0 1 330px", min_width="0"))

    def _shown(self) -> tuple:
        return self.largest, self.rank, self.unit, self.touched

    def _listen(self) -> None:
        for control, observer in self._observers.items():
            control.observe(observer, "value")

    def show(self, listed: list[tuple[str, int]], picked: int | None, unit: int | None, units: int) -> None:
        """Show the largest coefficients, what is picked, and its number among so many units; of 0 there is no field."""
        ranks = {node: rank for rank, (_, node) in enumerate(listed, start=1)}
        for control, observer in self._observers.items():
            control.unobserve(observer, "value")
        self.largest.options = listed
        self.largest.value = picked if picked in ranks else None
        self.rank.max, self.rank.value = len(listed), ranks.get(picked, 0)
        self.unit.max, self.unit.value = max(units - 1, 0), unit or 0
        self.unit.layout.display = "" if units else "none"
        self._listen()

    def show_touched(self, count: int, layer: str) -> None:
        """Offer to select what is touched in a layer."""
        self.touched.layout.display = "" if count else "none"
        self.touched.description = f"Select the {plural(count, 'value')} it touches in {layer}"
