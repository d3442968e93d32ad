"""`module_output`: what any submodule returned in one pass of the real model."""

import copy

import pytest
import torch
from models import ZOO, InPlace, Nested, ReusedLinear
from torch import nn

from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.module_output import module_output

X = torch.randn(7, 6, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_agrees_with_the_recording(case):
    torch.manual_seed(0)
    network, given = case.make(), case.make_input()
    rec, seen = Activations(network, given), {}
    for name in (name for name in rec if rec[name].module is not None):
        module = rec[name].module
        call = seen[module] = seen.get(module, -1) + 1
        if rec[name].output is not None:
            torch.testing.assert_close(module_output(network, given, module, call=call), rec[name].output)


def test_containers_and_the_model_itself():
    network = Nested().train()
    plain = copy.deepcopy(network).eval()
    torch.testing.assert_close(module_output(network, X, network.stem), plain.stem(X).detach())
    torch.testing.assert_close(module_output(network, X, network), plain(X)[0].detach())
    assert network.training


def test_a_later_layer_in_place_does_not_reach_it():
    network = InPlace()
    torch.testing.assert_close(module_output(network, X, network.fc1), network.fc1(X - 1).detach())


def test_a_module_that_runs_again():
    network = ReusedLinear()
    once = network.step(X)
    torch.testing.assert_close(module_output(network, X, network.step), once.detach())
    torch.testing.assert_close(
        module_output(network, X, network.step, call=1), network.step(once.tanh()).detach()
    )
    with pytest.raises(
        ValueError, match=r"module: 'step' \(Linear\) ran 3 times for this input, so there is no call 3"
    ):
        module_output(network, X, network.step, call=3)


def test_inside_a_transformer_whose_fused_form_calls_no_submodule():
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(6, 2, 8, batch_first=True), 2).eval()
    tokens = torch.randn(3, 4, 6)
    assert module_output(encoder, tokens, encoder.layers[1].linear1).shape == (3, 4, 8)
    assert Activations(encoder, tokens)["layers.1.linear1"].output_shape == (3, 4, 8)


def network_with(name):
    case = next(case for case in ZOO if case.name == name)
    return case.make()


BAD = {
    "not part": (
        lambda n: nn.Linear(6, 3),
        "module: expected a submodule of model, got a Linear that is not in",
    ),
    "no module": (lambda n: "fc", "module: expected a submodule of model, got a str"),
    "never ran": (lambda n: n.spare, r"module: 'spare' \(Linear\) ran 0 times"),
}


@pytest.mark.parametrize(("choose", "message"), BAD.values(), ids=BAD)
def test_bad_modules(choose, message):
    network = network_with("never runs")
    with pytest.raises(ValueError, match=message):
        module_output(network, X, choose(network))


def test_a_module_without_a_tensor():
    network = network_with("no tensor")
    with pytest.raises(ValueError, match=r"module: 'nothing' \(Nothing\) returned no tensor"):
        module_output(network, X, network.nothing)
