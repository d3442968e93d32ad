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


def test_the_graph_and_the_explorer_say_that_the_weights_are_missing_and_what_to_try(path, model):
    loaded = nw.OutputLoader.load(path)
    message = nw.edge_graph(loaded).content.message
    assert message.startswith("No edges: no weights in the file")
    assert "OutputLoader.load(path, network=model)" in message
    facts = nw.explore(loaded, layer="0").heatmaps.content.facts
    (said,) = [fact for fact in facts if fact.label == "EI parts"]
    assert said.reference == "a file has no weights: load it with network=model"
    again = nw.OutputLoader.load(path, network=model)
    assert nw.edge_graph(again).content.edges == 42
    facts = nw.explore(again, layer="0").heatmaps.content.facts
    assert "file" not in "".join(fact.reference for fact in facts)
