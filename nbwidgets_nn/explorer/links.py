"""The explorer's widgets joined: what stands in one of them is in the others, in a notebook and on a saved page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipywidgets import Widget, jslink

from nbwidgets_nn._progress import bar
from nbwidgets_nn.widgets._array_trait import pack
from nbwidgets_nn.widgets.edge_graph import EdgeGraph
from nbwidgets_nn.widgets.heatmap_content import HeatmapContent
from nbwidgets_nn.widgets.layer_picker import LayerPicker
from nbwidgets_nn.widgets.linked_heatmaps import LinkedHeatmaps
from nbwidgets_nn.widgets.saved_page import compress, widget_state, write_page
from nbwidgets_nn.widgets.spectrum_page import KIND, page_contents, page_head

if TYPE_CHECKING:
    from nbwidgets_nn.explorer.explorer import Explorer
    from nbwidgets_nn.widgets.spectrum_view import SpectrumView

# Traits that the edge graph shares with the other widgets.
_GRAPH_LINKS = (("heatmaps", "selection"), ("heatmaps", "clusters"), ("picker", "layer"))


def link_graph(explorer: Explorer, graph: EdgeGraph) -> list[Widget]:
    """Keep the graph's selection, layer and clusters those of the other two, and return the links.

    What a reader does is passed on in the browser, which is quick and needs no kernel; passing it on here as well
    could bring back what has changed meanwhile. So only what is set in Python is passed on in Python.
    """

    def to_graph(change: Any) -> None:
        if change.new.write:
            graph.selection = change.new

    def from_graph(change: Any) -> None:
        if change.new.write:
            explorer.selection = change.new

    def mark_layer(change: Any) -> None:
        if explorer.picker.layer != change.new:  # not picked in the browser
            graph.layer = change.new

    explorer.observe(to_graph, "selection")
    explorer.observe(mark_layer, "layer")
    graph.observe(from_graph, "selection")
    graph.layer = explorer.layer
    return [jslink((getattr(explorer, widget), trait), (graph, trait)) for widget, trait in _GRAPH_LINKS]


def write_explorer(
    path: str | Path,
    picker: LayerPicker,
    heatmaps: LinkedHeatmaps,
    graph: EdgeGraph | None,
    contents: Iterable[tuple[str, HeatmapContent]],
    count: int,
    spectra: Sequence[SpectrumView] = (),
) -> Path:
    """Write a page on which picking a layer shows its content: of ``count`` layers, made one by one.

    Spectra stand below as still pictures, in which units can be selected.

    Raises:
        OSError: the path cannot be written; nothing is left behind.
    """
    answers = {
        name: {"heatmaps": {"content": compress(pack(content.to_state()))}}
        for name, content in bar(contents, "saving layers", "layer", total=count)
    }
    # What the heatmaps show first is among the answers.
    shown = {"picker": widget_state(picker), "heatmaps": widget_state(heatmaps, without="content")}
    links = []
    if graph is not None:
        shown["graph"] = widget_state(graph)
        links = [[f"{first}.{trait}", f"graph.{trait}"] for first, trait in _GRAPH_LINKS]
    for name, view in _named(spectra):
        state = view.state()
        shown[name] = {"head": page_head(state), "layer": state.layer, "selection": {}}
        links += [["heatmaps.selection", f"{name}.selection"], ["picker.layer", f"{name}.layer"]]
        for layer, content in bar(page_contents(state), "spectrum", "layer", total=len(state.content.layers)):
            if layer in answers:
                answers[layer][name] = {"content": content}
            if layer == state.layer != picker.layer:  # the picker's layer may have no place in the graph
                shown[name]["content"] = content
    kinds = {"picker": "layer_picker", "heatmaps": "linked_heatmaps", "graph": "edge_graph"}
    kinds |= {name: KIND for name, _ in _named(spectra)}
    widgets = [{"name": name, "kind": kinds[name], "state": state} for name, state in shown.items()]
    return write_page(
        path, title=picker.title, widgets=widgets, links=links, answers={"picker.layer": answers}
    )


def _named(spectra: Sequence[SpectrumView]) -> list[tuple[str, SpectrumView]]:
    return [(f"spectrum{k}", view) for k, view in enumerate(spectra)]
