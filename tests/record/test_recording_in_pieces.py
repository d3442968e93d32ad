"""`batch_size=` gives the recording of one pass over everything."""

import pytest
import torch
from models import ZOO
from torch import nn

from nbwidgets_nn.record._inputs import _cuts
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.errors import RecordingError

ONE_BY_ONE = [case for case in ZOO if case.name not in ("noisy", "packed", "convolution without batch")]


@pytest.mark.parametrize("shapes_only", [False, True])
@pytest.mark.parametrize("batch_size", [1, 3, 100])
@pytest.mark.parametrize("case", ONE_BY_ONE, ids=lambda case: case.name)
def test_same_as_at_once(case, batch_size, shapes_only):
    torch.manual_seed(0)
    network, given = case.make(), case.make_input()
    whole = Activations(network, given, shapes_only=shapes_only)
    pieces = Activations(network, given, batch_size=batch_size, shapes_only=shapes_only)
    assert pieces.layernames == whole.layernames
    assert pieces.edges == whole.edges
    assert pieces.never_ran == whole.never_ran
    for name in whole:
        one, other = pieces[name], whole[name]
        assert (one.output_shape, one.input_shape) == (other.output_shape, other.input_shape)
        assert (one.note, one.activation, one.channel_axis) == (
            other.note,
            other.activation,
            other.channel_axis,
        )
        for a, b in ((one.output, other.output), (one.input, other.input)):
            assert (a is None) == (b is None)
            if a is not None:
                torch.testing.assert_close(a, b)


def test_what_is_shared_stays_shared():
    rec = Activations(nn.Sequential(nn.Linear(6, 4), nn.ReLU()), torch.randn(8, 6), batch_size=3)
    assert rec["1"].input is rec["0"].output


def test_pieces_given_up_on_the_way_are_not_mistaken_for_later_ones():
    class Deep(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(nn.Linear(6, 6) for _ in range(30))

        def forward(self, x):
            for layer in self.layers:
                x = layer(x) + x
            return x

    network, given = Deep().double(), torch.randn(8, 6, dtype=torch.float64)
    whole, pieces = Activations(network, given), Activations(network, given, batch_size=3)
    for name in whole.layernames[1:]:
        torch.testing.assert_close(pieces[name].output, whole[name].output)
        torch.testing.assert_close(pieces[name].input, whole[name].input)


def test_the_network_never_sees_more_than_a_piece():
    class Watches(nn.Linear):
        largest = 0

        def forward(self, x):
            Watches.largest = max(Watches.largest, len(x))
            return super().forward(x)

    Activations(Watches(6, 2), torch.randn(20, 6), batch_size=4)
    assert Watches.largest == 4


@pytest.mark.parametrize("samples", [5, 8, 12])
@pytest.mark.parametrize("batch_size", [1, 2, 3, 4])
def test_pieces_cover_everything_and_are_not_all_equally_long(samples, batch_size):
    cuts = _cuts(samples, batch_size)
    assert [i for start, stop in cuts for i in range(start, stop)] == list(range(samples))
    lengths = [stop - start for start, stop in cuts]
    assert 1 <= min(lengths) <= max(lengths) <= batch_size
    if batch_size > 1 and samples > batch_size:
        assert len(set(lengths)) > 1


class TimeFirst(nn.Module):
    """Puts time first for its recurrent layer, so that dim 0 is no longer the samples."""

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(6, 4)

    def forward(self, x):
        return self.gru(x.transpose(0, 1))[0]


class OverTheBatch(nn.Module):
    """Hands on a mean over the samples."""

    def __init__(self):
        super().__init__()
        self.mean = nn.Linear(6, 4)

    def forward(self, x):
        return self.mean(x.mean(0))


class Chooses(nn.Module):
    """Which layer runs depends on the piece."""

    def __init__(self):
        super().__init__()
        self.small, self.large = nn.Linear(6, 4), nn.Linear(6, 4)

    def forward(self, x):
        return self.large(x) if x.max() > 5 else self.small(x)


REFUSED = {
    "time first": (
        TimeFirst,
        torch.zeros(8, 4, 6),
        "batch_size: the output of 'gru' has shape .* leave batch_size",
    ),
    "mean over samples": (OverTheBatch, torch.zeros(8, 6), "batch_size: the output of 'mean' has shape"),
    "choice": (
        Chooses,
        torch.arange(8.0).expand(6, 8).T,
        "batch_size: the network does not run the same calls",
    ),
    "packed": (next(c.make for c in ZOO if c.name == "packed"), torch.zeros(8, 4, 6), "packed sequence"),
}


@pytest.mark.parametrize(("make", "given", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_joined_is_refused(make, given, message):
    with pytest.raises(RecordingError, match=message):
        Activations(make(), given, batch_size=4)
