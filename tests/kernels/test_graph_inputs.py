"""Graphs of models with several inputs: every input is a layer of nodes."""

import networkx as nx
import numpy as np
import pytest
import torch
from graph_oracles import closure, tried_adjacency
from torch import nn

import nbwidgets_nn as nw
from nbwidgets_nn.kernels.nn_graph import NNGraph
from nbwidgets_nn.kernels.spectrum import values_of


class Towers(nn.Module):
    """Two convolutional towers for pictures of different sizes, joined."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 2, 3), nn.Conv1d(2, 2, 2, stride=2)
        self.head = nn.Linear(12, 2)

    def forward(self, x, y):
        return self.head(torch.cat([self.a(x).flatten(1), self.b(y).relu().flatten(1)], 1))


class OfForward(nn.Module):
    """Layers by name, and a forward that takes them and the inputs."""

    def __init__(self, forward, **layers):
        super().__init__()
        self.run = forward
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x, y=None, z=None):
        return self.run(self, x, y, z)


def numbers(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(3))


def of_layers(forward, **layers):
    torch.manual_seed(0)
    return OfForward(forward, **layers)


def bilinear(m, x, y, _):
    return m.out(m.a(x), m.b(y).relu())


CASES = {
    "towers": (Towers(), lambda n: (numbers(n, 1, 4, 4), numbers(n, 2, 4)), ["input", "input:y"]),
    "by keyword": (Towers(), lambda n: {"y": numbers(n, 2, 4), "x": numbers(n, 1, 4, 4)}, ["input", "input:x"]),
    "bilinear": (
        of_layers(bilinear, a=nn.Linear(3, 4), b=nn.Linear(2, 3), out=nn.Bilinear(4, 3, 2)),
        lambda n: (numbers(n, 3), numbers(n, 2)),
        ["input", "input:y"],
    ),
    "used twice": (
        of_layers(
            lambda m, x, y, _: m.c(torch.cat([m.a(x + y), y * x], 1)), a=nn.Linear(3, 2), c=nn.Linear(5, 2)
        ),
        lambda n: (numbers(n, 3), numbers(n, 3)),
        ["input", "input:y"],
    ),
    "never used": (
        of_layers(lambda m, x, y, z: m.a(x) + m.b(z), a=nn.Linear(3, 2), b=nn.Linear(2, 2)),
        lambda n: (numbers(n, 3), numbers(n, 5), numbers(n, 2)),
        ["input", "input:y", "input:z"],
    ),
    "the same tensor": (
        of_layers(lambda m, x, y, _: m.a(x * 2 + y), a=nn.Linear(3, 2)),
        lambda n: (numbers(n, 3),) * 2,
        ["input"],
    ),
    "indices": (
        of_layers(
            lambda m, x, y, _: m.a(m.e(y).flatten(1) + x), e=nn.Embedding(5, 2), a=nn.Linear(6, 2)
        ),
        lambda n: (numbers(n, 6), torch.arange(3 * n).reshape(n, 3) % 5),
        ["input", "input:y"],
    ),
    "a table without samples": (
        of_layers(lambda m, x, y, _: m.a(x + y), a=nn.Linear(3, 2)),
        lambda n: (numbers(n, 4, 3), numbers(4, 3)),
        ["input", "input:y"],
    ),
    "a number": (
        of_layers(lambda m, x, y, _: m.a(x * y), a=nn.Linear(3, 2)),
        lambda n: (numbers(n, 3), torch.tensor(2.0)),
        ["input", "input:y"],
    ),
    "nothing in it": (
        of_layers(lambda m, x, y, _: m.a(torch.cat([x, y], 1)), a=nn.Linear(3, 2)),
        lambda n: (numbers(n, 3), numbers(n, 0)),
        ["input", "input:y"],
    ),
    "a mask": (
        of_layers(lambda m, x, y, _: m.a(x.masked_fill(y, 0.0)), a=nn.Linear(3, 2)),
        lambda n: (numbers(n, 3), numbers(n, 3) > 0),
        ["input", "input:y"],
    ),
    "samples along dim 0 of one alone": (
        of_layers(lambda m, x, y, _: m.a(x) + y.mean(0), a=nn.Linear(3, 2)),
        lambda n: (numbers(n, 3), numbers(n + 2, 2)),
        ["input", "input:y"],
    ),
}  # fmt: skip
INTEGERS = ("indices", "a mask")
by_name = pytest.mark.parametrize("name", CASES)


def graph_of(name, samples=1):
    model, given, _ = CASES[name]
    return NNGraph(nw.Activations(model, given(samples)))


@by_name
def test_inputs_are_the_first_layers(name):
    for samples in (1, 3):
        graph = graph_of(name, samples)
        assert [layer.name for layer in graph.layers if layer.kind == "input"] == CASES[name][2]
        assert not any("input" in note for note in graph.notes)
        assert list(graph.nodes)[: graph.layers[0].size] == [
            ("input", *index) for index in np.ndindex(graph.layers[0].shape)
        ]


@pytest.mark.parametrize("name", [name for name in CASES if name not in INTEGERS])
def test_edges_are_what_a_change_of_one_unit_changes(name):
    graph = graph_of(name)
    calls = [layer.name for layer in graph.layers if layer.kind != "input"]
    A = graph.adjacency_matrix().toarray()
    assert np.array_equal(A, tried_adjacency(graph.activations, calls))
    if name != "samples along dim 0 of one alone":
        assert (graph_of(name, 3).adjacency_matrix() != graph.adjacency_matrix()).nnz == 0


def test_an_index_is_read_by_its_row_alone():
    A = graph_of("indices").adjacency_matrix().toarray()
    rows = np.kron(np.eye(3), np.ones((2, 1)))
    assert np.array_equal(A[9:15, 6:9], rows)
    assert A[15:, :6].all()
    assert not A[15:, 6:9].any()


def test_a_mask_is_read_at_its_place():
    graph = graph_of("a mask")
    assert graph.adjacency_matrix().toarray()[6:].tolist() == [[1] * 6 + [0] * 2] * 2


@by_name
@pytest.mark.parametrize("kind", ["standard", "weighted", "normalized", "laplacian"])
def test_transforms_are_those_of_the_matrix_and_go_back(name, kind):
    graph = graph_of(name, 3)
    values = values_of(graph.activations, graph.units)
    assert values.shape == (3, graph.n_nodes)
    spectrum = graph.transform(graph.activations, kind)
    assert list(spectrum) == list(graph.activations)
    back = values_of(graph.inverse_transform(spectrum), graph.units)
    np.testing.assert_allclose(back, values, atol=1e-6)
    if kind == "standard":
        W = closure(graph.adjacency_matrix().toarray())
        found = values_of(spectrum, graph.units)
        np.testing.assert_allclose(found, np.linalg.solve(W, values.T).T, atol=1e-9)
    if kind == "laplacian":
        found = values_of(spectrum, graph.units)
        np.testing.assert_allclose((found**2).sum(1), (values**2).sum(1), rtol=1e-9)


@by_name
def test_it_is_a_networkx_graph_and_comes_back_from_a_file(name, tmp_path):
    graph = graph_of(name, 2)
    assert nx.is_directed_acyclic_graph(graph)
    assert graph.number_of_nodes() == graph.n_nodes == len(graph.nodes)
    nw.OutputLoader.save(graph, tmp_path / "graph.npz")
    loaded = nw.OutputLoader.load(tmp_path / "graph.npz")
    assert list(loaded.edges(data="weight")) == list(graph.edges(data="weight"))
    again = loaded.transform(loaded.activations)
    assert again.to_vector() == graph.transform(graph.activations).to_vector()


@by_name
def test_the_spectrum_view_shows_them(name):
    model, given, names = CASES[name]
    view = nw.spectrum_view(model, given(3))
    assert [layer.name for layer in view.content.layers][: len(names)] == names
    view.layer = names[-1]


def test_energy_and_operators_name_them():
    graph = graph_of("towers", 2)
    spectrum = graph.transform(graph.activations)
    assert graph.energy(spectrum).layers[:2] == ("input", "input:y")
    assert graph.node_id(("input:y", 1, 3)) == 16 + 7
    shifted = graph.shift(graph.activations, ("input:y", 0, 0))
    assert shifted["input:y"].output.shape == (2, 2, 4)
