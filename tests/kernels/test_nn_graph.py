"""NNGraph as a networkx graph: made late, not to be changed, with names that mean something."""

import copy
import pickle
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
import torch
from torch import nn

import nbwidgets_nn as nw
from nbwidgets_nn.kernels.nn_graph import NNGraph
from nbwidgets_nn.record.steps import Output


@pytest.fixture
def graph():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 2, 2), nn.Flatten(), nn.Linear(8, 3), nn.LogSoftmax(1))
    return NNGraph(nw.Activations(network, torch.randn(2, 1, 3, 3)))


def test_nodes_are_units_in_the_order_of_the_vector(graph):
    names = list(graph.nodes)
    assert names[:2] == [("input", 0, 0, 0), ("input", 0, 0, 1)]
    assert names[-1] == ("3", 2)
    assert [graph.node_id(name) for name in names] == list(range(len(names)))
    assert [graph.units.node(k) for k in range(len(names))] == names
    assert [(layer.name, layer.kind, layer.shape, layer.start, layer.size) for layer in graph.layers][
        1:3
    ] == [
        ("0", "Conv2d", (2, 2, 2), 9, 8),
        ("1", "Flatten", (8,), 17, 8),
    ]


def test_edges_have_weights_where_there_are_some(graph):
    weight = graph.activations.network[0].weight[1, 0, 0, 1].item()
    assert graph.edges[("input", 0, 0, 1), ("0", 1, 0, 0)]["weight"] == pytest.approx(weight)
    assert graph.edges[("0", 1, 0, 0), ("1", 4)]["weight"] == 1
    assert "weight" not in graph.edges[("2", 0), ("3", 2)]


def test_edges_have_no_weights_where_those_have_changed(graph):
    with torch.no_grad():
        graph.activations.network[2].weight += 1
    assert not any(data for _, _, data in graph.edges(data=True))
    assert "'2': its weights do not give the recorded output" in graph.graph["without_weights"]


def test_edges_of_a_recording_of_shapes():
    network = nn.Sequential(nn.Conv1d(1, 2, 2), nn.MaxPool1d(2))
    recording = nw.Activations(network, torch.randn(1, 1, 5), shapes_only=True)
    graph = NNGraph(recording)
    assert graph.edges[("input", 0, 0), ("0", 1, 0)]["weight"] == pytest.approx(
        network[0].weight[1, 0, 0].item()
    )
    assert graph.edges[("0", 1, 0), ("1", 1, 0)] == {}
    with pytest.raises(ValueError, match="'1': its values were not kept"):
        NNGraph(recording, INCL=False)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (("conv", 0), "no layer 'conv'; there are input, 0, 1, 2, 3"),
        (("0", 0, 0), r"'0' has units of shape \(2, 2, 2\), got index \(0, 0\)"),
        (("0", 0, 0, 2), r"got index \(0, 0, 2\)"),
        (("0", -1, 0, 0), r"got index \(-1, 0, 0\)"),
        ("3", r"'3' has units of shape \(3,\), got index \(\)"),
    ],
)
def test_nodes_that_are_not_there(graph, node, message):
    with pytest.raises(KeyError, match=message):
        graph.node_id(node)


def test_it_cannot_be_changed_but_its_copies_can(graph):
    for is_filled in (False, True):
        assert graph.is_filled == is_filled
        with pytest.raises(nx.NetworkXError, match="Frozen"):
            graph.add_edge("a", "b")
        graph.nodes  # noqa: B018 - fills it
    copies = graph.copy(), nx.DiGraph(graph), graph.reverse(), graph.subgraph(list(graph)[:12]).copy()
    for copied in copies:
        copied.add_edge("a", "b")
    assert not graph.has_node("a")
    assert not graph.to_undirected().is_directed()
    with pytest.raises(TypeError, match="activations: expected a recording, got a copy made by networkx"):
        graph.copy().transform(graph.activations)


@pytest.mark.parametrize("is_filled", [False, True])
@pytest.mark.parametrize("copy_of", [copy.copy, copy.deepcopy])
def test_copies_by_python_are_the_same_graph(graph, copy_of, is_filled):
    if is_filled:
        graph.nodes  # noqa: B018 - fills it
    copied = copy_of(graph)
    assert (type(copied), copied.is_filled, copied.n_edges) == (NNGraph, is_filled, graph.n_edges)
    assert list(copied.edges(data="weight")) == list(graph.edges(data="weight"))
    assert copied.transform(graph.activations).to_vector() == graph.transform(graph.activations).to_vector()
    with pytest.raises(nx.NetworkXError, match="Frozen"):
        copied.add_edge("a", "b")


def test_a_graph_that_could_not_be_filled_stays_as_it_was(graph, monkeypatch):
    monkeypatch.setattr("nbwidgets_nn.kernels._memory.free_memory", lambda _: 1000)
    with pytest.raises(ValueError, match="graph"):
        graph.nodes  # noqa: B018 - fills it
    assert not graph.is_filled
    with pytest.raises(nx.NetworkXError, match="Frozen"):
        graph.add_edge("a", "b")
    monkeypatch.undo()
    assert len(graph.nodes) == graph.n_nodes


def test_pickle_names_what_stores_a_graph(graph):
    with pytest.raises(TypeError, match=r"an NNGraph, which pickle cannot store. Try: OutputLoader.save"):
        pickle.dumps(graph)
    plain = graph.copy()
    assert list(pickle.loads(pickle.dumps(plain)).edges) == list(graph.edges)


def test_networkx_algorithms_run_on_it(graph):
    assert nx.number_weakly_connected_components(graph) == 1
    assert len(nx.dag_longest_path(graph)) == 5
    assert sum(1 for _ in nx.topological_generations(graph)) == 5
    assert nx.transitive_closure_dag(graph).number_of_edges() == graph.inv_F.nnz - graph.n_nodes


@pytest.mark.parametrize("came", [[1, 2], {"a": 1}, "model", nn.Linear(2, 2)])
def test_what_is_no_recording_is_refused(came):
    with pytest.raises(TypeError, match=f"activations: expected a recording, got {type(came).__name__}"):
        NNGraph(came)


def test_a_call_that_feeds_itself_is_named():
    recording = nw.Activations(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)), torch.ones(1, 2))
    recording._layers["0"] = replace(recording["0"], origins=(Output("1", 0, (1, 2)),))
    with pytest.raises(ValueError, match="'1' feeds itself, or a call before it"):
        NNGraph(recording)
    recording._layers["0"] = replace(recording["0"], origins=(None,), fed_by=("1",))
    with pytest.raises(ValueError, match="'0' is fed by '1', which comes after it"):
        NNGraph(recording)


def test_samples_that_do_not_lie_apart_are_refused():
    class Mixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.last = nn.Softsign()

        def forward(self, x):
            return self.last(x[: len(x) - 1])

    with pytest.raises(ValueError, match=r"expected samples along dim 0 .* Try: record one sample"):
        NNGraph(nw.Activations(Mixed(), torch.ones(3, 2)))


def test_recorded_in_pieces_it_is_the_same_graph():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))
    x = torch.randn(5, 1, 3, 3)
    whole, pieces = (nw.Activations(network, x, batch_size=size) for size in (None, 2))
    one, other = NNGraph(whole), NNGraph(pieces)
    assert (one.adjacency_matrix(True) != other.adjacency_matrix(True)).nnz == 0
    spectra = [graph.transform(recording).to_vector() for graph, recording in ((one, whole), (other, pieces))]
    np.testing.assert_allclose(*spectra, atol=1e-5)


def test_a_spectrum_is_no_signal_and_keeps_its_type():
    recording = nw.Activations(nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)), torch.rand(4, 2))
    graph = NNGraph(recording)
    spectrum, frequencies = graph.transform(recording), graph.transform(recording, "laplacian")
    for use in (
        graph.transform,
        graph.laplacian_spectrum,
        graph.pass_filter,
        lambda s: graph.shift(s, ("0", 0)),
        lambda s: graph.keep(s, np.ones(graph.n_nodes)),
    ):
        with pytest.raises(
            TypeError, match="activations: expected values, got a spectrum of type 'standard'"
        ):
            use(spectrum)
    with pytest.raises(ValueError, match="type: expected 'laplacian', as the spectrum is"):
        graph.inverse_transform(frequencies, "standard")
    with pytest.raises(ValueError, match=r"spectrum: .* those of frequencies.*eigenspace_energy"):
        graph.energy(frequencies)
    assert repr(graph) == "NNGraph(6 nodes, 9 edges)"


def test_a_factor_that_is_trained_is_read_without_a_warning():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 1)

        def forward(self, x):
            return self.b(self.a(x) * self.a.bias[0])

    model = Scaled()
    graph = NNGraph(nw.Activations(model, torch.rand(1, 2)))
    assert graph.adjacency_matrix(weighted=True).toarray()[4, 2:4] == pytest.approx(
        (model.b.weight[0] * model.a.bias[0]).tolist()
    )
