"""The explorer's effective information: which edges a layer has, in whose order, beside the notebook, kept, and cancelled."""

import json
import re
import threading
import time

import numpy as np
import pytest
import torch
from models import ZOO
from torch import nn

import nbwidgets_nn as nw
from nbwidgets_nn.background import Background, Stopped
from nbwidgets_nn.explorer import shown_information
from nbwidgets_nn.explorer.layer_edges import edges_of
from nbwidgets_nn.record.topology import topology_of_recording

CONV = {"conv1": 4, "relu1": 4, "pool": 4, "conv2": 6, "relu2": 6, "flat": 24, "fc": 5, "act": 5, "out": 3}


def conv_network():
    torch.manual_seed(0)
    layers = {
        "conv1": nn.Conv2d(1, 4, 3),
        "relu1": nn.ReLU(),
        "pool": nn.MaxPool2d(2),
        "conv2": nn.Conv2d(4, 6, 2),
        "relu2": nn.ReLU(),
        "flat": nn.Flatten(),
        "fc": nn.Linear(24, 5),
        "act": nn.Sigmoid(),
        "out": nn.Linear(5, 3),
    }
    network = nn.Sequential()
    for name, module in layers.items():
        network.add_module(name, module)
    return network


@pytest.fixture(scope="module")
def explorer():
    with torch.random.fork_rng():
        network = conv_network()
        images = torch.rand(40, 1, 8, 8)
    return nw.explore(network, images, layer="act", ei_bins=8)


def panel(explorer, layer):
    explorer.layer = layer
    explorer.effective_information()
    return next(panel for panel in explorer.heatmaps.content.panels if panel.id == "ei")


def in_layer_order(shown):
    """The panel's matrix with its columns in the order of the other layer's units."""
    return shown.values[:, np.argsort([int(name) for name in shown.columns.names])]


def test_rows_are_the_layers_units_and_columns_those_of_the_next(explorer):
    shown = panel(explorer, "act")
    network = explorer.recording.network
    topology = nw.topology_of(network, torch.rand(1, 1, 8, 8))
    expected = nw.ei_parts_matrix(network.out, topology, in_bins=8, out_bins=8)
    assert shown.columns.layer == "out"
    np.testing.assert_allclose(in_layer_order(shown), expected, atol=1e-12)


def test_a_channels_positions_are_summed(explorer):
    network = explorer.recording.network
    topology = nw.topology_of(network, torch.rand(1, 1, 8, 8))
    kernel = nw.ei_parts_matrix(network.conv2, topology, in_bins=8, out_bins=8)
    flat = nw.ei_parts_matrix(network.fc, topology, in_bins=8, out_bins=8)
    for layer in ("relu1", "pool"):
        shown = panel(explorer, layer)
        np.testing.assert_allclose(in_layer_order(shown), kernel.reshape(4, 4, 6).sum(1), atol=1e-12)
        assert "summed over 4 positions" in shown.note
    np.testing.assert_allclose(
        in_layer_order(panel(explorer, "relu2")), flat.reshape(6, 4, 5).sum(1), atol=1e-12
    )


def test_the_last_layer_shows_the_weights_before_it(explorer):
    last, before = panel(explorer, "out"), panel(explorer, "act")
    assert last.columns.layer == "act"
    np.testing.assert_allclose(in_layer_order(last), in_layer_order(before).T, atol=1e-12)


def test_columns_stand_in_the_other_layers_clustered_order(explorer):
    shown = panel(explorer, "relu1")
    assert [int(name) for name in shown.columns.names] == explorer.view("conv2").content.units.tolist()


def test_layers_that_share_weights_share_the_result(explorer):
    explorer.effective_information("conv1")
    assert explorer.effective_information("relu1") is explorer.effective_information("conv1")


def test_units_that_are_no_inputs_have_no_panel_and_say_why(explorer):
    explorer.layer = "input"
    content = explorer.heatmaps.content
    assert "ei" not in [panel.id for panel in content.panels]
    assert "not the inputs of conv1" in content.facts[-1].explain
    with pytest.raises(
        ValueError, match="'input' has no effective information here: not the inputs of conv1"
    ):
        explorer.effective_information()


def test_channels_last_belong_to_their_unit():
    class ChannelsLast(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens, self.read = nn.Linear(3, 4), nn.Linear(8, 2)

        def forward(self, x):
            return self.read(self.tokens(x).flatten(1))

    network = ChannelsLast()
    recording = nw.Activations(network, torch.rand(5, 2, 3))
    edges = edges_of(recording, topology_of_recording(recording), "tokens", 8)
    assert edges.unit_of_input.tolist() == [0, 1, 2, 3, 0, 1, 2, 3]


@pytest.mark.parametrize(("name", "make", "make_input"), ZOO, ids=[row[0] for row in ZOO])
def test_every_layer_of_every_model_has_a_panel_or_a_reason(name, make, make_input):
    torch.manual_seed(0)
    recording = nw.Activations(make(), make_input())
    topology = topology_of_recording(recording)
    for layer in recording.layernames:
        edges = edges_of(recording, topology, layer, 4)
        if isinstance(edges, str):
            assert edges
            continue
        assert edges.unit_of_input.shape == (edges.question.inputs,)
        parts, _ = edges.measure()
        shown = edges.panel(parts, np.arange(edges.units), None)
        assert shown.values.shape[0] == recording[layer].units
        assert np.isclose(shown.values.sum(), parts.value)


def test_facts_set_what_survives_against_the_sensitivity(explorer):
    panel(explorer, "act")
    fact = explorer.heatmaps.content.facts[-1]
    parts = explorer.effective_information()
    assert (fact.label, fact.value) == ("EI parts", f"{parts.value:,.1f} bits")
    assert "act → out" in fact.explain


def test_selected_units_are_rows_here_and_columns_there(explorer):
    panel(explorer, "relu1")
    explorer.selection = ["conv2:5", "conv2:1"]
    assert explorer.selection.layer == "conv2"
    explorer.layer = "conv2"
    assert explorer.heatmaps.selection.units == ("conv2:5", "conv2:1")
    explorer.selection = None


def test_saved_page_holds_every_layers_information(explorer, tmp_path):
    text = explorer.save_html(tmp_path / "page.html").read_text()
    state = json.loads(re.search(r'id="nbw-state"[^>]*>(.*?)</script>', text, re.DOTALL).group(1))
    assert set(state["answers"]["picker.layer"]) == set(explorer.recording.layernames)
    assert explorer.heatmaps.job is None
    missing = [name for name in explorer.recording.layernames if explorer._information.missing(name)]
    assert missing == []


class Slow:
    """Stands in for a measurement: takes steps until it is told to go on, or stopped."""

    def __init__(self):
        self.started, self.go_on, self.ended = threading.Event(), threading.Event(), threading.Event()
        self.stopped = False

    def __call__(self, progress):
        try:
            for step in range(1000):
                progress(step, 1000)
                self.started.set()
                if self.go_on.wait(0.01):
                    break
        except Stopped:
            self.stopped = True
            raise
        finally:
            self.ended.set()
        return self.result


@pytest.fixture
def slow(monkeypatch):
    slow = Slow()
    measure = shown_information.LayerEdges.measure

    def measure_slowly(edges, progress=False):
        slow.result = measure(edges)
        return slow(progress) if callable(progress) else slow.result

    monkeypatch.setattr(shown_information.LayerEdges, "measure", measure_slowly)
    monkeypatch.setattr("nbwidgets_nn.explorer.explorer._PATIENCE_AT_FIRST", 0.05)
    monkeypatch.setattr("nbwidgets_nn.explorer.explorer._PATIENCE", 0.05)
    return slow


def eventually(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def small(**options):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 4), nn.ReLU(), nn.Linear(4, 3))
        return nw.explore(network, torch.randn(80, 6), layer="1", **options)


def test_long_work_runs_beside_the_notebook_and_its_panel_comes_when_it_is_done(slow):
    explorer = small()
    assert explorer.heatmaps.job["state"] == "running"
    assert explorer.heatmaps.job["title"] == "Effective information, 1 → 2"
    assert "ei" not in [panel.id for panel in explorer.heatmaps.content.panels]
    eventually(lambda: explorer.heatmaps.job["done"] > 0)
    slow.go_on.set()
    eventually(lambda: explorer.heatmaps.job is None)
    assert "ei" in [panel.id for panel in explorer.heatmaps.content.panels]


def test_cancel_stops_it_and_start_begins_again(slow):
    explorer = small()
    explorer.heatmaps._receive(explorer.heatmaps, {"type": "job", "action": "cancel"}, [])
    assert slow.ended.wait(20)
    assert slow.stopped
    assert explorer.heatmaps.job["state"] == "cancelled"
    slow.go_on.set()
    explorer.heatmaps._receive(explorer.heatmaps, {"type": "job", "action": "start"}, [])
    eventually(lambda: explorer.heatmaps.job is None)
    assert "ei" in [panel.id for panel in explorer.heatmaps.content.panels]


def test_another_layer_stops_what_ran_for_the_first(slow):
    explorer = small()
    assert slow.started.wait(20)
    explorer.layer = "input"
    assert slow.ended.wait(20)
    assert slow.stopped


def test_a_large_layer_is_offered_not_started(monkeypatch):
    monkeypatch.setattr(shown_information, "_QUICK_SECONDS", 0.0)
    explorer = small()
    assert explorer.heatmaps.job["state"] == "offered"
    assert "36 pairs at 64 bins" in explorer.heatmaps.job["text"]
    assert not explorer._information.running


def test_a_failure_is_shown_where_the_panel_would_stand(monkeypatch):
    def fail(*_):
        raise MemoryError("too little memory")

    monkeypatch.setattr(shown_information.LayerEdges, "measure", fail)
    explorer = small()
    eventually(lambda: explorer.heatmaps.job is not None and explorer.heatmaps.job["state"] == "failed")
    assert "too little memory" in explorer.heatmaps.job["text"]


def test_closing_stops_what_runs(slow):
    explorer = small()
    explorer.close()
    assert slow.ended.wait(20)
    assert slow.stopped


@pytest.mark.parametrize("bins", [1, 2.5, "many"])
def test_bad_bins(bins):
    with pytest.raises((TypeError, ValueError), match="ei_bins: expected a whole number of at least 2"):
        small(ei_bins=bins)


def test_random_numbers_and_modes_are_left_alone():
    explorer = small()
    explorer.recording.network.train()
    state = torch.get_rng_state()
    explorer.layer = "0"
    explorer._information.wait()
    assert torch.equal(torch.get_rng_state(), state)
    assert all(module.training for module in explorer.recording.network.modules())


def test_background_passes_on_an_error():
    work, errors = Background(), []
    work.start(lambda _: 1 / 0, lambda _: None, errors.append, lambda *_: None)
    assert work.wait(10)
    assert isinstance(errors[0], ZeroDivisionError)


def test_stopped_background_calls_nobody():
    work, calls, slow = Background(), [], Slow()
    slow.result = 1
    work.start(slow, calls.append, calls.append, lambda *_: None)
    work.stop()
    slow.go_on.set()
    assert work.wait(10)
    assert calls == []
