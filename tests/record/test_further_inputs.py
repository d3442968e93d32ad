"""A model's further inputs are layers of a recording, named after their arguments."""

from collections import namedtuple

import numpy as np
import pytest
import torch
from models import OneDict, TwoInputs
from torch import nn

from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.steps import Output


def model(forward):
    """Make a network of a forward that is given all tensors, and one layer to call."""
    cls = type("Model", (nn.Module,), {"forward": forward})
    network = cls()
    network.last = nn.Softsign()
    return network


Pair = namedtuple("Pair", "left right")  # noqa: PYI024 - a plain one
two = torch.ones(3, 2), torch.zeros(3, 4)


@pytest.mark.parametrize(
    ("forward", "given", "names"),
    [
        (lambda self, x, y: self.last(x), two, ["input", "input:y"]),
        (lambda self, x, y=None: self.last(x), {"x": two[0], "y": two[1]}, ["input", "input:y"]),
        (lambda self, x, y=None: self.last(x), {"y": two[1], "x": two[0]}, ["input", "input:x"]),
        (lambda self, x, *rest: self.last(x), (*two, two[0] + 1), ["input", "input:rest.0", "input:rest.1"]),
        (lambda self, x, **rest: self.last(x), {"x": two[0], "mask": two[1]}, ["input", "input:mask"]),
        (lambda self, xs: self.last(xs[0]), list(two), ["input", "input:xs.1"]),
        (lambda self, x: self.last(x["a"]), {"a": two[0], "b": [two[1]]}, ["input", "input:x.b.0"]),
        (lambda self, x: self.last(x.left), Pair(*two), ["input", "input:x.right"]),
        (lambda self, x, y: self.last(x), (two[0], two[0]), ["input"]),
        (lambda self, x, y: self.last(x), (two[0], 3), ["input"]),
        (lambda self, x, y: self.last(y), (None, two[0]), ["input"]),
    ],
)
def test_names(forward, given, names):
    recording = Activations(model(forward), given)
    assert recording.layernames == [*names, "last"]
    assert recording.layerdescriptions[: len(names)] == ["input"] * len(names)
    assert all(recording[name].kind == "input" and recording[name].module is None for name in names)


def test_values_and_whom_they_feed():
    torch.manual_seed(0)
    x, y = torch.randn(7, 6), torch.randn(7, 3)
    recording = Activations(TwoInputs(), (x, y))
    assert recording.layernames == ["input", "input:y", "a", "b", "out"]
    assert torch.equal(recording["input:y"].output, y)
    assert recording["input:y"].feeds == ("b",)
    assert recording["b"].fed_by == ("input:y",)
    assert recording["b"].origin.layer == "input:y"
    assert recording.to_vector()[42:45] == pytest.approx(y[0].tolist())
    assert repr(recording) == "Activations of TwoInputs: input (7, 6), 3 calls"


def test_a_model_that_writes_into_an_input_does_not_change_what_is_recorded():
    def forward(self, x, y):
        y.zero_()
        return self.last(x + y)

    y = torch.ones(3, 2)
    recording = Activations(model(forward), (torch.ones(3, 2), y))
    assert torch.equal(recording["input:y"].output, torch.ones(3, 2))
    assert torch.equal(y, torch.ones(3, 2))


def test_a_layer_of_that_name_gives_way():
    network = model(lambda self, x, y: self.last(x))
    network.add_module("input:y", nn.Identity())
    network.forward = lambda x, y: network.last(getattr(network, "input:y")(x))
    assert Activations(network, two).layernames == ["input", "input:y", "input:y:1", "last"]


def test_samples_are_taken_along_dim_0_of_all_that_have_as_many():
    def forward(self, x, y, table, scale):
        return self.last(x * scale + y @ table)

    torch.manual_seed(0)
    given = torch.randn(5, 2), torch.randn(5, 3), torch.randn(3, 2), torch.tensor(2.0)
    network = model(forward)
    some = Activations(network, given).take([3, 1])
    assert [some[name].output_shape for name in some] == [(2, 2), (2, 3), (3, 2), (), (2, 2)]
    assert some["input:table"].output is None
    assert some["input:table"].note == "left out: dim 0 does not count the samples"
    assert torch.equal(some["input:y"].output, given[1][[3, 1]])
    assert torch.equal(some["last"].output, network(*given)[[3, 1]])


@pytest.mark.parametrize("batch_size", [2, 4])
def test_pieces_are_joined(batch_size):
    torch.manual_seed(0)
    given = torch.randn(5, 6), torch.randn(5, 3)
    whole, pieces = Activations(TwoInputs(), given), Activations(TwoInputs(), given, batch_size=batch_size)
    assert pieces.layernames == whole.layernames
    assert torch.equal(pieces["input:y"].output, given[1])
    assert pieces["out"].output.shape == whole["out"].output.shape
    assert pieces["b"].origin.shape == (5, 3)


def test_a_number_beside_the_samples_is_not_cut():
    network = model(lambda self, x, scale: self.last(x * scale))
    given = torch.ones(5, 2), torch.tensor(3.0)
    recording = Activations(network, given, batch_size=2)
    assert recording["input:scale"].output_shape == ()
    assert torch.equal(recording["last"].output, network(*given))


def test_tensors_of_a_dict_that_is_one_argument():
    recording = Activations(OneDict(), {"image": torch.ones(2, 6), "mask": torch.ones(2, 4), "label": "cat"})
    assert recording.layernames == ["input", "input:batch.mask", "fc"]
    assert isinstance(recording["fc"].origin, Output)


def test_a_signal_has_all_inputs():
    recording = Activations(TwoInputs(), (torch.ones(1, 6), torch.ones(1, 3)))
    values = np.arange(len(recording.to_vector()), dtype=float)
    signal = recording.to_activations(values)
    assert signal["input:y"].output.tolist() == [[6, 7, 8]]
    assert signal.to_vector() == values.tolist()


def test_shapes_only():
    recording = Activations(TwoInputs(), (torch.ones(2, 6), torch.ones(2, 3)), shapes_only=True)
    assert recording["input:y"].output is None
    assert recording["input:y"].output_shape == (2, 3)
