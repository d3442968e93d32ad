"""`explore`: choices lead to computations, and every layer shows something or says why not."""

import gc
import json
import re
import weakref

import numpy as np
import pytest
import torch
from models import ZOO
from torch import nn

import nbwidgets_nn as nw


@pytest.fixture
def model():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 4))


@pytest.fixture
def X():
    return torch.randn(80, 6, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def explorer(model, X):
    return nw.explore(model, X)


def test_shows_the_last_hidden_layer_first(explorer):
    assert explorer.layer == explorer.picker.layer == explorer.heatmaps.content.layer == "1"


def test_picking_in_the_browser_changes_content_and_layer(explorer):
    explorer.picker.set_state({"layer": "0"})
    assert explorer.layer == explorer.heatmaps.content.layer == "0"


def test_layer_set_in_python_reaches_the_picker(explorer):
    explorer.layer = "2"
    assert explorer.picker.layer == explorer.heatmaps.content.layer == "2"


def test_heatmap_shows_the_correlations_of_the_layer(explorer, model, X):
    expected = np.corrcoef(model[:2](X).detach().numpy(), rowvar=False)
    np.testing.assert_allclose(explorer.heatmaps.content.panels[0].values, expected, atol=1e-5)


def test_redundancy_is_the_share_of_units_that_clusters_save(explorer):
    for row in explorer.picker.layers:
        tree = explorer.view(row["name"]).dendrogram
        assert row["redundancy"] == pytest.approx(1 - tree.clusters(0.5) / tree.units)


def test_selection_and_cut_are_two_way(explorer):
    seen = []
    explorer.observe(lambda change: seen.append(change.new.units), "selection")
    explorer.selection = [3]
    explorer.heatmaps.set_state(
        {"selection": {"layer": "1", "units": ["1:5"], "kind": "units", "source": "v"}}
    )
    assert seen == [("1:3",), ("1:5",)]
    explorer.heatmaps.set_state({"cut": 0.25})
    assert explorer.cut == 0.25
    explorer.cut = 0.75
    assert explorer.heatmaps.cut == 0.75


def test_selection_survives_a_look_at_another_layer(explorer):
    explorer.selection = [3, 4]
    explorer.layer = "0"
    assert explorer.selection.units == ("1:3", "1:4")


def test_target_gives_class_means(model, X):
    target = [k % 2 for k in range(80)]
    panel = nw.explore(model, X, target=target).heatmaps.content.panels[1]
    values = model[:2](X).detach().numpy()
    moving = values.std(axis=0) > 0
    z = (values - values.mean(axis=0)) / np.where(moving, values.std(axis=0), 1)
    np.testing.assert_allclose(
        panel.values[moving], np.stack([z[::2].mean(axis=0), z[1::2].mean(axis=0)], axis=1)[moving], atol=1e-5
    )


def test_large_layer_shows_its_most_varying_units_and_says_so(model, X):
    explorer = nw.explore(model, X, layer="0", max_units=4)
    content = explorer.heatmaps.content
    variance = model[0](X).var(dim=0)
    assert set(content.units.tolist()) == set(variance.topk(4).indices.tolist())
    assert content.panels[0].note == "4 of 9 units: largest variance"
    assert explorer.view().redundancy is None  # of the whole layer nothing is known
    with pytest.raises(ValueError, match="shows 4 units"):
        explorer.selection = [int(variance.argmin())]


def test_facts_of_a_large_layer_name_its_own_units(X):
    layer = nn.Linear(6, 12)
    with torch.no_grad():
        layer.weight[:4] *= 1e-3
        layer.weight[5] = 0
        layer.weight[11], layer.bias[11] = layer.weight[10], layer.bias[10]
    view = nw.explore(nn.Sequential(layer, nn.Identity()), X, max_units=7, layer="0").view()
    facts = {fact.label: fact for fact in view.content.facts}
    assert facts["strongest r"].reference == "units 10·11"
    assert (facts["constant units"].value, facts["constant units"].reference) == ("1", "of 12")
    assert view.units.tolist() == [4, 6, 7, 8, 9, 10, 11]


def test_layer_that_never_varies_says_so_instead_of_a_rank(X):
    layer = nn.Linear(6, 3)
    nn.init.zeros_(layer.weight)
    view = nw.explore(nn.Sequential(layer, nn.Identity()), X, layer="0").view()
    facts = {fact.label: (fact.value, fact.reference) for fact in view.content.facts}
    assert facts["effective rank"] == ("–", "no unit varies")
    assert facts["strongest r"] == ("–", "fewer than two units vary")
    assert view.redundancy == 1


@pytest.mark.parametrize(("layer", "sign"), [(nn.Conv2d(1, 4, 3), "> "), (nn.Flatten(), "")])
def test_chance_level_says_when_positions_count_as_samples(layer, sign):
    view = nw.explore(
        layer,
        torch.randn(30, 1, 5, 5, generator=torch.Generator().manual_seed(0)),
        layer=type(layer).__name__,
    ).view()
    fact = next(fact for fact in view.content.facts if fact.label == "by chance alone")
    assert fact.value == f"{sign}{view.correlation.null_mean:.3f}"
    assert (fact.reference == "n not independent") == bool(sign)


def test_layer_that_takes_a_while_says_so_first(model, X, monkeypatch):
    monkeypatch.setattr("nbwidgets_nn.explorer.explorer._AT_ONCE_UNITS", 5)
    explorer = nw.explore(model, X, layer="2")
    assert [row["redundancy"] is None for row in explorer.picker.layers] == [True, True, True, False]
    messages = []
    explorer.heatmaps.observe(lambda change: messages.append(change.new.message), "content")
    explorer.layer = "0"
    assert messages == ["Analysing up to 9 units …", ""]
    assert next(row for row in explorer.picker.layers if row["name"] == "0")["redundancy"] is not None


def test_nan_in_one_unit_shows_the_others_unclustered(X):
    class Breaks(nn.Module):
        def forward(self, x):
            x = x * 2
            x[0, 3] = torch.nan
            return x

    content = nw.explore(nn.Sequential(nn.Identity(), Breaks()), X, layer="1").heatmaps.content
    assert content.dendrogram is None
    assert "1 units hold NaN or infinity (units 3): not clustered" in content.panels[0].note
    assert np.isfinite(np.delete(np.delete(content.panels[0].values, 3, 0), 3, 1)).all()


@pytest.mark.parametrize("case", ZOO, ids=lambda case: case[0])
def test_every_layer_of_the_zoo_shows_something_or_says_why(case, tmp_path):
    _, make, make_input = case
    recording = nw.Activations(make(), make_input())
    explorer = nw.explore(recording, target=range(recording["input"].output_shape[0]))
    for name in explorer.recording.layernames:
        explorer.layer = name
        content = explorer.heatmaps.content
        assert bool(content.panels) != bool(content.message)
        assert "Error" not in content.message
    page = explorer.save_html(tmp_path / "report.html").read_text("utf-8")
    state = json.loads(re.search(r'id="nbw-state">(.*?)</script>', page, re.DOTALL).group(1))
    assert list(state["answers"]["picker.layer"]) == explorer.recording.layernames


def test_model_is_left_as_it_was(X):
    model = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Dropout()).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    nw.explore(model, X)
    assert torch.equal(torch.rand(3), expected)
    assert model.training
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m, x: nw.explore(m), TypeError, "input: expected what the model is run on, got none"),
        (
            lambda m, x: nw.explore(nw.Activations(m, x), x),
            ValueError,
            "input: expected none with a recording",
        ),
        (lambda m, x: nw.explore(m, x, layer="O"), KeyError, "no layer 'O' was recorded"),
        (lambda m, x: nw.explore(m, x, target=[1, 2]), ValueError, "one label a sample: 80 samples"),
        (lambda m, x: nw.explore(m, x, cut=3), ValueError, r"cut: expected a distance .* in \[0, 1\], got 3"),
        (lambda m, x: nw.explore(m, x, method="ward"), ValueError, "method: expected one of"),
        (
            lambda m, x: nw.explore(m, x, max_units=1),
            ValueError,
            "max_units: expected a whole number of at least 2, got 1",
        ),
        (lambda m, x: nw.explore(m, x, max_edges="x"), TypeError, "max_edges: expected a whole number"),
        (lambda m, x: nw.explore(m, x, max_edges=-1), ValueError, "max_edges: expected a whole number"),
        (lambda m, x: nw.explore(m, x, ei_bins=True), TypeError, "ei_bins: expected a whole number"),
        (lambda m, x: setattr(nw.explore(m, x), "layer", "7"), KeyError, "no layer '7'"),
        (lambda m, x: nw.explore(m, x).save_html("no/such/folder/a.html"), OSError, "does not exist"),
    ],
)
def test_bad_input_is_named(model, X, call, error, message):
    with pytest.raises(error, match=message):
        call(model, X)


def test_one_sample_says_what_to_do(model):
    assert "needs at least two" in nw.explore(model, torch.zeros(1, 6)).heatmaps.content.message


def test_repr_is_one_line(explorer):
    assert repr(explorer) == "Explorer(Sequential, layer='1', 0 units selected)"


def test_saved_notebook_shows_table_and_pictures_where_no_widget_runs(explorer):
    explorer.effective_information()
    shown = explorer._repr_mimebundle_()
    data = shown[0] if isinstance(shown, tuple) else shown
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "<table>" in data["text/html"]
    assert data["text/html"].count("data:image/png;base64,") == 4


def test_closing_lets_go_of_the_recording_and_the_matrices(model, X):
    explorer = nw.explore(model, X)
    recording = weakref.ref(explorer.recording)
    content = weakref.ref(explorer.heatmaps.content)
    explorer.close()
    del explorer
    gc.collect()
    assert recording() is None
    assert content() is None


def test_refused_values_change_nothing(explorer):
    explorer.selection = [1]
    for name, value in (
        ("cut", 5),
        ("cut", float("nan")),
        ("selection", [99]),
        ("selection", "typo:3"),
        ("selection", "0:99"),
        ("layer", "9"),
    ):
        with pytest.raises((ValueError, KeyError)):
            setattr(explorer, name, value)
    assert (explorer.cut, explorer.heatmaps.cut) == (0.5, 0.5)
    assert explorer.selection.units == explorer.heatmaps.selection.units == ("1:1",)
    assert explorer.layer == explorer.picker.layer == "1"


class Swapped(nn.Module):
    """Works with time first inside: on the way out of `rnn` and of `read`, the first axis is not the samples."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(3, 4)
        self.read = nn.Linear(4, 2)

    def forward(self, x):
        return self.read(self.rnn(x.transpose(0, 1))[0])


@pytest.mark.parametrize("steps", [5, 6])
@pytest.mark.parametrize("layer", ["rnn", "read"])
def test_layer_whose_first_axis_may_not_be_the_samples_has_no_profile_and_says_so(layer, steps):
    x = torch.randn(5, steps, 3, generator=torch.Generator().manual_seed(0))
    panels = nw.explore(Swapped(), x, layer=layer, target=[0, 0, 0, 1, 1]).heatmaps.content.panels
    assert "profile" not in [panel.id for panel in panels]
    assert "not certain which axis holds the samples" in panels[0].note


def test_one_layer_that_breaks_a_kernel_leaves_the_others(model, X, monkeypatch):
    def fail(layer, *_, **__):
        raise RuntimeError("no luck") if layer.name == "0" else ValueError("nor here")

    monkeypatch.setattr("nbwidgets_nn.explorer.explorer.view_layer", fail)
    explorer = nw.explore(model, X, layer="0")
    assert explorer.heatmaps.content.message == "RuntimeError: no luck"


def test_the_spectrum_follows_the_explorer(explorer):
    view = explorer.spectrum()
    explorer.layer = "0"
    assert view.layer == "0"
    explorer.selection = [1]
    assert view.selection.units == ("0:1",)
    explorer.close()
    assert not explorer._links
