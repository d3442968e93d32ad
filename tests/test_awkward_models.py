"""Triplets and edge graph of awkward models, against hooks of the test's own and against one input at a time."""

import pytest
import torch
from test_graph_view import assert_sums_hold, content
from torch import nn
from torch.nn import functional

import nbwidgets_nn as nw


class Net(nn.Module):
    """Layers by name, and what forward does with them."""

    def __init__(self, does, **layers):
        super().__init__()
        self.does = does
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x):
        return self.does(self, x)


def shared(**options):
    layer = nn.Linear(6, 6)
    return Net(lambda s, x: s.c(s.b(s.a(x).relu()).relu()), a=layer, b=layer, c=nn.Linear(6, 2), **options)


def dense(s, x):
    a = s.a(x).relu()
    b = s.b(torch.cat([x, a], 1)).relu()
    return s.c(torch.cat([x, a, b], 1))


def excited(s, x):
    h = s.a(x)
    return s.c(h * torch.sigmoid(s.up(s.down(h.mean((2, 3))).relu()))[:, :, None, None])


def unet(s, x):
    a = s.a(x).relu()
    b = s.b(functional.max_pool2d(a, 2)).relu()
    return s.c(torch.cat([a, functional.interpolate(b, scale_factor=2)], 1))


def projected(s, x):
    return s.c((s.short(x) + s.b(s.a(x).relu())).relu())


def padded(mode):
    first = nn.Conv2d(3, 6, 3, 2, 2, dilation=2, groups=3, padding_mode=mode)
    second = nn.Conv2d(6, 4, (1, 3), padding="same", padding_mode=mode)
    return Net(lambda s, x: s.b(s.a(x).relu()), a=first, b=second)


def counting(s, x):
    s.k += 1
    return s.b(s.a(x) * s.k + s.k)


def conv(inputs, outputs):
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def chain(first, *rest):
    return nn.Sequential(first, *rest).eval()


flat, image = (6,), (3, 8, 8)
MODELS = {
    "shared": (shared(), flat, ""),
    "reused": (Net(lambda s, x: s.c(s.a(s.a(x).relu())), a=nn.Linear(6, 6), c=nn.Linear(6, 2)), flat, ""),
    **{
        f"padded by {mode}": (padded(mode), image, "")
        for mode in ("zeros", "reflect", "replicate", "circular")
    },
    "transposed": (
        chain(conv(3, 4), nn.ConvTranspose2d(4, 4, 3), nn.Conv2d(4, 2, 1)),
        image,
        "1 (ConvTranspose2d: a transposed convolution, which is not built yet)",
    ),
    "dense": (
        Net(dense, a=conv(3, 4), b=conv(7, 4), c=conv(11, 2)),
        image,
        "input of c (cat of input, a, b)",
    ),
    "excited": (
        Net(excited, a=conv(3, 4), down=nn.Linear(4, 2), up=nn.Linear(2, 4), c=conv(4, 2)),
        image,
        "input of c (mul of a, up)",
    ),
    "unet": (Net(unet, a=conv(3, 4), b=conv(4, 4), c=conv(8, 2)), image, "input of c (cat of a, b)"),
    "projected": (
        Net(projected, a=nn.Conv2d(3, 4, 3, 2, 1), b=conv(4, 4), short=nn.Conv2d(3, 4, 1, 2), c=conv(4, 2)),
        image,
        "",
    ),
    "layer norm": (chain(nn.Linear(6, 4), nn.LayerNorm(4), nn.Linear(4, 2)), flat, ""),
    "double": (chain(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 2)).double(), flat, ""),
    "counting": (Net(counting, a=nn.Linear(6, 4), b=nn.Linear(4, 2), k=torch.zeros(1)), flat, ""),
    "training": (chain(conv(3, 4), nn.BatchNorm2d(4), nn.Dropout(), conv(4, 2)).train(), image, ""),
    "dict": (Net(lambda s, x: {"y": s.b(s.a(x).relu())}, a=nn.Linear(6, 4), b=nn.Linear(4, 2)), flat, ""),
    "some samples": (
        Net(
            lambda s, x: s.b(s.a(x)[:2] + s.c(x)[1:3]),
            a=nn.Linear(6, 4),
            b=nn.Linear(4, 2),
            c=nn.Linear(6, 4),
        ),
        flat,
        "b (left out: dim 0 does not count the samples)",
    ),
    "lstm": (
        Net(lambda s, x: s.b(s.r(x)[0][:, -1]), r=nn.LSTM(6, 5, batch_first=True), b=nn.Linear(5, 2)),
        (7, 6),
        "r (LSTM: a recurrent layer: its weights act inside, at every step)",
    ),
}


def hooked(model, X):
    """Return input and output of every call, by module and in order."""
    calls = {}
    leaves = [module for module in model.modules() if not list(module.children())]
    hooks = [
        leaf.register_forward_hook(
            lambda m, args, out: calls.setdefault(m, []).append((args[0].clone(), out))
        )
        for leaf in leaves
    ]
    with torch.no_grad():
        model.eval()(X)
    for hook in hooks:
        hook.remove()
    return calls


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("strides", ["contiguous", "channels last"])
def test_an_edge_is_what_a_layer_makes_of_one_input_alone(name, strides):
    model, shape, _ = MODELS[name]
    X = torch.randn(5, *shape, dtype=next(model.parameters()).dtype)
    if strides == "channels last":
        X = X.movedim(1, -1).contiguous().movedim(-1, 1)
    found = nw.triplets(model, X)
    calls = hooked(model, X)
    weighted = [layer for layer in found.recording if found.recording[layer].kind in ("Linear", "Conv2d")]
    assert set(weighted) <= set(found)
    for entry in found.values():
        if entry.kind not in ("Linear", "Conv2d"):
            continue
        layer = found.recording[entry.name]
        number = int(entry.name.partition(":")[2] or 0)
        given, returned = calls[layer.module][number]
        if name != "counting":  # each pass has another buffer
            torch.testing.assert_close(entry.source, given.reshape(entry.source.shape))
            torch.testing.assert_close(entry.target, returned.reshape(entry.target.shape))
        row = given.new_zeros(given[:1].shape) if len(entry.row_shape) == 1 else None
        for unit in torch.randperm(entry.shape[1])[:5].tolist() if row is not None else ():
            alone = row.flatten().index_fill(0, torch.tensor(unit), float(entry.source[1, unit])).view_as(row)
            with torch.no_grad():
                truth = (layer.module(alone) - layer.module(row)).flatten()
            torch.testing.assert_close(entry.contribution[1, unit], truth, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_every_edge_of_the_graph_adds_up_and_every_gap_is_explained(name):
    model, shape, why = MODELS[name]
    shown = content(model, torch.randn(5, *shape, dtype=next(model.parameters()).dtype))
    assert_sums_hold(shown)
    assert why in shown.how
    assert bool(shown.how) == bool(why)
    joined = {bundle.target for bundle in shown.bundles}
    begins = {column.name for k, column in enumerate(shown.columns) if k not in joined}
    assert all(column.endswith("input") or f"{column} (" in shown.how for column in begins)
