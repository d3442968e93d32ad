"""`triplets`: against the seed's repeat-and-cat and naive sums, on every model of the zoo."""

import copy
import gc
import weakref

import numpy as np
import pytest
import torch
from layers_with_edges import ALL, filled, layer_of
from models import RAISING, ZOO, ReusedLinear, flat
from torch import nn
from torch.nn import functional as F

import nbwidgets_nn as nw
from nbwidgets_nn.record._trees import map_tensors

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same'")


class SeedNet(nn.Module):
    """The network of the question."""

    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(1, 2), nn.Linear(2, 3), nn.Linear(3, 1)

    def forward(self, x):
        x1 = self.fc1(x)
        x2 = self.fc2(torch.relu(x1))
        x3 = self.fc3(torch.relu(x2))
        return x3, x2, x1


def repeat_and_cat(source, weight, target):
    """The seed's answer, to the letter."""
    ip = source[:, :, None, None].repeat(1, 1, target.shape[-1], 1)
    weight = weight.T[None, :, :, None].repeat(len(source), 1, 1, 1)
    out = target[:, None, :, None].repeat(1, ip.shape[1], 1, 1)
    return torch.cat([ip, weight, out], -1)


def naive(layer):
    """The triplets by loops over edges."""
    full = torch.zeros(layer.shape, dtype=layer.dtype)
    for b in range(layer.shape[0]):
        full[b, :, :, 0] = layer.source[b, :, None]
        full[b, :, :, 2] = layer.target[b]
        for j in range(layer.shape[2]):
            inputs, weights = layer.block.incoming(j, b)
            full[b, inputs, j, 1] = weights.to(layer.dtype)
    return full


def in_float64(case):
    network, given = copy.deepcopy(case.make()), case.make_input()
    torch.manual_seed(0)
    return network.double(), map_tensors(given, lambda t: t.double() if t.is_floating_point() else t)


DOUBLE = [case for case in ZOO if case.name != "scripted"]  # a trace has its own dtype


# --- the seed


def test_the_network_of_the_question_has_2_and_6_and_3_triplets():
    t = nw.triplets(SeedNet(), torch.rand(5, 1))
    assert {name: layer.shape[1] * layer.shape[2] for name, layer in t.items()} == {
        "fc1": 2,
        "fc2": 6,
        "fc3": 3,
    }
    assert [layer.edges for layer in t.values()] == [2, 6, 3]
    assert t.skipped == {}


def test_equals_repeat_and_cat():
    net, x = SeedNet(), torch.rand(5, 1)
    x3, x2, x1 = net(x)
    ends = {"fc1": (x, x1), "fc2": (torch.relu(x1), x2), "fc3": (torch.relu(x2), x3)}
    t = nw.triplets(net, x)
    for name, (source, target) in ends.items():
        wanted = repeat_and_cat(source, getattr(net, name).weight, target).detach()
        assert torch.equal(t[name].materialize(), wanted)
        assert torch.equal(torch.as_tensor(t[name]), wanted)
        assert t[name][4][0][-1].tolist() == wanted[4, 0, -1].tolist()


# --- the invariant


@pytest.mark.parametrize("case", DOUBLE, ids=lambda case: case.name)
def test_contributions_and_bias_are_the_target(case):
    t = nw.triplets(*in_float64(case))
    for name, layer in t.items():
        bias = 0 if layer.bias is None else layer.bias
        size = (layer.source.abs().double().max() + 1) * 1e-12
        found = layer.contribution.materialize().double().sum(1) + bias
        assert (found - layer.target).abs().max() <= size, name
        full = layer.materialize()
        found = (full[..., 0] * full[..., 1]).sum(1) + bias
        assert (found - layer.target).abs().max() <= size, name
        assert torch.equal(full, naive(layer)), name


@pytest.mark.parametrize("case", DOUBLE, ids=lambda case: case.name)
def test_every_call_is_there_or_skipped_or_an_activation(case):
    t = nw.triplets(*in_float64(case))
    calls = [name for name in t.recording if t.recording[name].module is not None]
    rest = [name for name in calls if name not in t and name not in t.skipped]
    assert all(t.recording[name].is_activation for name in rest)
    assert not set(t) & set(t.skipped)
    assert all(t.skipped.values())


@pytest.mark.parametrize("name", ALL)
def test_every_kind_of_layer(name):
    layer = layer_of(name)
    assert torch.equal(layer.materialize(), naive(layer))
    c = layer.contribution.materialize()
    bias = 0 if layer.bias is None else layer.bias
    torch.testing.assert_close(c.sum(1) + bias, layer.target)
    torch.testing.assert_close(layer.contribution[1, :, 0], c[1, :, 0])


@pytest.mark.parametrize("case", RAISING, ids=lambda case: case.name)
def test_a_network_that_raises(case):
    with pytest.raises(nw.RecordingError):
        nw.triplets(case.make(), case.make_input())


# --- what is in it


def test_ends_and_weights():
    linear = nn.Linear(3, 2)
    layer = nw.triplets(linear, torch.ones(4, 3))["Linear"]
    assert layer.weight.data_ptr() == linear.weight.data_ptr()
    assert not layer.weight.requires_grad
    assert torch.equal(layer.bias, linear.bias)
    assert torch.equal(layer.target, linear(torch.ones(4, 3)).detach())
    assert nw.triplets(nn.Linear(3, 2, bias=False), torch.ones(1, 3))["Linear"].bias is None


def test_units_of_images_are_named_by_channel_and_place():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2))
    t = nw.triplets(net, torch.rand(1, 1, 4, 4))
    assert t["0"].source_name(5) == "input[0, 1, 1]"
    assert t["0"].target_name(-1) == "0[1, 1, 1]"
    assert t["3"].source_name(5) == "1[1, 0, 1]"
    assert t["3"].target_name(1) == "3:1"
    with pytest.raises(IndexError, match="unit: expected a number from 0 to 7"):
        t["3"].source_name(8)


def test_positions_are_rows_of_a_linear():
    linear = nn.Linear(3, 2)
    x = torch.rand(4, 5, 3)
    layer = nw.triplets(linear, x)["Linear"]
    assert (layer.row_shape, tuple(layer.shape)) == ((4, 5), (20, 3, 2, 3))
    assert torch.equal(layer.source, x.reshape(20, 3))
    assert nw.triplets(linear, x[0, 0])["Linear"].shape == (1, 3, 2, 3)


def test_every_call_of_a_layer_has_an_entry():
    t = nw.triplets(ReusedLinear(), flat())
    assert list(t) == ["step", "step:1", "step:2"]
    assert torch.equal(t["step:1"].source, torch.tanh(t["step"].target))


def test_an_image_without_a_batch_is_one_sample():
    t = nw.triplets(nn.Conv2d(1, 2, 3), torch.rand(1, 5, 5))["Conv2d"]
    assert tuple(t.shape) == (1, 25, 18, 3)


def test_max_pooling_follows_torch_where_values_are_equal():
    x = torch.ones(1, 1, 4)
    layer = nw.triplets(nn.MaxPool1d(2), x)["MaxPool1d"]
    winners = F.max_pool1d(x, 2, return_indices=True)[1].flatten().tolist()
    assert [layer.block.incoming(j)[0].tolist() for j in range(2)] == [[winner] for winner in winners]


# --- from a recording


def test_of_a_recording_made_before():
    model, x = SeedNet(), torch.rand(5, 1)
    recording = nw.Activations(model, x)
    t = nw.triplets(recording)
    assert t.recording is recording
    assert torch.equal(t["fc2"].materialize(), nw.triplets(model, x)["fc2"].materialize())
    assert torch.equal(t["fc2"].materialize(), nw.triplets(model, x, batch_size=2)["fc2"].materialize())


def test_weights_that_were_changed_since_the_recording():
    model = SeedNet()
    recording = nw.Activations(model, torch.rand(5, 1))
    with torch.no_grad():
        model.fc2.weight.mul_(1.001)
    t = nw.triplets(recording)
    assert list(t) == ["fc1", "fc3"]
    assert "changed since" in t.skipped["fc2"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("inputs", [2, 300])
@pytest.mark.parametrize("rows_of_nan", [0, 1, 3])
def test_changed_weights_are_seen_in_every_dtype(dtype, inputs, rows_of_nan):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(inputs, 8), nn.Unflatten(1, (2, 4)), nn.Conv1d(2, 3, 3)).to(dtype)
    x = torch.randn(4, inputs, dtype=dtype)
    x[:rows_of_nan, 0] = torch.nan
    recording = nw.Activations(model, x)
    assert nw.triplets(recording).skipped == {}
    with torch.no_grad():
        model[0].weight.mul_(1.25)
        model[2].bias.add_(0.5)
    assert list(nw.triplets(recording).skipped) == ["0", "2"]


def test_one_place_that_is_nan_leaves_the_others_to_compare():
    model = nn.Conv1d(1, 2, 2)
    x = torch.randn(1, 1, 9)
    x[0, 0, 4] = torch.nan
    recording = nw.Activations(model, x)
    assert nw.triplets(recording).skipped == {}
    model.weight.data.mul_(1.01)
    assert "changed since" in nw.triplets(recording).skipped["Conv1d"]


def test_values_of_which_none_is_finite_are_no_reason_to_skip():
    t = nw.triplets(nn.Linear(2, 2), torch.full((3, 2), torch.nan))
    assert t.skipped == {}


def test_a_batch_norm_of_a_coarse_type_is_exact():
    torch.manual_seed(0)
    model = filled(nn.BatchNorm2d(8)).to(torch.bfloat16)
    layer = nw.triplets(model, torch.randn(2, 8, 5, 5, dtype=torch.bfloat16) + 5)["BatchNorm2d"]
    found = layer.contribution.materialize().sum(1) + layer.bias
    torch.testing.assert_close(found, layer.target.float(), rtol=0.008, atol=0.008)


def test_recordings_that_hold_no_tensors():
    x = torch.rand(2, 3)
    with pytest.raises(
        ValueError, match="model: expected a recording with tensors, got one made with shapes_only"
    ):
        nw.triplets(nw.Activations(nn.Linear(3, 2), x, shapes_only=True))
    with pytest.raises(ValueError, match="input: expected none with a recording"):
        nw.triplets(nw.Activations(nn.Linear(3, 2), x), x)
    with pytest.raises(ValueError, match="batch_size: expected none with a recording, got 2"):
        nw.triplets(nw.Activations(nn.Linear(3, 2), x), batch_size=2)
    with pytest.raises(
        TypeError, match=r"input: expected what the model is run on, got none. Try: triplets\("
    ):
        nw.triplets(nn.Linear(3, 2))


def test_layers_are_named_by_strings():
    t = nw.triplets(nn.Sequential(nn.Linear(3, 2)), torch.rand(2, 3))
    for named in (t, t.recording):
        with pytest.raises(KeyError, match="names are strings: did you mean '0'"):
            named[0]


def test_an_empty_batch():
    with pytest.raises(ValueError, match="input: no samples"):
        nw.triplets(nn.Linear(3, 2), torch.zeros(0, 3))


def test_the_model_is_as_before():
    model, x = SeedNet().train(), torch.rand(5, 1, requires_grad=True)
    versions = [parameter._version for parameter in model.parameters()]
    before, random = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    layer = nw.triplets(model, x)["fc2"]
    layer.materialize(), layer.top(3), layer.by_channel(), layer.statistics([x]), layer[0, 1]
    assert model.training
    assert versions == [parameter._version for parameter in model.parameters()]
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


# --- the mapping


def test_names_that_have_none():
    t = nw.triplets(nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.LayerNorm(2)), torch.rand(1, 2))
    with pytest.raises(KeyError, match="no triplets of '1': an activation works on each unit alone"):
        t["1"]
    with pytest.raises(KeyError, match="no triplets of '2': it divides by what it measures in each sample"):
        t["2"]
    with pytest.raises(KeyError, match="no triplets of 'fc': the names are 0"):
        t["fc"]
    assert ("1" in t, "0" in t, len(t)) == (False, True, 1)


def test_prints_briefly():
    t = nw.triplets(nn.Sequential(*(nn.Linear(2, 2) for _ in range(40)), nn.LayerNorm(2)), torch.rand(1, 2))
    lines = repr(t).splitlines()
    assert lines[:2] == ["Triplets of Sequential: 40 layers", "  0: Linear, shape (1, 2, 2, 3), 4 edges"]
    assert lines[-2:] == ["  and 16 more", "  1 skipped: 40"]
    assert repr(t["0"]) == "LayerTriplets('0', Linear, shape (1, 2, 2, 3), 4 edges)"
    assert repr(t["0"].contribution).startswith("ComputedTensor(tensor([[[")


class Squares(nn.Linear):
    def forward(self, x):
        return super().forward(x) ** 2


def with_weight(make):
    layer = nn.Linear(2, 2, bias=False)
    del layer.weight
    layer.weight = make()
    return layer


REASONS = {
    "own forward": (lambda: Squares(2, 2), "a forward of its own"),
    "recurrent": (lambda: nn.RNN(2, 2), "a recurrent layer"),
    "softmax": (lambda: nn.Softmax(1), "not by weights"),
    "group norm": (lambda: nn.GroupNorm(1, 2), "measures in each sample"),
    "batch statistics": (lambda: nn.BatchNorm1d(2, track_running_stats=False), "no running statistics"),
    "prelu": (lambda: nn.PReLU(), "no weighted sum is known for a PReLU"),
}


@pytest.mark.parametrize(("make", "reason"), REASONS.values(), ids=REASONS)
def test_layers_without_edges_are_skipped_with_the_reason(make, reason):
    module = make()
    t = nw.triplets(nn.Sequential(module), torch.rand(2, 2))
    assert list(t) == []
    assert reason in t.skipped["0"]


def test_hooks_of_the_user_are_a_reason():
    linear = nn.Linear(2, 2)
    linear.register_forward_hook(lambda module, args, output: output + 1)
    assert "hooks" in nw.triplets(linear, torch.rand(1, 2)).skipped["Linear"]


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_quantised_layers_are_skipped():
    class Quantised(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("weight", torch.quantize_per_tensor(torch.eye(2), 0.1, 0, torch.qint8))

        def forward(self, x):
            return x @ self.weight.dequantize().T

    t = nw.triplets(nn.Sequential(Quantised(), nn.Linear(2, 2)), torch.rand(1, 2))
    assert list(t) == ["1"]
    assert "no weighted sum is known for a Quantised" in t.skipped["0"]


def test_sparse_weights_are_made_dense():
    layer = with_weight(
        lambda: nn.Parameter(torch.tensor([[0.0, 2], [3, 0]]).to_sparse(), requires_grad=False)
    )
    t = nw.triplets(layer, torch.tensor([[5.0, 7.0]]))["Linear"]
    assert t.weight.tolist() == [[0, 2], [3, 0]]
    assert t[0, 1, 0].tolist() == [7, 2, 14]


def test_nan_passes_through():
    linear = nn.Linear(3, 2)
    linear.weight.data[1, 2] = torch.nan
    x = torch.ones(2, 3)
    x[1, 0] = torch.inf
    layer = nw.triplets(linear, x)["Linear"]
    assert layer[0, 2, 1].isnan().tolist() == [False, True, True]
    assert layer.contribution[1, 0].isinf().all()
    assert layer.contribution[0].materialize().isnan().tolist() == [
        [False, False],
        [False, False],
        [False, True],
    ]


def test_what_is_not_joined_has_no_contribution_however_large_the_value():
    x = torch.ones(1, 1, 4)
    x[0, 0, 3] = torch.nan
    layer = nw.triplets(nn.Conv1d(1, 1, 2), x)["Conv1d"]
    c = layer.contribution.materialize()
    assert c[0].isnan().nonzero().tolist() == [[3, 2]]


def test_the_strongest_edges_into_one_unit():
    rng = torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.Flatten(), nn.Linear(48, 4)).double()
    t = nw.triplets(model, torch.randn(5, 2, 4, 4, generator=rng, dtype=torch.float64))
    for name, target in (("0", 17), ("0", 0), ("2", -1)):
        for batch in (None, 3):
            for by in ("contribution", "weight", "source"):
                found = t[name].top(6, by, batch, target=target)
                whole = t[name].contribution[:, :, target] if by == "contribution" else None
                assert set(found.target.tolist()) == {target % t[name].shape[2]}
                for edge in found:
                    source, weight, out = t[name][edge.batch, edge.source, edge.target].tolist()
                    assert (source, weight, out) == (edge.source_value, edge.weight, edge.target_value)
                if whole is not None:
                    rows = whole if batch is None else whole[batch : batch + 1]
                    truth = rows.abs().flatten().sort(descending=True).values[:6]
                    np.testing.assert_allclose(np.abs(found.value), truth)


def test_edges_of_weights_that_samples_have_for_themselves_are_ranked_row_by_row():
    t = nw.triplets(nn.MaxPool1d(2), torch.randn(3, 2, 6))["MaxPool1d"]
    with pytest.raises(ValueError, match="batch: expected a row"):
        t.top(1, target=0)
    assert t.top(1, batch=2, target=4).value[0] == pytest.approx(t.target[2, 4].item())


def test_statistics_of_all_layers_are_those_of_each():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.MaxPool1d(2), nn.Linear(2, 2))
    batches = [torch.randn(4, 3) for _ in range(3)]
    t = nw.triplets(model, batches[0])
    found = t.statistics(batches)
    assert list(found) == ["0", "3"]
    for name, one in found.items():
        alone = t[name].statistics(batches)
        torch.testing.assert_close(one.mean[:], alone.mean[:])
        torch.testing.assert_close(one.rms[:].square(), one.mean[:].square() + one.variance[:])


def test_a_list_of_edges_shows_them():
    t = nw.triplets(nn.Linear(5, 4), torch.ones(2, 5))["Linear"]
    shown = repr(t.top(12))
    assert shown.startswith("the 12 largest of 40 edges by |contribution|")
    assert shown.endswith("and 2 more")
    assert len(shown.splitlines()) == 13


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ["Linear", "Conv1d"])
def test_products_of_coarse_types_do_not_overflow(dtype, name):
    model = nn.Linear(2, 1, bias=False) if name == "Linear" else nn.Conv1d(1, 1, 2, bias=False)
    model.weight.data.copy_(torch.tensor([300.0, -300.0]).reshape(model.weight.shape))
    x = torch.full((1, 2) if name == "Linear" else (1, 1, 2), 300.0)
    layer = nw.triplets(model.to(dtype), x.to(dtype))[name]
    assert (layer.dtype, layer.contribution.dtype) == (dtype, torch.float32)
    assert layer.contribution.materialize().flatten().tolist() == [90000, -90000]
    assert layer.contribution[0, :, 0].tolist() == [90000, -90000]
    found = layer.top(2)
    assert found.contribution.tolist() == found.value.tolist() == [90000, -90000]


class Skips(nn.Module):
    def __init__(self, how):
        super().__init__()
        self.a, self.b, self.fc, self.how = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 2), how

    def forward(self, x):
        return self.fc(self.how(self.a(x), self.b(x)))


def test_a_sum_behind_a_function_is_there_and_a_product_is_not():
    x = torch.randn(4, 3)
    assert "fc.add" in nw.triplets(Skips(lambda a, b: F.relu(a + b)), x)
    assert "fc.add" in nw.triplets(Skips(lambda a, b: a + b), x)
    assert nw.triplets(Skips(lambda a, b: a * b), x).skipped == {}


def test_quantised_layers_say_so():
    Quantised = type("Linear", (nn.Identity,), {"__module__": "torch.ao.nn.quantized.modules.linear"})
    t = nw.triplets(nn.Sequential(Quantised()), torch.rand(1, 2))
    assert "it is quantised" in t.skipped["0"]


WRONG_PLACES = {
    "fraction": ({"batch": 1.5}, TypeError, "batch: expected a row from 0 to 3, .* got 1.5"),
    "text": ({"target": "x"}, TypeError, "target: expected a unit from 0 to 1, .* got 'x'"),
    "truth": ({"target": True}, TypeError, "target: expected .* got True"),
    "beyond": ({"target": 99}, ValueError, "target: expected .* got 99"),
    "no such row": ({"batch": -5}, ValueError, "batch: expected .* got -5"),
}


@pytest.mark.parametrize(("given", "error", "message"), WRONG_PLACES.values(), ids=WRONG_PLACES)
def test_rows_and_units_that_there_are_not(given, error, message):
    t = nw.triplets(nn.Linear(3, 2), torch.ones(4, 3))["Linear"]
    with pytest.raises(error, match=message):
        t.top(1, **given)


def test_what_is_dropped_is_freed():
    gc.disable()
    try:
        t = nw.triplets(nn.Sequential(nn.Linear(3, 3), nn.ReLU()), torch.randn(7, 3))
        parts = [t["0"].target, t["0"][2, 1], t.recording]
        gone = [*map(weakref.ref, (*parts, t["0"])), weakref.ref(t)]
        del t, parts
        assert [ref() is None for ref in gone] == [True] * 5
    finally:
        gc.enable()
