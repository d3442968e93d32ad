"""What the graph of units once had wrong: networks in which it took other edges or weights than there are."""

import copy
import math

import numpy as np
import pytest
import torch
from graph_models import Made
from torch import nn
from torch.nn import functional as F

from nbwidgets_nn.kernels import _memory
from nbwidgets_nn.kernels.graph import axis_reach as ax
from nbwidgets_nn.kernels.graph import unit_graph
from nbwidgets_nn.kernels.graph.axis_reach import NoProduct
from nbwidgets_nn.kernels.graph.product_reach import Reach
from nbwidgets_nn.kernels.graph.stages import Link, Matrix, Uniform
from nbwidgets_nn.kernels.graph.stages_of_recording import _without_zeros
from nbwidgets_nn.kernels.nn_graph import NNGraph
from nbwidgets_nn.kernels.transformer import Transformer
from nbwidgets_nn.record.activations import Activations


def half_zero(shape):
    weight = torch.arange(1.0, 1 + np.prod(shape), dtype=torch.float64).reshape(shape)
    return weight * (weight % 2)


@pytest.mark.parametrize("keep_zeros", [True, False])
def test_parameters_stay_what_they_are(keep_zeros):
    def forward(model, x):
        return model.c(F.linear(model.b(model.a(x).flatten(1)), model.weight))

    linear, convolution = nn.Linear(8, 4).double(), nn.Conv1d(1, 2, 2).double()
    linear.weight.data, convolution.weight.data = half_zero((4, 8)), half_zero((2, 1, 2))
    model = Made(
        forward, a=convolution, b=linear, c=nn.BatchNorm1d(3).double(), weight=nn.Parameter(half_zero((3, 4)))
    ).eval()
    before = copy.deepcopy(model.state_dict())
    recording = Activations(model, torch.ones(1, 1, 5, dtype=torch.float64))
    graph = NNGraph(recording, INCL=keep_zeros)
    for kind in ("standard", "weighted", "normalized", "laplacian"):
        graph.inverse_transform(graph.transform(recording, kind))
        graph.get_transformer(kind)
    assert graph.adjacency_matrix(weighted=True).nnz == graph.number_of_edges() == len(graph.edges)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_leaving_out_zeros_leaves_the_reach_as_it_was(monkeypatch):
    monkeypatch.setattr(ax, "DENSE", 0)
    reach = ax.from_pairs(np.array([0, 0, 1, 2]), np.array([0, 2, 1, 2]), (3, 3))

    before = reach.table.toarray()
    _without_zeros(Link(0, Reach((reach,)), Uniform(Reach((reach,)), np.array([0.0, 1.0, 1.0]))))
    assert np.array_equal(reach.table.toarray(), before)


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4)])
def test_zeros_of_a_dense_layer_are_left_out_without_its_table(shape, monkeypatch):
    layer = nn.Linear(4, 3)
    with torch.no_grad():
        layer.weight[torch.tensor([0, 0, 2]), torch.tensor([1, 3, 0])] = 0
    recording = Activations(layer, torch.ones(1, *shape))
    with monkeypatch.context() as patch:
        patch.setattr(Matrix, "table", None)
        graph = NNGraph(recording, INCL=False)
        found = graph.transform(recording)
    there = graph.adjacency_matrix().toarray()
    rows = math.prod(shape[:-1])
    expected = np.kron(np.eye(rows), layer.weight.detach() != 0)
    assert np.array_equal(there[4 * rows :, : 4 * rows], expected)
    assert np.allclose(
        found.to_vector()[4 * rows :], np.array(recording.to_vector())[4 * rows :] - expected.sum(1)
    )


def between(function, size=None):
    """Put a function between two layers whose weights are known."""
    first = nn.Identity() if size is None else nn.Linear(size, size, bias=False)
    return Made(lambda m, x: m.b(function(m.a(x))), a=first, b=nn.Identity())


def graph_of(model, *shape, samples=1, keep_zeros=True):
    torch.manual_seed(0)
    return NNGraph(Activations(model, torch.randn(samples, *shape)), INCL=keep_zeros)


def last_weights(function, *shape, keep_zeros=True, samples=1):
    """Return (places of the last layer, places of the one before): the weights, nan where there is no edge."""
    graph = graph_of(between(function), *shape, keep_zeros=keep_zeros, samples=samples)
    assert graph.notes == ()
    a, b = graph.layers[1:]
    table = [graph.adjacency_matrix(weighted=weighted).toarray() for weighted in (False, True)]
    edges, weights = (part[b.start :, a.start : b.start] for part in table)
    return np.where(edges > 0, weights, np.nan)


def edges_between(function, *shape, samples=1):
    return np.argwhere(~np.isnan(last_weights(function, *shape, samples=samples))).tolist()


@pytest.mark.parametrize(
    "function",
    [lambda x: x.mean((2, 3), True), lambda x: x.sum([2, 3], True), lambda x: torch.sum(x, (2, 3), True)],
)
def test_axes_of_a_reduction_before_a_positional_keepdim(function):
    weight = last_weights(function, 2, 2, 2)
    expected = np.kron(np.eye(2), np.ones((1, 4)))
    assert np.array_equal(~np.isnan(weight), expected > 0)


def test_one_axis_before_a_positional_keepdim():
    assert edges_between(lambda x: x.sum(1, True), 2, 2) == [[0, 0], [0, 2], [1, 1], [1, 3]]


@pytest.mark.parametrize("negated", [lambda x: -x, torch.neg, lambda x: x.negative()])
def test_a_negated_value_has_the_weight_minus_1(negated):
    assert np.array_equal(np.nan_to_num(last_weights(negated, 2)), -np.eye(2))
    model = Made(
        lambda m, x: m.b(negated(m.a(x))), a=nn.Linear(2, 2, bias=False), b=nn.Linear(2, 1, bias=False)
    )
    recording = Activations(model, torch.tensor([[1.0, 2.0]]))
    assert NNGraph(recording).transform(recording, "weighted")["b"].output.item() == pytest.approx(
        0, abs=1e-6
    )


def mask():
    return torch.tensor([True, False, False])


@pytest.mark.parametrize(
    ("function", "weights"),
    [
        (lambda x: x.masked_fill(mask(), 7.0), [0, 1, 1]),
        (lambda x: x.masked_fill(mask=mask(), value=7.0), [0, 1, 1]),
        (lambda x: torch.where(mask(), x, 0.0), [1, 0, 0]),
        (lambda x: torch.where(mask(), torch.tensor(0.0), x), [0, 1, 1]),
        (lambda x: x.where(mask(), torch.tensor(0.0)), [1, 0, 0]),
        (lambda x: torch.where(mask(), x, x), [1, 1, 1]),
    ],
)
def test_a_constant_mask_has_the_weights_0_and_1(function, weights):
    assert np.array_equal(np.nan_to_num(last_weights(function, 3)), np.diag(weights))
    kept = last_weights(function, 3, keep_zeros=False)
    assert np.array_equal(~np.isnan(kept), np.diag(weights) > 0)


def test_a_constant_mask_between_two_values_chooses_one():
    model = Made(
        lambda m, x: m.c(torch.where(mask(), m.a(x), m.b(x))),
        a=nn.Identity(),
        b=nn.Identity(),
        c=nn.Identity(),
    )
    weights = graph_of(model, 3).adjacency_matrix(weighted=True).toarray()[-3:, 3:9]
    assert np.array_equal(weights, np.hstack([np.diag([1, 0, 0]), np.diag([0, 1, 1])]))


def with_first(value):
    def function(x):
        new = x.clone()
        new[:, 0] = value()
        return new

    return function


def counts(x):
    return torch.tensor([[1, 2]]).expand(len(x), 2)


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize(
    ("function", "edges"),
    [
        (lambda x: torch.cat([x, counts(x)], 1), [[0, 0], [1, 1]]),
        (lambda x: torch.cat([counts(x) > 1, x], 1), [[2, 0], [3, 1]]),
        (lambda x: torch.stack([counts(x), x], 1), [[2, 0], [3, 1]]),
        (with_first(lambda: torch.tensor(3)), [[1, 1]]),
        (with_first(lambda: 2), [[1, 1]]),
        (lambda x: torch.zeros(len(x), 3).slice_scatter(x, 1, 0, 2), [[0, 0], [1, 1]]),
        (lambda x: torch.ones(len(x), 3).slice_scatter(x, 1, 1, 3), [[1, 0], [2, 1]]),
        (lambda x: x.slice_scatter(torch.ones(len(x), 1), 1, 0, 1), [[1, 1]]),
        (lambda x: x.select_scatter(torch.ones(len(x)), 1, 0), [[1, 1]]),
        (lambda x: torch.ones(len(x), 3).select_scatter(x[:, 0], 1, 2), [[2, 0]]),
    ],
)
def test_constants_that_are_joined_are_no_values_of_units(function, edges, samples):
    assert edges_between(function, 2, samples=samples) == edges


def windows(x):
    """Cut a picture, (samples, 4, 4, 3), into windows of 2 x 2, after a roll."""
    x = x.roll((1, 1), (1, 2)).view(-1, 2, 2, 2, 2, 3)
    return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, 4, 3)


def patches_of_tensor(x):
    return x.unfold(2, 2, 2).unfold(3, 2, 2).reshape(len(x), 4, 4)


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize(
    ("cut", "shape", "features"),
    [
        (lambda x: F.pixel_unshuffle(x, 2).flatten(2).transpose(1, 2), (1, 4, 4), 4),
        (lambda x: F.pixel_unshuffle(x, 2).flatten(2).transpose(1, 2), (2, 4, 6), 8),
        (patches_of_tensor, (1, 4, 4), 4),
        (windows, (4, 4, 3), 3),
    ],
)
def test_patches_and_windows_before_a_linear(cut, shape, features, samples):
    model = Made(lambda m, x: m.a(cut(x)).flatten(1).sum(1), a=nn.Linear(features, 2))
    torch.manual_seed(0)
    recording = Activations(model, torch.randn(samples, *shape))
    graph = NNGraph(recording)
    assert graph.notes == ()
    size = np.prod(shape)
    read = cut(torch.arange(1.0, 1 + size).reshape(1, *shape)).long().numpy().reshape(-1, features) - 1
    expected = np.zeros((2 * len(read), size))
    np.put_along_axis(expected, read.repeat(2, axis=0), 1, axis=1)
    A = graph.adjacency_matrix().toarray()
    assert np.array_equal(A[size:, :size], expected)
    values = np.random.default_rng(0).standard_normal((2, graph.n_nodes))
    W = np.eye(len(A)) + A
    np.testing.assert_allclose(graph.units.closure.apply(values), values @ W.T, atol=1e-12)
    np.testing.assert_allclose(graph.units.closure.solve(values), np.linalg.solve(W, values.T).T, atol=1e-9)


def test_the_channels_of_windows_stay_an_axis_of_their_own():
    model = Made(lambda m, x: m.a(windows(x)).flatten(1).sum(1), a=nn.Linear(3, 2))
    (part,) = list(graph_of(model, 4, 4, 3).units.direct.values())[-1]
    assert [axis.cols for axis in part.terms[0].axes] == [16, 3]


@pytest.mark.filterwarnings("ignore:Implicit dimension choice")
@pytest.mark.parametrize("samples", [2, 4])
@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.flip(0),
        lambda x: x.roll(1, 0),
        lambda x: x.roll(2, 0) if len(x) > 2 else x.roll(1, 0),
        lambda x: x.roll(1),
        nn.Softmax(0),
        nn.Softmax(None),
        lambda x: F.normalize(x, dim=0),
        lambda x: (x.unsqueeze(1) - x.unsqueeze(0)).mean(1),
    ],
)
def test_functions_that_mix_samples_are_noted(function, samples):
    model = Made(lambda m, x: m.b(function(m.a(x))), a=nn.Linear(3, 3), b=nn.Linear(3, 2))
    if isinstance(function, nn.Module):
        model.function = function
        model.run = lambda m, x: m.b(m.function(m.a(x)))
    graph = graph_of(model, 2, 3, samples=samples)
    assert len(graph.notes) == 1
    assert "mixes the samples" in graph.notes[0]
    assert [layer.shape for layer in graph.layers][-1] == (2, 2)


def test_a_layer_along_the_samples_is_dense_and_noted():
    model = Made(lambda m, x: m.b(x[:, :1].T.expand(4, 4)), b=nn.Linear(4, 2))
    graph = graph_of(model, 3, samples=4)
    assert any("mixes the samples" in note for note in graph.notes)
    read = graph.adjacency_matrix().toarray()[3:, :3]
    assert np.array_equal(read, [[1, 0, 0]] * 2)


@pytest.mark.parametrize("samples", [1, 3])
def test_moves_that_leave_samples_apart_are_not_noted(samples):
    for function in (lambda x: x.flip(1), lambda x: x.transpose(0, 1).roll(1, 0).transpose(0, 1)):
        assert edges_between(function, 2, samples=samples) == [[0, 1], [1, 0]]


@pytest.mark.parametrize("function", [lambda x: x * x + x, lambda x: torch.softmax(x, 1) - 3 * x])
def test_the_part_with_weights_is_subtracted_also_beside_one_without(function):
    recording = Activations(Made(lambda m, x: m.r(function(x)), r=nn.Identity()), torch.tensor([[1.0, 2.0]]))
    graph = NNGraph(recording)
    A = graph.adjacency_matrix(weighted=True).toarray()
    weight = 1.0 if function(torch.ones(1, 2))[0, 0] == 2 else -3.0
    assert np.array_equal(A[2:, :2], weight * np.eye(2))
    spectrum = graph.transform(recording, "weighted")
    values = np.array(recording.to_vector())
    np.testing.assert_allclose(spectrum.to_vector(), values - A @ values, atol=1e-12)
    made = Transformer.get_fourier_coefficients(recording, graph.get_transformer("weighted"), "weighted")
    np.testing.assert_allclose(made.to_vector(), spectrum.to_vector(), atol=1e-12)
    assert spectrum.report.notes == ("not subtracted: what goes without known weights into r",)


REAL = ("standard", "weighted", "normalized", "laplacian")
COMPLEX = ("standard", "normalized", "laplacian")  # complex weights are none


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [(torch.float64, kind) for kind in REAL] + [(torch.complex128, kind) for kind in COMPLEX],
)
@pytest.mark.parametrize("samples", [1, 3])
def test_matrices_transform_samples_that_lie_along_another_axis(samples, dtype, kind):
    """The layers in the middle have as many steps as there are samples, and the steps come first."""
    a, b = (nn.Linear(2, 2, dtype=dtype) for _ in range(2))
    model = Made(lambda m, x: m.b(m.a(x.transpose(0, 1))).transpose(0, 1), a=a, b=b)
    torch.manual_seed(0)
    recording = Activations(model, torch.randn(samples, 3, 2, dtype=dtype))
    graph = NNGraph(recording)
    matrix = graph.get_transformer(kind)
    given = {"lu_piv": matrix} if kind == "laplacian" else {"inv_F": matrix}
    found = Transformer.get_fourier_coefficients(recording, type=kind, **given)
    wanted = graph.transform(recording, kind)
    assert found.report.samples == samples
    for name in recording:
        assert found[name].output.dtype == dtype
        torch.testing.assert_close(found[name].output, wanted[name].output, atol=1e-9, rtol=0)


def test_ancestors_that_do_not_fit_name_what_needs_none(monkeypatch):
    def no_product(*_):
        raise NoProduct("a table of 7 entries")

    recording = Activations(nn.Linear(3, 2), torch.ones(1, 3))
    graph = NNGraph(recording, INCL=False)
    monkeypatch.setattr(unit_graph, "plan_ancestors", no_product)
    monkeypatch.setattr(_memory, "free_memory", lambda _: 10.0)
    with pytest.raises(
        ValueError, match=r"ancestors of 5 nodes .*a table of 7 entries.*Try: INCL=True, or"
    ) as raised:
        graph.transform(recording)
    assert "transform, which" not in str(raised.value)
    assert graph.transform(recording, "normalized").report.samples == 1


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize(
    ("function", "weight"),
    [
        (lambda x: x.cumsum(1), 1.0),
        (lambda x: torch.cumsum(x, dim=-2), 1.0),
        (lambda x: x.cumprod(1), 0.0),
        (lambda x: x.logcumsumexp(1), 0.0),
    ],
)
def test_running_sums_read_what_stands_before(function, weight, samples):
    found = last_weights(function, 4, 2, samples=samples)
    expected = np.kron(np.tri(4), np.eye(2))
    assert np.array_equal(~np.isnan(found), expected > 0)
    assert (found[expected > 0] == weight).all()


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize(
    "mask",
    [
        lambda: {"is_causal": True},
        lambda: {"attn_mask": torch.ones(4, 4).tril().bool()},
        lambda: {"attn_mask": torch.ones(4, 4).tril().log()},
        lambda: {"attn_mask": torch.ones(1, 4, 4).tril().bool()},
    ],
)
def test_attention_reads_the_tokens_that_a_constant_mask_leaves(mask, samples):
    graph = graph_of(
        between(lambda x: F.scaled_dot_product_attention(x, x, x, **mask())), 4, 2, samples=samples
    )
    assert graph.notes == ()
    first, last = graph.layers[1:]
    edges = graph.adjacency_matrix().toarray()[last.start :, first.start : last.start]
    assert np.array_equal(edges, np.kron(np.tri(4), np.ones((2, 2))))


def test_a_mask_that_is_computed_reads_its_row():
    graph = graph_of(between(lambda x: F.scaled_dot_product_attention(x, x, x, x[:, :1] + 1)), 3, 3)
    assert graph.notes == ()


@pytest.mark.parametrize("samples", [2, 3])
@pytest.mark.parametrize(
    "function", [lambda x: x @ x.T, lambda x: torch.einsum("bi,cj->bc", x, x), lambda x: torch.cdist(x, x)]
)
def test_products_of_samples_are_noted(function, samples):
    model = Made(
        lambda m, x: m.b(m.a(x) * function(m.a(x)).sum(1, keepdim=True)), a=nn.Linear(3, 3), b=nn.Linear(3, 2)
    )
    assert any("mixes the samples" in note for note in graph_of(model, 3, samples=samples).notes)
