"""Layers as columns of units, with the edges between them. Twin: ``js/src/widgets/edge_graph.ts``."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import fields, replace
from html import escape
from typing import Any

import anywidget
import traitlets

from nbwidgets_nn._arrays import expected
from nbwidgets_nn._words import plural
from nbwidgets_nn.widgets._array_trait import pack
from nbwidgets_nn.widgets._bundle import bundle
from nbwidgets_nn.widgets._edge_scene import EdgeView
from nbwidgets_nn.widgets._edge_strength import QUANTITIES
from nbwidgets_nn.widgets._still import Drawable, StillPicture
from nbwidgets_nn.widgets.edge_graph_content import EdgeGraphContent
from nbwidgets_nn.widgets.saved_page import Savable
from nbwidgets_nn.widgets.selection import Selection, SelectionTrait, receive_selection, send_selection

# As many as still can be told apart.
_SHOWN_FIRST = 400
# A notebook is not to wait for its still picture, nor to grow by it.
_STILL = 1000
_LOWEST = 160


def _send_content(content: EdgeGraphContent, _widget: Any) -> Any:
    return pack(content.to_state())


def _receive_sample(sample: int, widget: EdgeGraph) -> int:
    # The browser may have stepped within an earlier content, which had more samples.
    return min(max(sample, 0), widget._last_sample)  # noqa: SLF001 - the widget's own helper


def _receive_shown(shown: int, widget: EdgeGraph) -> int:
    return min(max(shown, 0), widget.content.edges)


class EdgeGraph(StillPicture, Drawable, Savable, anywidget.AnyWidget):
    """The units of a network in columns, coloured by their activation, and the strongest edges between them.

    Args:
        content: columns, bundles of edges and samples; set the trait to show other ones.
        sample: which of the samples held is shown first.
        quantity: what orders, widens and colours the edges: "contribution" (weight times source value) or "weight".
        shown: how many edges are drawn: half of them are shared evenly among the layers, each layer's strongest, the others
            are the strongest of all that are left. More than there are draws all; None draws at most 400.
        per_unit: draw the strongest ones into each unit instead, this many; 0 is off.
        color_by: what colours the nodes: "activation", or "cluster" as cut in a linked heatmap.
        height: of the drawing, in CSS pixels.

    Traits:
        sample, quantity, shown, per_unit, color_by: two-way.
        selection: a `Selection`; may be set to unit names (``"fc1:17"``), indices within `layer`, or None. Two-way.
        layer: the layer picked elsewhere; the head of its column is marked. A click on a head sets it.
        clusters: ``{"layer": name, "labels": [...]}``, the cluster of each unit, 0 for none; a linked heatmap tells it in
            the browser.

    Strength is relative to the largest finite |value| of the same layer. Values that are not finite are drawn with a
    mark of their own, and counted. All values travel as float32: they are seen, not read; `triplets` has exact ones.

    Raises:
        TypeError: content that is none.
        ValueError: a sample, a number of edges or a unit that there is not.

    >>> from nbwidgets_nn import EdgeBundle, UnitColumn
    >>> columns = UnitColumn("input", [[3.0, 4.0]]), UnitColumn("fc", [[2.5]])
    >>> bundle = EdgeBundle("fc", 0, 1, [[2.0, -1.0]], source_values=[[3.0, 4.0]], target_values=[[2.5]], bias=[0.5])
    >>> EdgeGraph(EdgeGraphContent(columns, (bundle,), ("sample 0",)))
    EdgeGraph(2 columns, 2 of 2 edges, sample='sample 0', quantity='contribution')
    """

    OPTIONS = ("sample", "quantity", "shown", "per_unit", "color_by", "height")
    """What may be chosen beside the content."""

    _kind = "edge_graph"
    _esm = bundle("edge_graph.js")
    _css = bundle("nbwidgets.css")

    # The browser never sends content back, and echoing megabytes would only double the traffic.
    content = traitlets.Instance(EdgeGraphContent).tag(sync=True, echo_update=False, to_json=_send_content)
    sample = traitlets.Int().tag(sync=True, from_json=_receive_sample)
    quantity = traitlets.Enum(QUANTITIES, QUANTITIES[0]).tag(sync=True)
    shown = traitlets.Int().tag(sync=True, from_json=_receive_shown)
    per_unit = traitlets.Int().tag(sync=True)
    color_by = traitlets.Enum(("activation", "cluster"), "activation").tag(sync=True)
    selection = SelectionTrait().tag(sync=True, to_json=send_selection, from_json=receive_selection)
    layer = traitlets.Unicode().tag(sync=True)
    clusters = traitlets.Dict().tag(sync=True)
    height = traitlets.Int(460).tag(sync=True)

    find_clusters: Callable[[], dict[str, Any]] = dict
    """Gives `clusters` for a still picture while no browser shows the heatmap that tells them."""

    def __init__(
        self,
        content: EdgeGraphContent,
        *,
        sample: int = 0,
        quantity: str = "contribution",
        shown: int | None = None,
        per_unit: int = 0,
        color_by: str = "activation",
        height: int = 460,
    ) -> None:
        if not isinstance(content, EdgeGraphContent):
            what = "an EdgeGraphContent(columns, bundles, samples)"
            raise TypeError(expected("content", what, type(content).__name__))
        super().__init__(
            content=content,
            sample=sample,
            quantity=quantity,
            shown=_shown_first(content) if shown is None else shown,
            per_unit=per_unit,
            color_by=color_by,
            height=height,
            selection=Selection(),
        )

    def read_selection(self, value: Any) -> Selection:
        """Read names, indices within `layer`, or None as a selection of the units of one column.

        A layer that no column shows is taken as it is: another view may show it.

        Raises:
            ValueError: a unit that its layer does not have, or an index while no `layer` is picked.
        """
        selection = Selection.of(value, self.layer)
        if selection.units and not selection.layer:
            what = 'unit names like "fc1:17", or a layer that indices belong to'
            raise ValueError(expected("selection", what, f"{value!r}", "set layer first"))
        column = self.content.column_of(selection.layer)
        # A view may keep units that an earlier content had: only what is written in Python is checked.
        if column is not None and selection.source == "python":
            missing = [
                unit for unit, i in zip(selection.units, selection.indices, strict=True) if i >= column.units
            ]
            if missing:
                what = f"units of layer {selection.layer!r}, which has {column.units}"
                raise ValueError(expected("selection", what, f"{missing[:5]}"))
        return selection

    @property
    def _page_title(self) -> str:
        return self.content.title

    @property
    def _last_sample(self) -> int:
        return max(len(self.content.samples) - 1, 0)

    @traitlets.validate("sample")
    def _sample_is_held(self, proposal: Any) -> int:
        if not 0 <= proposal.value <= self._last_sample:
            held = f"0 to {self._last_sample}, one of {plural(len(self.content.samples), 'sample')} held"
            raise ValueError(expected("sample", held, f"{proposal.value}"))
        return proposal.value

    @traitlets.validate("shown")
    def _shown_are_there(self, proposal: Any) -> int:
        if proposal.value < 0:
            raise ValueError(expected("shown", "at least 0", f"{proposal.value:,}"))
        return min(proposal.value, self.content.edges)

    @traitlets.validate("per_unit")
    def _not_negative(self, proposal: Any) -> int:
        if proposal.value < 0:
            raise ValueError(expected("per_unit", "how many edges into each unit, or 0", f"{proposal.value}"))
        return proposal.value

    @traitlets.validate("height")
    def _high_enough(self, proposal: Any) -> int:
        if proposal.value < _LOWEST:
            raise ValueError(expected("height", f"at least {_LOWEST} pixels", f"{proposal.value}"))
        return proposal.value

    @traitlets.observe("content")
    def _fit_to_content(self, change: Any) -> None:
        """Keep sample and number of edges where the new content has them; what was not chosen stays unchosen."""
        before = change.old
        if not isinstance(before, EdgeGraphContent):
            return
        self.sample = min(self.sample, self._last_sample)
        unchosen = self.shown == _shown_first(before)
        self.shown = _shown_first(self.content) if unchosen else min(self.shown, self.content.edges)

    def __repr__(self) -> str:
        if not self.content.columns:
            return f"EdgeGraph({self.content.message})"
        columns = plural(len(self.content.columns), "column")
        drawn = f"{self.per_unit} into each unit" if self.per_unit else f"{self.shown:,}"
        sample = self.content.samples[self.sample]
        return (
            f"EdgeGraph({columns}, {drawn} of {plural(self.content.edges, 'edge')}, "
            f"sample={sample!r}, quantity={self.quantity!r})"
        )

    def static_html(self) -> str:
        """Return the still picture that is seen where no widget can run, with at most 1,000 edges."""
        if not self.content.columns:
            return f"<div>{escape(self.content.message)}</div>"
        names = " → ".join(column.name for column in self.content.columns)
        into_units = self.per_unit * sum(bundle.outputs for bundle in self.content.bundles)
        fewer = {"shown": min(self.shown, _STILL), "per_unit": self.per_unit if into_units <= _STILL else 0}
        picture = self._draw("png", fewer, dpi=96)
        source = f"data:image/png;base64,{b64encode(picture).decode()}"
        return f'<img width="960" alt="{escape(f"{self.content.title}: {names}")}" src="{source}">'

    def _draw(self, format: str, instead: dict[str, Any] | None = None, **options: Any) -> bytes:  # noqa: A002
        from nbwidgets_nn.figures.edge_graph import draw_edges  # noqa: PLC0415 - matplotlib only for a picture

        return draw_edges(self.content, replace(self.view(), **(instead or {})), format=format, **options)

    def view(self) -> EdgeView:
        """Return the choices that a still picture is drawn with; clusters are found where no browser has told them."""
        choices = {field.name: getattr(self, field.name) for field in fields(EdgeView)}
        return EdgeView(**{**choices, "clusters": self.clusters or self.find_clusters()})


def _shown_first(content: EdgeGraphContent) -> int:
    return min(_SHOWN_FIRST, content.edges)
