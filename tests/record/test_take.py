"""A recording of some of its samples."""

import pytest
import torch
from models import ZOO
from torch import nn

from nbwidgets_nn import Activations

NETWORK = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
X = torch.arange(15.0).reshape(5, 3)


@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_is_the_recording_of_those_samples_where_samples_come_first(case):
    recording = Activations(case.make(), case.make_input())
    count = len(recording["input"].output)
    some = recording.take([count - 1, 0])
    assert some.layernames == recording.layernames
    for name in recording:
        whole, part = recording[name], some[name]
        if part.output is None:
            assert whole.output is None or whole.output.ndim == 0 or len(whole.output) != count
        else:
            kept, all_ = (
                values.to_dense() if values.is_sparse else values for values in (part.output, whole.output)
            )
            torch.testing.assert_close(kept, all_[[count - 1, 0]], equal_nan=True, rtol=0, atol=0)
            assert part.output_shape == tuple(part.output.shape)


def test_may_repeat_and_count_from_the_end():
    some = Activations(NETWORK, X).take(torch.tensor([-1, 1, 1]))
    assert torch.equal(some["input"].output, X[[-1, 1, 1]])
    assert torch.equal(some["1"].input, some["0"].output)


def test_leaves_the_recording_as_it_was():
    recording = Activations(NETWORK, X)
    recording.take([0])
    assert recording["0"].output.shape == (5, 4)


def test_says_what_is_left_out():
    class Swaps(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 3)

        def forward(self, x):
            return self.fc(x.transpose(0, 1))

    some = Activations(Swaps(), torch.zeros(5, 4, 3)).take([1])
    assert some["fc"].output is None
    assert "dim 0 does not count the samples" in some["fc"].note


@pytest.mark.parametrize("samples", [[], "all", [0.5]])
def test_needs_indices(samples):
    with pytest.raises(ValueError, match="samples: expected indices of at least one sample"):
        Activations(NETWORK, X).take(samples)


@pytest.mark.parametrize("samples", [[5], [0, -6]])
def test_needs_samples_that_are_there(samples):
    with pytest.raises(IndexError, match="samples: expected indices below 5"):
        Activations(NETWORK, X).take(samples)


def test_needs_values():
    with pytest.raises(ValueError, match="shapes_only"):
        Activations(NETWORK, X, shapes_only=True).take([0])
