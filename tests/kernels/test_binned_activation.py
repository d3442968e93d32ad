"""An activation followed by bins, as a step function: the same bin as binning activation(z) itself, everywhere."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from information_oracles import ACTIVATIONS, NOT_MONOTONE, applied, naive_bins
from torch import nn
from torch.nn import functional

from nbwidgets_nn.kernels.binned_activation import (
    Activation,
    Steps,
    binned,
    default_range,
    known_activation,
    label_values,
)
from nbwidgets_nn.record._activation_functions import BoundFunction


def outside_marked(values, low, high, bins):
    """Bin of each value, `bins` below the range and `bins + 1` above it."""
    labels = naive_bins(values, low, high, bins, "drop")
    return np.where(values < low, bins, np.where(values > high, bins + 1, labels))


def step_labels(steps, z):
    """Look the labels up one by one, by the definition of `Steps`."""
    return steps.labels[(steps.breaks <= z[:, None]).sum(axis=1)]


def away_from(points, z):
    """Leave out what rounding could put on the other side of a break: functions are not exact to the last bit."""
    if not len(points):
        return z
    return z[np.abs(z[:, None] - points).min(axis=1) > 1e-6]


@pytest.mark.parametrize("bins", [2, 3, 7, 15, 16, 33, 64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_is_the_bin_of_the_activation_everywhere(name, bins):
    # Ranges without 0 as an inner edge: GELU's rounded value is -0 far below, which would be on that edge.
    activation = ACTIVATIONS[name]
    z = np.concatenate([np.linspace(-30, 30, 801), np.random.default_rng(bins).normal(0, 3, 300)])
    for low, high in [default_range(activation), (-0.9, 1.3), (0.2, 0.8), (-3.01, 5.02)]:
        steps = binned(known_activation(activation), low, high, bins)
        inside = away_from(steps.breaks, z)
        expected = outside_marked(applied(activation, inside), low, high, bins)
        np.testing.assert_array_equal(step_labels(steps, inside), expected)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_breaks_are_where_the_bin_changes(name):
    activation = ACTIVATIONS[name]
    low, high = default_range(activation)
    steps = binned(known_activation(activation), low, high, 12)
    assert (np.diff(steps.breaks) > 0).all()
    assert len(steps.labels) == len(steps.breaks) + 1
    assert (steps.labels[1:] != steps.labels[:-1]).all()
    close = steps.breaks[np.abs(steps.breaks) < 20]
    gap = 1e-7 * np.maximum(np.abs(close), 1)
    before, behind = (
        naive_bins(applied(activation, z), low, high, 12, "drop") for z in (close - gap, close + gap)
    )
    assert (before != behind).all()


def test_the_bin_does_not_depend_on_where_in_an_array_a_value_stands():
    # The vectorised and the scalar exponential of torch differ in the last bit.
    for bins in range(2, 130):
        steps = binned(known_activation(torch.sigmoid), 0.0, 1.0, bins)
        assert steps.labels.tolist() == list(range(bins))
        edges = np.arange(1, bins) / bins
        np.testing.assert_allclose(steps.breaks, np.log(edges / (1 - edges)), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("activation", "range_", "breaks", "labels"),
    [
        (torch.relu, (0, 1), [0.25, 0.5, 0.75, np.nextafter(1, 2)], [0, 1, 2, 3, 5]),
        (torch.relu, (-1, 1), [0.5, np.nextafter(1, 2)], [2, 3, 5]),
        (torch.relu, (1, 2), [1.0, 1.25, 1.5, 1.75, np.nextafter(2, 3)], [4, 0, 1, 2, 3, 5]),
        (torch.relu, (-2, -1), [], [5]),
        (nn.Hardtanh(), (-1, 1), [-0.5, 0, 0.5], [0, 1, 2, 3]),
        (nn.Hardtanh(), (-2, 2), [0, 1.0], [1, 2, 3]),
        (nn.Hardshrink(2.0), (-4, 4), [-4.0, -2.0, np.nextafter(2, 3), np.nextafter(4, 5)], [4, 0, 2, 3, 5]),
        (None, (0, 4), [0.0, 1.0, 2.0, 3.0, np.nextafter(4, 5)], [4, 0, 1, 2, 3, 5]),
    ],
)
def test_plateaus_jumps_and_edges(activation, range_, breaks, labels):
    """An inner edge belongs to the upper bin, the upper end to the last one; 4 is below and 5 above."""
    steps = binned(known_activation(activation), *range_, 4)
    np.testing.assert_allclose(steps.breaks, breaks, rtol=0, atol=1e-300)
    assert steps.labels.tolist() == labels


def test_the_very_next_number_is_on_the_other_side():
    steps = binned(known_activation(None), 0.1, 0.7, 3)
    edges = np.linspace(0.1, 0.7, 4)
    np.testing.assert_array_equal(steps.breaks[:3], edges[:3])
    assert steps.breaks[3] == np.nextafter(edges[3], 1)


def test_bins_of_a_tiny_range_far_from_zero():
    steps = binned(known_activation(None), 1e6, 1e6 + 1e-3, 8)
    np.testing.assert_array_equal(steps.breaks[:8], np.linspace(1e6, 1e6 + 1e-3, 9)[:8])


def test_what_is_outside_is_placed_at_the_ends_or_dropped():
    steps = Steps(np.arange(4.0), np.array([3, 0, 1, 2, 4]), 3)
    assert steps.placed("clip").tolist() == [0, 0, 1, 2, 2]
    assert steps.placed("drop").tolist() == [-1, 0, 1, 2, -1]


@pytest.mark.parametrize(
    ("activation", "range_"),
    [
        (None, (-10, 10)),
        (nn.Identity(), (-10, 10)),
        (nn.Sigmoid(), (0, 1)),
        (nn.Tanh(), (-1, 1)),
        (nn.ReLU(), (0, 10)),
        (nn.LeakyReLU(0.2), (-2, 10)),
        (nn.ELU(), (-1, 10)),
        (nn.ELU(2.0), (-2, 10)),
        (nn.CELU(), (-1, 10)),
        (nn.SELU(), (-1.7580993408473766, 10.5)),
        (nn.Softplus(), (0, 10)),
        (nn.Hardtanh(), (-1, 1)),
        (nn.Hardtanh(-2, 3), (-2, 3)),
        (nn.ReLU6(), (0, 6)),
        (nn.GELU(), (-0.16997120747990369, 10)),
        (nn.SiLU(), (-0.2784645427610738, 10)),
        (nn.Hardswish(), (-0.375, 10)),
        (nn.Hardsigmoid(), (0, 1)),
        (nn.LogSigmoid(), (-10, 0)),
        (nn.Softsign(), (-1, 1)),
        (nn.Softmax(dim=1), (0, 1)),
        (functional.softmax, (0, 1)),
        (BoundFunction(torch.softmax, (1,)), (0, 1)),
        (nn.PReLU(init=0.3), (-3, 10)),
        (BoundFunction(torch.clamp, (-3, 2)), (-3, 2)),
        (BoundFunction(torch.clamp, (), {"min": 0}), (0, 10)),
        (nn.Threshold(0.0, 0.0), None),
        (nn.PReLU(4), None),
        (lambda z: z, None),
    ],
)
def test_default_ranges(activation, range_):
    """The bounds of the activation, and its value at ±10 where it has none."""
    assert default_range(activation) == (None if range_ is None else pytest.approx(range_, rel=1e-12))


@pytest.mark.parametrize(
    "forms",
    [
        (nn.Sigmoid(), torch.sigmoid, torch.Tensor.sigmoid, functional.sigmoid, torch.special.expit),
        (nn.Tanh(), torch.tanh, functional.tanh, torch.Tensor.tanh),
        (nn.ReLU(), nn.ReLU(inplace=True), torch.relu, functional.relu, torch.Tensor.relu),
        (nn.LeakyReLU(0.2), BoundFunction(functional.leaky_relu, (0.2,)), nn.PReLU(init=0.2).double()),
        (nn.GELU("tanh"), BoundFunction(functional.gelu, (), {"approximate": "tanh"})),
        (nn.GELU(), functional.gelu),
        (nn.Hardtanh(0, 4), BoundFunction(torch.clamp, (0, 4)), BoundFunction(functional.hardtanh, (0, 4))),
        (nn.Identity(), None),
    ],
)
def test_the_same_activation_in_other_words(forms):
    first, *others = (known_activation(form) for form in forms)
    assert isinstance(first, Activation)
    steps = binned(first, -0.2, 0.95, 9)
    for other in others:
        # PReLU's weight is a float32.
        assert other.range == pytest.approx(first.range, rel=1e-7)
        same = binned(other, -0.2, 0.95, 9)
        np.testing.assert_allclose(same.breaks, steps.breaks, rtol=1e-7)
        np.testing.assert_array_equal(same.labels, steps.labels)


class OwnReLU(nn.ReLU):
    """A subclass may compute anything."""

    def forward(self, x):
        return x * x


@pytest.mark.parametrize(
    "activation",
    [
        nn.LeakyReLU(-0.1),
        nn.ELU(-1.0),
        nn.Softmax(dim=1),
        nn.PReLU(3),
        nn.RReLU(),
        OwnReLU(),
        torch.sin,
        torch.abs,
        lambda z: z,
        nn.Sequential(nn.ReLU()),
    ],
    ids=lambda activation: getattr(activation, "__name__", type(activation).__name__),
)
def test_other_activations_are_not_known(activation):
    assert known_activation(activation) is None


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_turning_points_are_all_there_is(name):
    known = known_activation(ACTIVATIONS[name])
    ends = [-7.0, *known.turns, 40.0]
    for start, stop in pairwise(ends):
        slopes = np.diff(applied(ACTIVATIONS[name], np.linspace(start, stop, 20_001)))
        assert (slopes >= -1e-15).all() or (slopes <= 1e-15).all()
    assert len(known.turns) == (name in NOT_MONOTONE)


def test_label_values():
    edges = np.array([0.0, 1.0, 2.0])
    values = np.array([-1e-9, 0.0, 0.999, 1.0, 2.0, 2.000001, -np.inf, np.inf])
    assert label_values(values, edges).tolist() == [2, 0, 0, 1, 1, 3, 2, 3]
