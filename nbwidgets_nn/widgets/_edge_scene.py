"""What an edge graph shows at one time, and what it says about the rest; pure numbers and words, for still pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn._words import format_number, plural
from nbwidgets_nn.color_range import LEVELS, encode
from nbwidgets_nn.widgets._edge_paths import Lit, light_paths
from nbwidgets_nn.widgets._edge_strength import (
    Strengths,
    fair_share,
    strengths,
    strongest,
    strongest_per_unit,
)
from nbwidgets_nn.widgets.edge_graph_content import EdgeGraphContent
from nbwidgets_nn.widgets.selection import Selection
from nbwidgets_nn.widgets.unit_column import UnitColumn


@dataclass(frozen=True)
class EdgeView:
    """The choices of an `EdgeGraph`, by the names of its traits."""

    sample: int = 0
    quantity: str = "contribution"
    shown: int = 400
    per_unit: int = 0
    color_by: str = "activation"
    selection: Selection = field(default_factory=Selection)
    layer: str = ""
    clusters: dict[str, Any] = field(default_factory=dict)
    height: int = 460


@dataclass(frozen=True, eq=False)
class EdgeScene:
    """A content with the choices: the edges drawn, the units marked, and the sentences that go with them."""

    content: EdgeGraphContent
    view: EdgeView

    @cached_property
    def strengths(self) -> Strengths:
        """Return the values that order, widen and colour the edges."""
        return strengths(self.content, self.view.sample, self.view.quantity)

    @cached_property
    def drawn(self) -> list[NDArray[np.intp]]:
        """Return the numbers of the edges drawn, for each bundle, the strongest last."""
        if self.view.per_unit:
            return strongest_per_unit(self.content, self.strengths, self.view.per_unit)
        return strongest(self.strengths, self.view.shown)

    @cached_property
    def lit(self) -> Lit:
        """Return the best paths through the selected units."""
        for index, column in enumerate(self.content.columns):
            if units := self.selected(column):
                contributions = self.strengths
                if self.view.quantity != "contribution":
                    contributions = strengths(self.content, self.view.sample, "contribution")
                return light_paths(self.content, contributions, index, units)
        return Lit()

    def codes(self, column: UnitColumn) -> NDArray[np.uint8]:
        """Return the colour code of each unit's value."""
        return encode(column.values[self.view.sample], column.range)

    def tiles(self, column: UnitColumn) -> NDArray[np.uint8]:
        """Return the colour codes (units, height, width) of a column's feature maps."""
        return encode(column.maps[self.view.sample], column.maps_range)

    def selected(self, column: UnitColumn) -> list[int]:
        """Return the units of a column that are selected, by any of its names."""
        if self.view.selection.layer not in column.aliases:
            return []
        return [unit for unit in self.view.selection.indices if unit < column.units]

    def clusters(self, column: UnitColumn) -> NDArray[np.int32] | None:
        """Return the number of each unit's colour by cluster, −1 for none and for units that stand alone.

        None where nodes are coloured by their activation.
        """
        layer, labels = (self.view.clusters.get(key) for key in ("layer", "labels"))
        if self.view.color_by != "cluster" or layer not in column.aliases:
            return None
        known = np.zeros(column.units, np.int32)
        labels = np.asarray(labels, np.int32)[: column.units]
        known[: len(labels)] = labels
        together = np.bincount(known) > 1
        together[0] = False
        return np.where(together, np.cumsum(together) - 1, -1)[known]

    @property
    def heading(self) -> str:
        """Return the title with what is measured and the sample it is about: weights are of none, only the nodes are."""
        title, sample = self.content.title, self.content.samples[self.view.sample]
        if self.view.quantity == "contribution":
            return f"{title}: contribution w · x, {sample}"
        return f"{title}: weight w (nodes: {sample})"

    def sentences(self) -> list[str]:
        """Return which edges are drawn of how many and by what rule, and what else must be known of them."""
        nonfinite = sum(self.strengths.nonfinite)
        units = sum(int(np.count_nonzero(self.codes(column) >= LEVELS)) for column in self.content.columns)
        return [
            line
            for line in (
                self._drawn_of_all(),
                f"{nonfinite:,} not finite" if nonfinite else "",
                f"{plural(units, 'unit')} not finite" if units else "",
                self.content.how,
                self._paths_lit(),
                *(f"{bundle.name}: {bundle.note}" for bundle in self.content.bundles if bundle.note),
                *self._weights_that_are_sums(),
            )
            if line
        ]

    def largest_in_words(self, bundle: int) -> str:
        """Return the largest finite |value| of a bundle, which its strongest edge stands for."""
        largest = self.strengths.largest[bundle]
        if largest == 0 and self.strengths.nonfinite[bundle]:
            return "not finite"
        return f"±{format_number(largest)}" if largest else "0"

    def _drawn_of_all(self) -> str:
        count, held = sum(map(len, self.drawn)), self.content.edges
        if count == held:
            return "the one edge drawn" if held == 1 else f"all {plural(held, 'edge')} drawn"
        return f"{count:,} of {plural(held, 'edge')}: {self._rule()}"

    def _rule(self) -> str:
        size, bundles, each = f"|{self.view.quantity}|", self.content.bundles, self.view.per_unit
        if each:
            relative = ", relative to each layer’s largest" if len(bundles) > 1 else ""
            return f"the {each:,} largest {size} into each unit{relative}"
        if len(bundles) == 1:
            return f"largest {size}"
        share = fair_share(len(bundles), self.view.shown)
        whole = " or all of it" if any(bundle.edges < share for bundle in bundles) else ""
        return f"the strongest{f', at least {share:,} a layer{whole}' if share else ''}"

    def _paths_lit(self) -> str:
        """Return what the paths are that stand out; the words of ``js/src/views/graph_readout.ts``."""
        lit, selected = self.lit, max(map(len, map(self.selected, self.content.columns)))
        if not selected:
            return ""
        if not (lit.into or lit.out):
            return "through the selected units no path of finite strength"
        few = f" of the first {lit.of}" if lit.of < selected else " of each" if selected > 1 else ""
        sides = " and ".join(side for side, paths in (("in", lit.into), ("out", lit.out)) if paths)
        best = "best path" if lit.each == 1 else f"{lit.each} best paths"
        return f"lit: {best} {sides}{few}, by product of contributions"

    def _weights_that_are_sums(self) -> list[str]:
        """Return which layers' weights are something else than the weight of an edge."""
        if self.view.quantity != "weight":
            return []
        names: dict[str, list[str]] = {}
        for bundle in self.content.bundles:
            names.setdefault(bundle.weight_is, []).append(bundle.name)
        return [f"{', '.join(layers)}: {what}" for what, layers in names.items() if what != "weight"]
