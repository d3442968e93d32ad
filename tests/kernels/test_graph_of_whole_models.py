"""Ancestors in the graph of whole models against derivatives: which output changes with which input, at several points."""

import numpy as np
import pytest
import torch
from graph_oracles import closure
from torch import nn
from torch.nn import functional as F

from nbwidgets_nn.kernels.nn_graph import NNGraph
from nbwidgets_nn.record.activations import Activations

Linear, Conv1, Conv2 = nn.Linear, nn.Conv1d, nn.Conv2d


class OfLayers(nn.Module):
    """Layers by name, and a forward that takes them and the inputs."""

    def __init__(self, forward, **layers):
        super().__init__()
        self.run = forward
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, *inputs):
        return self.run(self, *inputs)


def u_net(m, x):
    a = m.a(x)
    return m.c(torch.cat([a, F.interpolate(m.b(F.max_pool2d(a, 2)), scale_factor=2, mode="bilinear")], 1))


def heads(m, x):
    q, k, v = (part.view(-1, 3, 2, 2) for part in (m.a(x), m.b(x), x))
    weights = torch.einsum("bihd,bjhd->bhij", q, k).softmax(-1)
    return m.h(torch.einsum("bhij,bjhd->bihd", weights, v).flatten(2))


def causal(m, x):
    mask = torch.ones(4, 4).triu(1).bool()
    return m.h(m.a(x, x, x, attn_mask=mask, need_weights=False)[0] + x)


def scaled_and_shifted(m, x, y):
    return m.h(m.a(x) * m.g(y)[..., None, None] + m.b(y)[..., None, None])


torch.manual_seed(0)
MODELS = {
    "u net": (
        OfLayers(u_net, a=Conv2(1, 2, 3, padding=1), b=Conv2(2, 2, 3, padding=1), c=Conv2(4, 1, 1)),
        [(1, 4, 6)],
    ),
    "causal convolution with gates": (
        OfLayers(
            lambda m, x: m.c(F.glu(m.a(F.pad(x, (2, 0))), 1) + m.b(x)),
            a=Conv1(2, 6, 3),
            b=Conv1(2, 3, 1),
            c=Conv1(3, 1, 1),
        ),
        [(2, 6)],
    ),
    "last step": (
        OfLayers(lambda m, x: m.h(m.l(x)[0][:, -1]), l=nn.LSTM(2, 3, batch_first=True), h=Linear(3, 2)),
        [(4, 2)],
    ),
    "second step": (
        OfLayers(lambda m, x: m.h(m.l(x)[0][:, 1]), l=nn.GRU(2, 3, batch_first=True), h=Linear(3, 2)),
        [(4, 2)],
    ),
    "convolution before steps": (
        OfLayers(
            lambda m, x: m.h(m.l(m.c(x).transpose(1, 2))[0]),
            c=Conv1(2, 3, 2),
            l=nn.RNN(3, 2, batch_first=True),
            h=Linear(2, 2),
        ),
        [(2, 5)],
    ),
    "dot product of towers": (
        OfLayers(
            lambda m, x, y: m.h((m.a(x) * m.b(y)).sum(1, keepdim=True)),
            a=Linear(3, 4),
            b=Linear(2, 4),
            h=Linear(1, 2),
        ),
        [(3,), (2,)],
    ),
    "scores between towers": (
        OfLayers(
            lambda m, x, y: m.h(torch.bmm(m.a(x), m.b(y).transpose(1, 2))),
            a=Linear(3, 4),
            b=Linear(2, 4),
            h=Linear(3, 2),
        ),
        [(4, 3), (3, 2)],
    ),
    "scaled by another input": (
        OfLayers(scaled_and_shifted, a=Conv2(1, 2, 2), g=Linear(3, 2), b=Linear(3, 2), h=Conv2(2, 1, 2)),
        [(1, 4, 4), (3,)],
    ),
    "squeeze and excite": (
        OfLayers(
            lambda m, x: m.h(m.a(x) * m.g(m.a(x).mean((2, 3))).sigmoid()[..., None, None]),
            a=Conv2(1, 2, 2),
            g=Linear(2, 2),
            h=Conv2(2, 1, 2),
        ),
        [(1, 4, 4)],
    ),
    "pooled by attention": (
        OfLayers(
            lambda m, x: m.h((m.a(x).softmax(1).transpose(1, 2) @ x).flatten(1)),
            a=Linear(3, 1),
            h=Linear(3, 2),
        ),
        [(4, 3)],
    ),
    "patches": (
        OfLayers(lambda m, x: m.h(F.unfold(x, 2, stride=2).transpose(1, 2)), h=Linear(8, 3)),
        [(2, 4, 4)],
    ),
    "up by transposed convolutions": (
        OfLayers(
            lambda m, x: m.b(m.a(x).tanh()),
            a=nn.ConvTranspose2d(1, 2, 2, stride=2),
            b=nn.ConvTranspose2d(2, 1, 3, padding=1),
        ),
        [(1, 2, 3)],
    ),
    "norm of neighbours": (
        nn.Sequential(Conv2(1, 6, 2), nn.LocalResponseNorm(3), Conv2(6, 2, 2, groups=2)),
        [(1, 4, 4)],
    ),
    "norm of groups": (
        nn.Sequential(Conv1(2, 4, 3, padding=1, stride=2), nn.GroupNorm(2, 4), Conv1(4, 2, 1)),
        [(2, 6)],
    ),
    "attention in einsum": (OfLayers(heads, a=Linear(4, 4), b=Linear(4, 4), h=Linear(4, 2)), [(3, 4)]),
    "causal attention": (
        OfLayers(causal, a=nn.MultiheadAttention(2, 1, batch_first=True), h=Linear(2, 2)),
        [(4, 2)],
    ),
}
by_name = pytest.mark.parametrize("name", MODELS)


def recorded(name, samples):
    model, shapes = MODELS[name]
    generator = torch.Generator().manual_seed(2)
    inputs = tuple(torch.rand(samples, *shape, generator=generator) for shape in shapes)
    return Activations(model, inputs if len(inputs) > 1 else inputs[0])


def depends(name):
    """Return which of the outputs has a derivative by which of the inputs, anywhere."""
    model, shapes = MODELS[name]
    model, sizes = model.double().eval(), [int(np.prod(shape)) for shape in shapes]

    def run(values):
        parts = (part.view(1, *shape) for part, shape in zip(values.split(sizes), shapes, strict=True))
        return model(*parts).flatten()

    generator = torch.Generator().manual_seed(3)
    points = torch.rand(20, sum(sizes), generator=generator, dtype=torch.float64) * 2 - 0.7
    found = sum((torch.autograd.functional.jacobian(run, point).abs() > 1e-13) for point in points)
    model.float()
    return found.numpy() > 0


@by_name
def test_the_last_layers_ancestors_are_what_its_values_depend_on(name):
    graph = NNGraph(recorded(name, 1))
    assert graph.notes == ()
    inputs = sum(layer.size for layer in graph.layers if layer.kind == "input")
    W = closure(graph.adjacency_matrix().toarray())
    assert np.array_equal(W[graph.layers[-1].start :, :inputs] > 0, depends(name))


@by_name
def test_planned_sums_are_those_of_the_matrix_for_any_number_of_samples(name):
    one = NNGraph(recorded(name, 1)).adjacency_matrix()
    W = closure(one.toarray())
    values = np.random.default_rng(0).standard_normal((2, len(W)))
    for samples in (2, 3):
        graph = NNGraph(recorded(name, samples))
        assert (graph.adjacency_matrix() != one).nnz == 0
        np.testing.assert_allclose(graph.units.closure.apply(values), values @ W.T, atol=1e-9)
