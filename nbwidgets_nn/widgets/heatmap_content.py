"""What `LinkedHeatmaps` shows at one time: matrices over the units of one layer, in display order, and its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn.color_range import ColorRange, choose_range, encode
from nbwidgets_nn.colormaps import color_table
from nbwidgets_nn.results import Dendrogram
from nbwidgets_nn.widgets._array_trait import travelling

# Matrices up to this size travel exactly; larger ones as one byte a cell with a stated error bound.
EXACT_CELLS = 2**18


@dataclass(frozen=True)
class Fact:
    """A number beside the heatmaps, with the reference it must be read against."""

    label: str
    value: str
    reference: str = ""
    explain: str = ""


@dataclass(frozen=True)
class Columns:
    """What the columns are when they are not the units of the rows: "classes", their names, and "class" for one.

    Columns that are units of another layer name it in ``layer`` and are named by their indices there: they can then
    be selected like rows, as "conv2:7".

    Raises:
        ValueError: columns of a layer that are not named by different indices.

    >>> Columns("units of conv2", ["0", "1", "2"], one="unit", layer="conv2").units
    (0, 1, 2)
    """

    title: str
    names: Sequence[str]
    one: str = ""
    layer: str | None = None

    def __post_init__(self) -> None:
        if self.layer is None:
            return
        strangers = [name for name in self.names if not (name.isdecimal() and str(int(name)) == name)]
        if strangers:
            raise ValueError(
                f'columns that are units of layer {self.layer!r} must be named by their indices, "0", "1", ..., '
                f"but {strangers[0]!r} came"
            )
        if len(set(self.names)) < len(self.names):
            raise ValueError(
                f"columns that are units of layer {self.layer!r} must differ, but one is there twice"
            )

    @property
    def units(self) -> tuple[int, ...]:
        """Return the units' indices within `layer`; nothing where columns are no units."""
        return () if self.layer is None else tuple(map(int, self.names))


@dataclass(frozen=True, eq=False)
class MatrixPanel:
    """One matrix with what its panel says about it.

    ``values`` is (units, columns) in the *layer's* order; masked arrays mark cells without a value. ``columns=None``
    means that the columns are the same units as the rows. ``note`` says what was left out.

    ``marginals=True`` draws the sums of rows and columns as bars beside the matrix, for amounts that may be added
    (bits, counts). Amounts without a negative one are then coloured from zero, as the bars start there.
    """

    id: str
    title: str
    values: NDArray
    how: str = ""
    quantity: str = ""
    unit: str = ""
    columns: Columns | None = None
    span: ColorRange | None = None
    note: str = ""
    samples: int | None = None
    marginals: bool = False

    def __post_init__(self) -> None:
        values = np.ma.asarray(self.values) if np.ma.isMaskedArray(self.values) else np.asarray(self.values)
        if values.ndim != 2 or 0 in values.shape:
            raise ValueError(
                f"values of panel {self.id!r} must be a filled 2-D array, but shape {values.shape} came"
            )
        if self.columns is None and values.shape[0] != values.shape[1]:
            raise ValueError(
                f"values of panel {self.id!r} have shape {values.shape}: a matrix that is not square needs columns=..."
            )
        if self.columns is not None and len(self.columns.names) != values.shape[1]:
            raise ValueError(
                f"columns names {len(self.columns.names)} columns, but values have {values.shape[1]}"
            )
        object.__setattr__(self, "values", values)

    @cached_property
    def range(self) -> ColorRange:
        """Return the values that the colours span."""
        if self.span is not None:
            return self.span
        chosen = choose_range(self.values)
        return choose_range(self.values, low=0.0) if self.marginals and chosen.low > 0 else chosen

    @property
    def coded(self) -> bool:
        """Tell whether the matrix travels as one byte a cell."""
        return self.values.size > EXACT_CELLS

    def sums(self, order: NDArray) -> dict[str, NDArray[np.float64]] | None:
        """Return the sums of rows and of columns in display order, in the values' unit; None without ``marginals``.

        Masked cells are left out. A line without any other cell, and one with a NaN in it, has the sum NaN.
        """
        if not self.marginals:
            return None
        across = order if self.columns is None else slice(None)
        return {"rows": _sums(self.values, 1)[order], "columns": _sums(self.values, 0)[across]}

    def in_order(self, cells: NDArray, order: NDArray) -> NDArray:
        """Return cells of this panel in display order."""
        rows = np.take(cells, order, axis=0)
        return np.take(rows, order, axis=1) if self.columns is None else rows

    def to_state(self, order: NDArray) -> dict[str, Any]:
        """Return the form that travels to the browser."""
        span, coded = self.range, self.coded
        cells = encode(self.values, span) if coded else travelling(np.ma.getdata(self.values))
        # Codes have a mark for masked cells; exact values need the mask beside them.
        masked = not coded and np.ma.is_masked(self.values)
        columns = self.columns and {
            "title": self.columns.title,
            "one": self.columns.one,
            "layer": self.columns.layer,
            "names": list(self.columns.names),
        }
        return {
            **{
                key: getattr(self, key)
                for key in ("id", "title", "how", "quantity", "unit", "note", "samples")
            },
            "values": self.in_order(cells, order),
            "mask": self.in_order(np.ma.getmaskarray(self.values).view(np.uint8), order) if masked else None,
            "coded": coded,
            "error": span.error if coded else 0.0,
            "low": span.low,
            "high": span.high,
            "diverging": span.diverging,
            "colors": {
                theme: color_table(diverging=span.diverging, theme=theme) for theme in ("light", "dark")
            },
            "columns": columns,
            "marginals": self.sums(order),
        }


def _sums(values: NDArray, axis: int) -> NDArray[np.float64]:
    seen = ~np.ma.getmaskarray(values)
    with np.errstate(invalid="ignore", over="ignore"):  # infinities of both signs: the sum is not defined
        sums = np.ma.getdata(values).sum(axis=axis, dtype=np.float64, where=seen)
    return np.where(seen.any(axis=axis), sums, np.nan)


@dataclass(frozen=True, eq=False)
class HeatmapContent:
    """Matrices over the same units, the tree that orders them, and the facts that go with them.

    ``order`` lists the units as displayed; with a dendrogram it is the dendrogram's. ``message`` says in words why
    there is nothing to show.
    """

    layer: str
    panels: tuple[MatrixPanel, ...] = ()
    dendrogram: Dendrogram | None = None
    facts: tuple[Fact, ...] = ()
    unit_ids: NDArray | None = None
    message: str = ""

    def __post_init__(self) -> None:
        heights = {len(panel.values) for panel in self.panels}
        if len(heights) > 1:
            raise ValueError(f"matrices must be over the same units, but they have {sorted(heights)} rows")
        if self.dendrogram is not None and heights and heights != {len(self.dendrogram.order)}:
            raise ValueError(
                f"dendrogram orders {len(self.dendrogram.order)} units, but the matrices have {heights.pop()} rows"
            )

    @cached_property
    def order(self) -> NDArray[np.int32]:
        """Return the row of ``values`` that stands in each display row."""
        if self.dendrogram is not None:
            return np.asarray(self.dendrogram.order, np.int32)
        return np.arange(len(self.panels[0].values) if self.panels else 0, dtype=np.int32)

    @cached_property
    def units(self) -> NDArray[np.int32]:
        """Return the index within the layer of the unit in each display row."""
        return self.order if self.unit_ids is None else np.asarray(self.unit_ids, np.int32)[self.order]

    def clusters(self, cut: float) -> dict[str, Any]:
        """Return the cluster of each unit of the layer, as the view that cuts the tree tells it to others.

        ``{"layer": name, "labels": [...]}``, 0 for a unit in no cluster or not shown; empty without a tree. ValueError
        where the tree cannot be cut at this height.
        """
        if self.dendrogram is None:
            return {}
        units = np.arange(len(self.order)) if self.unit_ids is None else np.asarray(self.unit_ids)
        labels = np.zeros(units.max(initial=-1) + 1, np.int64)
        labels[units] = self.dendrogram.labels(cut)
        return {"layer": self.layer, "labels": labels.tolist()}

    def column_units(self, layer: str) -> set[int]:
        """Return the units of another layer that some panel shows as columns, by their indices there."""
        columns = [panel.columns for panel in self.panels if panel.columns is not None]
        return {unit for shown in columns if shown.layer == layer for unit in shown.units}

    def exact(self, matrix: str, row: int, column: int) -> float:
        """Return one value by its display position; NaN for a masked cell."""
        panel = next((p for p in self.panels if p.id == matrix), None)
        if panel is None:
            raise KeyError(f"no matrix {matrix!r}; there are {[p.id for p in self.panels]}")
        value = panel.values[self.order[row], self.order[column] if panel.columns is None else column]
        return float("nan") if value is np.ma.masked else float(value)

    def to_state(self) -> dict[str, Any]:
        """Return the form that travels to the browser, see ``js/src/widgets/linked_heatmaps.ts``."""
        tree = self.dendrogram
        return {
            "layer": self.layer,
            "units": self.units,
            "matrices": [panel.to_state(self.order) for panel in self.panels],
            "linkage": None if tree is None else np.asarray(tree.linkage, np.float64),
            "distance": "" if tree is None else "1 − |r|" if tree.use_abs_correlation else "1 − r",
            "facts": [vars(fact) for fact in self.facts],
            "message": self.message,
        }
