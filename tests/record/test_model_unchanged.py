"""The model, the random numbers and what the caller gave are as before a recording."""

import copy
import pickle
import random

import numpy as np
import pytest
import torch
from models import RAISING, ZOO, Case, Interrupted, Mlp, Stateful, flat
from torch import nn

from nbwidgets_nn.record._trees import map_tensors, tensors_in
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.errors import RecordingError
from nbwidgets_nn.record.module_output import module_output

INTERRUPTED = Case("interrupted", Interrupted, flat)


def state(network, given):
    """Everything that a forward pass can change, in a form that compares."""
    modules = list(network.modules())
    weights = [*network.parameters(), *network.buffers()]
    return {
        "mode": [module.training for module in modules],
        "attributes": [attributes(module) for module in modules],
        "tensors": [id(tensor) for tensor in weights],
        "values": [tensor.tolist() for tensor in weights],
        "gradients": [
            (t.requires_grad, None if t.grad is None else (id(t.grad), t.grad.tolist())) for t in weights
        ],
        "versions": [parameter._version for parameter in network.parameters()],
        "given": [(id(t), t._version, t.requires_grad, t.float().tolist()) for t in tensors_in(given)],
        "random": random.getstate(),
        "numpy": pickle.dumps(np.random.get_state()),
        "torch": torch.get_rng_state().tolist(),
        "global hooks": len(torch.nn.modules.module._global_forward_hooks),
        "modes": (torch.is_grad_enabled(), torch.overrides._len_torch_function_stack()),
        "fused attention": torch.backends.mha.get_fastpath_enabled(),
    }


def attributes(module):
    """Every attribute by identity, and the contents of those that are tables."""
    return [
        (
            name,
            id(value),
            [*map(id, value.values())]
            if isinstance(value, dict)
            else copy.copy(value)
            if isinstance(value, list)
            else None,
        )
        for name, value in vars(module).items()
    ]


def prepared(case):
    """A model with a mixture of modes, a frozen weight, gradients and a hook of the user's."""
    torch.backends.mha.set_fastpath_enabled(True)
    network, given = case.make(), case.make_input()
    network.train()
    for module in list(network.modules())[1::2]:
        module.training = False
    for index, parameter in enumerate(network.parameters()):
        parameter.requires_grad_(index % 2 == 0)
        parameter.grad = torch.ones_like(parameter)
    if not isinstance(network, torch.jit.ScriptModule):
        network.register_forward_hook(lambda module, args, output: None)
    return network, map_tensors(given, lambda t: t.requires_grad_() if t.is_floating_point() else t)


RUNS = {
    "activations": Activations,
    "shapes only": lambda network, given: Activations(network, given, shapes_only=True),
    "one module": lambda network, given: module_output(network, given, network),
}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("case", [*ZOO, *RAISING, INTERRUPTED], ids=lambda case: case.name)
def test_everything_is_as_before(case, run):
    network, given = prepared(case)
    before = state(network, given)
    try:
        run(network, given)
    except (RecordingError, KeyboardInterrupt):
        assert case in [*RAISING, INTERRUPTED]
    after = state(network, given)
    for what, value in before.items():
        assert after[what] == value, what


def test_in_pieces_as_well():
    network, given = prepared(next(case for case in ZOO if case.name == "stateful"))
    before = state(network, given)
    Activations(network, given, batch_size=3)
    assert state(network, given) == before


def test_the_network_runs_in_eval_mode_whatever_the_submodules_were_in():
    network, x = Stateful().train(), torch.randn(50, 6)
    rec = Activations(network, x)
    torch.testing.assert_close(rec["drop"].output, rec["norm"].output)
    torch.testing.assert_close(
        rec["norm"].output, copy.deepcopy(network.norm).eval()(rec["fc"].output).detach()
    )


def test_the_fused_transformer_layer_is_off_while_recording():
    class Asks(nn.Module):
        def forward(self, x):
            return x + torch.backends.mha.get_fastpath_enabled()

    assert Activations(nn.Sequential(Asks()), torch.zeros(1, 2))["0"].output.tolist() == [[0, 0]]


def test_an_overridden_eval_is_not_called():
    class Merging(nn.Linear):
        def train(self, mode=True):
            raise AssertionError("merging weights cannot be undone exactly")

    assert len(Activations(nn.Sequential(Merging(2, 2)), torch.ones(1, 2))) == 2


def test_the_network_trains_on_after_a_recording():
    network, x = Mlp(), torch.randn(4, 6)
    loss = network(x).sum()
    Activations(network, x)
    loss.backward()
    assert network.fc1.weight.grad.abs().sum() > 0


def test_recording_twice_gives_the_same_numbers():
    network, x = Stateful(), torch.randn(4, 6)
    first, second = Activations(network, x), Activations(network, x)
    assert all(map(torch.equal, first.layeractivations, second.layeractivations))


def test_the_recording_keeps_its_numbers_when_the_model_or_the_input_changes():
    network, x = Mlp(), torch.randn(4, 6)
    rec = Activations(network, x)
    before = rec.to_vector()
    with torch.no_grad():
        x.zero_()
        network.fc1.weight.zero_()
    assert rec.to_vector() == before
