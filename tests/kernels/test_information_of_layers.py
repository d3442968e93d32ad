"""EI of convolutions, batch norm, pooling and spans: each equals the Linear, or the brute force, that it is."""

import numpy as np
import pytest
import torch
from information_oracles import (
    applied,
    codes,
    golden,
    grid_points,
    information,
    linear,
    naive_bins,
    table,
    topology,
)
from torch import nn
from torch.nn import functional

import nbwidgets_nn as nw

EIGHT = {"in_bins": 8, "out_bins": 8}
MEASURES = [nw.ei_parts, nw.sensitivity, nw.ei]
PAIRS = [nw.ei_parts_matrix, nw.sensitivity_matrix]
RANGES = {"in_range": (-1, 2), "out_range": (-1, 1), "activation": torch.tanh} | EIGHT


def random_model(*modules):
    """Put all parameters and running statistics to random values, the same each time."""
    model = nn.Sequential(*modules).double().eval()
    generator = torch.Generator().manual_seed(0)
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point():
            low = 0.5 if name.endswith("var") else -1.0
            tensor.copy_(
                torch.rand(tensor.shape, generator=generator, dtype=torch.float64) * (1.5 - low) + low
            )
    return model


# --- one affine layer


@pytest.mark.parametrize("measure", PAIRS)
@pytest.mark.parametrize(
    ("conv", "shape"),
    [
        (nn.Conv2d(2, 3, 2), (2, 6, 7)),
        (nn.Conv2d(1, 2, (3, 2), stride=2, padding=1, dilation=2), (1, 9, 9)),
        (nn.Conv2d(4, 4, (1, 2), groups=2), (4, 5, 5)),
        (nn.Conv2d(3, 6, 2, groups=3, bias=False), (3, 4, 4)),
        (nn.Conv2d(2, 2, 3, padding="same", padding_mode="circular"), (2, 5, 5)),
        (nn.Conv1d(3, 2, 2), (3, 8)),
        (nn.Conv3d(1, 2, 2), (1, 4, 4, 4)),
    ],
)
def test_convolution_is_the_unrolled_linear(measure, conv, shape):
    """One receptive field: inputs (in_channels / groups, *kernel), and of each output those of its own group."""
    model = random_model(conv)
    found = measure(model[0], topology(model, shape), **RANGES)
    weights = conv.weight.detach().flatten(1).numpy()
    bias = np.zeros(len(weights)) if conv.bias is None else conv.bias.detach().numpy()
    assert found.shape == weights.T.shape
    np.testing.assert_allclose(found, measure(*linear(weights, bias), **RANGES), atol=1e-9)


def test_vector_ei_of_a_convolution_is_the_sum_over_its_groups():
    model = random_model(nn.Conv1d(4, 4, 1, groups=2))
    found = nw.ei(model[0], topology(model, (4, 3)), **RANGES, threshold=0.01, return_result=True)
    weights, bias = model[0].weight.detach().flatten(1).numpy(), model[0].bias.detach().numpy()
    groups = [
        nw.ei(*linear(weights[rows], bias[rows]), **RANGES, threshold=0.01, return_result=True)
        for rows in (slice(0, 2), slice(2, 4))
    ]
    error = np.sqrt(sum(one.standard_error**2 for one in [found, *groups]))
    assert found.value == pytest.approx(sum(one.value for one in groups), abs=4 * error)
    drawn = nw.ei(model[0], topology(model, (4, 3)), **RANGES, samples=60_000, return_result=True)
    assert drawn.value == pytest.approx(
        found.value, abs=4 * np.hypot(drawn.standard_error, found.standard_error)
    )


@pytest.mark.parametrize("method", ["exact", "sample"])
def test_samples_of_a_convolution_with_groups(method):
    """Each group has inputs of its own, also when they are drawn."""
    model = random_model(nn.Conv1d(4, 4, 1, groups=2))
    found = nw.ei_parts(model[0], topology(model, (4, 3)), **RANGES, method=method, return_result=True)
    weights, bias = model[0].weight.detach().flatten(1).numpy(), model[0].bias.detach().numpy()
    truth = nw.ei_parts(*linear(weights, bias), **RANGES)
    assert found.value == pytest.approx(truth, abs=4 * found.standard_error + 1e-8)


@pytest.mark.parametrize("measure", [nw.ei_parts, nw.sensitivity])
@pytest.mark.parametrize(
    ("layer", "norm", "shape"),
    [
        (nn.Linear(4, 3), nn.BatchNorm1d(3), (4,)),
        (nn.Conv2d(2, 3, 2), nn.BatchNorm2d(3), (2, 5, 5)),
        (nn.Conv1d(2, 4, 2, groups=2, bias=False), nn.BatchNorm1d(4, affine=False), (2, 6)),
    ],
)
def test_batch_norm_is_folded_in(measure, layer, norm, shape):
    model = random_model(layer, norm, nn.Tanh())
    graph = topology(model, shape)
    given_ = {"in_range": (-1, 2)} | EIGHT
    found = measure(model[0], graph, return_result=True, **given_)
    scale = 1 / np.sqrt(norm.running_var.numpy() + norm.eps)
    shift = -norm.running_mean.numpy() * scale
    if norm.affine:
        scale, shift = scale * norm.weight.detach().numpy(), shift * norm.weight.detach().numpy()
        shift = shift + norm.bias.detach().numpy()
    weights = layer.weight.detach().flatten(1).numpy() * scale[:, None]
    bias = shift if layer.bias is None else shift + scale * layer.bias.detach().numpy()
    truth = measure(*linear(weights, bias), activation=nn.Tanh(), return_result=True, **given_)
    np.testing.assert_allclose(found.matrix, truth.matrix, atol=1e-8)
    assert (found.out_low[0], found.out_high[0]) == (-1, 1)
    assert found.method == "exact"
    # The same layer, named by its two ends.
    both = measure(model[1], graph, in_layer=model[0], return_result=True, **given_)
    np.testing.assert_array_equal(both.matrix, found.matrix)


def test_batch_norm_alone_is_diagonal():
    model = random_model(nn.BatchNorm1d(3))
    found = nw.ei_parts_matrix(model[0], topology(model, (3,)), in_range=(-1, 1), out_range=(-2, 2), **EIGHT)
    norm = model[0]
    scale = norm.weight.detach().numpy() / np.sqrt(norm.running_var.numpy() + norm.eps)
    bias = norm.bias.detach().numpy() - norm.running_mean.numpy() * scale
    truth = nw.ei_parts_matrix(*linear(np.diag(scale), bias), in_range=(-1, 1), out_range=(-2, 2), **EIGHT)
    np.testing.assert_allclose(found, truth, atol=1e-9)
    assert np.count_nonzero(found) == 3


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("pool", [nn.MaxPool2d(2), nn.AvgPool2d(2)])
def test_batch_norm_behind_a_window_is_left_out_and_that_is_said(measure, pool):
    """One window of one channel is measured; the norm treats every channel in another way."""
    model = random_model(pool, nn.BatchNorm2d(3), nn.Tanh())
    found = measure(pool, topology(model, (3, 4, 4)), in_range=(0, 10), return_result=True, **EIGHT)
    alone = measure(
        pool, topology(nn.Sequential(pool), (3, 4, 4)), in_range=(0, 10), return_result=True, **EIGHT
    )
    assert found.value == alone.value
    assert "the batch norm '1' behind it is left out" in found.notes
    assert not alone.notes


def test_batch_norm_over_positions_is_no_part_of_the_matrix():
    """On (samples, positions, features) a norm scales positions: all positions are run."""
    model = random_model(nn.Linear(2, 2), nn.BatchNorm1d(3), nn.Tanh())
    found = nw.ei_parts(
        model[0],
        topology(model, (3, 2)),
        in_range=(-1, 1),
        samples=20_000,
        batch_size=5_000,
        return_result=True,
        **EIGHT,
    )
    norm, layer = model[1], model[0]
    scale = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).detach()
    shift = (norm.bias - norm.running_mean * scale).detach()
    truth = np.zeros((6, 6))
    for position in range(3):
        weights = (layer.weight.detach() * scale[position]).numpy()
        bias = (layer.bias.detach() * scale[position] + shift[position]).numpy()
        part = slice(2 * position, 2 * position + 2)
        truth[part, part] = nw.ei_parts_matrix(
            *linear(weights, bias), activation=nn.Tanh(), in_range=(-1, 1), **EIGHT
        )
    assert found.method == "sampled"
    np.testing.assert_allclose(found.matrix, truth, atol=0.04)


def test_batch_norm_in_training_uses_its_running_statistics():
    model = random_model(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Tanh())
    graph = topology(model, (3,))
    before = nw.ei_parts(model[0], graph, **EIGHT)
    model.train()
    assert nw.ei_parts(model[0], graph, **EIGHT) == before
    assert model[1].training


@pytest.mark.parametrize("measure", PAIRS)
@pytest.mark.parametrize(
    ("pool", "shape", "inputs"),
    [
        (nn.AvgPool2d(2), (3, 4, 4), 4),
        (nn.AvgPool2d((1, 3), stride=1), (2, 4, 4), 3),
        (nn.AvgPool1d(5), (2, 10), 5),
        (nn.AvgPool3d(2), (1, 4, 4, 4), 8),
    ],
)
def test_average_pooling_is_a_linear_with_equal_weights(measure, pool, shape, inputs):
    given_ = {"in_range": (0, 10), "out_range": (0, 10)} | EIGHT
    found = measure(pool, topology(nn.Sequential(pool), shape), **given_)
    assert found.shape == (inputs, 1)
    np.testing.assert_allclose(found, measure(*linear(np.full((1, inputs), 1 / inputs)), **given_), atol=1e-9)


def vector_of_maximum(inputs, in_range, in_bins, edges, outside):
    """I(cells; bin of the maximum): in each cell the maximum is below t with the product of the inputs' chances."""
    cells = np.stack(np.unravel_index(np.arange(in_bins**inputs), [in_bins] * inputs))
    low, width = np.linspace(*in_range, in_bins + 1)[cells], (in_range[1] - in_range[0]) / in_bins
    below = np.stack([np.clip((t - low) / width, 0, 1).prod(axis=0) for t in edges], axis=1)
    if outside == "clip":
        below[:, 0], below[:, -1] = 0, 1
    return information(np.diff(below, axis=1) / in_bins**inputs)


@pytest.mark.parametrize("outside", ["clip", "drop"])
@pytest.mark.parametrize(
    "pool", [nn.MaxPool1d(2), nn.MaxPool2d((1, 3)), nn.MaxPool2d(2, stride=1, dilation=2)]
)
def test_max_pooling_is_brute_force(pool, outside):
    shape, inputs = {2: ((1, 4), 2), 3: ((1, 3, 3), 3), 4: ((1, 6, 6), 4)}[
        {"MaxPool1d": 2}.get(type(pool).__name__, 3 if pool.kernel_size == (1, 3) else 4)
    ]
    graph = topology(nn.Sequential(pool), shape)
    given_ = {"in_range": (-1, 2), "in_bins": 3, "out_range": (-0.7, 1.5), "out_bins": 4, "outside": outside}
    x, cells = grid_points(inputs, (-1, 2), 3, {2: 200, 3: 40, 4: 12}[inputs])
    labels = naive_bins(x.max(axis=1), -0.7, 1.5, 4, outside)
    found = nw.ei_parts_matrix(pool, graph, **given_)
    assert found.shape == (inputs, 1)
    np.testing.assert_allclose(found, information(table(cells[:, 0], labels)), atol=0.02)
    line, bins = grid_points(1, (-1, 2), 3, 20_000)
    alone = information(table(bins[:, 0], naive_bins(np.maximum(line[:, 0], 0), -0.7, 1.5, 4, outside)))
    np.testing.assert_allclose(nw.sensitivity_matrix(pool, graph, **given_), alone, atol=1e-3)
    for measure in PAIRS:
        drawn = measure(pool, graph, samples=100_000, return_result=True, **given_)
        exact = measure(pool, graph, return_result=True, **given_)
        assert exact.value == pytest.approx(drawn.value, abs=4 * drawn.standard_error + 1e-9)
        assert exact.outside_share == pytest.approx(drawn.outside_share, abs=0.01)
    vector = nw.ei(pool, graph, return_result=True, threshold=0.01, **given_)
    truth = vector_of_maximum(inputs, (-1, 2), 3, np.linspace(-0.7, 1.5, 5), outside)
    assert vector.value == pytest.approx(truth, abs=4 * vector.standard_error + 1e-3)


def test_pooling_behind_an_activation_has_its_range():
    model = nn.Sequential(nn.Conv2d(1, 1, 1), nn.Sigmoid(), nn.MaxPool2d(2), nn.AvgPool2d(2)).double()
    graph = topology(model, (1, 8, 8))
    assert nw.ei_parts(model[2], graph, return_result=True).in_range == (0, 1)
    assert nw.ei_parts(model[3], graph, return_result=True).in_range == (0, 1)


def test_max_pooling_with_a_dynamic_range():
    pool = nn.MaxPool1d(2)
    found = nw.ei_parts(
        pool,
        topology(nn.Sequential(pool), (1, 4)),
        in_range=(-1, 3),
        out_range="dynamic",
        **EIGHT,
        return_result=True,
    )
    assert (found.out_low[0], found.out_high[0]) == (-1, 3)


def test_a_subclass_with_its_own_forward_is_sampled():
    class Doubled(nn.Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    model = random_model(Doubled(2, 2))
    found = nw.ei_parts(model[0], topology(model, (2,)), samples=50_000, **RANGES, return_result=True)
    weights, bias = (2 * tensor.detach().numpy() for tensor in (model[0].weight, model[0].bias))
    assert found.method == "sampled"
    assert found.value == pytest.approx(
        nw.ei_parts(*linear(weights, bias), **RANGES), abs=4 * found.standard_error
    )


def test_one_call_of_a_layer_that_ran_twice():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.step = nn.Linear(2, 2)

        def forward(self, x):
            return self.step(torch.sigmoid(self.step(x)))

    model = Twice()
    graph = topology(model, (2,), torch.float32)
    first, second = (
        nw.ei_parts("step", graph, return_result=True),
        nw.ei_parts("step:1", graph, return_result=True),
    )
    assert (first.in_range, first.out_low[0]) == ((-10, 10), 0)
    assert (second.in_range, second.out_low[0]) == ((0, 1), -10)


# --- spans


def test_span_of_two_linear_layers_is_their_product():
    first, second = golden(3, 4, 1.0), golden(4, 2, 1.0)
    model = nn.Sequential(
        nn.Linear(3, 4, bias=False), nn.Dropout(), nn.Linear(4, 2, bias=False), nn.Tanh()
    ).double()
    model[0].weight.data, model[2].weight.data = torch.from_numpy(first), torch.from_numpy(second)
    graph = topology(model, (3,))
    given_ = {"in_range": (-1, 1)} | EIGHT
    whole = linear(second @ first)
    for measure in (nw.ei_parts, nw.sensitivity):
        found = measure(
            model[2], graph, in_layer=model[0], samples=20_000, batch_size=4_000, **given_, return_result=True
        )
        truth = measure(*whole, activation=nn.Tanh(), **given_)
        assert found.method == "sampled"
        assert found.layer == "0 → 2"
        assert found.value == pytest.approx(truth, abs=4 * found.standard_error)
        assert (found.out_low[0], found.out_high[0]) == (-1, 1)
    vector = nw.ei(
        model[2], graph, in_layer="0", samples=100_000, batch_size=4_000, **given_, return_result=True
    )
    truth = nw.ei(*whole, activation=nn.Tanh(), samples=100_000, **given_, return_result=True)
    assert vector.value == pytest.approx(
        truth.value, abs=4 * np.hypot(vector.standard_error, truth.standard_error)
    )


class Skip(nn.Module):
    """Functions and a skip around both layers; a second input that is not set."""

    def __init__(self):
        super().__init__()
        self.up, self.down = nn.Linear(2, 3), nn.Linear(3, 2)

    def forward(self, x, offset):
        return functional.elu(self.down(torch.sigmoid(self.up(x)) + offset) * 2) + x


class Ahead(Skip):
    """The same, with the skip inside the span."""

    def forward(self, x, offset):
        inner = torch.sigmoid(self.up(x)) + offset
        return functional.elu(self.down(inner + x.sum(dim=1, keepdim=True)))


@pytest.mark.parametrize("outside", ["clip", "drop"])
def test_span_is_the_models_own_computation(outside):
    """Brute force of the model written out; `x` is set wherever it is read, `offset` keeps the first sample's value."""
    torch.manual_seed(0)
    model = Ahead().double().eval()
    offset = torch.tensor([[0.5], [3.0]], dtype=torch.float64)
    graph = nw.topology_of(model, (torch.zeros(2, 2, dtype=torch.float64), offset))
    x, cells = grid_points(2, (-2, 2), 4, 100)
    with torch.no_grad():
        inputs = torch.from_numpy(x)
        inner = torch.sigmoid(inputs @ model.up.weight.T + model.up.bias) + 0.5 + inputs.sum(1, keepdim=True)
        y = functional.elu(inner @ model.down.weight.T + model.down.bias).numpy()
    given_ = {"in_range": (-2, 2), "in_bins": 4, "out_range": (-0.9, 1.1), "out_bins": 5, "outside": outside}
    labels = naive_bins(y, -0.9, 1.1, 5, outside)
    truth = np.array([[information(table(cells[:, a], labels[:, b])) for b in range(2)] for a in range(2)])
    span = {"in_layer": model.up, "batch_size": 5_000}
    found = nw.ei_parts(model.down, graph, samples=50_000, **span, **given_, return_result=True)
    np.testing.assert_allclose(found.matrix, truth, atol=0.02)
    assert found.value == pytest.approx(truth.sum(), abs=4 * found.standard_error + 0.005)
    vector = nw.ei(model.down, graph, samples=100_000, **span, **given_, return_result=True)
    together = information(table(codes(cells, 4), codes(labels, 5)))
    assert vector.value == pytest.approx(together, abs=4 * vector.standard_error + 0.02)
    pair = nw.eis_between_groups(
        model.down, graph, [((1,), (0,))], samples=100_000, **span, **given_, return_result=True
    )
    assert pair[0].value == pytest.approx(truth[1, 0], abs=4 * pair[0].standard_error + 0.005)


def test_span_ends_with_its_layer_and_activation():
    """What comes behind `layer`, the skip and all, is not part of it."""
    torch.manual_seed(1)
    model = Skip().double().eval()
    graph = nw.topology_of(
        model, (torch.zeros(1, 2, dtype=torch.float64), torch.ones(1, 1, dtype=torch.float64))
    )
    x, cells = grid_points(2, (-2, 2), 4, 100)
    with torch.no_grad():
        inner = torch.sigmoid(torch.from_numpy(x) @ model.up.weight.T + model.up.bias) + 1
        y = applied(torch.tanh, (inner @ model.down.weight.T + model.down.bias).numpy())
    labels = naive_bins(y, -1, 1, 5)
    truth = sum(information(table(cells[:, a], labels[:, b])) for b in range(2) for a in range(2))
    found = nw.ei_parts(
        "down",
        graph,
        in_layer="up",
        in_range=(-2, 2),
        in_bins=4,
        out_bins=5,
        activation=nn.Tanh(),
        samples=50_000,
        batch_size=5_000,
        return_result=True,
    )
    assert found.value == pytest.approx(truth, abs=4 * found.standard_error + 0.005)


def test_ranges_of_a_span_are_those_of_its_ends():
    model = nn.Sequential(
        nn.Linear(2, 2), nn.Sigmoid(), nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2), nn.ReLU()
    ).double()
    found = nw.ei_parts(
        model[4], topology(model, (2,)), in_layer=model[2], samples=500, return_result=True, **EIGHT
    )
    assert found.in_range == (0, 1)
    assert (found.out_low[0], found.out_high[0]) == (0, 10)


def test_span_with_images():
    """From the input of a convolution on a 4 x 4 image to two classes: 16 inputs."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(2, 2), nn.Sigmoid()
    )
    graph = topology(model, (1, 4, 4), torch.float32)
    found = nw.ei_parts_matrix(
        model[4], graph, in_layer=model[0], in_range=(-1, 1), samples=4_000, batch_size=1_000, **EIGHT
    )
    assert found.shape == (16, 2)
    dynamic = nw.ei_parts(
        model[4],
        graph,
        in_layer=model[0],
        in_range=(-1, 1),
        out_range="dynamic",
        samples=4_000,
        batch_size=1_000,
        **EIGHT,
        return_result=True,
    )
    assert dynamic.outside_share == 0
    assert ((dynamic.out_low > 0) & (dynamic.out_high < 1)).all()


def test_span_of_a_vector_activation():
    """Softmax takes all outputs at once."""
    model = nn.Sequential(nn.Linear(2, 3), nn.Softmax(dim=1)).double()
    model[0].weight.data, model[0].bias.data = (
        torch.from_numpy(golden(2, 3, 2.0)),
        torch.zeros(3, dtype=torch.float64),
    )
    graph = topology(model, (2,))
    x, cells = grid_points(2, (-1, 1), 4, 100)
    y = torch.softmax(torch.from_numpy(x @ golden(2, 3, 2.0).T), dim=1).numpy()
    labels = naive_bins(y, 0, 1, 5)
    truth = sum(information(table(cells[:, a], labels[:, b])) for b in range(3) for a in range(2))
    found = nw.ei_parts(
        model[0], graph, in_range=(-1, 1), in_bins=4, out_bins=5, samples=50_000, return_result=True
    )
    assert (found.out_low[0], found.out_high[0]) == (0, 1)
    assert found.value == pytest.approx(truth, abs=4 * found.standard_error + 0.005)
