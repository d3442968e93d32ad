"""The edge graph behind functions with constants: positions, scales, masks, class tokens."""

import math

import numpy as np
import pytest
import torch
from test_graph_view import assert_sums_hold, content, ends
from torch import nn
from torch.nn import functional


class Between(nn.Module):
    """Two layers, and a function of what the first returns and of a constant between them."""

    def __init__(self, between, *constant, first=None, second=None):
        super().__init__()
        self.a, self.b, self.between = first or nn.Linear(3, 4), second or nn.Linear(4, 2), between
        self.weight = nn.Parameter(torch.rand(*constant) + 0.5)
        self.register_buffer("buffer", torch.linspace(-0.5, 0.6, math.prod(constant)).view(constant))

    def forward(self, x):
        return self.b(self.between(self.a(x), self.weight, self.buffer))


CONSTANTS = {
    "position": (lambda h, p, c: h + p, "add"),
    "position first": (lambda h, p, c: p + h, "add"),
    "subtracted from": (lambda h, p, c: p - h, "sub"),
    "scale": (lambda h, p, c: h * p, "mul"),
    "scale and shift": (lambda h, p, c: torch.relu(h * p + c), "mul, add, relu"),
    "number": (lambda h, p, c: h / 4**0.5, "div"),
    "buffer": (lambda h, p, c: h + c[None], "add"),
    "of a row": (lambda h, p, c: h + c.expand(5, 4), "add"),
    "where": (lambda h, p, c: torch.where(c > 0, h, p), "where"),
    "mask": (lambda h, p, c: h * (c > 0), "mul"),
    "filled": (lambda h, p, c: h.masked_fill(c > 0, 0), "masked_fill"),
    "in place": (lambda h, p, c: h.mul_(p).add_(c), "mul, add"),
}


@pytest.mark.parametrize(("between", "said"), CONSTANTS.values(), ids=CONSTANTS)
def test_functions_with_constants_leave_units_where_they_are(between, said):
    model, X = Between(between, 4), torch.randn(5, 3)
    shown = content(model, X)
    assert ends(shown) == [("a", "input", "a"), ("b", "a", "b")]
    assert (shown.how, shown.bundles[0].stage) == ("", said)
    assert shown.columns[1].kind == f"Linear, {said}"
    with torch.no_grad():
        taken = between(model.a(X), model.weight, model.buffer)
    np.testing.assert_allclose(shown.columns[1].values, taken, rtol=1e-6)
    np.testing.assert_allclose(shown.bundles[1].source_values, taken, rtol=1e-6)
    assert_sums_hold(shown)


@pytest.mark.parametrize(
    "between",
    [
        lambda h, p, c: (h[:, :, None] * p[:2]).flatten(1)[:, :4],  # of other units
        lambda h, p, c: (h[:, None] * p[:2, None]).mean(1),  # made more on the way
        lambda h, p, c: h @ p.outer(c),
        lambda h, p, c: h + torch.as_tensor((h * c).numpy(force=True)),  # no constant
        lambda h, p, c: h * h.sum(1, keepdim=True),
    ],
)
def test_units_that_are_mixed_or_more_are_cut_there(between):
    shown = content(Between(between, 4), torch.randn(5, 3))
    assert ends(shown)[-1] == ("b", "input of b", "b")
    assert "no edges into input of b" in shown.how


@pytest.mark.parametrize(
    ("between", "second"),
    [
        (lambda h, p, c: h * p + c, nn.Conv2d(4, 2, 2)),
        (lambda h, p, c: (h * p).flatten(1), nn.Linear(64, 2)),
        (lambda h, p, c: (h + c).mean((2, 3)), nn.Linear(4, 2)),
        (lambda h, p, c: (h + c).flatten(2).transpose(1, 2), nn.Linear(4, 2)),
        (lambda h, p, c: functional.pad(h * p, (1, 1), value=2.0).mean(3), nn.Conv1d(4, 2, 1)),
    ],
)
def test_channels_are_followed_past_constants_to_positions_and_numbers(between, second):
    model = Between(between, 4, 1, 1, first=nn.Conv2d(1, 4, 3), second=second)
    shown = content(model, torch.randn(5, 1, 6, 6))
    assert ends(shown) == [("a", "channels of input", "a"), ("b", "a", "b")]
    assert (shown.how, shown.bundles[1].inputs) == ("", 4)
    assert_sums_hold(shown)


@pytest.mark.parametrize("shape", [(3,), (1, 6, 6)])
def test_a_normalised_input_is_still_the_input(shape):
    layer = nn.Linear(3, 2) if len(shape) == 1 else nn.Conv2d(1, 2, 3)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer
            self.register_buffer("mean", torch.rand(shape))

        def forward(self, x):
            return self.layer((x - self.mean) / 0.3)

    shown = content(Net(), torch.randn(5, *shape))
    (bundle,) = shown.bundles
    assert shown.columns[bundle.source].name.endswith("input")
    assert shown.columns[bundle.source].kind.endswith("sub, div")
    assert shown.how == ""
    assert_sums_hold(shown)


class VisionTransformer(nn.Module):
    """Patches, positions, a class token or a mean, encoder blocks, and a head."""

    def __init__(self, *, token, norm_first):
        super().__init__()
        self.patch, self.norm, self.head = nn.Conv2d(1, 8, 4, 4), nn.LayerNorm(8), nn.Linear(8, 3)
        self.token = nn.Parameter(torch.randn(1, 1, 8)) if token else None
        self.position = nn.Parameter(torch.randn(1, 4 + token, 8))
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=norm_first) for _ in range(2)
        )

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        if self.token is not None:
            x = torch.cat([self.token.expand(len(x), -1, -1), x], 1)
        x = x + self.position
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        return self.head(x.mean(1) if self.token is None else x[:, 0])


@pytest.mark.parametrize("token", [True, False])
@pytest.mark.parametrize("norm_first", [True, False])
def test_a_vision_transformer_is_joined_from_pixels_to_classes(token, norm_first):
    shown = content(VisionTransformer(token=token, norm_first=norm_first), torch.randn(6, 1, 8, 8))
    assert shown.how == ""
    into = {bundle.target for bundle in shown.bundles}
    assert into == set(range(1, len(shown.columns)))
    first = next(column for column in shown.columns if "patch" in column.aliases)
    assert first.kind.startswith("Conv2d, cat, add" if token else "Conv2d, add")
    assert_sums_hold(shown)


class Cut(nn.Module):
    """Two layers of one input, and a function of both in front of the third."""

    def __init__(self, join, width=4):
        super().__init__()
        self.a, self.c, self.b, self.join = nn.Linear(3, 4), nn.Linear(3, 4), nn.Linear(width, 2), join

    def forward(self, x):
        return self.b(self.join(self.a(x), self.c(x), x))


@pytest.mark.parametrize(
    ("join", "width", "why"),
    [
        (lambda a, c, x: torch.cat([a, c, x], 1).relu(), 11, "cat of a, c, input"),
        (lambda a, c, x: a * c.sigmoid() / 2, 4, "mul of a, c"),
        (lambda a, c, x: a[:, :2].tanh(), 2, "not the units of a as they are"),
        (lambda a, c, x: a.cumsum(1)[:, 0:], 4, "cumsum of a"),
        (lambda a, c, x: a + torch.randn(5, 4), 4, "not the units of a as they are"),
    ],
)
def test_where_columns_are_cut_the_function_is_named(join, width, why):
    shown = content(Cut(join, width), torch.randn(5, 3))
    assert f"input of b ({why})" in shown.how
    assert_sums_hold(shown)


@pytest.mark.parametrize("end", [torch.sigmoid, lambda y: torch.softmax(y, 1)])
def test_the_last_column_says_what_its_nodes_show(end):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(3, 4)

        def forward(self, x):
            return end(self.a(x))

    model, X = Net(), torch.randn(5, 3)
    shown = content(model, X)
    np.testing.assert_allclose(shown.columns[-1].values, model.a(X).detach(), atol=1e-6)
    assert (shown.columns[-1].kind, shown.bundles[-1].stage) == ("Linear", "")


def test_a_sum_with_what_has_no_samples_says_so():
    class Text(nn.Module):
        def __init__(self):
            super().__init__()
            self.word, self.place, self.b = nn.Embedding(9, 4), nn.Embedding(7, 4), nn.Linear(4, 2)

        def forward(self, x):
            return self.b(self.word(x) + self.place(torch.arange(7)))

    shown = content(Text(), torch.arange(35).view(5, 7) % 9)
    assert "input of b (place has no values: left out: dim 0 does not count the samples)" in shown.how
    assert "word (Embedding: it looks rows up" in shown.how


def test_of_many_cuts_the_first_are_named_and_the_rest_counted():
    class Deep(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(15))

        def forward(self, x):
            for layer in self.layers:
                x = layer(x.cumsum(1))
            return x

    shown = content(Deep(), torch.randn(3, 4))
    assert shown.how.count("input of layers.") == 12
    assert shown.how.endswith("input of layers.11 (cumsum of layers.10) and 3 more")
