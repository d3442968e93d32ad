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


class Reads(nn.Module):
    """What a function makes of the input goes through `fc`, and of that into `last`."""

    def __init__(self, before, after):
        super().__init__()
        self.fc, self.last, self.before, self.after = nn.Linear(3, 3), nn.Identity(), before, after
        self.table = nn.Parameter(torch.randn(3, 3))

    def forward(self, x):
        return self.last(self.after(self, self.fc(self.before(self, x))))


def same(net, h):
    return h


CUT = {
    "samples first": (lambda net, x: torch.relu(x).view(3, 3), same, "fc last"),
    "normed": (
        lambda net, x: (x - x.mean(1, keepdim=True)).softmax(1),
        lambda net, h: h @ net.table,
        "fc last",
    ),
    "transposed": (lambda net, x: x.T, same, ""),
    "transposed and back": (lambda net, x: x.T, lambda net, h: h.T.relu(), "last"),
    "features first in between": (same, lambda net, h: h.mT, "fc"),
    "table": (lambda net, x: net.table, same, ""),
    "table and samples": (lambda net, x: net.table, lambda net, h: h + net.fc(torch.zeros(3)), ""),
    "sum over samples": (lambda net, x: x.cumsum(0), same, "fc last"),
    "unknown": (lambda net, x: torch.from_numpy(x.numpy().T), same, "fc last"),
}


@pytest.mark.parametrize(("before", "after", "cut"), CUT.values(), ids=CUT)
def test_as_many_rows_as_samples_are_not_samples(before, after, cut):
    torch.manual_seed(0)
    recording = Activations(Reads(before, after), torch.randn(3, 3))
    some = recording.take([2, 0])
    assert [name for name in ("fc", "last") if some[name].output is not None] == cut.split()
    for name in ("fc", "last"):
        if name in cut.split():
            assert torch.equal(some[name].input, recording[name].input[[2, 0]])
        else:
            assert some[name].input is None
            assert "dim 0 does not count the samples" in some[name].note
