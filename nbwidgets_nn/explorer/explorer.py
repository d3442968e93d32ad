"""The explorer as a widget: where a choice made in one of its parts leads to a computation, and to the others."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import traitlets
from ipywidgets import HBox, Layout, Widget
from numpy.typing import NDArray

from nbwidgets_nn._arrays import expected
from nbwidgets_nn._progress import bar
from nbwidgets_nn.explorer.layer_view import LayerView, view_layer
from nbwidgets_nn.explorer.links import link_graph, write_explorer
from nbwidgets_nn.explorer.picture import ExplorerPicture
from nbwidgets_nn.explorer.recording_facts import checked_target, default_layer, sample_count, subtitle
from nbwidgets_nn.explorer.shown_information import ShownInformation
from nbwidgets_nn.fourier_view import follow, spectrum_view
from nbwidgets_nn.graph_view import graph_content
from nbwidgets_nn.information_results import EffectiveInformation
from nbwidgets_nn.record._names import kind_of
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.widgets._still import StillPicture, check_ending
from nbwidgets_nn.widgets.edge_graph import EdgeGraph
from nbwidgets_nn.widgets.heatmap_content import HeatmapContent
from nbwidgets_nn.widgets.layer_picker import LayerPicker, LayerRow
from nbwidgets_nn.widgets.linked_heatmaps import LinkedHeatmaps
from nbwidgets_nn.widgets.selection import Selection, SelectionTrait
from nbwidgets_nn.widgets.spectrum_view import SpectrumView

# Layers of up to this many units are analysed at once, so that the picker can show how redundant they are.
_AT_ONCE_UNITS = 1024

# Seconds to wait for a computation before its progress is shown in its place.
_PATIENCE_AT_FIRST, _PATIENCE = 1.0, 0.3

_REDUNDANCY = (
    "Share of the units that could be left out if one of each cluster were kept: "
    "1 − clusters / units, clusters cut at {cut:g} on {distance}. Constant units count as redundant."
)


class Explorer(StillPicture, ExplorerPicture, HBox):
    """The explorer as a widget; made by `explore`.

    Attributes:
        layer: the name of the layer shown.
        selection: a `Selection`; may be set to unit names, indices or None.
        cut: height of the cut.
        recording: the `Activations`.
        picker, heatmaps, graph: the widgets, for layouts of your own; graph is None with ``max_edges=0``.
    """

    layer = traitlets.Unicode()
    selection = SelectionTrait()
    cut = traitlets.Float(0.5)
    _links: Sequence[traitlets.link | Widget] = ()

    def __init__(
        self,
        recording: Activations,
        *,
        layer: str | None,
        target: Sequence[Any] | None,
        cut: float,
        ei: tuple[int, tuple[float, float] | None],
        graph: dict[str, Any],
        title: str | None,
        **options: Any,
    ) -> None:
        self.recording = recording
        self._information = ShownInformation(recording, *ei)
        self._samples = sample_count(recording)
        self._target = checked_target(target, self._samples)
        self._options = options
        self._views: dict[str, LayerView] = {}
        self._lock = threading.RLock()
        self._first_cut = cut
        names = list(recording.layernames)
        shown = default_layer(recording) if layer is None else recording[layer].name
        self._analyse([name for name in names if recording[name].units <= _AT_ONCE_UNITS])
        self.heatmaps = LinkedHeatmaps(self._content(shown), cut=cut)
        self.picker = LayerPicker(
            [self._row(name) for name in names],
            shown,
            title=title or kind_of(recording.network),
            subtitle=subtitle(recording),
            redundancy_title=_REDUNDANCY.format(
                cut=cut, distance="1 − |r|" if options["use_abs_correlation"] else "1 − r"
            ),
        )
        self.picker.layout = Layout(flex="1 1 250px", min_width="220px", max_width="100%")
        self.heatmaps.layout = Layout(flex="5 1 560px", min_width="0", max_width="100%")
        self.graph = self._graph(**graph) if graph["max_edges"] else None
        super().__init__(
            [self.picker, self.heatmaps, *filter(None, [self.graph])],
            layout=Layout(flex_flow="row wrap", align_items="flex-start", width="100%"),
            selection=self.heatmaps.selection,
            layer=shown,
            cut=cut,
        )
        self._links = []
        self._spectra: list[SpectrumView] = []
        if self.graph is not None:  # before the links: a layer set in Python is not the picker's yet
            self._links += link_graph(self, self.graph)
        self._links += [
            traitlets.link((self.picker, "layer"), (self, "layer")),
            traitlets.link((self.heatmaps, "cut"), (self, "cut")),
            traitlets.link((self.heatmaps, "selection"), (self, "selection")),
        ]
        self.observe(self._show_layer, "layer")
        self.heatmaps.on_job(self._on_job)
        self._inform(patience=_PATIENCE_AT_FIRST)

    def _graph(self, **options: Any) -> EdgeGraph:
        """Return the edges of all layers, the units in the order of the heatmaps."""
        content = graph_content(self.recording, target=self._target, orders=self._order_of, **options)
        graph = EdgeGraph(content)
        graph.find_clusters = lambda: self.heatmaps.content.clusters(self.heatmaps.cut)
        graph.layout = Layout(flex="1 1 100%", min_width="0", max_width="100%")
        return graph

    @traitlets.validate("layer")
    def _known_layer(self, proposal: Any) -> str:
        return self.recording[proposal.value].name

    @traitlets.validate("cut")
    def _within_the_tree(self, proposal: Any) -> float:
        return self.heatmaps.checked_cut(proposal.value)

    def read_selection(self, value: Any) -> Selection:
        """Read names, indices, or None as a selection within the layer shown, or of another layer by names."""
        selection = self.heatmaps.read_selection(value)
        known = self._units_of(selection.layer) if selection.layer else 0
        beyond = [
            name for name, index in zip(selection.units, selection.indices, strict=True) if index >= known
        ]
        if beyond:
            raise ValueError(
                f"selection: layer {selection.layer!r} has {known} units; {beyond[:5]} are not among them"
            )
        return selection

    def _units_of(self, layer: str) -> int:
        column = self.graph and self.graph.content.column_of(layer)
        # Tiles and joined inputs are units in the graph alone.
        return column.units if column and layer not in self.recording else self.recording[layer].units

    def close(self) -> None:
        """Close the widgets too and let everything go: the recording, the matrices, the results."""
        self._information.stop()
        for link in self._links:
            link.unlink()
        self._links, self._spectra = [], []  # closing again does nothing
        for child in self.children:
            child.close()
        super().close()

    def __repr__(self) -> str:
        return f"Explorer({self.picker.title}, layer={self.layer!r}, {len(self.selection)} units selected)"

    def view(self, layer: str | None = None) -> LayerView:
        """Return everything computed for a layer: correlation, dendrogram, measures; computed now if need be."""
        name = self.layer if layer is None else self.recording[layer].name
        if name not in self._views:
            self._analyse([name])
        return self._views[name]

    def spectrum(
        self,
        type: str | Sequence[str] | None = None,  # noqa: A002 - the seed's name
        **options: Any,
    ) -> SpectrumView:
        """Return the Fourier spectrum of the activations, linked: layer and selection are those of the explorer.

        Picking a coefficient selects its unit and shows its layer here; picking a frequency selects no unit. Every unit
        selected here is marked there; as in the graph, a selection in another layer turns to no other layer.

        Args:
            type: of the transform, or several to choose from; by default as of `spectrum_view`.
            options: further ones of `spectrum_view`; the layer is the explorer's.
        """
        if "layer" in options:
            came = f"layer={options['layer']!r}"
            raise TypeError(expected("options", "those of spectrum_view but layer", came, "ex.layer = ..."))
        view = spectrum_view(self.recording, type=type, target=self._target, **options)
        self._links += follow(view, self)
        self._spectra.append(view)
        return view

    def save_html(self, path: str | Path) -> Path:
        """Write one HTML file that needs no kernel and no network: picking, cutting, linking and hovering stay alive.

        Every layer is analysed and stored, so the file grows with the squares of the layers' unit counts. Spectra made by
        `spectrum` that are not closed are on it as still pictures of every layer, in which units are marked and selected.

        Raises:
            ValueError: a path with another ending than .html.
            OSError: the path cannot be written; nothing is left behind.
        """
        check_ending(path, ".html")
        names = list(self.recording.layernames)
        self._analyse([name for name in names if name not in self._views])
        quick = [name for name in names if self._information.is_quick(name)]
        for name in bar(quick, "effective information", "layer"):
            self._information.find(name)
        self.picker.layers = tuple(
            {**row, "redundancy": self._views[row["name"]].redundancy} for row in self.picker.layers
        )
        self.heatmaps.job = None  # nobody can press its button there
        contents = ((name, self._content(name)) for name in names)
        spectra = [view for view in self._spectra if not view.is_closed]
        return write_explorer(path, self.picker, self.heatmaps, self.graph, contents, len(names), spectra)

    def static_html(self) -> str:
        """Return the layer table, the heatmaps and the edges as still pictures."""
        shown = filter(None, [self.picker, self.heatmaps, self.graph])
        return "".join(widget.static_html() for widget in shown)

    def _show_layer(self, _change: Any) -> None:
        if self.layer not in self._views:  # a large layer: say at once what the wait is for
            units = min(self.recording[self.layer].units, self._options["max_units"])
            self.heatmaps.content = HeatmapContent(self.layer, message=f"Analysing up to {units:,} units …")
        self._information.stop()
        content = self._content(self.layer)
        with self._lock:
            self.heatmaps.content = content
        row = self._row(self.layer)
        rows = tuple(
            {**old, "redundancy": row.redundancy} if old["name"] == row.name else old
            for old in self.picker.layers
        )
        self.picker.layers = rows
        self._inform()

    def _content(self, name: str) -> HeatmapContent:
        return self._information.added_to(self.view(name), name, self._order_of)

    def _order_of(self, name: str) -> NDArray | None:
        """Return a layer's units in display order, if it has been looked at."""
        view = self._views.get(name)
        return None if view is None or view.dendrogram is None else view.content.units

    def effective_information(self, layer: str | None = None) -> EffectiveInformation:
        """Return EI_parts of the weights behind a layer (before the last one): computed now if need be, with a bar.

        ValueError, with the reason, for a layer without such weights.
        """
        name = self.layer if layer is None else self.recording[layer].name
        if name == self.layer:
            self._information.stop()
        parts, _ = self._information.find(name, progress=True)
        if name == self.layer:
            self._informed(name)
        return parts

    def _inform(self, patience: float = _PATIENCE) -> None:
        """Start what is missing for the layer shown; wait for it a moment, so that what is quick is there at once."""
        name = self.layer
        self._information.stop()
        with self._lock:
            missing = bool(self.heatmaps.content.panels) and self._information.missing(name)
            quick = self._information.is_quick(name)
            self.heatmaps.job = self._information.job(name, "offered") if missing and not quick else None
        if missing and quick:
            self._compute(name, patience)

    def _compute(self, name: str, patience: float) -> None:
        self._information.start(name, self._informed, self._not_informed, self._report)
        if not self._information.wait(patience):
            self._report(name)

    def _informed(self, name: str) -> None:
        # In the thread of the computation, so another layer may be chosen at any moment. The content is made before the
        # lock is taken: making it takes long, and the notebook's own thread takes the lock too.
        content = self._content(name)
        with self._lock:
            if name == self.layer == self.heatmaps.content.layer:
                self.heatmaps.content = content
                self.heatmaps.job = None

    def _not_informed(self, name: str, error: Exception) -> None:
        self._set_job(name, "failed", str(error))

    def _report(self, name: str, done: int = 0, total: int = 0) -> None:
        if self._information.missing(name) and self._information.running:
            self._set_job(name, "running", steps=(done, total))

    def _on_job(self, action: str) -> None:
        if action == "start":
            self._compute(self.layer, 0.0)
        else:
            self._information.stop()
            self._set_job(self.layer, "cancelled")

    def _set_job(self, name: str, state: str, text: str = "", steps: tuple[int, int] = (0, 0)) -> None:
        with self._lock:
            if name == self.layer and self._information.missing(name):
                self.heatmaps.job = self._information.job(name, state, text, steps)

    def _analyse(self, names: list[str]) -> None:
        for name in bar(names, "analysing layers", "layer"):
            self._views[name] = self._view_or_reason(name)

    def _view_or_reason(self, name: str) -> LayerView:
        try:
            return view_layer(
                self.recording[name], self._target, self._samples, cut=self._first_cut, **self._options
            )
        except Exception as error:  # noqa: BLE001 - one odd layer must not keep the others from being seen
            return LayerView(HeatmapContent(name, message=f"{type(error).__name__}: {error}"))

    def _row(self, name: str) -> LayerRow:
        layer, view = self.recording[name], self._views.get(name)
        shape = None if layer.output_shape is None else tuple(layer.output_shape[1:])
        return LayerRow(name, layer.kind, shape, layer.parameters, view and view.redundancy, layer.note or "")
