"""Matrices over the same units, clustered and linked. Twin: ``js/src/widgets/linked_heatmaps.ts``."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Callable
from html import escape
from io import BytesIO
from typing import Any

import anywidget
import numpy as np
import traitlets
from ipywidgets import CallbackDispatcher

from nbwidgets_nn.color_range import LEVELS, encode
from nbwidgets_nn.colormaps import color_table
from nbwidgets_nn.widgets._array_trait import pack
from nbwidgets_nn.widgets._bundle import bundle
from nbwidgets_nn.widgets._still import Drawable, StillPicture
from nbwidgets_nn.widgets.heatmap_content import HeatmapContent, MatrixPanel
from nbwidgets_nn.widgets.job import ACTIONS, checked_job
from nbwidgets_nn.widgets.saved_page import Savable
from nbwidgets_nn.widgets.selection import Selection, SelectionTrait, receive_selection, send_selection

_STATIC_PIXELS = 480


def _send_content(content: HeatmapContent, _widget: Any) -> Any:
    return pack(content.to_state())


def _receive_cut(cut: float, widget: LinkedHeatmaps) -> float:
    # A tree may be higher than its distance goes (ward): the browser can drag there, clusters end there.
    return min(max(cut, 0.0), widget._highest_cut)  # noqa: SLF001 - the widget's own helper


class LinkedHeatmaps(StillPicture, Drawable, Savable, anywidget.AnyWidget):
    """One or several heatmaps over the units of one layer, ordered by one tree, sharing one selection.

    Args:
        content: matrices, tree and facts; set the trait to show other ones.
        cut: height at which the tree is cut into clusters, in the tree's distance.

    Traits:
        selection: a `Selection`; may be set to unit names (``"conv1:17"``), indices, or None. Two-way. Units of
            another layer that a panel shows as columns are selected by name as well.
        cut: two-way; moved in the browser it re-clusters there, without the kernel.
        job: a computation shown as a card where its panel will stand, or None; see `on_job`.
        clusters: ``{"layer": name, "labels": [...]}``, the cluster of each unit at the cut as the browser colours it,
            0 for none; empty until it is drawn.

    Matrices of up to 2^18 cells travel exactly. Larger ones travel as one byte a cell; the view states the error
    bound and asks the kernel for the exact value under the pointer.
    """

    _kind = "linked_heatmaps"
    _esm = bundle("linked_heatmaps.js")
    _css = bundle("nbwidgets.css")

    # The browser never sends content back, and echoing megabytes would only double the traffic.
    content = traitlets.Instance(HeatmapContent).tag(sync=True, echo_update=False, to_json=_send_content)
    cut = traitlets.Float(0.5).tag(sync=True, from_json=_receive_cut)
    selection = SelectionTrait().tag(sync=True, to_json=send_selection, from_json=receive_selection)
    # Only Python writes it: the view asks by a message, and shows what came of it when the trait changes.
    job = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True, echo_update=False)
    # Only the browser writes it, as it cuts the tree there: {layer, labels}, so that an edge graph can wear them.
    clusters = traitlets.Dict().tag(sync=True)

    def __init__(self, content: HeatmapContent, *, cut: float = 0.5) -> None:
        if not isinstance(content, HeatmapContent):
            raise TypeError(
                f"content must be a HeatmapContent, but {type(content).__name__} came; for a matrix R of a layer's units: "
                'HeatmapContent("layer", (MatrixPanel("r", "Correlation", R),))'
            )
        super().__init__(content=content, cut=cut, selection=Selection(content.layer))
        self._job_callbacks = CallbackDispatcher()
        self.on_msg(self._receive)

    def read_selection(self, value: Any) -> Selection:
        """Read names, indices, or None as a selection within the layer shown, or among a panel's columns.

        A layer that stands neither in the rows nor in the columns is taken as it is: another view may show it.

        Raises:
            ValueError: a unit that the layer shown, or the columns of its layer, do not have.
        """
        selection = Selection.of(value, self.content.layer)
        known = self._shown_units(selection.layer)
        missing = [name for name, i in zip(selection.units, selection.indices, strict=True) if i not in known]
        elsewhere = not known and selection.layer != self.content.layer
        # A view may keep units that an earlier content had: only what is written in Python is checked.
        if missing and not elsewhere and selection.source == "python":
            raise ValueError(
                f"selection: layer {selection.layer!r} shows {len(known)} units; {missing[:5]} are not among them"
            )
        return selection

    def _shown_units(self, layer: str) -> set[int]:
        rows = set(self.content.units.tolist()) if layer == self.content.layer else set()
        return rows | self.content.column_units(layer)

    @traitlets.validate("job")
    def _readable_job(self, proposal: Any) -> dict[str, Any] | None:
        return checked_job(proposal.value)

    def on_job(self, callback: Callable[[str], None], remove: bool = False) -> None:
        """Call ``callback("start")`` or ``callback("cancel")`` when a reader presses the button of the `job` card.

        The callback runs in the kernel's message loop: start long work elsewhere, and set `job` to show how it goes.
        With ``remove`` the callback is let go.
        """
        self._job_callbacks.register_callback(callback, remove=remove)

    @traitlets.validate("cut")
    def _within_the_tree(self, proposal: Any) -> float:
        return self.checked_cut(proposal.value)

    def checked_cut(self, cut: float) -> float:
        """Return the cut, or a ValueError that names the heights there are."""
        highest = self._highest_cut
        # The highest branch of a tree may lie a rounding error above the largest distance there is.
        if not 0 <= cut <= highest * (1 + 1e-6):  # NaN is not either
            raise ValueError(f"cut must be a height in [0, {highest:g}], the tree's distance, but {cut} came")
        return min(cut, highest)

    @property
    def _page_title(self) -> str:
        return self.content.layer

    @property
    def _highest_cut(self) -> float:
        tree = self.content.dendrogram
        return 1.0 if tree is not None and tree.use_abs_correlation else 2.0

    def _receive(self, _widget: Any, message: dict[str, Any], _buffers: Any) -> None:
        if message.get("type") == "exact":
            self._answer(message)
        elif message.get("type") == "job" and message.get("action") in ACTIONS:
            self._job_callbacks(message["action"])

    def _answer(self, message: dict[str, Any]) -> None:
        """Answer the view's question for an exact value; an error is an answer too."""
        try:
            value = self.content.exact(message["matrix"], message["row"], message["column"])
        except (KeyError, IndexError, TypeError) as error:
            self.send({"type": "error", "request": message.get("request"), "message": str(error)})
        else:
            # JSON has no infinity and no NaN; the view reads them from text.
            answer = value if math.isfinite(value) else str(value)
            self.send({"type": "exact", "request": message.get("request"), "value": answer})

    def __repr__(self) -> str:
        shapes = ", ".join(f"{panel.id} {panel.values.shape}" for panel in self.content.panels)
        return f"LinkedHeatmaps(layer={self.content.layer!r}, {shapes or self.content.message})"

    def static_html(self) -> str:
        """Return the still pictures that are seen where no widget can run: GitHub, nbviewer, a saved notebook."""
        figures = "".join(_static_figure(panel, self.content.order) for panel in self.content.panels)
        return f'<div style="display:flex;flex-wrap:wrap;gap:1em">{figures or escape(self.content.message)}</div>'

    def _draw(self, format: str, **options: Any) -> bytes:  # noqa: A002
        from nbwidgets_nn.figures.heatmaps import draw_heatmaps  # noqa: PLC0415 - matplotlib only when a picture is asked for

        return draw_heatmaps(self.content, cut=self.cut, selection=self.selection, format=format, **options)


def _static_figure(panel: MatrixPanel, order: np.ndarray) -> str:
    """Return one matrix as an inline picture of at most 480 pixels a side; a larger matrix is thinned, and says so."""
    from PIL import Image  # noqa: PLC0415 - only for display

    step = [max(1, -(-length // _STATIC_PIXELS)) for length in panel.values.shape]
    across = order if panel.columns is None else np.arange(panel.values.shape[1])
    codes = encode(panel.values[np.ix_(order[:: step[0]], across[:: step[1]])], panel.range)
    table = np.full((256, 3), 150, np.uint8)
    table[:LEVELS] = color_table(diverging=panel.range.diverging, theme="light")
    file = BytesIO()
    Image.fromarray(table[codes]).save(file, "PNG")
    thinned = "" if step == [1, 1] else f" · every {max(step)}th cell drawn"
    caption = escape(f"{panel.title} · {panel.how}{thinned}")
    image = f'<img width="320" style="image-rendering:pixelated" alt="{escape(panel.title)}" '
    return f'<figure>{image}src="data:image/png;base64,{b64encode(file.getvalue()).decode()}"><figcaption>{caption}</figcaption></figure>'
