"""`Layer.activation`: the module or function that directly follows."""

import pytest
import torch
from models import ZOO, Swish
from torch import nn
from torch.nn import functional as F

from nbwidgets_nn.record.activations import Activations

X = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))


class After(nn.Module):
    """A Linear and what follows it."""

    def __init__(self, follows):
        super().__init__()
        self.fc, self.follows = nn.Linear(4, 4), follows

    def forward(self, x):
        return self.follows(self.fc(x))


FUNCTIONS = {
    "torch": (torch.relu, torch.relu),
    "functional": (F.relu, F.relu),
    "method": (lambda h: h.sigmoid(), torch.sigmoid),
    "in-place method": (lambda h: h.tanh_(), torch.tanh),
    "in-place functional": (lambda h: F.relu(h, inplace=True), torch.relu),
    "default arguments": (lambda h: F.leaky_relu(h, 0.01), F.leaky_relu),
    "argument": (lambda h: F.leaky_relu(h, 0.2), lambda h: F.leaky_relu(h, 0.2)),
    "positional argument": (lambda h: torch.softmax(h, 1), lambda h: torch.softmax(h, 1)),
    "keyword argument": (lambda h: F.gelu(h, approximate="tanh"), lambda h: F.gelu(h, approximate="tanh")),
    "method with argument": (lambda h: h.clamp(min=0), torch.relu),
    "after a change of shape": (lambda h: h.view(2, -1).T.relu(), torch.relu),
    "after dropout": (lambda h: F.dropout(h, 0.5, training=False).relu(), torch.relu),
    "the first of two": (lambda h: h.relu() + h.tanh(), torch.relu),
}


@pytest.mark.parametrize(("follows", "expected"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_functions(follows, expected):
    activation = Activations(After(follows), X)["fc"].activation
    before = X.clone()
    assert torch.equal(activation(X), expected(X))
    assert torch.equal(X, before), "calling it changes nothing"


def test_a_function_without_arguments_is_itself_and_one_with_them_shows_them():
    assert Activations(After(torch.relu), X)["fc"].activation is torch.relu
    bound = Activations(After(lambda h: F.leaky_relu(h, 0.2)), X)["fc"].activation
    assert bound.__name__ == "leaky_relu"
    assert repr(bound) == "leaky_relu(negative_slope=0.2)"


MODULES = {
    "ReLU": nn.ReLU(),
    "in place": nn.ReLU(inplace=True),
    "with weights": nn.PReLU(),
    "written out": Swish(),
    "of one's own": type("Own", (nn.Tanh,), {})(),
}


@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)
def test_modules(module):
    network = After(module)
    assert Activations(network, X)["fc"].activation is module


@pytest.mark.parametrize("between", [nn.Dropout(), nn.Identity(), nn.Flatten(0), nn.Sequential(nn.Dropout())])
def test_identity_dropout_and_flatten_may_stand_between(between):
    relu = nn.ReLU()
    assert Activations(After(nn.Sequential(between, relu)), X)["fc"].activation is relu


NOTHING = {
    "another layer": nn.Linear(4, 4),
    "batch norm first": nn.Sequential(nn.BatchNorm1d(4), nn.ReLU()),
    "arithmetic first": lambda h: (h + 1).relu(),
    "nothing": lambda h: h,
    "attention": lambda h: nn.functional.layer_norm(h, (4,)),
}


@pytest.mark.parametrize("follows", NOTHING.values(), ids=NOTHING)
def test_none_when_something_else_follows(follows):
    assert Activations(After(follows), X)["fc"].activation is None


def test_each_call_of_a_reused_layer_has_its_own():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, x):
            return self.fc(self.fc(self.fc(x)).sigmoid().relu())

    rec = Activations(Net(), X)
    assert [rec[name].activation for name in ("fc", "fc:1", "fc:2")] == [None, torch.sigmoid, None]


def test_functions_inside_a_layer_are_not_what_follows_another():
    class Gate(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(4))

        def forward(self, x):
            return x.sigmoid() * self.weight

    assert Activations(After(Gate()), X)["fc"].activation is None


@pytest.mark.parametrize(
    ("name", "activations"),
    [
        ("functional", {"conv": "leaky_relu", "fc1": "relu", "fc2": "sigmoid", "fc3": "softmax"}),
        ("in place", {"fc1": "ReLU", "fc2": "relu", "fc3": None}),
        ("channels moved", {"wide": "GELU", "narrow": "ReLU", "norm": None}),
    ],
)
def test_in_the_zoo(name, activations):
    case = next(case for case in ZOO if case.name == name)
    rec = Activations(case.make(), case.make_input())
    for layer, expected in activations.items():
        found = rec[layer].activation
        named = type(found).__name__ if isinstance(found, nn.Module) else getattr(found, "__name__", None)
        assert named == expected
