"""Layers whose output is a weighted sum of their input, and their matrices by torch's own derivatives."""

import torch
from torch import nn

import nbwidgets_nn as nw

LAYERS = {
    "linear": (lambda: nn.Linear(5, 3), (5,)),
    "linear without bias": (lambda: nn.Linear(5, 3, bias=False), (5,)),
    "conv1d": (lambda: nn.Conv1d(2, 3, 3), (2, 6)),
    "conv2d": (lambda: nn.Conv2d(2, 3, (3, 2)), (2, 5, 4)),
    "conv3d": (lambda: nn.Conv3d(1, 2, 2), (1, 3, 2, 3)),
    "stride and padding": (lambda: nn.Conv2d(2, 3, 3, stride=2, padding=1), (2, 5, 6)),
    "dilation": (lambda: nn.Conv2d(1, 2, 2, dilation=(2, 3), padding=(0, 2)), (1, 5, 5)),
    "groups": (lambda: nn.Conv2d(4, 6, 2, groups=2), (4, 3, 3)),
    "depthwise": (lambda: nn.Conv1d(3, 6, 2, groups=3, bias=False), (3, 5)),
    "same": (lambda: nn.Conv2d(1, 2, (2, 3), padding="same"), (1, 4, 4)),
    "valid": (lambda: nn.Conv1d(1, 2, 2, padding="valid"), (1, 4)),
    "reflect": (lambda: nn.Conv2d(1, 2, 3, padding=2, padding_mode="reflect"), (1, 4, 5)),
    "replicate": (lambda: nn.Conv2d(2, 2, 3, padding=2, padding_mode="replicate"), (2, 3, 4)),
    "circular": (lambda: nn.Conv2d(2, 4, 3, padding=1, padding_mode="circular", groups=2), (2, 2, 4)),
    "same, circular": (lambda: nn.Conv1d(1, 2, 4, padding="same", padding_mode="circular"), (1, 5)),
    "average": (lambda: nn.AvgPool2d(2), (2, 4, 5)),
    "average, padding": (lambda: nn.AvgPool2d(3, stride=2, padding=1), (2, 5, 5)),
    "average, padding not counted": (
        lambda: nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False),
        (2, 5, 5),
    ),
    "average, beyond the end": (lambda: nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True), (2, 6, 6)),
    "average, divisor": (lambda: nn.AvgPool2d((2, 1), divisor_override=3), (1, 4, 3)),
    "average 1d": (lambda: nn.AvgPool1d(3, padding=1), (2, 6)),
    "average 3d": (lambda: nn.AvgPool3d(2), (1, 4, 2, 2)),
    "adaptive average": (lambda: nn.AdaptiveAvgPool2d((2, 3)), (2, 5, 7)),
    "adaptive average to one": (lambda: nn.AdaptiveAvgPool1d(1), (3, 5)),
    "batch norm": (lambda: nn.BatchNorm2d(3), (3, 2, 2)),
    "batch norm of units": (lambda: nn.BatchNorm1d(4), (4,)),
    "batch norm without weights": (lambda: nn.BatchNorm1d(4, affine=False), (4, 3)),
    "flatten": (nn.Flatten, (2, 3)),
    "unflatten": (lambda: nn.Unflatten(1, (2, 3)), (6,)),
    "dropout": (nn.Dropout, (2, 3)),
}
MAXIMA = {
    "max": (lambda: nn.MaxPool2d(2), (2, 4, 5)),
    "max, overlapping": (
        lambda: nn.MaxPool2d(3, stride=2, padding=1, dilation=1, ceil_mode=True),
        (2, 6, 5),
    ),
    "max 1d, dilation": (lambda: nn.MaxPool1d(2, dilation=2, stride=1), (2, 6)),
    "max 3d": (lambda: nn.MaxPool3d(2), (1, 4, 2, 2)),
    "adaptive max": (lambda: nn.AdaptiveMaxPool2d((2, 3)), (2, 5, 4)),
}


def filled(module):
    """Return the module in float64 and eval mode, all its numbers drawn, the same each time."""
    generator = torch.Generator().manual_seed(1)
    for tensor in module.double().eval().state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(torch.rand(tensor.shape, generator=generator, dtype=torch.float64) + 0.3)
    return module


def values(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def matrix_at(module, x):
    """Return the derivative of the output by the input at one sample: (n_out, n_in)."""
    slope = torch.autograd.functional.jacobian(lambda x: module(x[None])[0], x)
    return slope.reshape(-1, x.numel())


def bias_of(module, x):
    """Return what is left of the output at one sample without the weighted sum."""
    return module(x[None])[0].detach().flatten() - matrix_at(module, x) @ x.flatten()


ALL = LAYERS | MAXIMA


def linear_triplets(batch=4, inputs=3, outputs=2):
    linear = filled(nn.Linear(inputs, outputs))
    return nw.triplets(linear, values(batch, inputs))["Linear"]


def layer_of(name):
    make, shape = ALL[name]
    (layer,) = nw.triplets(filled(make()), values(2, *shape)).values()
    return layer
