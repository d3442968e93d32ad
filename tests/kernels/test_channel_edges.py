"""`LayerTriplets.by_channel` against the unrolled contributions, summed."""

import numpy as np
import pytest
import torch
from layers_with_edges import ALL, filled, layer_of, linear_triplets, values
from torch import nn

import nbwidgets_nn as nw
from nbwidgets_nn.kernels import edge_blocks

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
