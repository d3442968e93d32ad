"""Fourier matrices of any directed acyclic graph, against naive ones and against the package nsp."""

import networkx as nx
import nsp
import numpy as np
import pytest
import torch
from graph_oracles import closure, vector
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from torch import nn

import nbwidgets_nn as nw
from nbwidgets_nn.kernels.transformer import Transformer

TYPES = ("standard", "weighted", "normalized", "laplacian")


@st.composite
def dags(draw):
    """Draw a directed acyclic graph whose nodes stand in any order, with weights."""
    count = draw(st.integers(1, 70))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    density = draw(st.sampled_from([0.02, 0.1, 0.5, 1.0]))
    table = np.tril(rng.random((count, count)) < density, -1)
    names = list(range(count)) if draw(st.booleans()) else [int(k) for k in rng.permutation(count)]
    graph = nx.DiGraph()
    graph.add_nodes_from(sorted(names))
    graph.add_weighted_edges_from(
        (names[j], names[i], float(rng.normal() / count)) for i, j in np.argwhere(table)
    )
    return graph


@settings(max_examples=60, deadline=None)
@given(dags())
def test_closures_of_random_graphs(graph):
    A = nx.to_numpy_array(graph, weight=None).T
    W = Transformer.get_inv_fourier_matrix(graph)
    assert sparse.issparse(W)
    assert np.array_equal(W.toarray(), closure(A))
    F = Transformer.get_fourier_matrix(graph, W)
    np.testing.assert_allclose(F @ closure(A), np.eye(len(A)), atol=1e-6 * np.abs(F).max())
    means = A / np.maximum(A.sum(axis=1, keepdims=True), 1)
    for kind, matrix in (("weighted", nx.to_numpy_array(graph).T), ("normalized", means)):
        expected = np.linalg.inv(np.eye(len(A)) - matrix)
        np.testing.assert_allclose(
            Transformer.get_inv_fourier_matrix(graph, kind).toarray(), expected, atol=1e-9
        )


@settings(max_examples=30, deadline=None)
@given(dags())
def test_laplacians_of_random_graphs(graph):
    undirected = graph.to_undirected()
    for weighted in (False, True):
        weights = abs(nx.to_numpy_array(undirected, weight="weight" if weighted else None))
        expected = np.diag(weights.sum(axis=1)) - weights
        np.testing.assert_allclose(
            Transformer.get_laplacian(graph, weighted=weighted).toarray(), expected, atol=1e-12
        )


def test_bits_over_the_edge_of_a_word():
    chain = nx.path_graph(200, create_using=nx.DiGraph)
    assert np.array_equal(Transformer.get_inv_fourier_matrix(chain).toarray(), np.tri(200))


def test_a_cycle_is_named():
    graph = nx.DiGraph([("a", "b"), ("b", "c"), ("c", "b")])
    with pytest.raises(
        ValueError, match=r"graph: expected no cycle, got the cycle b -> c. Try: type='laplacian'"
    ):
        Transformer.get_inv_fourier_matrix(graph)
    assert Transformer.get_laplacian(graph).shape == (3, 3)


def recorded(samples=1):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    recording = nw.Activations(network, torch.randn(samples, 4))
    return recording, nw.NNGraph(recording)


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("kind", TYPES)
def test_coefficients_by_the_matrix_are_those_of_the_graph(kind, samples):
    recording, graph = recorded(samples)
    made = graph.get_transformer(kind)
    assert graph.transformers[kind] is made
    named = {"lu_piv" if kind == "laplacian" else "inv_F": made}
    found = Transformer.get_fourier_coefficients(recording, type=kind, **named)
    np.testing.assert_allclose(vector(found), vector(graph.transform(recording, kind)), atol=1e-10)
    assert found.report.samples == samples


def test_matrices_are_made_when_they_are_asked_for():
    _, graph = recorded()
    assert graph.transformers == {}
    assert (sparse.triu(graph.inv_F, 1)).nnz == 0
    assert graph.inv_F is graph.inv_F
    lu, piv = graph.lu_piv
    assert lu.shape == (17, 17)
    assert piv.shape == (17,)
    assert set(graph.transformers) == {"standard", "laplacian"}
    graph.inv_F = "mine"
    assert graph.inv_F == "mine"


def test_what_does_not_fit_is_refused():
    recording, graph = recorded()
    with pytest.raises(
        ValueError, match=r"inv_F: expected .* for type='weighted', got None. Try: Transformer"
    ):
        Transformer.get_fourier_coefficients(recording, type="weighted")
    with pytest.raises(ValueError, match="lu_piv: expected the inverse Fourier matrix for type='laplacian'"):
        Transformer.get_fourier_coefficients(recording, inv_F=graph.inv_F, type="laplacian")
    with pytest.raises(
        ValueError, match=r"activations: expected 3 values a sample, as inv_F has rows, got 17 values"
    ):
        Transformer.get_fourier_coefficients(recording, sparse.eye_array(3))
    with pytest.raises(ValueError, match=r"inv_F: expected shape \(17, 17\)"):
        Transformer.get_fourier_matrix(graph, sparse.eye_array(3))
    with pytest.raises(ValueError, match="got 'x'"):
        Transformer.get_inv_fourier_matrix(graph, "x")
    with pytest.raises(ValueError, match="got 'x'"):
        Transformer.get_fourier_coefficients(recording, type="x")
    with pytest.raises(TypeError, match=r"graph: expected an NNGraph or a networkx.DiGraph, got list"):
        Transformer.get_laplacian([])
    values = vector(recording)
    values[0] = np.nan
    with pytest.raises(ValueError, match="finite values"):
        Transformer.get_fourier_coefficients(recording.to_activations(values), graph.inv_F)


@pytest.mark.parametrize("kind", TYPES)
def test_memory_is_checked_first(kind, monkeypatch):
    _, graph = recorded()
    monkeypatch.setattr("nbwidgets_nn.kernels._memory.free_memory", lambda _: 1000)
    with pytest.raises(ValueError, match="expected something that fits into memory"):
        graph.get_transformer(kind)
    with pytest.raises(ValueError, match=r"graph: expected something that fits .* 17 nodes with 40 edges"):
        graph.edges  # noqa: B018
    assert not graph.is_filled


EDGES = [("a", "b"), ("b", "c"), ("a", "c")]


def test_undirected_graphs_have_a_laplacian_and_no_closure():
    graph = nx.Graph(EDGES)
    expected = nx.laplacian_matrix(graph).toarray()
    np.testing.assert_array_equal(Transformer.get_laplacian(graph).toarray(), expected)
    Transformer.get_inv_fourier_matrix(graph, "laplacian")
    for kind in TYPES[:3]:
        with pytest.raises(TypeError, match=r"a networkx.DiGraph, whose edges have a direction, got Graph"):
            Transformer.get_inv_fourier_matrix(graph, kind)
    with pytest.raises(TypeError, match="got Graph"):
        Transformer.get_fourier_matrix(graph, sparse.eye_array(3, format="csr"))


@pytest.mark.parametrize("kind", [nx.MultiDiGraph, nx.MultiGraph])
def test_graphs_with_parallel_edges_are_refused(kind):
    for ask in (Transformer.get_laplacian, Transformer.get_inv_fourier_matrix):
        with pytest.raises(TypeError, match=f"got {kind.__name__}"):
            ask(kind(EDGES))


def test_edges_that_go_both_ways_are_one_edge_of_the_undirected_graph():
    both = nx.DiGraph([(0, 1), (1, 0), (1, 2)])
    expected = nx.laplacian_matrix(both.to_undirected()).toarray()
    np.testing.assert_array_equal(Transformer.get_laplacian(both).toarray(), expected)
    both = nx.DiGraph()
    both.add_weighted_edges_from([(0, 1, 2.0), (1, 0, -3.0)])
    found = Transformer.get_laplacian(both, weighted=True).toarray()
    np.testing.assert_array_equal(found, [[5, -5], [-5, 5]])


def test_what_is_no_matrix_is_named():
    graph = nw.NNGraph(nw.Activations(nn.Linear(2, 1), torch.ones(1, 2)))
    for came in ("x", None, graph.lu_piv):
        with pytest.raises(TypeError, match="inv_F: expected a matrix, sparse or not"):
            Transformer.get_fourier_matrix(graph, came)
    with pytest.raises(TypeError, match=r"lu_piv: expected \(lu, piv\), a tuple of arrays, got csr_array"):
        Transformer.get_fourier_coefficients(graph.activations, None, "laplacian", graph.inv_F)
    with pytest.raises(TypeError, match="inv_F: expected a matrix"):
        Transformer.get_fourier_coefficients(graph.activations, "x")


class Readme(nn.Module):
    """The network of nsp's README."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.fc1 = nn.Conv2d(1, 2, 2), nn.Conv2d(2, 8, 2), nn.Linear(32, 8)

    def forward(self, x):
        return self.fc1(torch.sigmoid(self.conv2(torch.sigmoid(self.conv1(x)))).view(-1, 32))


PEERS = {
    "readme": (Readme, (1, 4, 4)),
    "strided": (lambda: nn.Sequential(nn.Conv2d(1, 2, 3, stride=2, padding=1)), (1, 6, 6)),
    "groups": (lambda: nn.Sequential(nn.Conv2d(2, 4, 2, groups=2)), (2, 4, 4)),
    "pools": (lambda: nn.Sequential(nn.MaxPool2d(2), nn.AvgPool2d(2)), (1, 8, 8)),
    "mlp": (lambda: nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 7), nn.Linear(7, 3)), (6,)),
}


@pytest.mark.parametrize("name", PEERS)
def test_equal_to_nsp(name):
    """Where that package works: one sample, no activation modules."""
    make, shape = PEERS[name]
    torch.manual_seed(0)
    network, x = make(), torch.randn(1, *shape)
    with torch.no_grad():
        theirs = nsp.Activations(network, x)
    their_graph = nsp.NNGraph(theirs)
    recording = nw.Activations(network, x)
    graph = nw.NNGraph(recording)
    assert (graph.n_nodes, graph.n_edges) == (their_graph.number_of_nodes(), their_graph.number_of_edges())
    their_spectrum = their_graph.transform(theirs)
    assert np.array_equal(graph.inv_F.toarray(), their_graph.inv_F.toarray())
    spectrum = vector(graph.transform(recording))
    np.testing.assert_allclose(spectrum, their_spectrum.to_vector(), atol=1e-5 * np.abs(spectrum).max())


@pytest.mark.parametrize("type_", ["standard", "weighted", "normalized", "laplacian"])
def test_a_graph_without_nodes(type_):
    found = Transformer.get_inv_fourier_matrix(nx.DiGraph(), type_)
    assert (found[0] if type_ == "laplacian" else found).shape == (0, 0)
