"""A keyboard-usable tree of a network's layers. Twin: ``js/src/widgets/layer_picker.ts``."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

import anywidget
import traitlets

from nbwidgets_nn.widgets._bundle import bundle
from nbwidgets_nn.widgets._still import StillPicture


@dataclass(frozen=True)
class LayerRow:
    """One layer in the picker; ``redundancy`` is a share of units in [0, 1], or None where it is not known (yet)."""

    name: str
    type: str
    shape: tuple[int, ...] | None = None
    parameters: int = 0
    redundancy: float | None = None
    note: str = ""


class LayerPicker(StillPicture, anywidget.AnyWidget):
    """Pick a layer.

    Args:
        layers: the rows, in execution order.
        layer: the picked layer's name; defaults to the first.
        title, subtitle: what the network is.
        redundancy_title: the definition of the redundancy column.

    Raises:
        ValueError: no layers, a name twice, or a layer that is not there (the near names are listed).

    >>> picker = LayerPicker([LayerRow("input", "input"), LayerRow("fc1", "Linear", (32,), 2080)])
    >>> picker.layer = "fc1"
    """

    _esm = bundle("layer_picker.js")
    _css = bundle("nbwidgets.css")

    layers = traitlets.Tuple().tag(sync=True, echo_update=False)
    layer = traitlets.Unicode().tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    subtitle = traitlets.Unicode().tag(sync=True)
    redundancy_title = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        layers: Sequence[LayerRow],
        layer: str | None = None,
        *,
        title: str = "Layers",
        subtitle: str = "",
        redundancy_title: str = "",
    ) -> None:
        strangers = [row for row in layers if not isinstance(row, LayerRow)]
        if strangers:
            raise TypeError(f"layers must be LayerRow(name, type, ...) each, but {strangers[0]!r} came")
        rows = tuple(asdict(row) for row in layers)
        names = [row["name"] for row in rows]
        if not rows:
            raise ValueError("layers must hold at least one LayerRow, but it is empty")
        if len(set(names)) < len(names):
            raise ValueError(f"layers must have names of their own, but {names} came")
        super().__init__(
            layers=rows,
            layer=names[0] if layer is None else layer,
            title=title,
            subtitle=subtitle,
            redundancy_title=redundancy_title,
        )

    @traitlets.validate("layer")
    def _known(self, proposal: Any) -> str:
        names = [row["name"] for row in self.layers]
        if proposal.value not in names:
            near = difflib.get_close_matches(proposal.value, names) or names[:8]
            raise ValueError(
                f"layer {proposal.value!r} is not one of the {len(names)} layers; near it: {near}"
            )
        return proposal.value

    def __repr__(self) -> str:
        return f"LayerPicker({len(self.layers)} layers, layer={self.layer!r})"

    def static_html(self) -> str:
        """Return the table that is seen where no widget can run."""
        rows = "".join(
            f"<tr><td>{escape(row['name'])}</td><td>{escape(row['type'])}</td>"
            f"<td>{' × '.join(map(str, row['shape'] or ()))}</td><td>{row['parameters']:,}</td>"
            f"<td>{'' if row['redundancy'] is None else format(row['redundancy'], '.0%')}</td></tr>"
            for row in self.layers
        )
        head = "<tr><th>layer</th><th>type</th><th>output</th><th>parameters</th><th>redundancy</th></tr>"
        return f"<table><caption>{escape(self.title)} {escape(self.subtitle)}</caption>{head}{rows}</table>"
