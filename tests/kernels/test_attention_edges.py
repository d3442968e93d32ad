"""Self-attention, taken apart, against its definition."""

import numpy as np
import pytest
import torch
from layers_with_edges import values
from torch import nn

import nbwidgets_nn as nw


class Attends(nn.Module):
    """Self-attention, as `how` has it."""

    def __init__(self, how, **options):
        super().__init__()
        self.how, self.attn = how, nn.MultiheadAttention(6, 3, **options)

    def forward(self, x):
        return self.how(self.attn, x)


def causal(attn, x):
    mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
    return attn(x, x, x, attn_mask=mask)[0]


SELF = {
    "batch first": (lambda attn, x: attn(x, x, x)[0], {"batch_first": True}),
    "tokens first": (lambda attn, x: attn(x.transpose(0, 1), x.transpose(0, 1), x.transpose(0, 1))[0], {}),
    "causal": (causal, {"batch_first": True}),
    "without bias": (lambda attn, x: attn(x, x, x)[0], {"batch_first": True, "bias": False}),
    "without weights": (lambda attn, x: attn(x, x, x, need_weights=False)[0], {"batch_first": True}),
    "one sample": (lambda attn, x: attn(x[0], x[0], x[0])[0], {}),
}


@pytest.mark.parametrize(("how", "options"), SELF.values(), ids=SELF)
def test_attention_by_its_definition(how, options):
    """Softmax of scaled products, head by head, and the sums over tokens written out."""
    model = Attends(how, **options).double()
    nn.init.normal_(model.attn.out_proj.weight)
    x = values(2, 4, 6)
    t = nw.triplets(model, x)
    assert (list(t), t.skipped) == (["attn.value", "attn", "attn.out_proj"], {})
    samples = 1 if how is SELF["one sample"][0] else 2
    q, k, v = (x[:samples] @ w.T for w in model.attn.in_proj_weight.detach().chunk(3))
    for sample in range(samples):
        for feature in range(6):
            head = slice(feature // 2 * 2, feature // 2 * 2 + 2)
            scores = q[sample, :, head] @ k[sample, :, head].T / 2**0.5
            if how is causal:
                scores = scores.masked_fill(torch.ones(4, 4, dtype=torch.bool).triu(1), -torch.inf)
            attention = scores.softmax(1)
            W = t["attn"].weight[sample].reshape(4, 6, 4, 6)[:, feature, :, feature]
            torch.testing.assert_close(W, attention)
            mixed = t["attn"].target.reshape(-1, 4, 6)[sample, :, feature]
            torch.testing.assert_close(
                mixed, attention @ t["attn"].source.reshape(-1, 4, 6)[sample, :, feature]
            )
    torch.testing.assert_close(t["attn.value"].source.reshape(samples, 4, 6), x[:samples])
    torch.testing.assert_close(
        t["attn.value"].target.reshape(samples, 4, 6),
        v + (0 if t["attn.value"].bias is None else t["attn.value"].bias),
    )
    assert t["attn"].edges == 4 * 4 * 6


def test_tokens_are_the_channels_of_attention():
    t = nw.triplets(Attends(*SELF["batch first"][:1], batch_first=True), torch.rand(2, 4, 6))
    edges = t["attn"].by_channel()
    assert edges.weight_is == "mean attention"
    assert edges.weight.shape == (4, 4)
    np.testing.assert_allclose(edges.weight.sum(1), 1, rtol=1e-6)
    np.testing.assert_allclose(edges.contribution.sum(2), edges.target, rtol=1e-4, atol=1e-6)


def padded():
    return torch.tensor([[False, False, False, True], [False, True, True, False]])


MASKS = {
    "padding": lambda x: {"key_padding_mask": padded()},
    "padding from values": lambda x: {"key_padding_mask": x[..., 0] < -0.5},
    "padding by numbers": lambda x: {"key_padding_mask": -3.0 * padded()},
    "places": lambda x: {"attn_mask": torch.eye(4, dtype=torch.bool)},
    "places by numbers": lambda x: {"attn_mask": torch.arange(16.0).view(4, 4).sin()},
    "each head": lambda x: {"attn_mask": torch.arange(96.0).view(6, 4, 4).cos()},
    "both": lambda x: {"key_padding_mask": padded(), "attn_mask": torch.eye(4, dtype=torch.bool)},
    "causal and padding": lambda x: {
        "attn_mask": torch.ones(4, 4, dtype=torch.bool).triu(1),
        "key_padding_mask": torch.tensor([[False, False, False, True]] * 2),
    },
    "nothing left": lambda x: {"attn_mask": torch.ones(4, 4, dtype=torch.bool).tril()},
}


@pytest.mark.filterwarnings("ignore:Support for mismatched")
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("masks", MASKS.values(), ids=MASKS)
def test_masks_among_what_the_call_was_given(masks, batch_first):
    kept = []

    def how(attn, x):
        given = {name: m.to(x) if m.is_floating_point() else m for name, m in masks(x).items()}
        q = x if batch_first else x.transpose(0, 1)
        y, attention = attn(q, q, q, average_attn_weights=False, **given)
        kept.append(attention)
        return y

    torch.manual_seed(0)
    model = Attends(how, batch_first=batch_first).double()
    t = nw.triplets(model, torch.randn(2, 4, 6).double())
    assert (list(t), t.skipped) == (["attn.value", "attn", "attn.out_proj"], {})
    W = t["attn"].weight.reshape(2, 4, 6, 4, 6)
    for feature in range(6):
        torch.testing.assert_close(W[:, :, feature, :, feature], kept[0][:, feature // 2], equal_nan=True)


def test_a_mask_made_out_of_sight_is_said():
    hidden = padded()
    t = nw.triplets(
        Attends(lambda attn, x: attn(x, x, x, key_padding_mask=hidden)[0], batch_first=True),
        torch.rand(2, 4, 6),
    )
    assert "or a mask" in t.skipped["attn"]


def test_masks_of_some_of_the_samples():
    def how(attn, x):
        return attn(x, x, x, key_padding_mask=padded())[0]

    model, x = Attends(how, batch_first=True), torch.randn(2, 4, 6)
    whole = nw.triplets(model, x)["attn"].weight
    torch.testing.assert_close(nw.triplets(nw.Activations(model, x).take([1]))["attn"].weight, whole[1:])


OTHER = {
    "other key": (
        lambda attn, x: attn(x, x.flip(1), x)[0],
        {"batch_first": True},
        "another key or value, or a mask",
    ),
    "other value": (lambda attn, x: attn(x, x, x.flip(1))[0], {"batch_first": True}, "another key or value"),
    "further token": (
        lambda attn, x: attn(x, x, x)[0],
        {"batch_first": True, "add_bias_kv": True},
        "token of its own",
    ),
    "other sizes": (
        lambda attn, x: attn(x, x[..., :5], x[..., :4])[0],
        {"batch_first": True, "kdim": 5, "vdim": 4},
        "no self-attention",
    ),
}


@pytest.mark.parametrize(("how", "options", "reason"), OTHER.values(), ids=OTHER)
def test_attention_that_is_not_seen_from_its_input_is_skipped(how, options, reason):
    t = nw.triplets(Attends(how, **options), torch.rand(2, 4, 6))
    assert list(t) == []
    assert reason in t.skipped["attn"]


def one_masked(attn, x):
    mask = torch.zeros(x.shape[1], x.shape[1], dtype=torch.bool)
    mask[0, 1] = True
    return attn(x, x, x, attn_mask=mask)[0]


HALF = {
    "self": (SELF["batch first"][0], True),
    "causal": (causal, True),
    "cross": (lambda attn, x: attn(x, x.flip(1) * 2, x.roll(1, 1))[0], False),
    "another value": (lambda attn, x: attn(x, x, x * 1.1)[0], False),
    "one place masked": (one_masked, True),
}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize(("how", "known"), HALF.values(), ids=HALF)
def test_coarse_types_are_told_apart_as_well(how, known, dtype):
    torch.manual_seed(0)
    t = nw.triplets(Attends(how, batch_first=True).to(dtype), torch.randn(2, 4, 6, dtype=dtype))
    assert ("attn" in t) == known
    if not known:
        assert "another key or value, or a mask" in t.skipped["attn"]
    for layer in t.values():
        found = layer.contribution.materialize().sum(1) + (0 if layer.bias is None else layer.bias)
        off = (found - layer.target).abs().max() / layer.target.abs().max()
        assert off < 2 * torch.finfo(dtype).eps
    if how is causal:
        future = torch.ones(4, 4, dtype=torch.bool).triu(1)
        assert (t["attn"].weight[0].reshape(4, 6, 4, 6)[:, 0, :, 0][future] == 0).all()
