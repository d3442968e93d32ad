"""Networks whose structure a graph must follow: every kind of module and function between them, small."""

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F


class Made(nn.Module):
    """Layers by name, and a forward that takes them and the input."""

    def __init__(self, forward, **layers):
        super().__init__()
        self.run = forward
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x):
        return self.run(self, x)


class Case(NamedTuple):
    name: str
    model: nn.Module
    shape: tuple[int, ...]
    """Of one sample."""


def ends(function):
    """Put a function between two pointwise layers, so that what it does is an edge of the second."""
    return Made(lambda m, x: m.last(function(m.first(x))), first=nn.Identity(), last=nn.Softsign())


def convolutions():
    for mode in ("zeros", "reflect", "replicate", "circular"):
        yield f"conv1d {mode}", nn.Conv1d(2, 4, 3, padding=2, dilation=2, padding_mode=mode), (2, 7)
    yield "conv2d", nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 0), groups=2), (4, 6, 5)
    yield "conv2d same", nn.Conv2d(1, 2, 3, padding="same", dilation=2), (1, 5, 5)
    yield "depthwise", nn.Conv2d(3, 3, 3, groups=3, padding=1), (3, 4, 4)
    yield "conv3d", nn.Conv3d(1, 2, 2, padding=1), (1, 3, 3, 2)
    yield (
        "transposed",
        nn.ConvTranspose2d(2, 4, 3, stride=2, padding=1, output_padding=1, groups=2),
        (2, 3, 3),
    )
    yield "transposed 1d", nn.ConvTranspose1d(2, 1, 3, dilation=2), (2, 4)


def others():
    yield "linear on tokens", nn.Linear(3, 2), (4, 3)
    yield "average", nn.AvgPool2d(3, 2, 1, ceil_mode=True), (2, 6, 6)
    yield "average inside", nn.AvgPool2d(3, 2, 1, count_include_pad=False), (2, 5, 5)
    yield "average by 5", nn.AvgPool2d(2, divisor_override=5), (1, 4, 4)
    yield "maximum", nn.MaxPool2d(3, 2, 1, dilation=1, ceil_mode=True), (2, 6, 6)
    yield "maximum dilated", nn.MaxPool1d(2, 1, dilation=3), (2, 7)
    yield "adaptive average", nn.AdaptiveAvgPool2d((2, 3)), (2, 5, 7)
    yield "adaptive maximum", nn.AdaptiveMaxPool1d(3), (2, 7)
    yield "layer norm", nn.LayerNorm([3, 2]), (4, 3, 2)
    yield "group norm", nn.GroupNorm(2, 4), (4, 3)
    yield "instance norm", nn.InstanceNorm1d(3), (3, 5)
    yield "softmax", nn.Softmax(dim=1), (3, 4)
    yield "softmax 2d", nn.Softmax2d(), (3, 2, 2)
    yield "pixel shuffle", nn.PixelShuffle(2), (4, 2, 3)
    yield "reflection pad", nn.ReflectionPad1d(2), (2, 4)
    yield "zero pad", nn.ZeroPad2d((1, 0, 2, 1)), (1, 2, 3)
    yield "unflatten", nn.Unflatten(1, (2, 3)), (6,)
    yield "prelu", nn.PReLU(), (5,)
    yield "nearest by module", nn.Upsample(size=(5, 4)), (2, 3, 2)
    yield "nearest exact", nn.Upsample(scale_factor=1.5, mode="nearest-exact"), (2, 4)
    yield "upsampled linearly", nn.Upsample(scale_factor=2, mode="linear"), (2, 4)
    yield "upsampled by corners", nn.UpsamplingBilinear2d(scale_factor=2), (2, 3, 4)
    yield "bicubic", nn.Upsample(scale_factor=(2, 1.5), mode="bicubic"), (1, 6, 5)
    yield "trilinear", nn.Upsample(scale_factor=2, mode="trilinear"), (1, 2, 3, 2)
    yield "constant pad", nn.ConstantPad2d((1, 0, 2, 1), 3.0), (2, 3, 2)
    yield "circular pad", nn.CircularPad2d(1), (1, 3, 2)
    yield "gated", nn.GLU(1), (4, 3)
    yield "gated at the end", nn.GLU(), (2, 6)
    yield "local response", nn.LocalResponseNorm(3), (5, 2, 2)
    yield "local response, even", nn.LocalResponseNorm(2), (5, 3)
    yield "RMS norm", nn.RMSNorm(3), (2, 3)
    yield "unfold", nn.Unfold(2, padding=1), (2, 3, 3)
    yield "fold", nn.Fold((3, 4), 2, stride=(1, 2)), (8, 4)
    yield "power average", nn.LPPool1d(2, 3, 2), (2, 7)


def tokens_turned(x):
    return x.transpose(1, 2)


def of_heads(x):
    """Split (samples, tokens, 3 of 2 heads of 2) into query, key and value."""
    return x.view(len(x), -1, 3, 2, 2).permute(2, 0, 3, 1, 4)


attention = F.scaled_dot_product_attention
PRODUCTS = [
    ("scores", lambda x: x.roll(1, 1) @ tokens_turned(x), (3, 2)),
    ("scores of heads", lambda x: torch.matmul(x, x.transpose(-1, -2)), (2, 3, 2)),
    ("batched", lambda x: torch.bmm(x, tokens_turned(x)), (3, 2)),
    ("batched with constants", lambda x: torch.bmm(x, torch.ones(len(x), 2, 4)), (3, 2)),
    ("matrix from the left", lambda x: torch.arange(1.0, 7).view(2, 3) @ x, (3, 2)),
    ("vector from the right", lambda x: x @ torch.tensor([1.0, 2.0]), (3, 2)),
    ("broadcast matrices", lambda x: x[:, None] @ torch.ones(3, 2, 2), (3, 2)),
    ("added and batched", lambda x: torch.baddbmm(x[:, :1], x, tokens_turned(x)), (3, 3)),
    ("added and multiplied", lambda x: torch.addmm(torch.ones(4), x, torch.ones(3, 4)), (3,)),
    ("einsum of tokens", lambda x: torch.einsum("bik,bjk->bij", x, x.flip(1)), (3, 2)),
    ("einsum without a result", lambda x: torch.einsum("bik,jk", x, torch.ones(3, 2)), (3, 2)),
    ("einsum with dots", lambda x: torch.einsum("...k,jk->...j", x, torch.ones(3, 2)), (3, 2)),
    ("einsum of one", lambda x: torch.einsum("bij->bji", x), (3, 2)),
    ("einsum outer", lambda x: torch.einsum("bi,bj->bij", x, x), (3,)),
    ("distances", lambda x: torch.cdist(x[:, :2], x[:, 2:]), (4, 2)),
    ("bilinear of two", lambda x: F.bilinear(x, x.flip(1), torch.ones(2, 3, 3)), (3,)),
    ("attention of one", lambda x: attention(x, x, x), (3, 2)),
    ("attention of heads", lambda x: attention(*of_heads(x)).transpose(1, 2).flatten(2), (3, 12)),
    ("cross attention", lambda x: attention(x[:, :2], x[:, 1:], x[:, 1:]), (4, 3)),
    ("attention by hand", lambda x: (x @ tokens_turned(x)).softmax(-1) @ x, (3, 2)),
]
"""Sums of products."""


def functions():
    yield from ((name, ends(function), shape) for name, function, shape in PRODUCTS)
    yield "flatten and linear", nn.Sequential(nn.Flatten(), nn.Linear(12, 5)), (3, 2, 2)
    for name, function, shape in [
        ("permute", lambda x: x.permute(0, 2, 1), (3, 4)),
        ("view", lambda x: x.view(x.shape[0], 2, 6), (3, 4)),
        ("transposed and viewed", lambda x: x.transpose(1, 2).reshape(x.shape[0], 12), (3, 4)),
        ("slice", lambda x: x[:, 1:, ::2], (3, 5)),
        ("select", lambda x: x[:, 1], (3, 5)),
        ("new axis", lambda x: x[:, None, :, 0], (3, 5)),
        ("index list", lambda x: x[:, [2, 0, 0]], (3, 2)),
        ("flip", lambda x: x.flip(1), (3, 2)),
        ("roll", lambda x: x.roll(1, 2), (3, 4)),
        ("pad", lambda x: F.pad(x, (1, 2), value=7.0), (3, 4)),
        ("expand", lambda x: x[:, :, :1].expand(-1, -1, 4), (3, 2)),
        ("repeat", lambda x: x.repeat(1, 2, 1), (3, 2)),
        ("repeat interleave", lambda x: x.repeat_interleave(2, dim=1), (3, 2)),
        ("chunks added", lambda x: sum(x.chunk(2, dim=1)), (4, 3)),
        ("split and swapped", lambda x: torch.cat(x.split([1, 2], dim=1)[::-1], 1), (3, 2)),
        ("unbind", lambda x: x.unbind(1)[1], (3, 2)),
        ("stack", lambda x: torch.stack([x, x.flip(1)], 2), (3, 2)),
        ("pixel unshuffle", lambda x: F.pixel_unshuffle(x, 2), (1, 4, 4)),
        ("nearest", lambda x: F.interpolate(x, scale_factor=2), (2, 3)),
        ("bilinear", lambda x: F.interpolate(x, scale_factor=1.5, mode="bilinear"), (1, 3, 2)),
        ("area", lambda x: F.interpolate(x, size=(2, 3), mode="area"), (1, 4, 5)),
        ("antialias", lambda x: F.interpolate(x, (2, 3), mode="bilinear", antialias=True), (1, 5, 6)),
        ("gate", lambda x: F.glu(x, 1), (4, 3)),
        ("halves gated", lambda x: x[:, :2] * x[:, 2:].sigmoid(), (4, 3)),
        ("gates of chunks", lambda x: torch.mul(*x.tanh().chunk(2, -1)), (2, 4)),
        ("local response by function", lambda x: F.local_response_norm(x, 3), (5, 2)),
        ("length 1", F.normalize, (3, 2)),
        ("length 1 of the last", lambda x: F.normalize(x, dim=-1), (3, 2)),
        ("instance norm by function", F.instance_norm, (2, 3, 2)),
        ("fold by function", lambda x: F.fold(x, (3, 3), kernel_size=2), (8, 4)),
        ("batch norm by function", lambda x: F.batch_norm(x, torch.zeros(4), torch.ones(4)), (4, 3)),
        ("reflected", lambda x: F.pad(x, (1, 1), "reflect"), (2, 4)),
        ("power average by function", lambda x: F.lp_pool1d(x, 2, 2), (2, 6)),
        ("triangle", torch.tril, (3, 3)),
        ("diagonal", lambda x: x.diagonal(dim1=1, dim2=2), (3, 3)),
        ("unfold", lambda x: x.unfold(2, 3, 1), (1, 5)),
        ("with itself", lambda x: x + x.flip(1), (4,)),
        ("minus", lambda x: 3 - 2 * x / 4, (4,)),
        ("alpha", lambda x: torch.sub(x, x.roll(1, 1), alpha=3), (4,)),
        ("scaled by a vector", lambda x: torch.tensor([1.0, -2, 3]) * x, (2, 3)),
        ("square", lambda x: x**2 + x.exp(), (4,)),
        ("product", lambda x: x * x.roll(1, 1).sigmoid(), (4,)),
        ("outer", lambda x: x[:, :, None] * x[:, None, :], (3,)),
        ("mean", lambda x: x.mean((2, 3)), (2, 3, 2)),
        ("sum kept", lambda x: x.sum(1, keepdim=True), (3, 2)),
        ("amax", lambda x: x.amax(dim=-1), (3, 4)),
        ("max values", lambda x: x.max(1).values, (3, 4)),
        ("minus mean", lambda x: x - x.mean(1, keepdim=True), (3, 2)),
        ("softmax", lambda x: torch.softmax(x, -1), (3, 4)),
        ("where", lambda x: torch.where(x > 0, x, 0.1 * x), (4,)),
        ("max pool", lambda x: F.max_pool2d(x, 2), (2, 4, 5)),
        ("max pool by name", lambda x: F.max_pool2d(x, kernel_size=3, stride=1, padding=1), (1, 4, 4)),
        ("average pool", lambda x: F.avg_pool1d(x, 3, 2, 1), (2, 6)),
        ("adaptive pool", lambda x: F.adaptive_avg_pool2d(x, 1), (2, 3, 3)),
        ("layer norm", lambda x: F.layer_norm(x, x.shape[-1:]), (3, 4)),
    ]:
        yield name, ends(function), shape

    def with_weight(function, weight):
        layers = {"first": nn.Identity(), "last": nn.Softsign(), "weight": nn.Parameter(weight)}
        return Made(lambda m, x: m.last(function(m.first(x), m.weight)), **layers)

    weight, kernel = torch.randn(4, 3), torch.randn(2, 3, 2, 2)
    yield (
        "functional transposed",
        with_weight(lambda x, w: F.conv_transpose2d(x, w, None, 2, (1, 0), groups=2), kernel),
        (2, 3, 3),
    )
    yield (
        "functional transposed 1d",
        with_weight(lambda x, w: F.conv_transpose1d(x, w[:, 0], dilation=(2,)), kernel),
        (2, 4),
    )
    yield "functional linear", with_weight(F.linear, weight), (2, 3)
    yield "matrix product", with_weight(lambda x, w: x @ w.T, weight), (2, 3)
    yield (
        "functional convolution",
        with_weight(lambda x, w: F.conv2d(x, w, padding=1, stride=2), kernel),
        (3, 4, 4),
    )
    yield (
        "residual",
        Made(lambda m, x: m.c(m.b(m.a(x)) + m.a(x)), a=nn.Linear(3, 3), b=nn.Linear(3, 3), c=nn.Tanh()),
        (3,),
    )
    yield (
        "inception",
        Made(
            lambda m, x: m.last(torch.cat([m.one(x), m.three(x), F.max_pool2d(x, 3, 1, 1)], 1)),
            one=nn.Conv2d(2, 2, 1),
            three=nn.Conv2d(2, 3, 3, padding=1),
            last=nn.Conv2d(7, 2, 3),
        ),
        (2, 5, 5),
    )  # fmt: skip
    yield (
        "strided residual",
        Made(
            lambda m, x: m.head((m.b(m.a(x).relu()) + m.down(x)).relu().mean((2, 3))),
            a=nn.Conv2d(2, 4, 3, stride=2, padding=1),
            b=nn.Conv2d(4, 4, 3, padding=1),
            down=nn.Conv2d(2, 4, 1, stride=2),
            head=nn.Linear(4, 2),
        ),
        (2, 6, 6),
    )  # fmt: skip


def cases():
    torch.manual_seed(0)
    return [Case(*entry) for kind in (convolutions, others, functions) for entry in kind()]


CASES = cases()
