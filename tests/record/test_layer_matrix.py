"""`Layer.matrix`: samples and units, against the shapes and elements written down by hand."""

import pytest
import torch
from models import ZOO
from torch import nn

from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.layer import Layer

# model, layer, channel axis, shape of "channel", "unit" and "auto"
SHAPES = [
    ("linear", "Linear", 1, (7, 3), (7, 3), (7, 3)),
    ("batch norm", "0", 1, (7 * 36, 4), (7, 144), (7 * 36, 4)),
    ("batch norm", "1", 1, (7 * 36, 4), (7, 144), (7 * 36, 4)),
    ("batch norm", "2", 1, (7 * 36, 4), (7, 144), (7 * 36, 4)),
    ("batch norm", "input", 1, (7 * 64, 1), (7, 64), (7, 64)),
    ("conv1d", "input", 1, (7 * 6, 4), (7, 24), (7 * 6, 4)),
    ("conv1d", "1", 1, (7 * 5, 3), (7, 15), (7 * 5, 3)),
    ("conv1d", "2", 1, (7 * 2, 3), (7, 6), (7 * 2, 3)),
    ("convolution without batch", "1", 0, (36, 4), (1, 144), (36, 4)),
    ("tokens", "tokens", 2, (35, 8), (7, 40), (35, 8)),
    ("tokens", "norm", 2, (35, 8), (7, 40), (35, 8)),
    ("recurrent", "input", 2, (28, 6), (7, 24), (28, 6)),
    ("recurrent", "lstm", 2, (28, 5), (7, 20), (28, 5)),
    ("packed", "gru", 1, (28, 4), (28, 4), (28, 4)),
    ("transformer", "self_attn", 2, (28, 6), (7, 24), (28, 6)),
    ("transformer", "dropout", 2, (28, 8), (7, 32), (28, 8)),
    ("channels moved", "conv", 1, (7 * 36, 4), (7, 144), (7 * 36, 4)),
    ("channels moved", "norm", 3, (7 * 36, 4), (7, 144), (7 * 36, 4)),
    ("channels moved", "act", 3, (7 * 36, 8), (7, 288), (7 * 36, 8)),
    ("channels moved", "back", 1, (7 * 36, 4), (7, 144), (7 * 36, 4)),
    ("complex and sparse", "sparse", 1, (7, 6), (7, 6), (7, 6)),
    ("one sample", "0", 1, (1, 5), (1, 5), (1, 5)),
    ("weights only", "WeightsOnly", 1, (7, 3), (7, 3), (7, 3)),
]


@pytest.mark.parametrize(("model", "layer", "axis", "channel", "unit", "auto"), SHAPES)
def test_shapes(model, layer, axis, channel, unit, auto):
    case = next(case for case in ZOO if case.name == model)
    layer = Activations(case.make(), case.make_input())[layer]
    assert layer.channel_axis == axis
    assert layer.matrix("channel").shape == channel
    assert layer.matrix("unit").shape == unit
    assert layer.matrix().shape == auto


class Then(nn.Module):
    """A layer, a function, and a pointwise layer that has to find its channels."""

    def __init__(self, layer, function):
        super().__init__()
        self.layer, self.function, self.last = layer, function, nn.Identity()

    def forward(self, x):
        return self.last(self.function(self.layer(x)))


# function applied to a convolution's (2, 3, 6, 8) or a Linear's (2, 6, 4, 5), and where the channels are then
AXES = {
    "pointwise": ("conv", lambda h: h.relu() * 2 + 1, 1),
    "permute": ("conv", lambda h: h.permute(0, 2, 3, 1), 3),
    "permute with a tuple": ("conv", lambda h: torch.permute(h, (2, 1, 0, 3)), 1),
    "transpose": ("conv", lambda h: h.transpose(1, -1), 3),
    "transpose by keyword": ("conv", lambda h: h.transpose(dim0=1, dim1=2), 2),
    "flatten positions": ("conv", lambda h: h.flatten(2), 1),
    "patches as tokens": ("conv", lambda h: h.flatten(2).transpose(1, 2), 2),
    "mean of one position axis": ("conv", lambda h: h.mean(-1), 1),
    "pooled": ("conv", lambda h: nn.functional.max_pool2d(h, 2), 1),
    "padded": ("conv", lambda h: nn.functional.pad(h, (1, 1)), 1),
    "cat of channels": ("conv", lambda h: torch.cat([h, h], 1), 1),
    "everything flattened": ("conv", lambda h: h.flatten(1), 1),
    "positions joined": ("linear", lambda h: h.view(2, 24, 5), 2),
    "positions split": ("linear", lambda h: h.view(2, 3, 2, 4, 5), 4),
    "samples and positions joined": ("linear", lambda h: h.reshape(-1, 5), 1),
    "one token": ("linear", lambda h: h[:, 0], 2),
    "first of the channels": ("linear", lambda h: h[..., :2], 3),
    "unknown, so as usual": ("linear", lambda h: h.mT, 1),
}


@pytest.mark.parametrize(("layer", "function", "axis"), AXES.values(), ids=AXES)
def test_channels_are_followed_through_functions(layer, function, axis):
    make = {"conv": nn.Conv2d(1, 3, 1), "linear": nn.Linear(3, 5)}
    given = {"conv": torch.zeros(2, 1, 6, 8), "linear": torch.zeros(2, 6, 4, 3)}
    rec = Activations(Then(make[layer], function), given[layer])
    assert rec["last"].channel_axis == axis


@pytest.mark.parametrize("units", ["channel", "unit", "auto"])
@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_every_number_is_in_the_matrix_once_and_in_its_own_dtype(case, units):
    rec = Activations(case.make(), case.make_input())
    for name in rec:
        output = rec[name].output
        if output is None:
            continue
        matrix = rec[name].matrix(units)
        assert matrix.ndim == 2
        assert matrix.dtype == output.dtype
        order = (lambda t: torch.view_as_real(t)[..., 0]) if output.is_complex() else (lambda t: t)
        expected = order(output.to_dense()).flatten().sort().values
        assert torch.equal(order(matrix).flatten().sort().values, expected)


def of(output, axis=1):
    """A layer with this output."""
    shape = tuple(output.shape)
    return Layer("x", nn.ReLU(), "ReLU", output, None, shape, shape, 0, None, (), (), axis)


def test_elements_stand_where_the_definition_says():
    output = torch.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    channel, unit = of(output).matrix("channel"), of(output).matrix("unit")
    for sample, c, row, column in [(0, 0, 0, 0), (1, 2, 3, 4), (1, 0, 2, 1), (0, 2, 1, 3)]:
        assert channel[sample * 20 + row * 5 + column, c] == output[sample, c, row, column]
        assert unit[sample, c * 20 + row * 5 + column] == output[sample, c, row, column]


@pytest.mark.parametrize(
    ("output", "axis", "units"),
    [
        (torch.zeros(7, 5), 1, "auto"),
        (torch.zeros(7, 4, 5), 2, "auto"),
        (torch.zeros(7, 4, 5), 2, "unit"),
        (torch.zeros(7, 5, 3, 3), 1, "unit"),
        (torch.zeros(7, 5, 3, 3).contiguous(memory_format=torch.channels_last), 1, "channel"),
    ],
)
def test_a_view_where_the_layout_allows(output, axis, units):
    assert of(output, axis).matrix(units).data_ptr() == output.data_ptr()


@pytest.mark.parametrize(("shape", "expected"), [((6,), (6, 1)), ((), (1, 1))])
def test_a_number_per_sample_is_one_unit(shape, expected):
    assert of(torch.zeros(shape), None).matrix().shape == expected


def test_unknown_units():
    with pytest.raises(ValueError, match="units: expected one of 'auto', 'channel', 'unit', got 'neuron'"):
        of(torch.zeros(2, 2)).matrix("neuron")


def test_a_layer_without_a_tensor_has_no_matrix():
    case = next(case for case in ZOO if case.name == "no tensor")
    rec = Activations(case.make(), case.make_input())
    with pytest.raises(
        ValueError, match=r"layer 'nothing' has no matrix: it returned no tensor \(NoneType\)"
    ):
        rec["nothing"].matrix()


def test_shapes_only_has_no_matrix():
    rec = Activations(nn.Linear(2, 2), torch.ones(2, 2), shapes_only=True)
    with pytest.raises(
        ValueError, match="layer 'Linear' has no values: the model was recorded with shapes_only"
    ):
        rec["Linear"].matrix()
