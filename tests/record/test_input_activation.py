"""`Layer.input_activation`, `Layer.input_of` and `Layer.is_activation`."""

import pytest
import torch
from models import ZOO, Swish
from torch import nn
from torch.nn import functional as F

from nbwidgets_nn.record.activations import Activations

X = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))


class Before(nn.Module):
    """A Linear, a function or module, and the layer that is asked for what stands before it."""

    def __init__(self, between):
        super().__init__()
        self.fc, self.between, self.last = nn.Linear(4, 4), between, nn.Identity()

    def forward(self, x):
        return self.last(self.between(self.fc(x)))


RELU, SWISH = nn.ReLU(), Swish()

ACTIVATIONS = {
    "module": (RELU, RELU),
    "in place": (nn.Sequential(nn.Tanh(), nn.ReLU(inplace=True))[1:], "ReLU"),
    "written out": (SWISH, SWISH),
    "function": (torch.tanh, torch.tanh),
    "method": (lambda h: h.sigmoid(), torch.sigmoid),
    "in-place function": (lambda h: F.relu_(h), torch.relu),
    "the last of two": (lambda h: h.relu().tanh(), torch.tanh),
    "module behind a function": (nn.Sequential(nn.Softplus(), RELU), RELU),
    "of something else than a layer": (lambda h: (h + 1).relu(), torch.relu),
    "then shape": (lambda h: h.relu().view(2, 3, 4).transpose(1, 2).flatten(1), torch.relu),
    "then dtype": (lambda h: h.relu().double().float(), torch.relu),
    "then modules that do nothing": (nn.Sequential(RELU, nn.Identity(), nn.Dropout(), nn.Flatten()), RELU),
    "then dropout as a function": (lambda h: F.dropout(h.relu(), 0.5, training=False), torch.relu),
    "then elements": (lambda h: h.relu()[:, 1:].chunk(3)[0], torch.relu),
    "then pooling": (nn.Sequential(RELU, nn.MaxPool1d(2), nn.AvgPool1d(2)), RELU),
    "then pooling as a function": (lambda h: F.max_pool1d(h.relu(), 2), torch.relu),
    "then pooling with indices": (lambda h: F.max_pool1d(h.relu(), 2, return_indices=True)[0], torch.relu),
    "then mean": (lambda h: h.relu().mean(1, keepdim=True), torch.relu),
}


def shown(activation):
    return type(activation).__name__ if isinstance(activation, nn.Module) else activation


@pytest.mark.parametrize(("between", "expected"), ACTIVATIONS.values(), ids=ACTIVATIONS)
def test_what_made_the_values(between, expected):
    found = Activations(Before(between), X)["last"].input_activation
    assert found is expected or shown(found) == expected


NONE = {
    "nothing": lambda h: h,
    "arithmetic": lambda h: h.relu() + 1,
    "both halves of a sum": lambda h: h.relu() + h.relu(),
    "a layer": nn.Sequential(nn.ReLU(), nn.Linear(4, 4)),
    "a norm": nn.Sequential(nn.ReLU(), nn.BatchNorm1d(4)),
    "a pooling that sums": nn.Sequential(nn.ReLU(), nn.LPPool1d(2, 2)),
    "a sum": lambda h: h.relu().sum(1, keepdim=True),
    "two activations joined": lambda h: torch.cat([h.relu(), h.sigmoid()]),
    "written into": lambda h: h.relu().mul_(3),
    "a part written into": lambda h: _set_first(h.relu()),
    "a view written into": lambda h: _write_through_view(h.relu()),
}


def _set_first(h):
    h[:, 0] = 5
    return h


def _write_through_view(h):
    h.view(-1).mul_(3)
    return h


@pytest.mark.parametrize("between", NONE.values(), ids=NONE)
def test_none_where_something_else_made_them(between):
    assert Activations(Before(between), X)["last"].input_activation is None


def test_a_layers_own_functions_are_not_seen():
    class Gate(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(4))

        def forward(self, x):
            return (x * self.weight).sigmoid()

    assert Activations(Before(Gate()), X)["last"].input_activation is None


INPUT_OF = {
    "nothing between": (lambda h: h, ("fc",)),
    "shape": (lambda h: h.view(2, -1).T, ("fc",)),
    "modules that do nothing": (nn.Sequential(nn.Dropout(), nn.Identity()), ("between.1", "between.0", "fc")),
    "an activation": (nn.ReLU(), ("between",)),
    "a function": (torch.relu, ()),
    "a part": (lambda h: h[:, :2], ()),
}


@pytest.mark.parametrize(("between", "names"), INPUT_OF.values(), ids=INPUT_OF)
def test_whose_output_the_input_still_is(between, names):
    rec = Activations(Before(between), X)
    assert rec["last"].input_of == names
    assert rec["fc"].input_of == ("input",)


@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_both_agree_with_the_rest_of_the_record(case):
    rec = Activations(case.make(), case.make_input())
    for name in rec:
        layer = rec[name]
        assert set(layer.input_of) <= {*layer.fed_by, *(s for f in layer.fed_by for s in rec[f].input_of)}
        if layer.input_of and rec[layer.input_of[0]].is_activation:
            assert layer.input_activation is rec[layer.input_of[0]].module
        for other in layer.input_of:
            if layer.is_activation:
                assert rec[other].activation is not None


def test_which_calls_are_activations():
    network = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), Swish(), nn.PReLU(), nn.Identity(), nn.Softmax(1))
    rec = Activations(network, X)
    assert [rec[name].is_activation for name in rec] == [False, False, True, True, True, False, True]


def test_recording_in_pieces_keeps_them():
    rec = Activations(Before(RELU), X, batch_size=4)
    assert rec["last"].input_activation is RELU
    assert rec["last"].input_of == ("between",)
