"""What the graph of units once had wrong: networks in which it took other edges or weights than there are."""

import copy

import numpy as np
import pytest
import torch
from graph_models import Made
from torch import nn
from torch.nn import functional as F

from nbwidgets_nn.kernels import axis_reach as ax
from nbwidgets_nn.kernels.nn_graph import NNGraph
from nbwidgets_nn.kernels.product_reach import Reach
from nbwidgets_nn.kernels.stages import Link, Uniform
from nbwidgets_nn.kernels.stages_of_recording import _without_zeros
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
