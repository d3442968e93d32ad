"""Recurrent layers and attention in the graph of units: which steps and tokens are read."""

import numpy as np
import pytest
import torch
from graph_models import Made
from graph_oracles import closure, tried_adjacency
from torch import nn

from nbwidgets_nn.kernels.nn_graph import NNGraph
from nbwidgets_nn.record.activations import Activations

first_returned = lambda m, x: m.a(x)[0]  # noqa: E731
to_itself = lambda m, x: m.a(x, x, x)[0]  # noqa: E731
CASES = {
    "RNN": (first_returned, nn.RNN(3, 2, batch_first=True)),
    "LSTM": (first_returned, nn.LSTM(3, 2, batch_first=True)),
    "LSTM, projected": (first_returned, nn.LSTM(3, 4, batch_first=True, proj_size=2)),
    "GRU, two layers": (first_returned, nn.GRU(3, 2, 2, batch_first=True)),
    "both directions": (first_returned, nn.LSTM(3, 2, batch_first=True, bidirectional=True)),
    "two layers of both": (first_returned, nn.GRU(3, 2, 2, batch_first=True, bidirectional=True)),
    "time first": (lambda m, x: m.a(x.transpose(0, 1))[0].transpose(0, 1), nn.GRU(3, 2)),
    "attention": (to_itself, nn.MultiheadAttention(3, 1, batch_first=True)),
    "attention, tokens first": (lambda m, x: to_itself(m, x.transpose(0, 1)), nn.MultiheadAttention(3, 1)),
    "attention to others": (
        lambda m, x: m.a(x[:, :2], x[:, 1:], x[:, 1:])[0],
        nn.MultiheadAttention(3, 3, batch_first=True),
    ),
    "a token of its own": (to_itself, nn.MultiheadAttention(3, 1, batch_first=True, add_zero_attn=True)),
    "GRU cell": (lambda m, x: m.a(x[:, 0], x[:, 1, :2]), nn.GRUCell(3, 2)),
    "RNN cell without state": (lambda m, x: m.a(x[:, 0]), nn.RNNCell(3, 2)),
    "LSTM cell": (lambda m, x: m.a(x[:, 0], (x[:, 1, :2], x[:, 2, :2]))[0], nn.LSTMCell(3, 2)),
}
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections")
by_name = pytest.mark.parametrize("name", CASES)


def recording_of(name, samples=1):
    forward, layer = CASES[name]
    generator = torch.Generator().manual_seed(1)
    return Activations(Made(forward, a=layer).eval(), torch.randn(samples, 4, 3, generator=generator))


@pytest.mark.parametrize("name", [name for name in CASES if name != "LSTM cell"])
def test_edges_are_what_a_change_of_one_unit_changes(name):
    recording = recording_of(name)
    graph = NNGraph(recording)
    assert graph.notes == ()
    assert np.array_equal(graph.adjacency_matrix().toarray(), tried_adjacency(recording, ["a"]))


@by_name
def test_a_recording_of_several_samples_has_the_graph_of_one(name):
    one, several = NNGraph(recording_of(name)), NNGraph(recording_of(name, 3))
    assert several.notes == ()
    assert (one.adjacency_matrix() != several.adjacency_matrix()).nnz == 0


@by_name
def test_transforms(name):
    recording = recording_of(name, 2)
    graph = NNGraph(recording)
    W = closure(graph.adjacency_matrix().toarray())
    values = np.random.default_rng(0).standard_normal((2, graph.n_nodes))
    np.testing.assert_allclose(graph.units.closure.apply(values), values @ W.T, atol=1e-9)
    np.testing.assert_allclose(graph.units.closure.solve(values), np.linalg.solve(W, values.T).T, atol=1e-7)


def test_behind_a_recurrent_layer_stands_only_what_came_before():
    model = nn.Sequential(nn.Conv1d(2, 3, 1), nn.Identity())
    model = Made(
        lambda m, x: m.b(m.a(m.c(x).transpose(1, 2))[0]),
        a=nn.LSTM(3, 2, batch_first=True),
        b=nn.Linear(2, 2),
        c=model[0],
    )
    graph = NNGraph(Activations(model, torch.randn(2, 2, 5)))
    W = closure(graph.adjacency_matrix().toarray())
    last, first = graph.layers[-1], graph.layers[0]
    seen = W[last.start :, : first.size].reshape(5, 2, 2, 5)
    assert np.array_equal(seen, np.broadcast_to(np.tri(5)[:, None, None], (5, 2, 2, 5)))


def test_a_state_that_is_given_is_read_by_every_step():
    class Started(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.GRU(3, 2, batch_first=True)

        def forward(self, x, h):
            return self.a(x, h)[0]

    graph = NNGraph(Activations(Started(), (torch.randn(1, 4, 3), torch.randn(1, 1, 2))))
    assert graph.notes == ()
    assert graph.adjacency_matrix().toarray()[-8:, 12:14].all()


def masked(mask, **options):
    def forward(m, x):
        return m.a(x, x, x, need_weights=False, **{options.get("as_", "attn_mask"): mask(x)})[0]

    return Made(forward, a=nn.MultiheadAttention(2, 1, batch_first=True))


def later(x):
    """Return which tokens stand behind each: those that it must not see."""
    return torch.ones(x.shape[1], x.shape[1]).triu(1).bool()


def as_numbers(x):
    return (1 - torch.ones(4, 4).triu(1)).log()


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("mask", [later, as_numbers])
def test_attention_behind_a_causal_mask_reads_what_stands_before(mask, samples):
    graph = NNGraph(Activations(masked(mask), torch.randn(samples, 4, 2)))
    edges = graph.adjacency_matrix().toarray()[8:, :8]
    assert np.array_equal(edges, np.kron(np.tri(4), np.ones((2, 2))))
    assert graph.notes == ()


def test_a_mask_that_may_be_of_samples_leaves_all_tokens():
    """With as many samples as tokens nobody can tell."""
    edges = NNGraph(Activations(masked(later), torch.randn(4, 4, 2))).adjacency_matrix().toarray()
    assert edges[8:, :8].all()


def test_a_cell_of_an_lstm_reads_its_own_state():
    graph = NNGraph(recording_of("LSTM cell"))
    edges = graph.adjacency_matrix().toarray()[12:, :12].reshape(2, 4, 3)
    assert edges[:, 0].all()
    assert edges[:, 1].tolist() == [[1, 1, 0]] * 2
    assert edges[:, 2].tolist() == [[1, 0, 0], [0, 1, 0]]


def padding(x):
    return (torch.arange(x.shape[1]) > 2)[None].expand(len(x), -1)


def test_a_mask_of_padding_leaves_all_tokens():
    graph = NNGraph(Activations(masked(padding, as_="key_padding_mask"), torch.randn(3, 4, 2)))
    assert graph.adjacency_matrix().toarray()[8:, :8].all()


@pytest.mark.parametrize("layer", [nn.GRU(3, 2), nn.MultiheadAttention(3, 1)])
def test_samples_where_time_should_be_are_noted(layer):
    forward = first_returned if isinstance(layer, nn.GRU) else to_itself
    graph = NNGraph(Activations(Made(forward, a=layer), torch.randn(3, 4, 3)))
    assert ["it mixes the samples" in note for note in graph.notes] == [True]


def test_a_layer_with_a_forward_of_its_own_is_not_known():
    class Own(nn.GRU):
        def forward(self, x):
            return super().forward(x.flip(1))

    graph = NNGraph(Activations(Made(first_returned, a=Own(3, 2, batch_first=True)), torch.randn(1, 4, 3)))
    assert "it has a forward of its own" in graph.notes[0]
    assert graph.n_edges == 8 * 12
