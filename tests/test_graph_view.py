"""From a recording to the edge graph: which units stand together, and that its numbers are the model's own."""

import numpy as np
import pytest
import torch
from models import ZOO, Branches, Skip
from torch import nn
from torch.nn import functional

import nbwidgets_nn as nw
from nbwidgets_nn import graph_view
from nbwidgets_nn.graph_view import graph_content
from nbwidgets_nn.widgets._edge_scene import EdgeScene


def content(model, X, **options):
    return graph_content(nw.Activations(model, X), **options)


def names(shown):
    return [column.name for column in shown.columns]


def ends(shown):
    return [(b.name, shown.columns[b.source].name, shown.columns[b.target].name) for b in shown.bundles]


def assert_sums_hold(shown, within=2e-4):
    """The contributions into each unit and its bias add up to what the layer returned; of "add" from all addends."""
    for target, column in enumerate(shown.columns):
        into = {}
        for bundle in (b for b in shown.bundles if b.target == target):
            for sample in range(len(shown.samples)):
                sums = np.zeros(bundle.outputs)
                numbers = np.arange(bundle.edges)
                np.add.at(sums, bundle.ends_of(numbers)[1], bundle.contributions(sample))
                bias = 0 if bundle.bias is None else bundle.bias
                into.setdefault((bundle.name, sample), [bias, bundle.target_values[sample]])
                into[bundle.name, sample][0] = into[bundle.name, sample][0] + sums
        for found, truth in into.values():
            np.testing.assert_allclose(found, truth, rtol=within, atol=within, err_msg=column.name)


def assert_nodes_show_their_layer(shown, recording):
    """What a node shows is what the layer of its name returned, behind the function that follows, if there is one."""
    for index, column in enumerate(shown.columns):
        if column.name not in recording or column.layer != column.name:
            continue
        layer = recording[column.name]
        output = (
            layer.output.float().movedim(layer.channel_axis, 1).flatten(2)
            if layer.output.ndim > 2
            else layer.output
        )
        shown_by = output.reshape(len(output), column.units, -1)
        after = layer.activation
        passed = [shown_by] if after is None or isinstance(after, nn.Module) else [shown_by, after(shown_by)]
        whole = shown_by.shape[2] == column.positions
        fits = any(
            np.allclose(column.values, one.float().mean(2), atol=1e-2)
            if whole
            else (
                (one.amin(2).numpy() - 1e-5 <= column.values) & (column.values <= one.amax(2).numpy() + 1e-5)
            ).all()
            for one in map(torch.Tensor.float, passed)
        )
        if not fits:  # then it says which functions are behind the layer
            taken = [recording[b.name].input for b in shown.bundles if b.source == index and not b.note]
            taken = [x.reshape(len(x), -1, column.units).mean(1) for x in taken if x.ndim == 2]
            assert column.kind.split(", ")[-1] not in ("", layer.kind), column.name
            assert any(np.allclose(column.values, one, atol=1e-5) for one in taken), column.name


class Does(nn.Module):
    """Two layers with something between them that is no layer."""

    def __init__(self, first, second, between):
        super().__init__()
        self.first, self.second, self.between = first, second, between

    def forward(self, x):
        return self.second(self.between(self.first(x), x))


def shuffled(h, _):
    return h.view(len(h), 2, 2, *h.shape[2:]).transpose(1, 2).reshape(h.shape)


BETWEEN = {
    "concatenated": (nn.Linear(3, 2), nn.Linear(4, 2), lambda h, _: torch.cat([h.relu(), (-h).relu()], 1)),
    "flipped": (nn.Linear(3, 4), nn.Linear(4, 2), lambda h, _: h.flip(1)),
    "shuffled": (nn.Conv2d(1, 4, 1), nn.Conv2d(4, 2, 1), shuffled),
    "summed with itself": (nn.Linear(3, 4), nn.Linear(4, 2), lambda h, _: h.relu() + h),
    "mean over channels": (nn.Conv2d(1, 8, 1), nn.Linear(16, 2), lambda h, _: h.mean(1).flatten(1)),
    "channels last": (nn.Conv2d(1, 3, 1), nn.Linear(48, 2), lambda h, _: h.permute(0, 2, 3, 1).flatten(1)),
}


@pytest.mark.parametrize("name", BETWEEN)
def test_units_that_a_function_mixes_are_no_longer_the_layers(name):
    first, second, between = BETWEEN[name]
    X = torch.randn(5, 3) if isinstance(first, nn.Linear) else torch.randn(5, 1, 4, 4)
    recording = nw.Activations(Does(first, second, between), X)
    shown = graph_content(recording)
    assert_sums_hold(shown)
    assert_nodes_show_their_layer(shown, recording)
    last = shown.bundles[-1]
    if name == "channels last":  # told by the values
        assert shown.columns[last.source].name == "first"
        W = second.weight.detach().reshape(2, 16, 3)
        truth = torch.einsum("opc,bcp->boc", W, recording["first"].output.flatten(2))
        np.testing.assert_allclose(last.contribution, truth, atol=1e-5)
    else:
        if name == "flipped":
            np.testing.assert_allclose(last.weight, second.weight.detach().flip(1))
        assert shown.columns[last.source].name == ("first" if name == "flipped" else "input of second")
        # That is a sum like others.
        assert ("input of second" in shown.how) == (name not in ("flipped", "summed with itself"))


class Residual(nn.Module):
    def __init__(self, inner, last):
        super().__init__()
        self.inner, self.last = inner, last

    def forward(self, x):
        return self.last(self.inner(x) + x)


@pytest.mark.parametrize(
    ("inner", "last", "shape", "axis"),
    [
        (nn.Linear(4, 4), nn.Linear(4, 2), (3, 6, 4), 2),
        (nn.Conv1d(4, 4, 3, padding=1), nn.Conv1d(4, 2, 1), (3, 4, 6), 1),
        (nn.Conv1d(4, 4, 3, padding=1), nn.Conv1d(4, 2, 1), (3, 4, 4), 1),
        (nn.Conv2d(4, 4, 1), nn.Conv2d(4, 2, 1), (3, 4, 5, 5), 1),
        (nn.Linear(4, 4), nn.Linear(4, 2), (3, 4), 1),
    ],
    ids=["tokens", "sequence", "as long as wide", "maps", "vectors"],
)
def test_a_sum_is_over_the_positions_of_each_unit(inner, last, shape, axis):
    recording = nw.Activations(Residual(inner, last), torch.randn(shape))
    shown = graph_content(recording)
    assert_sums_hold(shown)
    assert_nodes_show_their_layer(shown, recording)
    others = tuple(k for k in range(1, len(shape)) if k != axis)
    added = {shown.columns[b.source].name: b for b in shown.bundles if b.name == "last.add"}
    for name in ("input", "inner"):
        output = recording[name].output
        truth = output.sum(others) if others else output
        np.testing.assert_allclose(added[name].source_values, truth, atol=1e-4)
    assert shown.how == ""


def test_a_wide_addition_takes_no_more_than_its_edges():
    model = Residual(nn.Sequential(nn.Linear(2048, 8), nn.Linear(8, 2048)), nn.Linear(2048, 4))
    shown = content(model, torch.randn(8, 2048))
    assert shown.total == shown.edges == 2 * 2048 * 8 + 2 * 2048 + 2048 * 4


def test_maps_stand_with_their_channels_first():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 4), nn.Linear(4, 2)

        def forward(self, x):
            return self.b(self.a(x))

    shown = content(Last(), torch.randn(2, 4, 4, 3))
    for column in shown.columns:
        if column.maps is not None:
            np.testing.assert_allclose(column.maps.mean((2, 3)), column.values, atol=1e-5)


def test_what_stands_between_a_layer_and_its_node_is_said():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.norm, self.b, self.c = (
                nn.Linear(3, 4),
                nn.BatchNorm1d(4),
                nn.Linear(4, 4),
                nn.Linear(4, 2),
            )

        def forward(self, x):
            return self.c(torch.relu(self.b(self.norm(self.a(x)))))

    shown = content(Net(), torch.randn(5, 3))
    assert [bundle.stage for bundle in shown.bundles] == ["BatchNorm1d", "relu", ""]


@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_every_model_gives_a_graph_that_adds_up_or_a_reason(case):
    model = case.make()
    shown = content(model, case.make_input())
    assert shown.bundles or "no edges" in shown.message.lower()
    coarse = any(p.dtype in (torch.half, torch.bfloat16) for p in model.parameters())
    assert_sums_hold(shown, within=1e-2 if coarse else 2e-4)
    assert_nodes_show_their_layer(shown, nw.Activations(model, case.make_input()))


def test_activations_stand_with_the_layer_whose_units_they_keep():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(), nn.Linear(4, 2))
    shown = content(model, torch.randn(5, 3))
    assert names(shown) == ["input", "2", "4"]  # what dropout does in eval mode is nothing to look at
    assert shown.columns[1].aliases == ("0", "1", "2", "3")
    assert shown.columns[1].kind == "Linear, BatchNorm1d, ReLU"


def test_nodes_show_what_goes_on_and_bundles_what_the_layer_returned():
    class Seed(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc2, self.fc3 = nn.Linear(1, 2), nn.Linear(2, 3), nn.Linear(3, 1)

        def forward(self, x):
            return self.fc3(torch.relu(self.fc2(torch.relu(self.fc1(x)))))

    model, X = Seed(), torch.randn(6, 1)
    shown = content(model, X)
    assert [bundle.edges for bundle in shown.bundles] == [2, 6, 3]
    before = model.fc1(X).detach()
    np.testing.assert_allclose(shown.columns[1].values, before.relu(), atol=1e-6)
    np.testing.assert_allclose(shown.bundles[0].target_values, before, atol=1e-6)
    assert shown.columns[1].kind == "Linear, relu"


def test_channels_of_feature_maps_are_units_with_their_maps():
    model = nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(3 * 3 * 3, 4)
    )
    X = torch.randn(5, 2, 8, 8)
    shown = content(model, X)
    maps = model[:3](X).detach()
    assert [column.units for column in shown.columns] == [2, 3, 4]
    assert shown.columns[1].aliases == ("0", "1", "2")
    np.testing.assert_allclose(shown.columns[1].maps, maps, atol=1e-6)
    np.testing.assert_allclose(shown.columns[1].values, maps.mean((2, 3)), atol=1e-6)
    W = model[4].weight.detach().reshape(4, 3, 9)
    truth = torch.einsum("ocp,bcp->boc", W, maps.flatten(2))
    np.testing.assert_allclose(shown.bundles[1].contribution, truth, atol=1e-5)


def test_maps_are_also_found_where_a_function_flattens_them():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.fc = nn.Conv2d(1, 4, 3), nn.Linear(36, 2)

        def forward(self, x):
            return self.fc(functional.max_pool2d(self.conv(x).relu(), 2).flatten(1))

    shown = content(Net(), torch.randn(3, 1, 8, 8))
    assert [(b.inputs, b.outputs) for b in shown.bundles] == [(1, 4), (4, 2)]
    assert_sums_hold(shown)


GROUPED = {
    "depthwise": (nn.Conv2d(8, 8, 3, groups=8), (8, 5, 5), 1),
    "with a multiplier": (nn.Conv2d(4, 8, 3, groups=4), (4, 5, 5), 1),
    "in two groups": (nn.Conv1d(6, 4, 2, groups=2), (6, 5), 3),
}


@pytest.mark.parametrize("quantity", ["contribution", "weight"])
@pytest.mark.parametrize(("layer", "shape", "into_each"), GROUPED.values(), ids=GROUPED)
def test_channels_of_different_groups_are_not_joined(layer, shape, into_each, quantity):
    shown = content(layer, torch.randn(3, *shape))
    (bundle,) = shown.bundles
    outputs, width = layer.weight.shape[:2]
    per_group = outputs // layer.groups
    truth = {(o // per_group * width + i, o): (o, i) for o in range(outputs) for i in range(width)}
    assert sorted(map(tuple, bundle.ends.tolist())) == sorted(truth)
    assert shown.edges == shown.total == outputs * into_each
    sums = layer.weight.detach().flatten(2).sum(2)
    wanted = [float(sums[truth[tuple(end)]]) for end in bundle.ends.tolist()]
    np.testing.assert_allclose(bundle.weight, wanted, atol=1e-6)
    assert_sums_hold(shown)
    drawn = nw.EdgeGraph(shown, per_unit=1000, quantity=quantity)
    drawn.to_png(dpi=30)
    scene = EdgeScene(shown, drawn.view())
    assert len(scene.drawn[0]) == len(truth)


def test_edges_of_groups_that_are_too_many_are_thinned_like_others():
    layer = nn.Conv2d(8, 8, 3, groups=4)
    (bundle,) = content(layer, torch.randn(2, 8, 5, 5), max_edges=5).bundles
    sums = layer.weight.detach().flatten(2).sum(2)
    np.testing.assert_allclose(
        np.sort(np.abs(bundle.weight)), sums.abs().flatten().sort().values[-5:], rtol=1e-5
    )
    assert (bundle.ends[:, 0] // 2 == bundle.ends[:, 1] // 2).all()
    assert bundle.note == "5 of 16 edges of Conv2d held: largest |kernel sum|"
    assert bundle.contribution.shape == (2, 5)


def test_a_tile_of_a_whole_layer_does_not_take_the_name_of_its_numbers():
    """Of a single channel every number is a unit elsewhere: "input:0" is a pixel there."""
    shown = content(nn.Conv2d(1, 2, 3), torch.randn(3, 1, 8, 8))
    assert names(shown)[0] == "channels of input"
    assert shown.column_of("input") is None
    assert shown.columns[0].layer == "input"  # but it is there that a reader finds them


def test_a_skip_connection_is_edges_of_weight_one():
    shown = content(Skip(), torch.randn(4, 1, 8, 8))
    assert ends(shown)[2:4] == [("same.add", "conv1", "drop"), ("same.add", "conv2", "drop")]
    assert all((b.weight == 1).all() and b.edges == 4 for b in shown.bundles[2:4])
    assert ends(shown)[4:] == [
        ("head.add", "drop", "input of head"),
        ("head", "input of head", "head"),
    ]
    twice = shown.bundles[4]  # what Identity and dropout return is what they were given
    assert (twice.weight.tolist(), twice.stage) == ([2] * 4, "mean")
    assert shown.how == ""


def test_branches_that_are_joined_by_functions_get_a_column_of_their_own():
    shown = content(Branches(), torch.randn(4, 6))
    assert ends(shown)[-1] == ("merge", "input of merge", "merge")
    assert shown.columns[-2].layer is None


def test_positions_of_a_linear_are_summed():
    shown = content(nn.Linear(6, 3), torch.randn(4, 5, 6))
    assert shown.bundles[0].source_values.shape == (4, 6)
    assert_sums_hold(shown)


def test_samples_are_evenly_spaced_and_named_after_their_labels():
    model, X = nn.Linear(2, 2), torch.randn(101, 2)
    shown = content(model, X, samples=3, target=np.arange(101) % 10)
    assert shown.samples == ("sample 0 · class 0", "sample 50 · class 0", "sample 100 · class 0")
    assert shown.how == "3 of 101 samples"
    assert content(model, X, samples=[7, -1]).samples == ("sample 7", "sample 100")
    np.testing.assert_allclose(content(model, X, samples=[7]).columns[0].values, X[[7]])


def test_the_last_units_are_named_by_the_labels_that_number_them():
    model, X = nn.Linear(2, 3), torch.randn(6, 2)
    assert content(model, X, target=[0, 1, 2] * 2).columns[-1].labels == ("0", "1", "2")
    assert content(model, X, target=torch.tensor([0, 1, 2] * 2)).columns[-1].labels == ("0", "1", "2")
    for other in ([0, 1] * 3, [1, 2, 3] * 2, list("abcabc"), None):
        assert content(model, X, target=other).columns[-1].labels is None
    assert content(model, X, target=list("abcabc")).samples[1] == "sample 1 · b"


def test_units_stand_in_the_order_given():
    order = np.array([2, 0, 1])
    shown = content(nn.Linear(3, 2), torch.randn(4, 3), orders={"input": order}.get)
    assert shown.columns[0].places.tolist() == [2, 0, 1]
    assert shown.columns[1].places.tolist() == [0, 1]


def test_what_is_too_much_is_thinned_to_the_largest_weights_and_said():
    model = nn.Sequential(nn.Linear(30, 20), nn.ReLU(), nn.Linear(20, 10))
    shown = content(model, torch.randn(4, 30), max_edges=80)
    held = [bundle.edges for bundle in shown.bundles]
    assert held == [40, 40]  # each layer as many, a small one whole
    assert shown.total == 800
    W = model[0].weight.detach().abs()
    assert np.sort(np.abs(shown.bundles[0].weight)) == pytest.approx(W.flatten().sort().values[-40:].numpy())
    assert shown.bundles[0].note == "40 of 600 edges of 0 held: largest |weight|"
    inputs, outputs = shown.bundles[0].ends.T
    np.testing.assert_array_equal(model[0].weight.detach()[outputs, inputs], shown.bundles[0].weight)


def test_weights_that_are_no_numbers_are_among_those_held():
    model = nn.Linear(10, 10, bias=False)
    with torch.no_grad():
        model.weight[3, 4], model.weight[9, 9] = float("nan"), -float("inf")
    held = content(model, torch.randn(4, 10), max_edges=5).bundles[0]
    assert {(4, 3), (9, 9)} <= {tuple(ends) for ends in held.ends.tolist()}


@pytest.mark.parametrize("at_once", [7, 1000])
def test_of_equal_weights_the_first_are_held(monkeypatch, at_once):
    monkeypatch.setattr(graph_view, "_AT_ONCE", at_once)
    values = np.array([1, -2, 2, 0, 2, -2, np.nan, 1, 1, 0, 1] * 5)
    strength = np.where(np.isfinite(values), np.abs(values), np.inf)
    for count in range(1, len(values) + 1):
        truth = np.sort(np.argsort(-strength, kind="stable")[:count])
        np.testing.assert_array_equal(graph_view._largest(values, count), truth)


def test_many_channels_are_shown_for_fewer_samples(monkeypatch):
    monkeypatch.setattr(graph_view, "_CONTRIBUTIONS", 3 * 2 * 5)
    assert content(nn.Conv2d(3, 2, 3), torch.randn(20, 3, 5, 5)).how == "5 of 20 samples"


def test_large_maps_are_averaged_to_travel():
    shown = content(nn.Conv2d(3, 2, 3), torch.randn(2, 3, 640, 640), samples=2)
    assert shown.columns[0].maps.size <= 2**21
    assert shown.columns[0].maps.shape[2:] != (640, 640)


def test_the_widget_takes_model_and_input_or_a_recording():
    model, X = nn.Linear(3, 2), torch.randn(4, 3)
    one, two = nw.edge_graph(model, X, shown=2), nw.edge_graph(nw.Activations(model, X), classes=["a", "b"])
    assert (one.shown, two.shown) == (2, 6)
    assert two.content.columns[-1].labels == ("a", "b")


def test_samples_must_be_there():
    with pytest.raises(IndexError, match="samples: expected indices below 4"):
        content(nn.Linear(3, 2), torch.randn(4, 3), samples=[1, 500])


def test_named_units_stand_as_they_are_numbered():
    order = np.array([2, 0, 1])
    shown = content(nn.Linear(2, 3), torch.randn(4, 2), orders={"Linear": order}.get, classes="abc")
    assert shown.columns[1].places.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samples": 0}, "samples: expected at least 1"),
        ({"target": [1, 2]}, "target: expected one label for each of 4 samples, got 2"),
        ({"classes": ["a"]}, "classes: expected a name for each of the last layer's 2 units, got 1"),
        ({"max_edges": 0}, "max_edges: expected a whole number of at least 1, got 0"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        nw.edge_graph(nn.Linear(3, 2), torch.randn(4, 3), **options)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"target": 3}, TypeError, "target: expected one label for each of 4 samples, got 3"),
        ({"target": "abcd"}, TypeError, "target: expected one label for each of 4 samples, got 'abcd'"),
        ({"samples": True}, ValueError, "samples: expected at least 1, or indices, got True"),
    ],
)
def test_options_of_another_kind_are_named(options, error, message):
    with pytest.raises(error, match=message):
        nw.edge_graph(nn.Linear(3, 2), torch.randn(4, 3), **options)


def test_labels_of_several_kinds_are_only_shown():
    shown = content(nn.Linear(3, 2), torch.randn(4, 3), target=[None, 1, 0, "a"])
    assert shown.samples == (
        "sample 0 · class None",
        "sample 1 · class 1",
        "sample 2 · class 0",
        "sample 3 · a",
    )
    assert shown.columns[-1].labels is None


def test_a_model_without_weights_has_no_edges_for_that_reason():
    message = content(nn.ReLU(), torch.randn(4, 3)).message
    assert message == "This model has no edges that can be drawn: it has no layer with weights."


def test_a_recording_has_its_own_input():
    X = torch.randn(4, 3)
    with pytest.raises(ValueError, match="input: expected none with a recording"):
        nw.edge_graph(nw.Activations(nn.Linear(3, 2), X), X)


class Encoder(nn.Module):
    """Self-attention over the tokens of a sample, then a head that reads their mean."""

    def __init__(self, **options):
        super().__init__()
        self.embed, self.attn = nn.Linear(3, 6), nn.MultiheadAttention(6, 2, **options)
        self.head, self.batch_first = nn.Linear(6, 2), self.attn.batch_first

    def forward(self, x, mask=None):
        h = self.embed(x)
        h = h if self.batch_first or x.ndim == 2 else h.transpose(0, 1)
        y = self.attn(h, h, h, key_padding_mask=mask)[0]
        y = y if self.batch_first or x.ndim == 2 else y.transpose(0, 1)
        return self.head(y.mean(-2))


def test_attention_is_drawn_between_features():
    model, X = Encoder(batch_first=True), torch.randn(5, 4, 3)
    nn.init.normal_(model.attn.in_proj_bias)
    recording = nw.Activations(model, X)
    shown = graph_content(recording)
    assert ends(shown)[:3] == [
        ("embed", "input", "embed"),
        ("attn.value", "embed", "attn.value"),
        ("attn.out_proj", "attn.value", "attn"),
    ]
    assert_sums_hold(shown)
    column, found = shown.column_of("attn.value"), nw.triplets(recording)
    mixed = found["attn"].target.reshape(5, 4, 6).mean(1)
    np.testing.assert_allclose(column.values, mixed, rtol=1e-4, atol=1e-6)
    assert (column.kind, column.layer, column.positions) == ("attention, 2 heads", None, 4)
    assert shown.bundles[1].stage == "attention, 2 heads"
    assert shown.bundles[2].stage == ""
    np.testing.assert_array_equal(shown.bundles[1].weight, model.attn.in_proj_weight.detach()[12:])
    assert "attn" not in shown.how
    nw.EdgeGraph(shown).to_png(dpi=30)


def without_the_last():
    mask = torch.zeros(5, 4, dtype=torch.bool)
    mask[:, 3] = True
    return mask


def test_attention_with_a_mask_that_the_model_was_given():
    given = {"x": torch.randn(5, 4, 3), "mask": without_the_last()}
    shown = graph_content(nw.Activations(Encoder(batch_first=True), given))
    assert "attn.value" in [b.name for b in shown.bundles]
    assert_sums_hold(shown)


class OtherKeys(Encoder):
    """Attends to keys that are not its queries."""

    def forward(self, x):
        h = self.embed(x)
        return self.head(self.attn(h, h.relu(), h)[0].mean(-2))


def test_attention_that_cannot_be_taken_apart_says_why():
    shown = graph_content(nw.Activations(OtherKeys(batch_first=True), torch.randn(5, 4, 3)))
    assert "attn.value" not in [b.name for b in shown.bundles]
    assert "attn (MultiheadAttention: " in shown.how
    assert "mask" in shown.how


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((4, 3), "attn (MultiheadAttention)"),
        *(
            (
                (samples, 4, 3),
                "attn (shown is output[0] of the tuple it returned; left out: dim 0 does not count the samples)",
            )
            for samples in (4, 5)
        ),
    ],
)
def test_where_tokens_might_be_taken_for_samples_attention_has_no_columns(shape, said):
    shown = graph_content(nw.Activations(Encoder(), torch.randn(*shape)))
    assert "attn.value" not in [b.name for b in shown.bundles]
    assert f"no edges into {said}" in shown.how


class Sums(nn.Module):
    """Two layers of one input, and a function that adds what they return to it."""

    def __init__(self, add, head=True, width=4):
        super().__init__()
        self.a, self.b, self.add = nn.Linear(4, width), nn.Linear(4, width), add
        self.head = nn.Linear(width, 2) if head else None
        self.place = nn.Parameter(torch.randn(width))

    def forward(self, x):
        total = self.add(self.a(x), self.b(x), x, self.place)
        return self.head(total) if self.head else total


SUMS = {
    "two": (lambda a, b, x, p: a + b, [("a", 1), ("b", 1)]),
    "three": (lambda a, b, x, p: a + b + x, [("a", 1), ("b", 1), ("input", 1)]),
    "difference": (lambda a, b, x, p: a - b, [("a", 1), ("b", -1)]),
    "scaled": (lambda a, b, x, p: torch.add(a, b, alpha=0.5), [("a", 1), ("b", 0.5)]),
    "a number too": (lambda a, b, x, p: a + b + 1, [("a", 1), ("b", 1)]),
    "a constant too": (lambda a, b, x, p: a + b + p, [("a", 1), ("b", 1)]),
    "behind functions": (lambda a, b, x, p: torch.relu(a + b) * 2, [("a", 1), ("b", 1)]),
    "of one several times": (lambda a, b, x, p: a - b - b + a + a, [("a", 3), ("b", -2)]),
    "behind a function": (lambda a, b, x, p: torch.relu(a + b), [("a", 1), ("b", 1)]),
    "of functions": (lambda a, b, x, p: torch.relu(a) + b.sigmoid() * 1, [("a", 1), ("b", 1)]),
    "with itself": (lambda a, b, x, p: a + a.relu(), [("a", 1)]),
    "less itself": (lambda a, b, x, p: b - a.relu() - 2 * a, [("b", 1), ("a", 1)]),
}


@pytest.mark.parametrize(("add", "addends"), SUMS.values(), ids=SUMS)
@pytest.mark.parametrize("head", [True, False])
def test_sums_have_an_edge_from_every_addend(add, addends, head):
    model, X = Sums(add, head), torch.randn(6, 4)
    recording = nw.Activations(model, X)
    shown = graph_content(recording)
    name = "head.add" if head else "output.add"
    added = [b for b in shown.bundles if b.name == name]
    assert [(shown.columns[b.source].name, set(b.weight.tolist())) for b in added] == [
        (n, {w}) for n, w in addends
    ]
    assert all((b.ends == [[k, k] for k in range(4)]).all() for b in added)
    assert "no edges" not in shown.how
    assert_sums_hold(shown)
    column = shown.columns[added[0].target]
    taken = recording["head"].input if head else nw.triplets(recording)[name].target
    np.testing.assert_allclose(column.values, taken.detach(), rtol=1e-5, atol=1e-6)
    assert column.name == ("input of head" if head else "output.add")
    said = {"behind a function": "relu", "behind functions": "relu, mul"}
    stage = next((stage for key, stage in said.items() if SUMS[key][0] is add), "")
    assert added[0].stage == (stage if head else "")
    assert head or column.kind == "sum"
    nw.EdgeGraph(shown).to_png(dpi=30)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["b.weight", "place"])
def test_numbers_that_are_not_finite_leave_a_sum_its_edges(number, where):
    model = Sums(lambda a, b, x, p: torch.relu(a + b + p))
    with torch.no_grad():
        model.get_parameter(where)[2].view(-1)[-1:] = number
    added = [b for b in content(model, torch.randn(6, 4)).bundles if b.name == "head.add"]
    assert [b.edges for b in added] == [4, 4]
    assert not np.isfinite(added[0].target_values[:, 2]).all()


def test_addends_of_the_same_units_are_one_edge_that_says_what_it_adds():
    model, X = Sums(lambda a, b, x, p: a - a.tanh() + b, head=False), torch.randn(6, 4)
    shown = content(model, X)
    added = [b for b in shown.bundles if b.kind == "Add"]
    assert [shown.columns[b.source].name for b in added] == ["a", "b"]
    a = model.a(X).detach()
    np.testing.assert_allclose(added[0].source_values, a - a.tanh(), atol=1e-6)
    assert added[0].weight.tolist() == [1] * 4
    assert added[0].note.startswith("starts from a − functions of a; the nodes of a show other values")
    assert_sums_hold(shown)


class Shared(nn.Module):
    """One sum that three layers take, the third of them behind a function."""

    def __init__(self, third=torch.relu):
        super().__init__()
        self.f, self.third = nn.Linear(4, 4), third
        self.q, self.k, self.v = nn.Linear(4, 3), nn.Linear(4, 3), nn.Linear(4, 3)

    def forward(self, x):
        z = x + self.f(x)
        return torch.cat([self.q(z), self.k(z), self.v(self.third(z))], 1)


def test_a_sum_that_several_layers_take_stands_in_one_column():
    shown = content(Shared(), torch.randn(5, 4))
    assert ends(shown) == [
        ("f", "input", "f"),
        ("q.add", "input", "input of q"),
        ("q.add", "f", "input of q"),
        ("q", "input of q", "q"),
        ("k", "input of q", "k"),
        ("v", "input of q", "v"),
    ]
    assert shown.how == ""
    assert [b.note for b in shown.bundles[3:]] == [
        "",
        "",
        "starts from the input of v; the nodes of input of q show other values",
    ]
    assert_sums_hold(shown)


class Returned(nn.Module):
    """What one layer takes is taken by another one, and returned."""

    def __init__(self, join):
        super().__init__()
        self.f, self.q, self.k, self.join = nn.Linear(4, 4), nn.LazyLinear(3), nn.LazyLinear(3), join

    def forward(self, x):
        z = self.join(x, self.f(x))
        self.q(z), self.k(z)
        return z


@pytest.mark.parametrize("join", [torch.add, lambda x, y: torch.cat([x, y], 1)])
def test_what_is_taken_and_returned_stands_in_one_column(join):
    model, X = Returned(join), torch.randn(5, 4)
    model(X)
    shown = content(model, X)
    assert names(shown) == ["input", "f", "input of q", "q", "k"]
    assert [source for name, source, _ in ends(shown) if name in "qk"] == ["input of q"] * 2
    assert [name for name, *_ in ends(shown) if "add" in name] == ["q.add"] * 2 * (join is torch.add)
    assert_sums_hold(shown)


def test_an_addend_whose_channels_lie_last_starts_from_its_channel():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(1, 3, 3), nn.Conv2d(1, 3, 3)
            self.inner, self.end = nn.Linear(48, 48), nn.Linear(48, 2)

        def forward(self, x):
            flat = (self.a(x) + self.b(x)).permute(0, 2, 3, 1).flatten(1)
            return self.end(flat + self.inner(flat))

    shown = content(Net(), torch.randn(4, 1, 6, 6))
    added = [b for b in shown.bundles if b.name == "end.add"]
    assert [shown.columns[b.source].name for b in added] == ["input of inner", "inner"]
    assert {tuple(end) for end in added[0].ends.tolist()} == {(k % 3, k) for k in range(48)}
    assert_sums_hold(shown)


def test_what_is_mixed_on_the_way_to_a_further_layer_is_no_longer_the_sum():
    shown = content(Shared(lambda z: z.cumsum(1)), torch.randn(5, 4))
    assert ends(shown)[-1] == ("v", "input of v", "v")
    assert shown.how == "no edges into input of v (cumsum of input, f)"


@pytest.mark.parametrize("first", ["output", "constant", "sum"])
def test_names_of_layers_are_only_names(first):
    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.s, self.b = nn.Linear(6, 3), nn.Linear(3, 3)
            self.add_module(first, nn.Linear(6, 3) if first == "constant" else nn.Linear(3, 3))

        def forward(self, x):
            one = getattr(self, first)
            if first == "constant":
                h = one(x)
                return self.b(h + self.s(x))
            h = self.s(x)
            return one(h + self.b(h))

    shown = content(Named(), torch.randn(4, 6), classes=["cat", "dog", "eel"])
    last = "b" if first == "constant" else first
    assert names(shown)[-1] == last
    assert shown.columns[-1].labels == ("cat", "dog", "eel")
    sources = {source for name, source, _ in ends(shown) if name == f"{last}.add"}
    assert sources == ({"constant", "s"} if first == "constant" else {"s", "b"})
    assert not [name for name in names(shown) if name.startswith("output.")]
    assert_sums_hold(shown)


def test_a_sum_behind_a_layer_named_output_is_drawn_too():
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.s, self.b, self.output = nn.Linear(6, 3), nn.Linear(3, 3), nn.Linear(3, 3)

        def forward(self, x):
            h = self.s(x)
            y = self.output(h + self.b(h))
            return h + y

    shown = content(Both(), torch.randn(4, 6))
    assert names(shown)[-2:] == ["output", "output.add:1"]
    assert [source for name, source, _ in ends(shown) if name == "output.add:1"] == ["s", "output"]
    assert_sums_hold(shown)


class PreActivation(nn.Module):
    """A residual block whose branch begins with norm and activation."""

    def __init__(self):
        super().__init__()
        self.a, self.norm, self.relu = nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU()
        self.b, self.c = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x):
        h = self.a(x)
        return self.c(h + 2 * h.tanh() + self.b(self.relu(self.norm(h))))


def test_edges_that_start_from_other_values_than_the_nodes_show_say_from_which():
    shown = content(PreActivation(), torch.randn(5, 3))
    added = [b for b in shown.bundles if b.name == "c.add"]
    assert [shown.columns[b.source].name for b in added] == ["relu", "b"]
    assert [b.note for b in added] == [
        "starts from a + functions of a; the nodes of relu show other values",
        "",
    ]
    assert [b.note for b in shown.bundles if b.name in "abc"] == ["", "", ""]
    assert_sums_hold(shown)


def test_a_returned_sum_that_does_not_hold_is_no_column_and_says_why():
    model, X = Sums(lambda a, b, x, p: a * p + b, head=False), torch.randn(6, 4)
    recording = nw.Activations(model, X)
    with torch.no_grad():
        model.place *= 5
    shown = graph_content(recording)
    assert "output.add" not in names(shown)
    assert "no edges into output.add (what was recorded is not what" in shown.how


class Addends(nn.Module):
    """A sum of what functions make of two layers, and a layer that takes it."""

    def __init__(self, of_a, of_b, end):
        super().__init__()
        self.a, self.b, self.of_a, self.of_b, self.end = (
            nn.Conv1d(4, 5, 3),
            nn.Conv1d(4, 5, 1),
            of_a,
            of_b,
            end,
        )

    def forward(self, x):
        return self.end(self.of_a(self.a(x)) + self.of_b(self.b(x)))


@pytest.mark.parametrize(
    ("of_a", "of_b", "end"),
    [
        (
            lambda a: a.transpose(1, 2),
            lambda b: functional.max_pool1d(b, 3, 1).transpose(1, 2),
            nn.Linear(5, 2),
        ),
        (lambda a: a, lambda b: b.mean(2, keepdim=True), nn.Conv1d(5, 2, 1)),
        (lambda a: a.relu(), lambda b: functional.avg_pool1d(b, 3, 1).tanh(), nn.Conv1d(5, 2, 2)),
    ],
)
def test_addends_are_followed_through_functions_that_keep_their_units(of_a, of_b, end):
    shown = content(Addends(of_a, of_b, end), torch.randn(3, 4, 7))
    added = [b for b in shown.bundles if b.name == "end.add"]
    assert [shown.columns[b.source].name for b in added] == ["a", "b"]
    assert all((b.ends == [[k, k] for k in range(5)]).all() for b in added)
    assert_sums_hold(shown)


def test_units_that_are_cut_into_heads_for_a_while_are_still_units():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 3)

        def forward(self, x):
            a, b = (h.unflatten(2, (2, 3)).transpose(1, 2) for h in (self.a(x), self.b(x)))
            return self.c((a + b).transpose(1, 2).flatten(2))

    shown = content(Net(), torch.randn(5, 4, 6))
    added = [b for b in shown.bundles if b.name == "c.add"]
    assert [shown.columns[b.source].name for b in added] == ["a", "b"]
    assert all((b.ends == [[k, k] for k in range(6)]).all() for b in added)
    assert shown.bundles[-1].weight_is == "weight"
    assert_sums_hold(shown)


def test_addends_in_another_order_keep_it():
    shown = content(
        Addends(lambda a: a, lambda b: b[..., :5].flip(1), nn.Conv1d(5, 2, 1)), torch.randn(3, 4, 7)
    )
    added = {shown.columns[b.source].name: b.ends.tolist() for b in shown.bundles if b.name == "end.add"}
    assert sorted(added["a"]) == [[k, k] for k in range(5)]
    assert sorted(added["b"]) == [[k, 4 - k] for k in range(5)]
    assert_sums_hold(shown)


BEHIND = {
    "relu and mean": (lambda z: z.relu().mean((2, 3)), nn.Linear(3, 2), "relu, mean"),
    "flattened": (lambda z: z.relu().flatten(1), nn.Linear(48, 2), "relu"),
    "pooled and flattened": (
        lambda z: functional.max_pool2d(z.relu(), 2).flatten(1),
        nn.Linear(12, 2),
        "relu, max_pool2d",
    ),
    "gated by itself": (lambda z: z * z.sigmoid(), nn.Conv2d(3, 2, 2), "sigmoid, mul"),
    "scaled": (lambda z: z * 0.5, nn.Conv2d(3, 2, 2), "mul"),
    "tokens": (lambda z: z.flatten(2).transpose(1, 2), nn.Linear(3, 2), ""),
    "flattened with channels last": (lambda z: z.permute(0, 2, 3, 1).flatten(1), nn.Linear(48, 2), ""),
    "as many as samples": (lambda z: z.view(len(z), -1), nn.Linear(48, 2), ""),
}


class Joined(nn.Module):
    """Two convolutions, functions of their sum, and a layer behind it."""

    def __init__(self, between, end):
        super().__init__()
        self.a, self.b, self.between, self.end = nn.Conv2d(1, 3, 3), nn.Conv2d(1, 3, 3), between, end

    def forward(self, x):
        return self.end(self.between(self.a(x) + self.b(x)))


@pytest.mark.parametrize("samples", [4, 40])
@pytest.mark.parametrize(("between", "end", "said"), BEHIND.values(), ids=BEHIND)
def test_functions_that_keep_the_units_of_a_sum_keep_its_edges(between, end, said, samples):
    model, X = Joined(between, end), torch.randn(samples, 1, 6, 6)
    shown = content(model, X)
    assert ends(shown)[2:] == [
        ("end.add", "a", "input of end"),
        ("end.add", "b", "input of end"),
        ("end", "input of end", "end"),
    ]
    assert [b.stage for b in shown.bundles[2:4]] == [said] * 2
    assert "no edges" not in shown.how
    assert_sums_hold(shown)
    last = shown.bundles[-1]
    assert (last.inputs, last.outputs) == (3, 2)
    held = X[[int(name.split()[1]) for name in shown.samples]]
    z = model.a(held) + model.b(held)
    for channel in range(3):
        alone = torch.zeros_like(z)
        alone[:, channel] = z[:, channel]
        returned = (end(between(alone)) - end(between(alone * 0))).detach()
        truth = _summed_over_places(returned, len(held), end)
        found = np.stack([last.contributions(k).reshape(2, 3)[:, channel] for k in range(len(held))])
        np.testing.assert_allclose(found, truth, rtol=1e-3, atol=1e-4)


def _summed_over_places(returned, samples, end):
    if isinstance(end, nn.Linear):
        return returned.reshape(samples, -1, 2).sum(1)
    return returned.flatten(2).sum(2)


@pytest.mark.parametrize(
    ("between", "end"),
    [
        (lambda z: z.flip(1), nn.Conv2d(3, 2, 2)),
        (lambda z: z.mean(1).flatten(1), nn.Linear(16, 2)),
        (lambda z: z.transpose(0, 1).reshape(-1, 3), nn.Linear(3, 2)),
        (lambda z: z.softmax(2).flatten(1), nn.Linear(48, 2)),
        (lambda z: z.permute(0, 3, 1, 2), nn.Conv2d(4, 2, 1)),
    ],
)
def test_functions_that_mix_the_units_of_a_sum_are_no_edges(between, end):
    shown = content(Joined(between, end), torch.randn(4, 1, 6, 6))
    assert not [b for b in shown.bundles if b.name == "end.add"]
    assert "no edges into " in shown.how


def test_sums_of_feature_maps_are_edges_between_channels():
    class Maps(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = nn.Conv2d(1, 3, 3), nn.Conv2d(1, 3, 3), nn.Conv2d(3, 2, 2)
            self.position = nn.Parameter(torch.randn(3, 4, 4))

        def forward(self, x):
            return self.c(self.a(x) - self.b(x).relu() + self.position)

    shown = content(Maps(), torch.randn(4, 1, 6, 6))
    added = [b for b in shown.bundles if b.name == "c.add"]
    assert [(shown.columns[b.source].name, b.weight.tolist()) for b in added] == [
        ("a", [1] * 3),
        ("b", [-1] * 3),
    ]
    assert_sums_hold(shown)
    assert shown.columns[added[0].target].maps.shape == (4, 3, 4, 4)


def test_what_is_between_a_sum_and_the_next_layer_is_said_in_order():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = nn.Conv2d(1, 3, 3), nn.Conv2d(1, 3, 3), nn.Conv2d(3, 2, 1)
            self.norm, self.pool = nn.BatchNorm2d(3), nn.AvgPool2d(2)

        def forward(self, x):
            return self.c(self.pool(self.norm(torch.relu(self.a(x) + self.b(x)))))

    shown = content(Net(), torch.randn(4, 1, 6, 6))
    column = shown.columns[shown.bundles[-1].source]
    assert column.kind == "relu, BatchNorm2d, AvgPool2d"
    assert [b.stage for b in shown.bundles if b.kind == "Add"] == ["relu, BatchNorm2d, AvgPool2d"] * 2
    assert_sums_hold(shown)


@pytest.mark.parametrize(
    "add",
    [
        lambda a, b, x, p: a + torch.as_tensor(b.numpy(force=True)),
        lambda a, b, x, p: a + b.cumsum(1),
        lambda a, b, x, p: torch.relu(a + b).cumsum(1),
    ],
)
def test_a_sum_whose_addends_are_not_known_says_so(add):
    shown = content(Sums(add), torch.randn(6, 4))
    assert not [b for b in shown.bundles if b.name == "head.add"]
    assert "no edges into input of head" in shown.how
    assert_sums_hold(shown)


@pytest.mark.parametrize(
    ("inner", "drawn"),
    [
        (nn.MultiheadAttention(4, 2, batch_first=True), True),
        (nn.Linear(4, 4), True),
        (nn.LayerNorm(4), True),
        (nn.GRU(4, 4, batch_first=True), False),
    ],
)
def test_an_addend_that_a_layer_was_given_stands_where_that_layer_takes_it(inner, drawn):
    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.inner, self.head = nn.Linear(3, 4), nn.Linear(3, 4), inner, nn.Linear(4, 2)

        def forward(self, x):
            h = self.a(x) + self.b(x)
            y = self.inner(h, h, h) if isinstance(self.inner, nn.MultiheadAttention) else self.inner(h)
            return self.head(h + (y[0] if isinstance(y, tuple) else y))

    shown = content(Residual(), torch.randn(5, 6, 3))
    assert_sums_hold(shown)
    sources = [shown.columns[b.source] for b in shown.bundles if b.name == "head.add"]
    # Behind a norm they are the same units.
    kept = [] if isinstance(inner, nn.LayerNorm) else ["input of inner"]
    assert [column.name for column in sources] == [*kept, "inner"] * drawn
    if drawn:
        assert {b.name for b in shown.bundles if shown.columns[b.target] is sources[0]} == {"inner.add"}
