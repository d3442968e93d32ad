"""The edge graph inside the explorer: the same layer, selection and clusters as the other widgets."""

import json
import re

import numpy as np
import pytest
import torch
from torch import nn

import nbwidgets_nn as nw


@pytest.fixture
def explorer():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 4))
        X = torch.randn(80, 6)
    return nw.explore(model, X, target=np.arange(80) % 4, classes="abcd")


def browser_links(explorer):
    """Pairs of (widget, trait) that the browser keeps equal."""
    return [(link.source, link.target) for link in explorer._links if hasattr(link, "comm")]


def test_stands_below_with_every_layer(explorer):
    assert explorer.children[-1] is explorer.graph
    assert [column.name for column in explorer.graph.content.columns] == ["input", "1", "2"]
    assert explorer.graph.content.columns[-1].labels == tuple("abcd")
    assert explorer.graph.content.samples[1].endswith(" · class 3")


def test_units_stand_in_the_order_of_the_heatmaps(explorer):
    column = explorer.graph.content.column_of("1")
    np.testing.assert_array_equal(column.places, explorer.heatmaps.content.units)
    assert column.places.tolist() != sorted(column.places.tolist())


def test_a_selection_made_in_python_is_everywhere(explorer):
    explorer.selection = [2, 5]
    assert explorer.graph.selection.units == explorer.heatmaps.selection.units == ("1:2", "1:5")
    explorer.graph.selection = ["1:3"]
    assert explorer.selection.units == explorer.heatmaps.selection.units == ("1:3",)
    explorer.heatmaps.selection = None
    assert not explorer.graph.selection.units


def test_a_selection_made_in_the_browser_is_passed_on_there(explorer):
    """Python would send an old one back to a graph that has gone on."""
    made = {"layer": "1", "units": ["1:4"], "kind": "units", "source": "linked_heatmaps-1"}
    explorer.heatmaps.set_state({"selection": made})
    assert explorer.selection.units == ("1:4",)
    assert explorer.graph.selection.units == ()
    links = browser_links(explorer)
    for widget, trait in (
        (explorer.heatmaps, "selection"),
        (explorer.heatmaps, "clusters"),
        (explorer.picker, "layer"),
    ):
        assert ((widget, trait), (explorer.graph, trait)) in links


def test_the_layer_shown_is_marked(explorer):
    assert explorer.graph.layer == explorer.layer == "1"
    explorer.layer = "0"
    assert explorer.graph.layer == "0"
    explorer.picker.set_state({"layer": "2"})  # in the browser, which tells the graph itself
    assert explorer.layer == "2"
    assert explorer.graph.layer == "0"


def test_what_the_browser_sends_back_late_does_not_undo_what_python_set_since(explorer):
    explorer.selection = [2]
    late = explorer.heatmaps.selection.to_state()
    explorer.selection = [1]
    explorer.graph.set_state({"selection": late})
    explorer.heatmaps.set_state({"selection": late})
    assert explorer.selection.units == explorer.graph.selection.units == ("1:1",)
    explorer.graph.set_state({"selection": explorer.selection.to_state()})
    assert explorer.graph.selection.units == ("1:1",)


def test_tiles_that_only_the_graph_has_can_be_selected():
    explorer = nw.explore(nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU()), torch.randn(9, 1, 6, 6))
    made = {"layer": "channels of input", "units": ["channels of input:0"], "source": "edge_graph-1"}
    explorer.heatmaps.set_state({"selection": made})
    assert explorer.selection.units == ("channels of input:0",)
    with pytest.raises(ValueError, match="has 1 units"):
        explorer.selection = ["channels of input:1"]


def test_can_be_left_out():
    explorer = nw.explore(nn.Linear(3, 4), torch.randn(9, 3), max_edges=0)
    assert explorer.graph is None
    assert len(explorer.children) == 2
    explorer.static_html()
    explorer.close()


def test_closes_with_the_explorer(explorer):
    graph, links = explorer.graph, [link for link in explorer._links if hasattr(link, "comm")]
    explorer.close()
    assert graph.comm is None
    assert all(link.comm is None for link in links)


def test_is_in_the_saved_page(explorer, tmp_path):
    text = explorer.save_html(tmp_path / "page.html").read_text()
    state = json.loads(re.search(r'id="nbw-state">(.*?)</script>', text, re.DOTALL)[1])
    assert [widget["kind"] for widget in state["widgets"]][-1] == "edge_graph"
    assert ["heatmaps.selection", "graph.selection"] in state["links"]
    assert state["widgets"][-1]["state"]["content"]["bundles"][0]["weight"]["shape"] == [9, 6]


def test_a_model_without_edges_says_so():
    explorer = nw.explore(nn.Sequential(nn.ReLU()), torch.randn(9, 3))
    assert "no edges" in explorer.graph.content.message
