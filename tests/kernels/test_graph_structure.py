"""The graph's edges against trying what changes when one unit is changed."""

import numpy as np
import pytest
import torch
from graph_models import CASES, Made
from graph_oracles import closure, record, recorded_zoo, tried_adjacency
from torch import nn

from nbwidgets_nn.kernels.graph.closure import BitClosure, PlannedClosure
from nbwidgets_nn.kernels.nn_graph import NNGraph
from nbwidgets_nn.record.activations import Activations

ids = [case.name for case in CASES]


def of_case(case, samples=1):
    generator = torch.Generator().manual_seed(1)
    return Activations(case.model, torch.randn(samples, *case.shape, generator=generator))


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_edges_are_what_a_change_of_one_unit_changes(case):
    recording = of_case(case)
    graph = NNGraph(recording)
    tried = tried_adjacency(recording, list(recording)[1:])
    assert np.array_equal(graph.adjacency_matrix().toarray(), tried)
    assert graph.notes == ()


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_a_recording_of_several_samples_has_the_graph_of_one(case):
    one, several = NNGraph(of_case(case)), NNGraph(of_case(case, 3))
    assert [layer.shape for layer in one.layers] == [layer.shape for layer in several.layers]
    assert (one.adjacency_matrix() != several.adjacency_matrix()).nnz == 0


def test_weights_are_the_derivatives_where_layers_are_linear():
    """A s + bias is what was recorded; other weights are a convention."""
    compared = 0
    for case in CASES:
        recording = of_case(case)
        # The functions of the strided residual are not linear.
        if case.name == "strided residual" or not all(
            _is_linear(recording[n].module) for n in list(recording)[1:]
        ):
            continue
        graph = NNGraph(recording)
        if graph.units.without_weights:
            continue
        A = graph.adjacency_matrix(weighted=True).toarray()
        values = np.concatenate([t.flatten().double() for t in recording.layeractivations])
        bias = _biases(recording, graph)
        start = graph.layers[1].start
        np.testing.assert_allclose((A @ values + bias)[start:], values[start:], atol=1e-5, err_msg=case.name)
        compared += 1
    assert compared > 20


def _is_linear(module):
    return isinstance(module, nn.modules.conv._ConvNd | nn.Linear | nn.Flatten | nn.AvgPool2d | nn.AdaptiveAvgPool2d
                      | nn.MaxPool1d | nn.MaxPool2d | nn.AdaptiveMaxPool1d | nn.Unflatten | nn.PixelShuffle
                      | nn.ReflectionPad1d | nn.ZeroPad2d)  # fmt: skip


def _biases(recording, graph):
    found = np.zeros(graph.n_nodes)
    for layer in graph.layers:
        bias = getattr(recording[layer.name].module, "bias", None)
        if bias is not None:
            axis = 0 if isinstance(recording[layer.name].module, nn.modules.conv._ConvNd) else -1
            line = [1] * len(layer.shape)
            line[axis] = -1
            whole = bias.detach().double().reshape(line).expand(layer.shape)
            found[layer.start : layer.start + layer.size] = whole.flatten()
    return found


@pytest.mark.parametrize(
    ("function", "weight"),
    [
        (lambda x: 3 - 2 * x / 4, -0.5),
        (lambda x: x.add(1).mul(3), 3.0),
        (lambda x: x + x, 2.0),
        (lambda x: torch.sub(x, x, alpha=3), -2.0),
        (lambda x: -x.relu(), -1.0),
    ],
)
def test_constants_in_functions_are_weights_and_pointwise_functions_have_1(function, weight):
    model = Made(lambda m, x: m.last(function(m.first(x))), first=nn.Identity(), last=nn.Identity())
    graph = NNGraph(Activations(model, torch.randn(1, 2)))
    assert graph.adjacency_matrix(weighted=True).toarray()[4:, 2:4] == pytest.approx(weight * np.eye(2))


@pytest.mark.parametrize("keep_zeros", [True, False])
@pytest.mark.parametrize(("name", "case"), recorded_zoo())
def test_counts_and_closure_on_the_zoo(name, case, keep_zeros):
    graph = NNGraph(record(case), keep_zeros)
    A = graph.adjacency_matrix().toarray()
    assert np.array_equal(np.unique(A), [0, 1][: 1 + (A.max() > 0)]) or not A.any()
    assert not np.triu(A).any()
    assert graph.n_edges == A.sum()
    assert np.array_equal(graph.units.in_degrees, A.sum(axis=1))
    assert np.array_equal(graph.units.out_degrees, A.sum(axis=0))
    weighted = graph.adjacency_matrix(weighted=True).toarray()
    assert not weighted[A == 0].any()
    W = closure(A)
    values = np.random.default_rng(0).standard_normal((2, graph.n_nodes))
    planned, bits = graph.units.closure, BitClosure(graph.adjacency_matrix())
    assert isinstance(planned, PlannedClosure)
    for operator in (planned, bits):
        np.testing.assert_allclose(operator.apply(values), values @ W.T, atol=1e-9)
        np.testing.assert_allclose(operator.transposed(values), values @ W, atol=1e-9)
        solved = np.linalg.solve(W, values.T).T
        np.testing.assert_allclose(operator.solve(values), solved, atol=1e-10 * np.abs(solved).max())
        assert operator.growth() >= np.abs(np.linalg.inv(W)).sum(axis=1).max() - 1e-6


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_closure_of_every_structure(case):
    graph = NNGraph(of_case(case))
    W = closure(graph.adjacency_matrix().toarray())
    values = np.random.default_rng(0).standard_normal((2, graph.n_nodes))
    np.testing.assert_allclose(graph.units.closure.apply(values), values @ W.T, atol=1e-9)
    np.testing.assert_allclose(graph.units.closure.solve(values), np.linalg.solve(W, values.T).T, atol=1e-7)


def test_INCL_False_leaves_out_zeros_and_keeps_the_winner_of_a_max_pooling():
    linear = nn.Linear(3, 2)
    linear.weight.data = torch.tensor([[1.0, 0.0, 2.0], [0.0, 0.0, 3.0]])
    assert NNGraph(Activations(linear, torch.ones(1, 3)), INCL=False).n_edges == 3
    assert NNGraph(Activations(linear, torch.ones(1, 3))).n_edges == 6
    x = torch.tensor([[[1.0, 5.0, 2.0, 3.0]]])
    pooled = NNGraph(Activations(nn.MaxPool1d(2), x), INCL=False)
    assert list(pooled.edges) == [
        (("input", 0, 1), ("MaxPool1d", 0, 0)),
        (("input", 0, 3), ("MaxPool1d", 0, 1)),
    ]


def test_what_is_not_known_is_dense_and_noted():
    class Own(nn.Module):
        def forward(self, x):
            return x[..., :3] * 2

    model = nn.Sequential(nn.Linear(6, 4), Own())
    graph = NNGraph(Activations(model, torch.randn(1, 5, 6)))
    assert graph.notes == (
        "1 (Own): every unit is taken to read every unit of its input; what a Own reads is not known",
    )
    assert graph.n_edges == 5 * 4 * 6 + 15 * 20
    assert graph.units.without_weights == ("1",)


def test_a_reused_layer_is_a_layer_for_every_call():
    relu = nn.ReLU()
    graph = NNGraph(
        Activations(nn.Sequential(nn.Linear(3, 2), relu, nn.Linear(2, 2), relu), torch.ones(1, 3))
    )
    assert [layer.name for layer in graph.layers] == ["input", "0", "1", "2", "1:1"]
    assert graph.n_edges == 6 + 2 + 4 + 2
