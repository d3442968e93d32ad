"""What `EdgeGraph` shows: columns of units, the edges between them, and their values for some samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.colormaps import color_table
from nbwidgets_nn.widgets._content_arrays import set_values
from nbwidgets_nn.widgets.edge_bundle import EdgeBundle
from nbwidgets_nn.widgets.unit_column import UnitColumn


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
        set_values(
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
