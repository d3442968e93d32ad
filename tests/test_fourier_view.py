"""`spectrum_view` shows what the graph computes, for every sample and type, and leads an explorer and follows it."""

import json
import re

import numpy as np
import pytest
import torch
from models import ZOO
from torch import nn

import nbwidgets_nn as nw
from nbwidgets_nn.kernels.spectrum import values_of


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    net = nn.Sequential()
    for name, layer in (
        ("conv", nn.Conv2d(1, 3, 3)),
        ("relu", nn.ReLU()),
        ("flat", nn.Flatten()),
        ("fc", nn.Linear(48, 6)),
        ("out", nn.Linear(6, 2)),
    ):
        net.add_module(name, layer)
    return net


@pytest.fixture(scope="module")
def inputs():
    return torch.randn(5, 1, 6, 6, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("type_", ["standard", "weighted", "normalized"])
def test_values_coefficients_and_patterns_are_those_of_the_graph(network, inputs, type_):
    recording = nw.Activations(network, inputs)
    graph = nw.NNGraph(recording)
    view = nw.spectrum_view(recording, type=type_)
    for name in recording:
        flat = view.content.of_layer(view.content.values, name)
        np.testing.assert_allclose(flat, recording[name].output.reshape(5, -1), rtol=1e-6)
    found = graph.transform(recording, type_)
    for name in recording:
        flat = view.content.of_layer(view.spectrum.coefficients, name)
        np.testing.assert_array_equal(flat, found[name].output.reshape(5, -1))
    node = ("conv", 2, 1, 3)
    view.picked = graph.node_id(node)
    np.testing.assert_array_equal(view.pattern, values_of(graph.basis(node, type_), graph.units)[0])
    assert view.content.name(view.picked) == "conv[2, 1, 3]"
    assert view.selection.units == ("conv:2",)


def test_what_is_touched_are_the_descendants_that_networkx_finds(network, inputs):
    import networkx as nx

    graph = nw.NNGraph(nw.Activations(network, inputs[:1]))
    view = nw.spectrum_view(graph)
    for node in (("input", 0, 2, 2), ("conv", 1, 0, 0), ("relu", 0, 3, 3), ("fc", 4), ("out", 1)):
        view.picked = graph.node_id(node)
        touched = {graph.units.node(int(k)) for k in np.flatnonzero(view.pattern)}
        assert touched == nx.descendants(nx.DiGraph(graph), node) | {node}


def test_frequencies_and_the_part_of_the_activations_at_one(network, inputs):
    recording = nw.Activations(network, inputs)
    graph = nw.NNGraph(recording)
    view = nw.spectrum_view(graph, type="laplacian", samples=[3, 1])
    values = values_of(recording, graph.units)
    np.testing.assert_allclose(view.content.values, values[[3, 1]])
    energies = graph.eigenspace_energy(recording)
    frequency, shares = view.content.spaces(view.spectrum, 1)
    np.testing.assert_allclose(frequency, energies.frequencies, atol=1e-8)
    np.testing.assert_allclose(shares, energies.energy[1] / energies.energy[1].sum(), atol=1e-9)
    parts = np.zeros(graph.n_nodes)
    for space in range(len(frequency)):
        view._pick_space(space)
        parts += view.pattern
    np.testing.assert_allclose(parts, values[3], atol=1e-8)  # together they are the activations


def test_large_graphs_show_their_lowest_frequencies_and_say_so(network, inputs, monkeypatch):
    monkeypatch.setattr("nbwidgets_nn.fourier_view._ALL", 10)
    monkeypatch.setattr("nbwidgets_nn.fourier_view._FEW", 7)
    view = nw.spectrum_view(network, inputs, type="laplacian")
    assert len(view.spectrum.frequencies) == 7
    assert "the 7 lowest of 188 frequencies; shares are of their energy" in view._parts.head.value


def test_several_types_and_the_samples_that_can_be_chosen(network, inputs):
    view = nw.spectrum_view(
        network, inputs, type=["weighted", "standard"], target=[4, 3, 2, 1, 0], samples=2, scale="globalscale"
    )
    assert view._parts.choices.lists["type"].options == ("weighted", "standard")
    assert view.content.samples == ("sample 0 · class 4", "sample 4 · class 0")
    assert "2 of 5 samples" in view.content.how
    assert (view.type, view.scale) == ("weighted", "globalscale")


def test_no_more_samples_are_held_than_travel_easily(network, monkeypatch):
    many = torch.randn(50, 1, 6, 6)
    assert len(nw.spectrum_view(network, many).content.samples) == 32
    monkeypatch.setattr("nbwidgets_nn.fourier_view._HELD", 600)
    view = nw.spectrum_view(network, many)
    assert len(view.content.samples) == 600 // view.content.size
    assert f"{600 // view.content.size} of 50 samples" in view.content.how


def test_what_a_reader_must_know_stands_in_the_head():
    deep = nn.Sequential(*(nn.Linear(20, 20) for _ in range(20)))
    view = nw.spectrum_view(deep, torch.randn(1, 20), type="standard")
    assert "all precision is lost" in view._parts.head.value
    odd = nw.spectrum_view(nn.LSTM(3, 4), torch.randn(5, 2, 3))
    assert view.spectrum.notes
    assert odd.content.size


@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_every_model_of_the_zoo_that_has_a_spectrum_can_be_seen(case):
    recording = nw.Activations(case.make(), case.make_input())
    try:
        graph = nw.NNGraph(recording)
        graph.transform(recording)
    except (ValueError, TypeError) as error:
        with pytest.raises(type(error)):
            nw.spectrum_view(recording)
        return
    if any(output is not None and output.is_complex() for output in recording.layeractivations):
        with pytest.raises(TypeError, match="input: expected real activations"):
            nw.spectrum_view(recording)
        return
    view = nw.spectrum_view(recording)
    for layer in view.content.layers:
        view.layer = layer.name
        if not layer.size:
            continue
        view.picked = view.content.node(layer.name, layer.size - 1)
        assert view.pattern is not None, view._problem
        if layer.channel_axis is not None and recording[layer.name].output.ndim == len(layer.shape) + 1:
            assert max(map(layer.unit_of, range(layer.size))) == recording[layer.name].units - 1
    assert view.to_png(dpi=20)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "says"),
    [
        ((), {"type": "fourier"}, ValueError, "type: expected one of 'standard'"),
        ((), {"type": ["standard", 3]}, ValueError, "type: expected one of"),
        ((), {"scale": "log"}, ValueError, "scale: expected one of 'layerscale'"),
        ((), {"samples": 0}, ValueError, "samples: expected"),
        ((), {"samples": [7]}, IndexError, "samples: expected indices below 5"),
        ((), {"target": [1, 2]}, ValueError, "target: expected one label for each of 5 samples, got 2"),
        ((), {"layer": "fc9"}, KeyError, "layer: expected one of input, conv"),
        ((torch.ones(1),), {}, ValueError, "input: expected none with a recording"),
    ],
)
def test_bad_input_is_refused_by_the_argument_s_name(network, inputs, arguments, options, error, says):
    with pytest.raises(error, match=says):
        nw.spectrum_view(nw.Activations(network, inputs), *arguments, **options)


def test_values_that_are_not_finite_are_refused(network, inputs):
    bad = inputs.clone()
    bad[2, 0, 1, 1] = float("nan")
    with pytest.raises(ValueError, match=r"finite values, got NaN or infinity in 'input' \(1\)"):
        nw.spectrum_view(network, bad)


def test_a_recording_of_another_model_is_refused(network, inputs):
    graph = nw.NNGraph(nw.Activations(network, inputs))
    other = nw.Activations(nn.Linear(3, 2), torch.ones(1, 3))
    with pytest.raises(ValueError, match="a recording of the model that the graph is of"):
        nw.spectrum_view(graph, other)
    with pytest.raises(
        TypeError, match="input: expected a recording of the graph's model, or nothing, got Tensor"
    ):
        nw.spectrum_view(graph, inputs)


@pytest.fixture
def explorer(network, inputs):
    ex = nw.explore(network, inputs, layer="fc", max_edges=10)
    yield ex
    ex.close()


def test_a_pick_selects_the_unit_in_the_explorer_and_back(explorer):
    view = explorer.spectrum(["standard", "weighted"], scale="layerscale")
    assert view.layer == "fc"
    view.picked = view.content.node("fc", 3)
    assert explorer.selection.units == explorer.heatmaps.selection.units == ("fc:3",)
    assert explorer.graph.selection.units == ("fc:3",)
    explorer.selection = ["fc:1"]
    assert view.picked == view.content.node("fc", 1)
    explorer.heatmaps.set_state(
        {"selection": {"layer": "fc", "units": ["fc:5"], "kind": "units", "source": "heatmaps-1"}}
    )
    assert view.picked == view.content.node("fc", 5)


def test_a_late_echo_undoes_nothing(explorer):
    view = explorer.spectrum()
    view.picked = view.content.node("fc", 3)
    early = explorer.heatmaps.selection.to_state()
    view.picked = view.content.node("fc", 4)
    explorer.heatmaps.set_state({"selection": early})
    explorer.graph.set_state({"selection": early})
    assert view.picked == view.content.node("fc", 4)
    assert explorer.selection.units == ("fc:4",)


def test_a_pick_in_another_layer_shows_that_layer_everywhere(explorer):
    view = explorer.spectrum(["standard", "laplacian"])
    view.picked = view.content.node("conv", 3)
    assert explorer.layer == explorer.picker.layer == explorer.graph.layer == "conv"
    assert explorer.heatmaps.content.layer == "conv"
    assert explorer.selection.units == explorer.graph.selection.units == ("conv:0",)
    explorer.graph.set_state({"selection": {"layer": "out", "units": ["out:1"], "source": "edge_graph-1"}})
    # The browser passes it on to the heatmaps.
    explorer.heatmaps.set_state({"selection": {"layer": "out", "units": ["out:1"], "source": "edge_graph-1"}})
    assert view.picked == view.content.node("out", 1)
    assert (view.layer, explorer.layer) == ("conv", "conv")  # a unit selected in the graph turns no page


def test_units_selected_in_heatmaps_are_marked_and_a_frequency_selects_none(explorer):
    view = explorer.spectrum(["standard", "laplacian"])
    explorer.heatmaps.set_state(
        {"selection": {"layer": "fc", "units": ["fc:5", "fc:2"], "source": "heatmaps-1"}}
    )
    assert view.picked is None
    assert [group.tolist() for group in view.state().marked] == [[5], [2]]
    view.type = "laplacian"
    assert explorer.selection.units == ("fc:5", "fc:2")
    view._pick_space(0)
    assert explorer.selection.units == explorer.graph.selection.units == ()
    late = {"layer": "fc", "units": ["fc:5", "fc:2"], "source": "python-1"}
    explorer.heatmaps.set_state({"selection": late})
    assert view.selection.units == ()


def test_both_show_the_same_layer(explorer):
    view = explorer.spectrum()
    explorer.layer = "conv"
    assert view.layer == "conv"
    view.layer = "out"
    assert explorer.layer == explorer.picker.layer == "out"


def test_a_closed_explorer_lets_the_view_go(network, inputs):
    ex = nw.explore(network, inputs, layer="fc", max_edges=0)
    view = ex.spectrum()
    ex.close()
    view.layer = "conv"
    view.picked = 3
    assert ex.layer == "fc"


def test_the_explorers_page_holds_its_spectra(network, inputs, tmp_path):
    ex = nw.explore(network, inputs, layer="fc", max_edges=10)
    view, gone = ex.spectrum("weighted"), ex.spectrum()
    gone.close()
    gone.close()  # closing again does nothing
    text = ex.save_html(tmp_path / "page.html").read_text("utf-8")
    state = json.loads(re.search(r'id="nbw-state">(.*?)</script>', text, re.DOTALL).group(1))
    assert [widget["name"] for widget in state["widgets"]] == ["picker", "heatmaps", "graph", "spectrum0"]
    assert ["heatmaps.selection", "spectrum0.selection"] in state["links"]
    assert ["picker.layer", "spectrum0.layer"] in state["links"]
    assert state["widgets"][-1]["state"]["head"]["words"][0].startswith("weighted")
    for layer in view.content.layers:
        content = state["answers"]["picker.layer"][layer.name]["spectrum0"]["content"]
        assert (content["layer"], len(content["panels"])) == (layer.name, 2)
    ex.close()


def test_the_explorers_spectrum_shows_the_explorers_layer():
    explorer = nw.explore(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), torch.rand(20, 3))
    with pytest.raises(TypeError, match="options: expected those of spectrum_view but layer"):
        explorer.spectrum(layer="0")


def test_without_a_type_standard_and_normalized_can_be_chosen_first_what_has_digits_left(network, inputs):
    view = nw.spectrum_view(network, inputs)
    assert [spectrum.type for spectrum in view.content.spectra] == ["standard", "normalized"]
    assert view.type == "standard"
    deep = nn.Sequential(*[nn.Linear(20, 20) for _ in range(20)])
    view = nw.spectrum_view(deep, torch.randn(1, 20))
    assert [spectrum.type for spectrum in view.content.spectra] == ["normalized", "standard"]
    assert view.type == "normalized"


def test_a_spectrum_without_digits_says_so_wherever_it_is_printed():
    deep = nw.NNGraph(
        nw.Activations(nn.Sequential(*[nn.Linear(20, 20) for _ in range(20)]), torch.randn(2, 20))
    )
    assert "all precision is lost" in repr(deep.transform(deep.activations, "standard"))
    spectrum = deep.transform(deep.activations, "normalized")
    assert "precision" not in repr(spectrum)
    assert repr(deep.energy(spectrum)).startswith("LayerEnergies(2 samples; mean share: input ")


def test_a_page_is_not_written_under_the_name_of_another_kind_of_file(explorer, tmp_path):
    with pytest.raises(ValueError, match=r"a name that ends in \.html"):
        explorer.save_html(tmp_path / "page.pdf")
    with pytest.raises(ValueError, match=r"a name that ends in \.html"):
        explorer.spectrum().save_html(tmp_path / "page.pdf")
    assert not list(tmp_path.iterdir())
