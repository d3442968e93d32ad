"""The causal plane of a network: one mark a layer, and its way there over training."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from typing import Any

import traitlets
from ipywidgets import HTML, Layout, VBox, Widget

from nbwidgets_nn._words import plural
from nbwidgets_nn.widgets._causal_marks import CausalMarks
from nbwidgets_nn.widgets._causal_reports import read_reports
from nbwidgets_nn.widgets._causal_style import STYLE
from nbwidgets_nn.widgets._still import Drawable, StillPicture
from nbwidgets_nn.widgets.causal_content import CausalContent


class CausalPlane(StillPicture, Drawable, VBox):
    """Sensitivity against degeneracy, in bits: where a layer stands, and how it got there.

    Args:
        reports: an `EIReport`, or a dict or list of (label, `EIReport`), one for each checkpoint in order of time.
        of: the quantity on the vertical axis: "degeneracy", "ei_parts", "ei" or "phi".
        selected: the layer that is selected first.
        title: shown above the plane.

    Traits:
        layer: the selected layer's name, two-way: a click on a mark sets it. A name that is not on the plane leaves
            it without a selected mark, and the line below the title says so.

    The layers of wide networks lie close to the diagonal, as nearly all of their sensitivity is lost; ``of="ei_parts"``
    then shows what is left. Degeneracy can be negative where bins are coarse; the caption then says why.

    Rows whose sensitivity or vertical quantity is NaN are left out, and the caption says which.

    Raises:
        TypeError: not a report, nor a dict or list of (label, report).
        ValueError: no report, reports with different bins, or an unknown ``of``.

    >>> from nbwidgets_nn.information_results import Bits, EIReport, LayerInformation
    >>> row = LayerInformation("fc1", 4, 5, Bits(24.4), Bits(5.0), Bits(4.4), Bits(20.0), Bits(0.6))
    >>> CausalPlane(EIReport((row,), in_bins=8, out_bins=8, seed=0), selected="fc1")
    CausalPlane(1 layer, 1 checkpoint, layer='fc1')

    To follow an explorer, and lead it (the explorer stands first: it always has a layer, the plane may have none):

    >>> traitlets.link((explorer, "layer"), (plane, "layer"))  # doctest: +SKIP
    """

    layer = traitlets.Unicode()
    _parts: Sequence[Widget] = ()

    def __init__(self, reports: Any, *, of: str = "degeneracy", selected: str = "", title: str = "") -> None:
        self.content = read_reports(reports, of)
        self.title = title or "Causal plane"
        self._head = HTML()
        self._marks = CausalMarks(self.content)
        self._marks.on_click(self._pick)
        self.figure = self._marks.figure()
        foot = HTML("".join(f'<div class="nbw-text">{escape(line)}</div>' for line in self.content.caption()))
        super().__init__([self._head, self.figure, foot], layout=Layout(width="100%", max_width="960px"))
        self._parts = (*self._marks.parts, self.figure.scale_x, self.figure.scale_y, *self.children)
        self.add_class("nbw-causal-plane")
        self.observe(self._show_layer, "layer")
        self.layer = selected
        self._show_layer()

    def _pick(self, layer: str) -> None:
        self.layer = layer

    def _show_layer(self, _change: Any = None) -> None:
        self._marks.select(self.layer)
        self._head.value = _head(self.content, self.title, self.layer)

    def close(self) -> None:
        """Close everything that the plane is made of."""
        for part in self._parts:
            part.close()
        self._parts = ()  # closing again does nothing
        super().close()

    def __repr__(self) -> str:
        layers = plural(len(self.content.paths), "layer")
        checkpoints = plural(len(self.content.checkpoints), "checkpoint")
        return f"CausalPlane({layers}, {checkpoints}, layer={self.layer!r})"

    def static_html(self) -> str:
        """Return the still picture that is seen where no widget can run."""
        about = f"{self.title}: {', '.join(path.layer for path in self.content.paths)}"
        source = f"data:image/png;base64,{b64encode(self.to_png(dpi=120)).decode()}"
        return f'<img width="660" alt="{escape(about)}" src="{source}">'

    def _draw(self, format: str, **options: Any) -> bytes:  # noqa: A002
        from nbwidgets_nn.figures.causal_plane import draw_causal_plane  # noqa: PLC0415 - matplotlib only for a picture

        return draw_causal_plane(self.content, self.layer, title=self.title, format=format, **options)


def _head(content: CausalContent, title: str, layer: str) -> str:
    """Return the title, what is shown, and the selected layer's numbers, announced when they change."""
    picked = escape(content.picked(layer)) or "Click a layer to see its numbers."
    if content.path(layer) is not None:
        picked = f'<span class="nbw-picked"><i>●</i> {picked}</span>'
    return (
        f'{STYLE}<div class="nbw-text"><span class="nbw-title">{escape(title)}</span>{escape(content.how)}</div>'
        f'<div class="nbw-text nbw-status" role="status">{picked}</div>'
    )
