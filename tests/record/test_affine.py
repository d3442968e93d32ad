"""`affine_map`, `fold`, `window_of`, `groups_of`, `weights_in_use`: against running the layer itself."""

import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, prune

from nbwidgets_nn.record.affine import affine_map, fold, groups_of, weights_in_use, why_not_plain, window_of


def with_statistics(norm):
    """A batch norm that has seen data and learnt something."""
    generator = torch.Generator().manual_seed(1)
    for tensor in (norm.running_mean, norm.running_var, *norm.parameters()):
        tensor.data.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
    return norm


LINEAR = {
    "plain": lambda: nn.Linear(5, 3),
    "without bias": lambda: nn.Linear(5, 3, bias=False),
    "double": lambda: nn.Linear(5, 3).double(),
    "bfloat16": lambda: nn.Linear(5, 3).bfloat16(),
    "weight norm": lambda: parametrizations.weight_norm(nn.Linear(5, 3)),
    "spectral norm": lambda: parametrizations.spectral_norm(nn.Linear(5, 3)),
    "pruned": lambda: prune.random_unstructured(nn.Linear(5, 3), "weight", 0.5),
    "subclass with torch's forward": lambda: type("Own", (nn.Linear,), {})(5, 3),
    "in eval mode": lambda: nn.Linear(5, 3).eval(),
}


@pytest.mark.parametrize("make", LINEAR.values(), ids=LINEAR)
def test_linear(make):
    layer = make()
    W, b = affine_map(layer)
    assert W.shape == (3, 5)
    assert W.dtype == b.dtype == torch.float64
    x = torch.randn(7, 5)
    expected = layer.eval()(x.to(next(layer.parameters()).dtype)).double()
    tolerance = 0.05 if layer.weight.dtype == torch.bfloat16 else 1e-6
    torch.testing.assert_close(x.double() @ W.T + b, expected, rtol=tolerance, atol=tolerance)


CONVOLUTIONS = {
    "1d": (nn.Conv1d(4, 6, 3), (3,)),
    "2d": (nn.Conv2d(2, 5, (3, 2)), (3, 2)),
    "3d": (nn.Conv3d(2, 4, 2), (2, 2, 2)),
    "groups": (nn.Conv2d(4, 6, 3, groups=2), (3, 3)),
    "depthwise": (nn.Conv1d(3, 3, 5, groups=3), (5,)),
    "stride and padding": (nn.Conv2d(3, 4, 3, stride=2, padding=1), (3, 3)),
    "dilation": (nn.Conv2d(3, 4, 3, dilation=2, bias=False), (3, 3)),
}


@pytest.mark.parametrize(("layer", "kernel"), CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_convolution_at_one_place(layer, kernel):
    """Against the layer on an image that is exactly one receptive field, which gives one pixel."""
    W, b = affine_map(layer)
    spread = [dilation * (size - 1) + 1 for dilation, size in zip(layer.dilation, kernel, strict=True)]
    image = torch.randn(1, layer.in_channels, *spread)
    functional = getattr(F, f"conv{len(kernel)}d")
    expected = functional(image, layer.weight, layer.bias, dilation=layer.dilation, groups=layer.groups)
    field = image[(..., *(slice(None, None, dilation) for dilation in layer.dilation))]
    per_group = field.reshape(layer.groups, -1).double()
    row_group = torch.arange(layer.out_channels) // (layer.out_channels // layer.groups)
    torch.testing.assert_close((W * per_group[row_group]).sum(1) + b, expected.flatten().double())
    assert W.shape == (layer.out_channels, layer.in_channels // layer.groups * field[0, 0].numel())


AVERAGES = {
    "1d": (nn.AvgPool1d(3), (3,)),
    "2d": (nn.AvgPool2d(2), (2, 2)),
    "2d, sides": (nn.AvgPool2d((2, 3)), (2, 3)),
    "2d, one side in a tuple": (nn.AvgPool2d((2,)), (2, 2)),
    "3d": (nn.AvgPool3d(2), (2, 2, 2)),
    "divisor": (nn.AvgPool2d(2, divisor_override=3), (2, 2)),
    "padding": (nn.AvgPool2d(3, padding=1, count_include_pad=False), (3, 3)),
}


@pytest.mark.parametrize(("layer", "window"), AVERAGES.values(), ids=AVERAGES)
def test_average_of_one_window(layer, window):
    W, b = affine_map(layer)
    inside = torch.randn(1, 1, *window)
    layer.padding, padding = 0, layer.padding
    expected = layer(inside).flatten()
    layer.padding = padding
    torch.testing.assert_close((W @ inside.flatten().double() + b).float(), expected)


NORMS = {
    "1d": (lambda: nn.BatchNorm1d(4), (5, 4)),
    "2d": (lambda: nn.BatchNorm2d(4), (2, 4, 3, 3)),
    "3d": (lambda: nn.BatchNorm3d(4), (2, 4, 2, 2, 2)),
    "without weights": (lambda: nn.BatchNorm1d(4, affine=False), (5, 4)),
    "large eps": (lambda: nn.BatchNorm1d(4, eps=1.0), (5, 4)),
}


@pytest.mark.parametrize(("make", "shape"), NORMS.values(), ids=NORMS)
def test_batch_norm_is_diagonal(make, shape):
    layer = with_statistics(make()).train()
    W, b = affine_map(layer)
    assert torch.equal(W, torch.diag(W.diagonal()))
    x = torch.randn(shape)
    channels = x.movedim(1, -1).double()
    torch.testing.assert_close(
        channels @ W.T + b, layer.eval()(x).movedim(1, -1).double(), rtol=1e-5, atol=1e-5
    )


class Squares(nn.Linear):
    """A subclass with a forward of its own."""

    def forward(self, x):
        return super().forward(x) ** 2


class OwnConvolution(nn.Conv2d):
    """A subclass that changes what torch's forward calls."""

    def _conv_forward(self, x, weight, bias):
        return super()._conv_forward(x, weight.sign(), bias)


def with_own_forward(layer):
    layer.forward = lambda x: x
    return layer


def with_hook(layer, register):
    getattr(layer, register)(lambda *_: None)
    return layer


def with_weight(make):
    layer = nn.Linear(2, 2, bias=False)
    del layer.weight
    layer.weight = make()
    return layer


NO_MAP = {
    "activation": lambda: nn.ReLU(),
    "max": lambda: nn.MaxPool2d(2),
    "adaptive": lambda: nn.AdaptiveAvgPool2d(1),
    "transposed": lambda: nn.ConvTranspose2d(2, 2, 2),
    "bilinear": lambda: nn.Bilinear(2, 2, 2),
    "layer norm": lambda: nn.LayerNorm(2),
    "batch norm without statistics": lambda: nn.BatchNorm1d(2, track_running_stats=False),
    "instance norm": lambda: nn.InstanceNorm1d(2),
    "container": lambda: nn.Sequential(nn.Linear(2, 2)),
    "own forward": lambda: Squares(2, 2),
    "own convolution": lambda: OwnConvolution(1, 1, 2),
    "forward set on the object": lambda: with_own_forward(nn.Linear(2, 2)),
    "hook before": lambda: with_hook(nn.Linear(2, 2), "register_forward_pre_hook"),
    "hook behind": lambda: with_hook(nn.Linear(2, 2), "register_forward_hook"),
    "lazy": lambda: nn.LazyLinear(3),
    "meta": lambda: nn.Linear(2, 2, device="meta"),
    "integers": lambda: with_weight(
        lambda: nn.Parameter(torch.ones(2, 2, dtype=torch.int64), requires_grad=False)
    ),
    "complex": lambda: nn.Linear(2, 2, dtype=torch.complex64),
    "complex norm": lambda: nn.BatchNorm1d(2, dtype=torch.complex64),
}


@pytest.mark.parametrize("make", NO_MAP.values(), ids=NO_MAP)
def test_none_where_there_is_no_such_map(make):
    assert affine_map(make()) is None


def test_lazy_layers_once_they_have_weights():
    layer = nn.LazyLinear(3)
    layer(torch.zeros(1, 4))
    assert affine_map(layer)[0].shape == (3, 4)


def test_sparse_weights_are_made_dense():
    layer = with_weight(lambda: nn.Parameter(torch.eye(2).to_sparse(), requires_grad=False))
    assert affine_map(layer)[0].tolist() == [[1, 0], [0, 1]]


def test_nan_is_passed_on():
    layer = nn.Linear(2, 1)
    nn.init.constant_(layer.weight, float("nan"))
    assert affine_map(layer)[0].isnan().all()


@pytest.mark.parametrize("older", [nn.utils.weight_norm, nn.utils.spectral_norm])
def test_the_older_norms_give_the_weight_of_now(older):
    """Their weight is computed before each call, and is stale after a step of training."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        layer = older(nn.Linear(4, 3)).eval()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.mul_(torch.rand(parameter.shape) + 1)
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    W, b = affine_map(layer.train())
    assert layer.training
    for name, value in layer.state_dict().items():
        assert torch.equal(value, before[name]), name
    x = torch.randn(2, 4)
    torch.testing.assert_close((x.double() @ W.T + b).float(), layer.eval()(x).detach())


def test_a_spectral_norm_in_training_takes_no_step():
    layer = parametrizations.spectral_norm(nn.Linear(4, 3))
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    affine_map(layer)
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())


@pytest.mark.parametrize("layer", [nn.Linear(2, 2).double(), with_statistics(nn.BatchNorm1d(2)).double()])
def test_the_map_has_memory_of_its_own(layer):
    before = [parameter.clone() for parameter in layer.parameters()]
    for tensor in affine_map(layer):
        tensor.zero_()
    assert all(map(torch.equal, layer.parameters(), before))


def test_fold_is_one_after_the_other():
    first, second = affine_map(nn.Linear(5, 4)), affine_map(nn.Linear(4, 3))
    x = torch.randn(6, 5).double()
    W, b = fold(first, second)
    torch.testing.assert_close(x @ W.T + b, (x @ first[0].T + first[1]) @ second[0].T + second[1])


def test_fold_of_a_batch_norm_behind_a_convolution():
    layers = nn.Sequential(nn.Conv2d(2, 4, 3), with_statistics(nn.BatchNorm2d(4))).eval()
    W, b = fold(*map(affine_map, layers))
    image = torch.randn(1, 2, 3, 3)
    torch.testing.assert_close((W @ image.flatten().double() + b).float(), layers(image).flatten().detach())


def test_an_infinite_weight_leaves_the_other_outputs_of_a_batch_norm_alone():
    first = torch.tensor([[torch.inf], [1.0]]).double(), torch.zeros(2).double()
    W, b = fold(first, (torch.diag(torch.tensor([2.0, 3.0])).double(), torch.zeros(2).double()))
    assert W.tolist() == [[torch.inf], [3.0]]
    assert b.tolist() == [0, 0]


def test_fold_of_maps_that_do_not_fit():
    maps = affine_map(nn.Linear(2, 3)), affine_map(nn.Linear(4, 3))
    with pytest.raises(ValueError, match=r"second: expected a map with 3 inputs.*got one with 4"):
        fold(*maps)


WINDOWS = {
    "1d": (nn.MaxPool1d(3), 3),
    "2d": (nn.MaxPool2d(2), 4),
    "sides": (nn.MaxPool2d((2, 3)), 6),
    "3d": (nn.MaxPool3d(2), 8),
    "dilation": (nn.MaxPool2d(2, dilation=2), 4),
    "indices": (nn.MaxPool2d(2, return_indices=True), None),
    "hook": (with_hook(nn.MaxPool2d(2), "register_forward_hook"), None),
    "average": (nn.AvgPool2d(2), None),
    "adaptive": (nn.AdaptiveMaxPool2d(1), None),
    "own forward": (type("Own", (nn.MaxPool2d,), {"forward": lambda self, x: x})(2), None),
    "linear": (nn.Linear(2, 2), None),
}


@pytest.mark.parametrize(("layer", "window"), WINDOWS.values(), ids=WINDOWS)
def test_window_of(layer, window):
    assert window_of(layer) == window


def test_groups_of():
    layers = [nn.Conv1d(4, 4, 1, groups=4), nn.Conv2d(4, 4, 1), nn.Linear(2, 2), nn.BatchNorm1d(2)]
    assert list(map(groups_of, layers)) == [4, 1, 1, 1]


@pytest.mark.parametrize("make", LINEAR.values(), ids=LINEAR)
def test_weights_in_use_are_those_of_the_map(make):
    layer = make()
    weight, bias = weights_in_use(layer)
    W, b = affine_map(layer)
    assert torch.equal(weight.double(), W)
    assert torch.equal(torch.zeros(3).double() if bias is None else bias.double(), b)
    assert weight.dtype == layer.weight.dtype
    assert not weight.requires_grad


@pytest.mark.parametrize(("make", "shape"), NORMS.values(), ids=NORMS)
def test_weights_in_use_of_a_batch_norm_are_scale_and_shift(make, shape):
    layer = with_statistics(make())
    scale, shift = weights_in_use(layer)
    W, b = affine_map(layer)
    torch.testing.assert_close(scale.double(), W.diagonal(), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(shift.double(), b, rtol=1e-6, atol=1e-6)


def test_weights_in_use_of_a_plain_layer_take_no_memory():
    layer = nn.Conv2d(2, 3, 3)
    weight, bias = weights_in_use(layer)
    assert (weight.data_ptr(), bias.data_ptr()) == (layer.weight.data_ptr(), layer.bias.data_ptr())


def test_weights_in_use_of_a_spectral_norm_in_training_take_no_step():
    layer = parametrizations.spectral_norm(nn.Linear(4, 3))
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    weights_in_use(layer)
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())


NO_WEIGHTS = {
    "meta": (lambda: nn.Linear(2, 2, device="meta"), "its weight is on the meta device"),
    "integers": (NO_MAP["integers"], r"its weight is torch\.int64, not real"),
    "complex": (NO_MAP["complex"], r"its weight is torch\.complex64, not real"),
    "no statistics": (lambda: nn.BatchNorm1d(2, track_running_stats=False), "no running statistics"),
}


@pytest.mark.parametrize(("make", "message"), NO_WEIGHTS.values(), ids=NO_WEIGHTS)
def test_no_weights_in_use(make, message):
    with pytest.raises(ValueError, match=message):
        weights_in_use(make())


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_quantised_weights_are_none():
    layer = nn.Linear(2, 2)
    quantised = torch.quantize_per_tensor(torch.eye(2), 0.1, 0, torch.qint8)
    layer.weight = nn.Parameter(quantised, requires_grad=False)
    with pytest.raises(ValueError, match="its weight is quantised; dequantise the layer first"):
        weights_in_use(layer)
    assert affine_map(layer) is None


def test_why_not_plain():
    linear = (nn.Linear,)
    assert why_not_plain(nn.Linear(2, 2), linear) == ""
    assert why_not_plain(prune.random_unstructured(nn.Linear(2, 2), "weight", 0.5), linear) == ""
    assert why_not_plain(nn.ReLU(), linear) == "ReLU is none of Linear"
    assert "forward of its own, other than that of Linear" in why_not_plain(Squares(2, 2), linear)
    assert "hooks" in why_not_plain(with_hook(nn.Linear(2, 2), "register_forward_hook"), linear)
