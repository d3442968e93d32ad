"""`LayerTriplets.statistics` against the contributions of the whole data set."""

import pytest
import torch
from layers_with_edges import LAYERS, filled, layer_of, linear_triplets, values
from models import ReusedLinear
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import nbwidgets_nn as nw
from nbwidgets_nn.kernels.edge_statistics import SourceMoments
from nbwidgets_nn.kernels.edges_of_layers import edges_of_layer

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


def test_batches_of_inputs_and_labels_are_an_error_that_says_so():
    x, y = torch.rand(6, 3), torch.arange(6)
    model = nn.Sequential(nn.Linear(3, 2))
    t = nw.triplets(model, x)
    for data, came in (((x, y), "a list of 2"), ((x,), "a list of 1")):
        loader = DataLoader(TensorDataset(*data), batch_size=3)
        with pytest.raises(ValueError, match=rf"loader: expected batches.*{came}.*\(x for x, _ in loader\)"):
            t.statistics(loader)
        assert t["0"].statistics(batch[0] for batch in loader).rows == 6
    with pytest.raises(ValueError, match="a tuple of 2"):
        t["0"].statistics([(x, y)])


def test_a_network_that_takes_a_list_gets_it():
    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 2)

        def forward(self, given):
            return self.fc(given[0])

    x = torch.rand(6, 3)
    assert nw.triplets(Outer(), [x]).statistics([[x], [x]])["fc"].rows == 12


def test_only_what_is_asked_for_is_looked_for(monkeypatch):
    x = torch.rand(6, 3)
    t = nw.triplets(nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2)), x)
    looked = []
    monkeypatch.setattr("nbwidgets_nn.kernels.added_outputs._additions", lambda *given: looked.append(given))
    monkeypatch.setattr(
        "nbwidgets_nn.kernels.triplets.edges_of_layer",
        lambda layer: looked.append(layer) or edges_of_layer(layer),
    )
    t["1"].statistics([x])
    assert [layer.name for layer in looked] == ["1"]
