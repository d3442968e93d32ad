"""`LayerTriplets.statistics` against the contributions of the whole data set."""

import pytest
import torch
from layers_with_edges import LAYERS, filled, layer_of, linear_triplets, values
from models import ReusedLinear

import nbwidgets_nn as nw
from nbwidgets_nn.kernels.edge_statistics import SourceMoments

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same'")


@pytest.mark.parametrize("name", LAYERS)
def test_statistics_are_those_of_all_contributions(name):
    make, shape = LAYERS[name]
    module, x = filled(make()), values(23, *shape)
    (layer,) = nw.triplets(module, x[:2]).values()
    (whole,) = nw.triplets(module, x).values()
    c = whole.contribution.materialize()
    found = layer.statistics(x.split(7))
    torch.testing.assert_close(found.mean.materialize(), c.mean(0))
    torch.testing.assert_close(found.variance.materialize(), c.var(0, correction=0))
    torch.testing.assert_close(found.mean[1, 0], c.mean(0)[1, 0])
    assert found.rows == len(c)


def test_statistics_of_parts_merge():
    x = values(50, 3) + 1e6
    first, second = SourceMoments(3).update(x[:11]), SourceMoments(3).update(x[11:13]).update(x[13:])
    merged = first.merge(second).merge(SourceMoments(3)).statistics(None)
    torch.testing.assert_close(merged.source_variance, x.var(0, correction=0))
    torch.testing.assert_close(merged.source_mean, x.mean(0))
    with pytest.raises(ValueError, match="other: expected SourceMoments of 3 units"):
        first.merge(SourceMoments(2))
    with pytest.raises(ValueError, match=r"batch: expected \(rows, 3\) values"):
        first.update(x[:, :2])


def test_statistics_of_a_second_call():
    x = values(10, 6).float()
    model = ReusedLinear()
    layer = nw.triplets(model, x[:1])["step:2"]
    c = nw.triplets(model, x)["step:2"].contribution.materialize().double()
    torch.testing.assert_close(
        layer.statistics([x[:3], x[3:]]).mean.materialize(), c.mean(0), rtol=1e-5, atol=1e-6
    )


def test_statistics_that_cannot_be():
    with pytest.raises(ValueError, match="loader: expected at least one batch, got none"):
        linear_triplets().statistics([])
    with pytest.raises(ValueError, match=r"weights: expected ones that all samples share.*MaxPool2d"):
        layer_of("max").statistics([torch.rand(1, 2, 4, 5)])
