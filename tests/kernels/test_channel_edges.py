"""`LayerTriplets.by_channel` against the unrolled contributions, summed."""

import numpy as np
import pytest
import torch
from layers_with_edges import ALL, filled, layer_of, linear_triplets, values
from torch import nn
from torch.nn import functional as F

import nbwidgets_nn as nw
from nbwidgets_nn.kernels import edge_blocks
from nbwidgets_nn.kernels.source_units import source_layer

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same'")


def summed_over_positions(layer):
    """(rows, out_channels, in_channels), from the unrolled contributions."""
    block = layer.block
    c = layer.contribution.materialize().transpose(1, 2)
    return c.unflatten(2, (block.in_channels, -1)).unflatten(1, (block.out_channels, -1)).sum((2, 4))


@pytest.mark.parametrize("name", ALL)
def test_channels_are_sums_over_positions(name):
    layer = layer_of(name)
    block = layer.block
    edges = layer.by_channel()
    close = {"rtol": 1e-5, "atol": 1e-5}
    np.testing.assert_allclose(edges.contribution, summed_over_positions(layer).numpy(), **close)
    np.testing.assert_allclose(
        edges.source, layer.source.unflatten(1, (block.in_channels, -1)).sum(2), **close
    )
    np.testing.assert_allclose(
        edges.target, layer.target.unflatten(1, (block.out_channels, -1)).sum(2), **close
    )
    bias = 0 if edges.bias is None else edges.bias
    np.testing.assert_allclose(edges.contribution.sum(2) + bias, edges.target, **close)
    arrays = [edges.source, edges.weight, edges.target, edges.contribution]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}
    assert edges.weight.shape == (block.out_channels, block.in_channels)


def test_weight_of_a_channel_is_the_sum_of_its_kernel():
    conv = filled(nn.Conv2d(4, 6, 3, groups=2, padding=1))
    edges = nw.triplets(conv, values(2, 4, 5, 5))["Conv2d"].by_channel()
    sums = conv.weight.detach().sum((2, 3)).numpy()
    wanted = np.zeros((6, 4))
    wanted[:3, :2], wanted[3:, 2:] = sums[:3], sums[3:]
    np.testing.assert_allclose(edges.weight, wanted, rtol=1e-6)
    assert (edges.weight_is, str(edges)) == ("kernel sum", "edges of 4 x 6 channels, 2 rows, by kernel sum")


def test_a_plain_linear_is_itself():
    layer = linear_triplets()
    edges = layer.by_channel()
    np.testing.assert_array_equal(edges.weight, layer.weight.float())
    np.testing.assert_array_equal(edges.source, layer.source.float())
    np.testing.assert_array_equal(edges.bias, layer.bias.float())
    assert (edges.summed, edges.weight_is) == (None, "weight")
    np.testing.assert_allclose(edges.contribution, layer.contribution.materialize().mT, rtol=1e-6)


class ChannelsLast(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.head = nn.LayerNorm(3), nn.Linear(12, 2)

    def forward(self, x):
        return self.head(self.norm(x).flatten(1))


def of_maps(*between, inputs):
    return nn.Sequential(nn.Conv2d(1, 3, 3), *between, nn.Linear(inputs, 2)).double()


FED = {
    "flattened": (
        lambda: of_maps(nn.Flatten(), inputs=48),
        (1, 6, 6),
        [c for c in range(3) for _ in range(16)],
    ),
    "pooled": (
        lambda: of_maps(nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(), inputs=12),
        (1, 6, 6),
        [c for c in range(3) for _ in range(4)],
    ),
    "activation behind": (
        lambda: of_maps(nn.Flatten(), nn.ReLU(), inputs=48),
        (1, 6, 6),
        [c for c in range(3) for _ in range(16)],
    ),
    "channels last": (lambda: ChannelsLast().double(), (4, 3), [0, 1, 2] * 4),
    "one position": (lambda: of_maps(nn.AdaptiveAvgPool2d(1), nn.Flatten(), inputs=3), (1, 6, 6), None),
    "image": (
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(12, 2)).double(),
        (3, 2, 2),
        [0] * 4 + [1] * 4 + [2] * 4,
    ),
}


@pytest.mark.parametrize(("make", "shape", "groups"), FED.values(), ids=FED)
def test_a_linear_knows_the_channels_that_feed_it(make, shape, groups):
    layer = list(nw.triplets(make(), values(2, *shape)).values())[-1]
    edges = layer.by_channel()
    if groups is None:
        assert edges.weight_is == "weight"
        return
    c = layer.contribution.materialize().mT
    wanted = np.stack([c[:, :, np.array(groups) == g].sum(2).numpy() for g in range(3)], axis=2)
    np.testing.assert_allclose(edges.contribution, wanted, rtol=1e-5, atol=1e-5)
    weight = np.stack([layer.weight[:, np.array(groups) == g].sum(1).numpy() for g in range(3)], axis=1)
    np.testing.assert_allclose(edges.weight, weight, rtol=1e-5, atol=1e-5)
    assert edges.weight_is == "sum of weights"
    for given in (groups, torch.tensor(groups)):
        np.testing.assert_array_equal(layer.by_channel(in_groups=given).contribution, edges.contribution)


def test_channels_by_number_and_wrong_ones():
    layer = linear_triplets(inputs=6)
    edges = layer.by_channel(in_groups=3)
    np.testing.assert_allclose(edges.source, layer.source.reshape(-1, 3, 2).sum(2), rtol=1e-6)
    with pytest.raises(ValueError, match="in_groups: expected a divisor of the 6 inputs, got 4"):
        layer.by_channel(in_groups=4)
    for wrong in ([0, 1], [0.5] * 6, [-1] * 6):
        with pytest.raises(
            ValueError, match="in_groups: expected a channel number, from 0, for each of 6 inputs"
        ):
            layer.by_channel(in_groups=wrong)
    with pytest.raises(ValueError, match="in_groups: expected None, got 2 for a layer that has 2 channels"):
        layer_of("conv2d").by_channel(in_groups=2)


def test_large_feature_maps_are_summed_in_tiles(monkeypatch):
    layer = layer_of("average")
    wanted = layer.by_channel().contribution
    monkeypatch.setattr(edge_blocks, "TILE", 20)
    np.testing.assert_allclose(layer.by_channel().contribution, wanted, rtol=1e-6)


class Between(nn.Module):
    """A layer, anything, and a Linear."""

    def __init__(self, first, between, inputs):
        super().__init__()
        self.first, self.between, self.fc = first, between, nn.Linear(inputs, 2)

    def forward(self, x):
        return self.fc(self.between(self.first(x)))


def shuffled(h):
    return h.unflatten(1, (2, 4)).transpose(1, 2).reshape(h.shape).flatten(1)


KEPT = {
    "flattened": (lambda h: h.flatten(1), 8 * 16, "first[3, 1, 0]"),
    "relu": (lambda h: F.relu(h).flatten(1), 8 * 16, "first[3, 1, 0]"),
    "relu and max": (lambda h: F.max_pool2d(F.relu(h), 2).flatten(1), 8 * 4, "input of fc:13"),
    "max and relu": (lambda h: F.relu(F.max_pool2d(h, 2)).flatten(1), 8 * 4, "input of fc:13"),
    "overlapping max": (lambda h: F.max_pool2d(h, 3, 1).flatten(1), 8 * 4, "input of fc:13"),
    "average": (lambda h: F.avg_pool2d(h.sigmoid(), 2).flatten(1), 8 * 4, "input of fc:13"),
    "mean": (lambda h: h.mean((2, 3)), 8, "first:5"),
    "channels last": (lambda h: h.permute(0, 2, 3, 1).flatten(1), 8 * 16, "first[4, 1, 2]"),
}
NOT_KEPT = {
    "both signs": (lambda h: torch.cat([F.relu(h), F.relu(-h)], 1).flatten(1), 16 * 16),
    "shuffled": (shuffled, 8 * 16),
    "shuffled and pooled": (lambda h: shuffled(F.max_pool2d(h, 2)), 8 * 4),
    "pooled, channels last": (lambda h: F.max_pool2d(h, 2).permute(0, 2, 3, 1).flatten(1), 8 * 4),
    "mean of channels": (lambda h: h.mean(1).flatten(1), 16),
    "flipped": (lambda h: h.flip(1).flatten(1), 8 * 16),
    "other positions": (lambda h: h.permute(0, 3, 2, 1).flatten(1), 8 * 16),
    "weighted": (lambda h: (h * 2).flatten(1), 8 * 16),
}


def behind_maps(between, inputs, samples=6):
    torch.manual_seed(0)
    model = Between(nn.Conv2d(1, 8, 3), between, inputs).double()
    return nw.triplets(model, values(samples, 1, 6, 6))


@pytest.mark.parametrize("name", KEPT)
def test_channels_are_known_where_the_values_are_those_of_the_maps(name):
    between, inputs, unit = KEPT[name]
    t = behind_maps(between, inputs)
    assert source_layer(t.recording, t.recording["fc"]) == "first"
    numbers = torch.arange(8).view(1, 8, 1, 1).expand(1, 8, 4, 4).double()
    channel = (
        between(numbers)[0].round().long() if name != "average" else torch.arange(8).repeat_interleave(4)
    )
    edges = t["fc"].by_channel()
    assert edges.weight.shape == (2, 8)
    wanted = torch.zeros(2, 8, dtype=torch.float64).index_add_(1, channel, t["fc"].weight)
    np.testing.assert_allclose(edges.weight, wanted, rtol=1e-5, atol=1e-6)
    assert t["fc"].source_name({8: 5, 32: 13, 128: 52}[inputs]) == unit


@pytest.mark.parametrize("name", NOT_KEPT)
@pytest.mark.parametrize("samples", [1, 6])
def test_channels_are_not_known_where_anything_may_have_happened(name, samples):
    between, inputs = NOT_KEPT[name]
    t = behind_maps(between, inputs, samples)
    assert source_layer(t.recording, t.recording["fc"]) is None
    assert t["fc"].by_channel().weight.shape == (2, inputs)
    assert t["fc"].source_name(9) == "input of fc:9"


UNITS = {
    "as they are": (lambda h: h, "first"),
    "tanh": (torch.tanh, "first"),
    "leaky": (lambda h: F.leaky_relu(h, 0.2), "first"),
    "flipped": (lambda h: h.flip(1), None),
    "rolled": (lambda h: h.roll(1, 1), None),
    "doubled": (lambda h: h + h, None),
    "NaN": (lambda h: h.masked_fill(h > 0, torch.nan).relu(), None),
}


@pytest.mark.parametrize(("between", "wanted"), UNITS.values(), ids=UNITS)
def test_units_of_the_layer_before(between, wanted):
    t = nw.triplets(Between(nn.Linear(3, 9), between, 9), torch.randn(5, 3))
    assert source_layer(t.recording, t.recording["fc"]) == wanted
    assert t["fc"].source_name(4) == f"{wanted or 'input of fc'}:4"


def test_nan_is_no_difference_to_the_layer_before():
    x = torch.randn(5, 3)
    x[2, 0] = torch.nan
    t = nw.triplets(Between(nn.Linear(3, 9), torch.tanh, 9), x)
    assert source_layer(t.recording, t.recording["fc"]) == "first"


def test_tokens_keep_their_features():
    model = Between(nn.Conv2d(1, 4, 2, stride=2), lambda h: h.flatten(2).transpose(1, 2), 4)
    t = nw.triplets(model, torch.randn(2, 1, 6, 6))
    assert source_layer(t.recording, t.recording["fc"]) == "first"
    assert t["fc"].by_channel().weight.shape == (2, 4)
    cut = Between(nn.Linear(3, 12), lambda h: h.unflatten(1, (3, 4)), 4)
    t = nw.triplets(cut, torch.randn(2, 3))
    assert source_layer(t.recording, t.recording["fc"]) is None


def test_dead_channels_do_not_hide_the_others():
    torch.manual_seed(0)
    model = Between(nn.Conv2d(1, 8, 3), lambda h: F.max_pool2d(F.relu(h), 3, 1).flatten(1), 8 * 4)
    model.first.bias.data[2:4] = -100
    t = nw.triplets(model, torch.randn(6, 1, 6, 6))
    assert t["fc"].by_channel().weight.shape == (2, 8)


def test_positions_that_became_rows_and_a_single_sample():
    model = Between(nn.Linear(3, 4), lambda h: h.reshape(-1, 4), 4)
    t = nw.triplets(model, torch.randn(2, 5, 3))
    assert t["fc"].source_name(3) == "first:3"
    t = nw.triplets(nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)), torch.randn(3))
    assert (t["0"].source_name(2), t["1"].source_name(3)) == ("input:2", "0:3")
    t = nw.triplets(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 1, 3)), torch.randn(1, 6, 6))
    assert (t["0"].source_name(7), t["1"].source_name(17)) == ("input[0, 1, 1]", "0[1, 0, 1]")
