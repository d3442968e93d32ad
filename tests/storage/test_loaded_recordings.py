"""What a recording that was loaded without its model can still be asked."""

import pytest
import torch
from torch import nn

import nbwidgets_nn as nw


@pytest.fixture
def model():
    return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))


@pytest.fixture
def path(model, tmp_path):
    path = tmp_path / "recording"
    nw.OutputLoader.save(nw.Activations(model, torch.rand(20, 4)), path)
    return path


def test_the_explorer_has_the_name_of_the_model(path):
    assert nw.explore(nw.OutputLoader.load(path)).picker.title == "Sequential"


def test_edges_need_the_weights_and_say_so(path, model):
    without = nw.triplets(nw.OutputLoader.load(path))
    assert not without
    assert "loaded from a file" in without.skipped["0"]
    assert "network=model" in without.skipped["2"]
    assert list(nw.triplets(nw.OutputLoader.load(path, network=model))) == ["0", "2"]
