"""The model, the random numbers and what the caller gave are as before a recording."""

import copy

import pytest
import torch
from model_state import prepared, state
from models import RAISING, ZOO, Case, Interrupted, Mlp, Stateful, flat
from torch import nn

from nbwidgets_nn.kernels.triplets import triplets
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.errors import RecordingError
from nbwidgets_nn.record.module_output import module_output

INTERRUPTED = Case("interrupted", Interrupted, flat)


def read_triplets(network, given):
    for layer in triplets(network, given).values():
        layer.materialize()
        layer.by_channel()
        layer.top(1)


RUNS = {
    "activations": Activations,
    "shapes only": lambda network, given: Activations(network, given, shapes_only=True),
    "triplets": read_triplets,
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
