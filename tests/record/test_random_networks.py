"""Properties of the recording on random networks."""

import copy

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from nbwidgets_nn.record.activations import Activations

WIDTH = 3
LAYERS = {
    "linear": lambda: nn.Linear(WIDTH, WIDTH),
    "norm": lambda: nn.BatchNorm1d(WIDTH),
    "relu": lambda: nn.ReLU(inplace=True),
    "tanh": nn.Tanh,
    "same": nn.Identity,
    "drop": lambda: nn.Dropout(0.5, inplace=True),
}
kinds = st.lists(st.sampled_from(sorted(LAYERS)), min_size=1, max_size=8)


class Dense(nn.Module):
    """Step k gets the sum of the outputs of the steps `wires[k]`, step 0 being the input."""

    def __init__(self, kinds, wires):
        super().__init__()
        self.steps, self.wires = nn.ModuleList(LAYERS[kind]() for kind in kinds), wires

    def forward(self, x):
        values = [x]
        for step, wire in zip(self.steps, self.wires, strict=True):
            values.append(step(torch.stack([values[k] for k in wire]).sum(0)))
        return values[-1]


@st.composite
def wired(draw):
    chosen = draw(kinds)
    wires = [draw(st.sets(st.integers(0, k), min_size=1)) for k in range(len(chosen))]
    return Dense(chosen, [sorted(wire) for wire in wires])


@settings(max_examples=40, deadline=None)
@given(wired())
def test_edges_are_the_wires(network):
    rec = Activations(network, torch.randn(5, WIDTH))
    names = rec.layernames
    expected = {(names[k], names[target + 1]) for target, wire in enumerate(network.wires) for k in wire}
    assert set(rec.edges) == expected


@settings(max_examples=40, deadline=None)
@given(kinds, st.integers(1, 6), st.booleans())
def test_outputs_are_those_of_running_the_layers_one_by_one(chosen, samples, training):
    network = nn.Sequential(*(LAYERS[kind]() for kind in chosen)).train(training)
    x = torch.randn(samples, WIDTH)
    rec = Activations(network, x)
    for layer, name in zip(copy.deepcopy(network).eval(), rec.layernames[1:], strict=True):
        x = layer(x.clone()).detach()
        torch.testing.assert_close(rec[name].output, x)
