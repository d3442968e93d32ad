"""Bad input to EI, EI_parts and sensitivity: each error names the argument and says what to do."""

import re

import networkx as nx
import numpy as np
import pytest
import torch
from information_oracles import golden, linear, topology
from torch import nn
from torch.nn import functional

import nbwidgets_nn as nw

FUNCTIONS = [
    nw.ei,
    nw.ei_parts,
    nw.ei_parts_matrix,
    nw.sensitivity,
    nw.sensitivity_matrix,
    nw.vector_and_pairwise_ei,
    lambda *args, **kwargs: nw.eis_between_groups(*args, [((0,), (0,))], **kwargs),
]
NAMES = [getattr(function, "__name__", "") for function in FUNCTIONS]
NAMES[-1] = "eis_between_groups"
INFINITE, NAN = float("inf"), float("nan")


@pytest.fixture(params=FUNCTIONS, ids=NAMES)
def function(request):
    return request.param


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"in_range": (0, INFINITE)}, "in_range: expected finite numbers"),
        ({"in_range": (NAN, 1)}, "in_range: expected finite numbers"),
        ({"in_range": (2, 1)}, "in_range: expected low < high, got (2, 1). Try: in_range=(1, 2)"),
        ({"in_range": (1, 1)}, "in_range: expected low < high, got (1, 1)"),
        ({"in_range": 3}, "in_range: expected two numbers"),
        ({"in_range": (0, 1, 2)}, "in_range: expected two numbers"),
        ({"in_range": "dynamic"}, 'in_range: expected (low, high), got "dynamic"'),
        ({"out_range": (-INFINITE, 0)}, "out_range: expected finite numbers"),
        ({"out_range": (2, 1)}, "out_range: expected low < high, got (2, 1)"),
        ({"out_range": "auto"}, "out_range: expected two numbers (low, high), got 'auto'"),
        ({"in_bins": 1}, "in_bins: expected 2 to"),
        ({"in_bins": 0}, "in_bins: expected"),
        ({"in_bins": -8}, "in_bins: expected"),
        ({"in_bins": 2.5}, "in_bins: expected a whole number, got 2.5"),
        ({"in_bins": "dynamic"}, "in_bins: expected a whole number, got 'dynamic'"),
        ({"in_bins": 10**6}, "in_bins: expected 2 to"),
        ({"out_bins": 1}, "out_bins: expected 2 to"),
        ({"out_bins": True}, "out_bins: expected a whole number, got True"),
        ({"out_bins": "many"}, "out_bins: expected a whole number, got 'many'"),
        ({"activation": 3}, "activation: expected a module or a function, got int"),
        ({"activation": "relu"}, "activation: expected a module or a function, got str"),
        (
            {"activation": lambda z: z[:, :1], "out_range": (0, 1)},
            "activation: expected the shape it is given",
        ),
        ({"activation": lambda z: None, "out_range": (0, 1)}, "activation: expected the shape it is given"),
        (
            {"activation": lambda z: z},
            "out_range: expected the range of <lambda> behind '0', which is not known",
        ),
        ({"activation": torch.log, "out_range": (0, 1)}, "output: expected numbers from every unit"),
        ({"batch_size": 0}, "batch_size: expected at least 1"),
        ({"batch_size": 1.5}, "batch_size: expected a whole number"),
        ({"samples": 0}, "samples: expected"),
        ({"samples": 2.5}, "samples: expected"),
        ({"samples": "10"}, "samples: expected"),
        ({"threshold": 0}, "threshold: expected a number above 0"),
        ({"threshold": NAN}, "threshold: expected a number above 0"),
        ({"threshold": "small"}, "threshold: expected"),
        ({"method": "fast"}, "method: expected one of 'auto', 'exact', 'sample', got 'fast'"),
        ({"method": "exact", "samples": 100}, 'method: expected "sample" or "auto" with draws, got "exact"'),
        ({"estimator": "best"}, "estimator: expected one of "),
        ({"outside": "keep"}, "outside: expected 'clip' or 'drop', got 'keep'"),
        ({"seed": -1}, "seed: expected"),
        ({"seed": 1.5}, "seed: expected"),
        ({"seed": None}, "seed: expected"),
        ({"device": "nowhere"}, "device: expected"),
        ({"in_layer": "zz"}, "in_layer: expected the name of a layer, got 'zz'"),
        (
            {"in_layer": nn.Linear(2, 2)},
            "in_layer: expected a module of the model, got a Linear that is not part",
        ),
    ],
    ids=str,
)
def test_arguments(function, given_, message):
    layer, graph = linear(golden(2, 2, 1.0))
    with pytest.raises((ValueError, TypeError), match=f"^{re.escape(message)}"):
        function(layer, graph, **given_)


@pytest.mark.parametrize("missing", ["cuda", "mps"])
def test_a_device_that_is_not_there(function, missing):
    if getattr(torch, "cuda" if missing == "cuda" else "mps").is_available():
        pytest.skip("it is there")
    with pytest.raises(ValueError, match="device"):
        function(*linear(golden(8, 2, 1.0)), device=missing)


def test_ranges_too_wide_for_numbers(function):
    with pytest.raises(ValueError, match="in_range"):
        function(*linear(golden(2, 2, 1.0)), in_range=(-1e308, 1e308))


@pytest.mark.parametrize("function", [nw.ei, nw.ei_parts])
def test_too_many_dynamic_bins(function):
    """Weights of 10,000 ask for 640,000 bins as wide as the input's."""
    with pytest.raises(ValueError, match="out_bins"):
        function(*linear([[1e4]]), in_range=(0, 1), out_range="dynamic", out_bins="dynamic")


def test_a_layer_of_another_model_lists_the_known():
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    graph = topology(model, (2,), torch.float32)
    with pytest.raises(ValueError, match=r"layer: expected a module of the model, got a Linear.*one of 0, 2"):
        nw.ei_parts(nn.Linear(2, 2), graph)
    with pytest.raises(ValueError, match=r"layer: expected the name of a layer, got 'fc'.*0, 2"):
        nw.ei_parts("fc", graph)
    with pytest.raises(ValueError, match=r"layer: expected a layer of the topology, got '1' \(ReLU\)"):
        nw.ei_parts(model[1], graph)
    with pytest.raises(
        TypeError, match=r"layer: expected a module of the model, or the name of a call, got int"
    ):
        nw.ei_parts(0, graph)


@pytest.mark.parametrize("graph", [nx.DiGraph(), None, [1]])
def test_a_topology_made_otherwise(graph):
    with pytest.raises(TypeError, match=r"topology: expected the graph of topology_of"):
        nw.ei_parts(nn.Linear(2, 2), graph)


def test_a_layer_that_ran_twice_asks_which():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.step = nn.Linear(2, 2)

        def forward(self, x):
            return self.step(self.step(x))

    model = Twice()
    graph = topology(model, (2,), torch.float32)
    with pytest.raises(ValueError, match=r"layer: 'step' ran 2 times: pass 'step' or 'step:1'"):
        nw.ei(model.step, graph)
    with pytest.raises(ValueError, match=r"in_layer: 'step' ran 2 times"):
        nw.ei("step:1", graph, in_layer=model.step)


@pytest.mark.parametrize("value", [NAN, INFINITE])
@pytest.mark.parametrize("where", ["weight", "bias"])
def test_weights_that_are_no_numbers(function, value, where):
    layer, graph = linear(golden(2, 3, 1.0), [0.0, 0.0, 0.0])
    getattr(layer, where).data.view(-1)[-1] = value
    with pytest.raises(
        ValueError,
        match=r"layer: expected finite weights, got NaN or infinity in the weights of '0' \(outputs 2\)",
    ):
        function(layer, graph)


def test_integer_layers():
    model = nn.Sequential(nn.Embedding(5, 3), nn.Flatten(), nn.Linear(6, 2))
    graph = nw.topology_of(model, torch.zeros(1, 2, dtype=torch.int64))
    with pytest.raises(
        ValueError, match=r"layer: expected a layer that reads floating numbers.*start at a layer behind"
    ):
        nw.ei_parts(model[0], graph)
    with pytest.raises(ValueError, match=r"in_layer: expected a layer that reads floating numbers"):
        nw.ei_parts(model[2], graph, in_layer=model[0])


def test_in_layer_behind_layer():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    graph = topology(model, (2,), torch.float32)
    with pytest.raises(
        ValueError, match=r"in_layer: expected a layer before '0', got '2', which runs after '0'"
    ):
        nw.ei_parts(model[0], graph, in_layer=model[2])


def test_a_batch_norm_as_the_start_of_its_own_layer():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU())
    graph = topology(model.eval(), (2,), torch.float32)
    with pytest.raises(ValueError, match=r"in_layer: expected a layer before .*the batch norm behind '0'"):
        nw.ei_parts(model[0], graph, in_layer=model[1])


def test_a_span_that_is_random():
    class Noisy(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(4, 20), nn.Linear(20, 4)

        def forward(self, x):
            return self.b(functional.dropout(self.a(x), 0.5))

    model = Noisy()
    graph = topology(model, (4,), torch.float32)
    with pytest.raises(ValueError, match=r"layer: expected a → b to compute the same each time"):
        nw.ei_parts(model.b, graph, in_layer=model.a)
    # The same model with dropout as a module is in eval mode.
    ordinary = nn.Sequential(nn.Linear(4, 20), nn.Dropout(), nn.Linear(20, 4)).train()
    graph = topology(ordinary, (4,), torch.float32)
    assert nw.ei_parts(ordinary[2], graph, in_layer=ordinary[0], samples=200, in_bins=4, out_bins=4) > -5


def test_an_activation_that_is_random():
    layer, graph = linear(golden(2, 2, 1.0))
    with pytest.raises(ValueError, match=r"activation: expected .*random"):
        nw.ei_parts(layer, graph, activation=functional.dropout, out_range=(-10, 10))


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([((0,), (9,))], "groups[0]: expected different indices of the 2 outputs of '0', got 9"),
        ([((0,), (0,)), ((3,), (0,))], "groups[1]: expected different indices of the 3 inputs of '0', got 3"),
        ([((-1,), (0,))], "groups[0]: expected different indices of the 3 inputs of '0', got -1"),
        ([((0, 0), (0,))], "groups[0]: expected different indices of the 3 inputs of '0', got [0, 0]"),
        ([((), (0,))], "groups[0]: expected a pair of tuples of indices, none empty"),
        ([((0,),)], "groups[0]: expected a pair of tuples of indices"),
        ([(0, 0)], "groups[0]: expected a pair of tuples of indices"),
        ([((0.5,), (0,))], "groups[0]: expected a pair of tuples of indices"),
        ([5], "groups[0]: expected a pair of tuples of indices"),
        (5, "groups: expected"),
    ],
    ids=str,
)
def test_groups(groups, message):
    with pytest.raises((ValueError, TypeError), match=f"^{re.escape(message)}"):
        nw.eis_between_groups(*linear(golden(3, 2, 1.0)), groups)


def test_exact_is_asked_of_what_can_be_exact():
    """The pairs can, the vector EI of this layer cannot."""
    layer, graph = linear(golden(3, 2, 1.0))
    with pytest.raises(
        ValueError, match=r"method: expected a layer in which no output depends on two inputs"
    ):
        nw.ei(layer, graph, method="exact")
    with pytest.raises(
        ValueError, match=r'method: expected "sample" or "auto" with draws, got "exact" with extrapolate'
    ):
        nw.ei_parts(layer, graph, method="exact", extrapolate=True)


def test_extrapolation_needs_eight_draws():
    with pytest.raises(ValueError, match="samples"):
        nw.ei_parts(*linear(golden(3, 2, 1.0)), samples=4, extrapolate=True)


def test_numbers_of_numpy_and_torch_are_numbers():
    layer, graph = linear(golden(2, 2, 1.0))
    plain = nw.ei_parts(layer, graph, in_range=(0, 1), in_bins=8, out_bins=8)
    other = nw.ei_parts(
        layer, graph, in_range=np.array([0, 1]), in_bins=np.int64(8), out_bins=torch.tensor(8), samples=None
    )
    assert other == plain
