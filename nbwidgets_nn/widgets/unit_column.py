"""A column of the edge graph: the units of a layer, their values for some samples, and their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.color_range import ColorRange, choose_range, encode
from nbwidgets_nn.widgets._content_arrays import set_values, single_precision, whole_numbers


@dataclass(frozen=True, eq=False)
class UnitColumn:
    """Units that stand below each other: those of one layer, and of all layers that keep its units apart.

    ``aliases`` are the layers whose unit k is this column's unit k, an activation after its linear layer for example;
    ``name``, the one whose values go on from here, is always one of them. ``kind`` says what they are. ``values``
    (samples, units) colour the nodes; ``maps`` (samples, units, height, width) are drawn as tiles, and ``values`` are
    then their means. ``order`` is the unit at each place from the top; ``labels`` are printed beside the nodes.
    ``layer`` is what a click on the head picks: the column's name; another layer, where units here are no units there; or
    None. ``positions`` counts the places that ``values`` are the means over, where a node stands for several.

    Values are rounded to float32: they are seen as colours. Beyond its range (3.4e38) they become infinite.

    Raises:
        TypeError: arrays that do not hold real numbers.
        ValueError: shapes that do not agree, or an ``order`` that is no permutation.

    >>> UnitColumn("relu", [[0.0, 2.0]], aliases=("fc", "relu")).units
    2
    """

    name: str
    values: NDArray
    aliases: tuple[str, ...] = ()
    kind: str = ""
    maps: NDArray | None = None
    order: NDArray | None = None
    labels: Sequence[str] | None = None
    layer: str | None = ""
    positions: int = 1

    def __post_init__(self) -> None:
        where = f"of column {self.name!r}"
        set_values(self, values=single_precision(self.values, f"values {where}"), aliases=tuple(self.aliases))
        if self.name not in self.aliases:
            set_values(self, aliases=(*self.aliases, self.name))
        if self.layer == "":
            set_values(self, layer=self.name)
        if self.values.ndim != 2 or not self.values.shape[1]:
            came = f"shape {self.values.shape}"
            raise ValueError(expected(f"values {where}", "(samples, units) with at least 1 unit", came))
        if self.maps is not None:
            set_values(self, maps=single_precision(self.maps, f"maps {where}"))
            if self.maps.ndim != 4 or self.maps.shape[:2] != self.values.shape or 0 in self.maps.shape[2:]:
                what = f"(samples, units, height, width) that start with {self.values.shape}"
                raise ValueError(expected(f"maps {where}", what, f"shape {self.maps.shape}"))
        if self.order is not None:
            set_values(self, order=whole_numbers(self.order, f"order {where}"))
            if not np.array_equal(np.sort(self.order, axis=None), np.arange(self.units)):
                what = f"every unit from 0 to {self.units - 1} once"
                raise ValueError(expected(f"order {where}", what, _few(self.order)))
        if self.labels is not None:
            set_values(self, labels=tuple(map(str, self.labels)))
            if len(self.labels) != self.units:
                raise ValueError(
                    expected(f"labels {where}", f"one for each of {self.units} units", f"{len(self.labels)}")
                )

    @property
    def units(self) -> int:
        """Return how many units stand in the column."""
        return self.values.shape[1]

    @cached_property
    def places(self) -> NDArray[np.int32]:
        """Return the unit at each place from the top."""
        return np.arange(self.units, dtype=np.int32) if self.order is None else self.order

    @cached_property
    def range(self) -> ColorRange:
        """Return the values that the colours of the nodes span, over all samples; zero is always among them."""
        return self._range_of(self.values)

    @cached_property
    def maps_range(self) -> ColorRange | None:
        """Return the values that the colours of the feature maps span, over all samples and units."""
        return None if self.maps is None else self._range_of(self.maps)

    def _range_of(self, values: NDArray) -> ColorRange:
        if self._negative:
            return choose_range(values, diverging=True)
        return choose_range(values, low=0.0, diverging=False)

    @cached_property
    def _negative(self) -> bool:
        # Asked of both: nodes and tiles of one column are never in two different tables.
        shown = [self.values] if self.maps is None else [self.values, self.maps]
        return any(bool((np.isfinite(values) & (values < 0)).any()) for values in shown)

    def to_state(self) -> dict[str, Any]:
        """Return the form that travels to the browser."""
        span, maps = self.range, self.maps_range
        return {
            "name": self.name,
            "aliases": list(self.aliases),
            "layer": self.layer,
            "positions": self.positions,
            "kind": self.kind,
            "units": self.units,
            "values": self.values,
            "low": span.low,
            "high": span.high,
            "diverging": span.diverging,
            "maps": maps
            and {
                "codes": encode(self.maps, maps),
                "low": maps.low,
                "high": maps.high,
                "error": maps.error,
            },
            "order": self.places,
            "labels": None if self.labels is None else list(self.labels),
        }


def _few(array: NDArray) -> str:
    return f"{array.ravel()[:6].tolist()}{', ...' if array.size > 6 else ''}"
