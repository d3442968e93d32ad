"""Ancestors as bits of classes and chains, where they have no simpler form: against the closure written out."""

import numpy as np
import pytest
import torch
from graph_oracles import closure, record, recorded_zoo
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from torch import nn

from nbwidgets_nn.kernels.graph import chains as of_chains
from nbwidgets_nn.kernels.graph import unit_graph
from nbwidgets_nn.kernels.graph.axis_reach import NoProduct
from nbwidgets_nn.kernels.graph.chains import chains_of
from nbwidgets_nn.kernels.graph.closure import BitClosure
from nbwidgets_nn.kernels.nn_graph import NNGraph
from nbwidgets_nn.record.activations import Activations


def check(A, operator=None):
    operator = operator or BitClosure(sparse.csr_array(A))
    W = closure(A)
    values = np.random.default_rng(0).standard_normal((2, len(A)))
    np.testing.assert_allclose(operator.apply(values), values @ W.T, atol=1e-9)
    np.testing.assert_allclose(operator.transposed(values), values @ W, atol=1e-9)
    inverse = np.linalg.inv(W)
    np.testing.assert_allclose(operator.solve(values), values @ inverse.T, atol=1e-9 * np.abs(inverse).max())
    assert operator.growth() >= np.abs(inverse).sum(axis=1).max() - 1e-6


@st.composite
def dags(draw):
    """Draw a graph with chains, and with nodes that read the same."""
    count = draw(st.integers(1, 150))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    A = np.tril(rng.random((count, count)) < draw(st.sampled_from([0.01, 0.05, 0.5, 1.0])), -1).astype(float)
    single, same = draw(st.sampled_from([0, 0.3, 0.8])), draw(st.sampled_from([0, 0.3, 0.8]))
    for node in range(1, count):
        if rng.random() < single:
            A[node] = np.arange(count) == rng.integers(max(0, node - 4), node)
        elif rng.random() < same:
            A[node] = A[rng.integers(max(0, node - 9), node)]
    return A


@settings(max_examples=80, deadline=None)
@given(dags())
def test_random_graphs(A):
    check(A)


@settings(max_examples=40, deadline=None)
@given(dags())
def test_the_parts_by_their_definitions(A):
    chains = chains_of(sparse.csr_array(A))
    reads, read_by = A.sum(axis=1), A.sum(axis=0)
    for node in range(len(A)):
        parents = np.flatnonzero(A[node])
        assert chains.read[node] == (parents[0] if len(parents) == 1 else -1)
        follows = len(parents) == 1 and read_by[parents[0]] == 1
        if follows:
            assert chains.column[node] == chains.column[parents[0]]
        if chains.column[node] >= 0 and not follows:
            assert chains.start[chains.column[node]] == node
        readers = np.flatnonzero(A[:, node])
        if len(readers) > 1 or (len(readers) == 1 and reads[readers[0]] > 1):
            assert chains.column[node] >= 0
        if reads[node] > 1:
            assert np.array_equal(A[chains.first[chains.row[node]]], A[node])
        else:
            assert chains.row[node] == -1
    several = A[reads > 1]
    assert len(chains.first) == len(np.unique(several, axis=0))
    assert np.all(np.diff(chains.start) > 0)


def test_equal_random_sums_of_different_nodes_cost_rows_only(monkeypatch):
    monkeypatch.setattr(of_chains._chain_bits, "sums", lambda _a, _b, nodes, _c: np.zeros(len(nodes)))
    check(np.tri(9, k=-1))


@pytest.fixture
def bits(monkeypatch):
    def no_product(*_):
        raise NoProduct("a table of 7 entries")

    monkeypatch.setattr(unit_graph, "plan_ancestors", no_product)


@pytest.mark.usefixtures("bits")
@pytest.mark.parametrize("keep_zeros", [True, False])
@pytest.mark.parametrize(("name", "case"), recorded_zoo())
def test_the_zoo(name, case, keep_zeros):
    graph = NNGraph(record(case), keep_zeros)
    assert isinstance(graph.units.closure, BitClosure)
    check(graph.adjacency_matrix().toarray(), graph.units.closure)


def convolutional(zeros):
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(36, 5),
    )  # fmt: skip
    for layer in network:
        if hasattr(layer, "weight") and layer.weight.dim() > 1:
            layer.weight.data[torch.rand(layer.weight.shape) < zeros] = 0
    return NNGraph(Activations(network.eval(), torch.randn(1, 2, 6, 6)), INCL=False)


@pytest.mark.usefixtures("bits")
@pytest.mark.parametrize("zeros", [0.0, 0.05, 0.5, 1.0])
def test_zero_weights_and_winners(zeros):
    graph = convolutional(zeros)
    assert isinstance(graph.units.closure, BitClosure)
    check(graph.adjacency_matrix().toarray(), graph.units.closure)


def test_channels_share_rows_and_layers_behind_each_other_columns():
    chains = chains_of(convolutional(0.0).adjacency_matrix())
    assert len(chains.first) == 36 + 9 + 1  # places of the convolutions, and the dense layer
    winners = 27
    assert len(chains.start) == 72 + winners + 36  # the input, what is pooled, and the second convolution


def test_memory_is_checked_before_bits_are_made(monkeypatch):
    monkeypatch.setattr("nbwidgets_nn.kernels._memory.free_memory", lambda _: 20)
    with pytest.raises(
        ValueError, match=r"ancestors of 9 nodes, 7 rows of 8 bits, .* Try: INCL=True, or type='normalized'"
    ):
        BitClosure(sparse.csr_array(np.tri(9, k=-1)))
