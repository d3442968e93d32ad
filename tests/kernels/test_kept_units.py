"""Units followed through the functions between two calls, against changing one unit and seeing where that shows."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import nbwidgets_nn as nw
from nbwidgets_nn.kernels.kept_units import kept_units
from nbwidgets_nn.record.steps import Output, Step, replay, steps_in


class Behind(nn.Module):
    """A sum, any functions, and a layer that takes what they give."""

    def __init__(self, between):
        super().__init__()
        self.a, self.b, self.between, self.end = nn.Identity(), nn.Tanh(), between, nn.Identity()
        self.place = nn.Parameter(torch.rand(3, 1, 1) + 1)

    def forward(self, x):
        return self.end(self.between(self.a(x) + self.b(x), x))


def three():
    return torch.tensor([0.5, 1.5, 2.5]).view(3, 1, 1)


def written(z):
    z = z.clone()
    z[:, :, 0] = 1.0
    return z


KEPT = {
    "as it is": (lambda z, x: z, ()),
    "relu": (lambda z, x: z.exp(), ("exp",)),
    "mean": (lambda z, x: z.relu().mean((2, 3)), ("relu", "mean")),
    "mean with dim kept": (lambda z, x: z.mean(-1, keepdim=True), ("mean",)),
    "sum": (lambda z, x: z.sum((2, 3)), ("sum",)),
    "amax": (lambda z, x: z.amax((2, 3)), ("amax",)),
    "max of a line": (lambda z, x: z.max(3)[0], ("max",)),
    "flatten": (lambda z, x: z.flatten(1), ()),
    "max_pool": (lambda z, x: F.max_pool2d(z, 2).flatten(1), ("max_pool2d",)),
    "padded average": (lambda z, x: F.avg_pool2d(z, 3, 1, 1), ("avg_pool2d",)),
    "adaptive": (lambda z, x: F.adaptive_avg_pool2d(z, 3), ("adaptive_avg_pool2d",)),
    "adaptive max": (lambda z, x: F.adaptive_max_pool2d(z, 3), ("adaptive_max_pool2d",)),
    "gated by itself": (lambda z, x: z * z.sigmoid(), ("sigmoid", "mul")),
    "scaled": (lambda z, x: z * 0.5, ("mul",)),
    "channels last": (lambda z, x: z.permute(0, 2, 3, 1), ()),
    "transposed": (lambda z, x: z.flatten(2).transpose(1, 2), ()),
    "flipped": (lambda z, x: z.flip(1), ("flip",)),
    "with constants": (lambda z, x: 1 - (z * three() / 3 + three()), ("mul", "div", "add", "sub")),
    "divided by": (lambda z, x: 1 / (z.abs() + 1), ("abs", "add", "div")),
    "chosen by a constant": (lambda z, x: torch.where(three() > -9, z, 2.0), ("where",)),
    "chosen by itself": (lambda z, x: torch.where(z > 0, z, 1e-3 * z), ("gt", "mul", "where")),
    "filled where it is": (lambda z, x: z.masked_fill(z > 9, 0), ("gt", "masked_fill")),
    "largest of constants": (lambda z, x: torch.maximum(z, three() - 9), ("maximum",)),
    "one place": (lambda z, x: z[:, :, 1, 2], ("select",)),
    "some units": (lambda z, x: z[:, 1:], ("select",)),
    "a half": (lambda z, x: z.chunk(2, 3)[1], ("select",)),
    "padded": (lambda z, x: F.pad(z, (1, 1), value=3.0), ("pad",)),
    "beside constants": (lambda z, x: torch.cat([three().expand(5, 3, 4, 1), z], 3), ("cat",)),
    "beside constants, then a mean": (lambda z, x: F.pad(z, (1, 1), value=3.0).mean(3), ("pad", "mean")),
    "beside constants, then a maximum": (lambda z, x: F.pad(z, (1, 1), value=-9.0).amax(3), ("pad", "amax")),
    "with a constant inside": (lambda z, x: written(z), ("setitem",)),
    "flat and transposed": (lambda z, x: z.transpose(1, 3).flatten(1), ()),
}
MIXED = {
    "mean of channels": lambda z, x: z.mean(1),
    "mean of all": lambda z, x: z.mean(),
    "maximum of channels": lambda z, x: z.amax(1),
    "which is largest": lambda z, x: z.max(3)[1].float(),
    "running sum": lambda z, x: z.cumsum(1),
    "more by a constant": lambda z, x: z.mean((2, 3))[..., None] * torch.tensor([1.0, 2.0]),
    "written where another is": lambda z, x: z.masked_fill(x > 0, 0),
    "joined with its opposite": lambda z, x: torch.cat([z, -z], 1),
    "softmax": lambda z, x: z.softmax(1),
    "concatenated": lambda z, x: torch.cat([z, z], 1),
    "gated by another": lambda z, x: z * x.sigmoid(),
    "with other units": lambda z, x: z * z.flatten(1).view(5, 4, 4, 3).permute(0, 3, 1, 2),
    "product of matrices": lambda z, x: z @ z,
}


def followed(between):
    torch.manual_seed(0)
    recording = nw.Activations(Behind(between), torch.randn(5, 3, 4, 4))
    origin = recording["end"].origin
    start = next(node for node in steps_in(origin) if isinstance(node, Step) and node.name == "add")
    label = torch.arange(3).view(1, 3, 1, 1) + 3 * torch.arange(5).view(5, 1, 1, 1)
    return recording, origin, start, label.expand(5, 3, 4, 4)


@pytest.mark.parametrize(("between", "functions"), KEPT.values(), ids=KEPT)
def test_a_unit_of_a_sample_changes_the_numbers_with_its_label_and_no_others(between, functions):
    recording, origin, start, label = followed(between)
    kept = kept_units(origin, start, label)
    assert kept.functions == functions
    before = replay(origin, lambda output: recording[output.layer].output)
    assert kept.label.shape == before.shape
    for one in label.unique():
        other = {name: recording[name].output + 1.5 * (label == one) for name in ("a", "b")}
        changed = replay(origin, lambda output, other=other: other[output.layer]) != before
        assert not (changed & (kept.label != one)).any()
        assert changed.any() == (kept.label == one).any()
        assert changed[kept.label == one].all() or "max" in "".join(functions)


@pytest.mark.parametrize("between", MIXED.values(), ids=MIXED)
def test_functions_that_mix_units_keep_none(between):
    _, origin, start, label = followed(between)
    assert kept_units(origin, start, label) is None


def test_nothing_is_kept_of_a_step_that_is_not_behind():
    _, origin, _, label = followed(lambda z, x: z)
    other = Step("add", torch.add, (Output("a", 0, (5, 3, 4, 4)), 1), {}, None, (5, 3, 4, 4))
    assert kept_units(origin, other, label) is None
