"""`LayerTriplets.top` against all edges sorted."""

import numpy as np
import pytest
import torch
from layers_with_edges import ALL, layer_of, linear_triplets
from torch import nn

import nbwidgets_nn as nw
from nbwidgets_nn.kernels import edge_blocks

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same'")


def ranked(layer, by, batch=None):
    """All edges by falling magnitude, from the whole tensor: [(magnitude, b, i, j)]."""
    rows = range(len(layer)) if batch is None else [batch]
    if by == "weight" and batch is None and not layer.block.per_sample:
        rows = [0]
    found = []
    for b in rows:
        for j in range(layer.shape[2]):
            inputs, weights = layer.block.incoming(j, b)
            for i, w in zip(inputs.tolist(), weights.tolist(), strict=True):
                x = layer.source[b, i].item()
                found.append(({"contribution": x * w, "weight": w, "source": x}[by], b, i, j))
    return sorted(found, key=lambda edge: (-abs(edge[0]), *edge[1:]))


@pytest.mark.parametrize("by", ["contribution", "weight", "source"])
@pytest.mark.parametrize("name", ALL)
def test_top_is_the_start_of_all_sorted(name, by, monkeypatch):
    layer = layer_of(name)
    every = ranked(layer, by)
    for tile in (20, 2**22):
        monkeypatch.setattr(edge_blocks, "TILE", tile)
        monkeypatch.setattr("nbwidgets_nn.kernels.strongest_edges.TILE", tile)
        monkeypatch.setattr("nbwidgets_nn.kernels.strongest_edges._AT_ONCE", tile)
        for k in {1, len(every) // 3 + 1, len(every)}:
            top = layer.top(k, by=by)
            np.testing.assert_allclose(np.abs(top.value), [abs(edge[0]) for edge in every[:k]], rtol=1e-12)
            edges = list(zip(top.batch.tolist(), top.source.tolist(), top.target.tolist(), strict=True))
            assert len(set(edges)) == k == len(top)
            assert top.edges == len(every)
            number = {edge[1:]: edge[0] for edge in every}
            np.testing.assert_allclose(top.value, [number[edge] for edge in edges], rtol=1e-12)


def test_top_carries_the_triplets():
    layer = linear_triplets()
    top = layer.top(5)
    full = layer.materialize()[top.batch, top.source, top.target].numpy()
    np.testing.assert_array_equal(np.stack([top.source_value, top.weight, top.target_value], 1), full)
    np.testing.assert_array_equal(top.contribution, full[:, 0] * full[:, 1])
    assert str(top) == "the 5 largest of 24 edges by |contribution|"


@pytest.mark.parametrize("name", ["linear", "max", "groups"])
def test_top_of_one_row(name):
    layer = layer_of(name)
    for by in ("contribution", "weight", "source"):
        top = layer.top(2, by=by, batch=-1)
        assert set(top.batch.tolist()) == {1}
        np.testing.assert_allclose(np.abs(top.value), [abs(edge[0]) for edge in ranked(layer, by, 1)[:2]])


def test_top_puts_nan_last_and_counts_it():
    linear = nn.Linear(3, 2)
    linear.weight.data = torch.tensor([[1.0, torch.nan, 3.0], [4.0, 5.0, torch.inf]])
    layer = nw.triplets(linear, torch.tensor([[1.0, 2.0, 1.0], [torch.nan, 1.0, 0.0]]))["Linear"]
    top = layer.top(12)
    assert np.isinf(top.value[0])
    assert np.isnan(top.value).tolist() == [False] * 7 + [True] * 5
    assert top.nan == 5
    assert str(top).endswith("; 5 edges are NaN")
    assert (layer.top(2).nan, np.isnan(layer.top(2).value).any()) == (5, False)
    assert layer.top(6, by="weight").nan == 1
    assert layer.top(12, by="source").nan == 2


def test_a_nan_weight_hides_no_strong_edge_beside_it(monkeypatch):
    monkeypatch.setattr("nbwidgets_nn.kernels.strongest_edges._AT_ONCE", 1)
    linear = nn.Linear(20, 2)
    nn.init.ones_(linear.weight)
    linear.weight.data[:, 19] = torch.tensor([torch.nan, 100.0])
    assert nw.triplets(linear, torch.ones(1, 20))["Linear"].top(1).value.tolist() == [100]


def test_top_asks_for_no_more_than_there_are():
    layer = linear_triplets()
    with pytest.raises(ValueError, match=r"k: expected 1 to 24, the number of edges, got 25"):
        layer.top(25)
    with pytest.raises(ValueError, match=r"k: expected 1 to 6, the number of edges, got 7"):
        layer.top(7, by="weight")
    with pytest.raises(ValueError, match=r"k: expected 1 to 24"):
        layer.top(0)
    with pytest.raises(TypeError, match=r"k: expected a number of edges, got 2\.5"):
        layer.top(2.5)
    with pytest.raises(ValueError, match=r"by: expected .*, got 'size'"):
        layer.top(1, by="size")
    with pytest.raises(ValueError, match="batch: expected a row from 0 to 3, or None for all, got 4"):
        layer.top(1, batch=4)
