"""What `EdgeGraph` shows: columns of units, the edges between them, and their values for some samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.color_range import ColorRange, choose_range, encode
from nbwidgets_nn.colormaps import color_table
from nbwidgets_nn.widgets._content_arrays import single_precision, whole_numbers


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
        _set(self, values=single_precision(self.values, f"values {where}"), aliases=tuple(self.aliases))
        if self.name not in self.aliases:
            _set(self, aliases=(*self.aliases, self.name))
        if self.layer == "":
            _set(self, layer=self.name)
        if self.values.ndim != 2 or not self.values.shape[1]:
            came = f"shape {self.values.shape}"
            raise ValueError(expected(f"values {where}", "(samples, units) with at least 1 unit", came))
        if self.maps is not None:
            _set(self, maps=single_precision(self.maps, f"maps {where}"))
            if self.maps.ndim != 4 or self.maps.shape[:2] != self.values.shape or 0 in self.maps.shape[2:]:
                what = f"(samples, units, height, width) that start with {self.values.shape}"
                raise ValueError(expected(f"maps {where}", what, f"shape {self.maps.shape}"))
        if self.order is not None:
            _set(self, order=whole_numbers(self.order, f"order {where}"))
            if not np.array_equal(np.sort(self.order, axis=None), np.arange(self.units)):
                what = f"every unit from 0 to {self.units - 1} once"
                raise ValueError(expected(f"order {where}", what, _few(self.order)))
        if self.labels is not None:
            _set(self, labels=tuple(map(str, self.labels)))
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


@dataclass(frozen=True, eq=False)
class EdgeBundle:
    """All edges of one layer that mixes units, from its source column to its target column.

    ``weight`` is (outputs, inputs), edge number = output * inputs + input; or (edges,) with their ``ends`` (edges, 2),
    input and output of each. ``source_values`` (samples, inputs) are what the layer received, ``target_values``
    (samples, outputs) what it returned; of feature maps the sums over positions. ``contribution`` (samples, outputs,
    inputs) or (samples, edges) is what an edge adds to its target; None is weight times source value. The contributions
    into a unit and its ``bias`` sum up to its target value.

    ``total`` counts the edges that the layer has; where more than are here, ``note`` says how they were chosen.
    ``weight_is`` is the name of what ``weight`` holds; ``stage`` what is between what the layer returned and the values of
    the column ("BatchNorm1d, ReLU").

    Values are rounded to float32, as edges are seen; ``triplets`` gives the exact numbers.

    Raises:
        TypeError: arrays that do not hold real numbers, or ``ends`` that are not whole ones.
        ValueError: shapes that do not agree, or ends that are not there.

    >>> bundle = EdgeBundle("fc", 0, 1, [[2.0, -1.0]], source_values=[[3.0, 4.0]], target_values=[[2.5]], bias=[0.5])
    >>> bundle.contributions(0).tolist()
    [6.0, -4.0]
    """

    name: str
    source: int
    target: int
    weight: NDArray
    source_values: NDArray
    target_values: NDArray
    kind: str = ""
    ends: NDArray | None = None
    contribution: NDArray | None = None
    bias: NDArray | None = None
    total: int = 0
    weight_is: str = "weight"
    note: str = ""
    stage: str = ""

    def __post_init__(self) -> None:
        for key in ("weight", "source_values", "target_values", "contribution", "bias"):
            if getattr(self, key) is not None:
                _set(self, **{key: single_precision(getattr(self, key), self._argument(key))})
        for key in ("source_values", "target_values"):
            if getattr(self, key).ndim != 2:
                came = f"shape {getattr(self, key).shape}"
                raise ValueError(expected(self._argument(key), "(samples, units)", came))
        if self.ends is None:
            self._check("weight", "(outputs, inputs)", (self.outputs, self.inputs))
        else:
            self._check_ends()
        samples = len(self.source_values)
        self._check("target_values", "(samples, outputs)", (samples, self.outputs))
        self._check("contribution", "(samples, *shape of weight)", (samples, *self.weight.shape))
        self._check("bias", "(outputs,)", (self.outputs,))
        _set(self, total=self.total or self.edges)
        if self.total < self.edges:
            raise ValueError(
                expected(
                    self._argument("total"), f"at least the {self.edges:,} edges given", f"{self.total:,}"
                )
            )

    def _check_ends(self) -> None:
        _set(self, ends=whole_numbers(self.ends, self._argument("ends")))
        if self.weight.ndim != 1:
            came = f"shape {self.weight.shape}"
            raise ValueError(expected(self._argument("weight"), "(edges,), as ends are given", came))
        self._check("ends", "(edges, 2)", (len(self.weight), 2))
        beyond = (self.ends < 0) | (self.ends >= (self.inputs, self.outputs))
        if beyond.any():
            what = f"inputs below {self.inputs} and outputs below {self.outputs}"
            came = f"{self.ends[beyond.any(axis=1)][0].tolist()}"
            raise ValueError(expected(self._argument("ends"), what, came))

    def _check(self, key: str, what: str, shape: tuple[int, ...]) -> None:
        array = getattr(self, key)
        if array is not None and array.shape != shape:
            raise ValueError(expected(self._argument(key), f"{what} = {shape}", f"shape {array.shape}"))

    def _argument(self, key: str) -> str:
        return f"{key} of bundle {self.name!r}"

    @property
    def inputs(self) -> int:
        """Return how many units the layer reads."""
        return self.source_values.shape[1]

    @property
    def outputs(self) -> int:
        """Return how many units the layer writes."""
        return self.target_values.shape[1]

    @property
    def edges(self) -> int:
        """Return how many edges are held here."""
        return self.weight.size

    def ends_of(self, edges: NDArray) -> tuple[NDArray, NDArray]:
        """Return the inputs and the outputs of some edges, by their numbers."""
        if self.ends is None:
            return edges % self.inputs, edges // self.inputs
        return self.ends[edges, 0], self.ends[edges, 1]

    def contributions(self, sample: int) -> NDArray[np.float32]:
        """Return what each edge adds to its target in one sample, by edge number."""
        if self.contribution is not None:
            return self.contribution[sample].ravel()
        inputs = self.source_values[sample]
        with np.errstate(invalid="ignore", over="ignore"):  # 0 * inf is not a number, and is shown as that
            return (self.weight * (inputs if self.ends is None else inputs[self.ends[:, 0]])).ravel()

    def to_state(self) -> dict[str, Any]:
        """Return the form that travels to the browser."""
        kept = ("name", "kind", "source", "target", "inputs", "outputs", "weight", "ends", "contribution")
        values = ("source_values", "target_values", "bias", "total", "weight_is", "note", "stage")
        return {key: getattr(self, key) for key in (*kept, *values)}


@dataclass(frozen=True, eq=False)
class EdgeGraphContent:
    """Columns of units in the order of the data, and the bundles of edges between them, for some samples.

    ``samples`` are the names of the samples held ("sample 17 · 7"); ``how`` says which ones they are of how many.
    ``message`` says in words why there is nothing to show.

    Raises:
        TypeError: columns or bundles that are something else.
        ValueError: columns, bundles and samples that do not fit together.
    """

    columns: tuple[UnitColumn, ...] = ()
    bundles: tuple[EdgeBundle, ...] = ()
    samples: tuple[str, ...] = ()
    title: str = "Edges"
    how: str = ""
    message: str = ""

    def __post_init__(self) -> None:
        _set(
            self,
            columns=_all_are(UnitColumn, self.columns, "columns"),
            bundles=_all_are(EdgeBundle, self.bundles, "bundles"),
            samples=_names(self.samples),
        )
        if not ((self.columns and self.samples) or self.message):
            missing = "samples" if self.columns else "columns"
            raise ValueError(expected(missing, "at least one, or a message that says why", "none"))
        aliases = [alias for column in self.columns for alias in column.aliases]
        twice = next((alias for alias in aliases if aliases.count(alias) > 1), None)
        if twice is not None:
            raise ValueError(expected("columns", "every layer in one column", f"{twice!r} twice"))
        for column in self.columns:
            self._check_samples(f"values of column {column.name!r}", len(column.values))
        for bundle in self.bundles:
            self._check_bundle(bundle)

    def _check_bundle(self, bundle: EdgeBundle) -> None:
        where = f"of bundle {bundle.name!r}"
        if not 0 <= bundle.source < bundle.target < len(self.columns):
            what = f"two of the {len(self.columns)} columns, in the order of the data"
            raise ValueError(
                expected(f"source and target {where}", what, f"{bundle.source} and {bundle.target}")
            )
        for side, count, index in (
            ("source_values", bundle.inputs, bundle.source),
            ("target_values", bundle.outputs, bundle.target),
        ):
            column = self.columns[index]
            if count != column.units:
                what = f"the {column.units} units of column {column.name!r}"
                raise ValueError(expected(f"{side} {where}", what, f"{count}"))
        self._check_samples(f"source_values {where}", len(bundle.source_values))

    def _check_samples(self, name: str, count: int) -> None:
        if count != len(self.samples):
            raise ValueError(
                expected(name, f"a row for each of {len(self.samples)} samples", f"{count} rows")
            )

    @property
    def edges(self) -> int:
        """Return how many edges are held here, of all bundles."""
        return sum(bundle.edges for bundle in self.bundles)

    @property
    def total(self) -> int:
        """Return how many edges the layers have."""
        return sum(bundle.total for bundle in self.bundles)

    def column_of(self, layer: str) -> UnitColumn | None:
        """Return the column where a layer's units stand, by its name or another one; None if it is not shown."""
        return next((column for column in self.columns if layer in column.aliases), None)

    def to_state(self) -> dict[str, Any]:
        """Return the form that travels to the browser, see ``js/src/widgets/edge_graph.ts``."""
        return {
            "title": self.title,
            "how": self.how,
            "message": self.message,
            "samples": list(self.samples),
            "columns": [column.to_state() for column in self.columns],
            "bundles": [bundle.to_state() for bundle in self.bundles],
            "colors": {
                theme: {
                    kind: color_table(diverging=kind == "diverging", theme=theme, quiet=True)
                    for kind in ("diverging", "sequential")
                }
                for theme in ("light", "dark")
            },
        }


def _set(frozen: Any, **values: Any) -> None:
    for key, value in values.items():
        object.__setattr__(frozen, key, value)


def _few(array: NDArray) -> str:
    return f"{array.ravel()[:6].tolist()}{', ...' if array.size > 6 else ''}"


def _all_are(kind: type, parts: Any, name: str) -> tuple[Any, ...]:
    parts = (parts,) if isinstance(parts, kind) else tuple(parts)
    stranger = next((part for part in parts if not isinstance(part, kind)), None)
    if stranger is not None:
        raise TypeError(expected(name, f"{kind.__name__} each", type(stranger).__name__))
    return parts


def _names(samples: Any) -> tuple[str, ...]:
    if isinstance(samples, str):
        raise TypeError(expected("samples", "a sequence of names", "one string", f"({samples!r},)"))
    return tuple(map(str, samples))
