"""Self-attention as edges: values of the tokens, the sample's own weights from token to token, and the output projection."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import torch
from torch import Tensor, nn
from torch.nn import functional

from nbwidgets_nn.kernels.edge_blocks import EdgeBlock, dense_block
from nbwidgets_nn.kernels.edges_of_layers import Edges, edges_between, real_values
from nbwidgets_nn.record.affine import why_not_plain
from nbwidgets_nn.record.layer import Layer
from nbwidgets_nn.record.steps import Origin


def attention_edges(layer: Layer, value_of: Callable[[Origin], Tensor]) -> dict[str, Edges]:
    """Return the three steps of a call of `nn.MultiheadAttention`; ValueError says why it cannot be taken apart.

    * "attn.value": a Linear that acts on every token, so (samples, tokens) are the rows.
    * "attn": from value (token s, feature e) to (token l, feature e) with the attention weight of the sample from l to s,
      in the head that e is part of. Its channels are the tokens: `by_channel` gives token to token.
    * "attn.out_proj": a Linear that acts on every token.

    The recording has one input. It is taken for query, key and value, without a mask, with a causal one, or with masks among
    the other tensors that the call was given; and believed if the recorded output results.

    Args:
        layer: the call.
        value_of: computes what the call was given; ValueError, RuntimeError or IndexError where it cannot.
    """
    module = layer.module
    reason = why_not_plain(module, (nn.MultiheadAttention,)) or _unusual(module)
    if reason:
        raise ValueError(reason)
    x, y = (
        _batch_first(real_values(t, name), module)
        for t, name in ((layer.input, "input"), (layer.output, "output"))
    )
    attention = _attention(module, x, y, lambda: _masks(layer, value_of, x))
    bias = module.in_proj_bias
    weight = module.in_proj_weight.detach().chunk(3)[2]
    to_values = dense_block(weight, None if bias is None else bias.detach().chunk(3)[2])
    values = to_values.apply(x.flatten(0, 1).to(attention.dtype)).reshape(x.shape)
    # (samples, outputs, inputs, heads, 1): tokens are the channels, and the features of one head a run of positions.
    kernel = attention.permute(0, 2, 3, 1)[..., None]
    features = torch.arange(x.shape[2], device=x.device)[None, None, :, None]
    mixing = EdgeBlock(kernel, features, x.shape[2], per_sample=True)
    mixed = mixing.apply(values.flatten(1)).reshape(y.shape)
    out = module.out_proj
    to_outputs = dense_block(out.weight.detach(), None if out.bias is None else out.bias.detach())
    return {
        f"{layer.name}.value": edges_between(x, values, 1, to_values),
        layer.name: edges_between(values, mixed, 2, mixing),
        f"{layer.name}.out_proj": edges_between(mixed, y, 1, to_outputs),
    }


def _unusual(module: nn.MultiheadAttention) -> str:
    if module.in_proj_weight is None:
        return "key and value have other sizes than the query: it is no self-attention"
    if module.bias_k is not None or module.add_zero_attn:
        return "it adds a token of its own (add_bias_kv or add_zero_attn)"
    return ""


def _batch_first(tensor: Tensor, module: nn.MultiheadAttention) -> Tensor:
    """Return (samples, tokens, features)."""
    if tensor.ndim == 2:
        return tensor[None]
    return tensor if module.batch_first else tensor.transpose(0, 1)


def _attention(
    module: nn.MultiheadAttention, x: Tensor, y: Tensor, masks: Callable[[], list[Tensor]]
) -> Tensor:
    """Return the weights (samples, heads, tokens, tokens) that give the recorded output, in float32 at least."""
    if not x.is_floating_point() or x.shape != y.shape:
        raise ValueError("its output is not that of self-attention")
    exact = torch.promote_types(x.dtype, torch.float32)
    # Coarse types are rounded once at the end; of fine ones the order of summation and large scores show.
    close = max((4 if t.dtype.itemsize < 4 else 256) * torch.finfo(t.dtype).eps for t in (x, y))
    close = max(close, 0 if x.device.type == "cpu" else 1e-3)

    def closest(tried: list[tuple[Tensor | None, Tensor | None]]) -> Tensor | None:
        runs = [_run(module, x.to(exact), *both) for both in tried]
        errors = [_error(output, y.to(exact)) for output, _ in runs]
        best = min(range(len(runs)), key=errors.__getitem__, default=None)
        return runs[best][1] if best is not None and errors[best] <= close else None

    tokens = x.shape[1]
    causal = torch.ones(tokens, tokens, dtype=torch.bool, device=x.device).triu(1)
    causal = torch.zeros(tokens, tokens, dtype=exact, device=x.device).masked_fill(causal, -torch.inf)
    found = closest([(None, None), (causal, None)])
    if found is None:
        given = [mask.to(exact) for mask in masks()]
        between = [None, causal, *(m for m in given if m.shape in (causal.shape, _of_heads(module, x)))]
        padding = [None, *(m for m in given if m.shape == x.shape[:2])]
        found = closest([both for both in product(between, padding) if not all(m is None for m in both)])
    if found is None:
        raise ValueError("its input alone does not give the recorded output: another key or value, or a mask")
    return found


def _of_heads(module: nn.MultiheadAttention, x: Tensor) -> tuple[int, int, int]:
    return (len(x) * module.num_heads, x.shape[1], x.shape[1])


def _masks(layer: Layer, value_of: Callable[[Origin], Tensor], x: Tensor) -> list[Tensor]:
    """Return what else the call was given and could be a mask, as numbers to be added to scores."""
    others = {
        id(origin): origin
        for origin in layer.origins
        if origin is not None and origin is not layer.origin and origin.shape[-1:] == x.shape[1:2]
    }
    found = []
    for origin in others.values():
        try:
            mask = value_of(origin)
        except (ValueError, RuntimeError, IndexError):
            continue
        if mask.dtype is torch.bool:
            mask = torch.zeros(mask.shape, device=mask.device).masked_fill(mask, -torch.inf)
        if mask.is_floating_point():
            found.append(mask[None] if mask.ndim == 1 else mask)
    return found


def _error(output: Tensor, y: Tensor) -> float:
    """Return by how much two differ, for the size of `y`; infinite where only one is NaN."""
    off = (output - y).masked_fill(output.isnan() & y.isnan(), 0).abs().nan_to_num(nan=torch.inf)
    size = y.abs().nan_to_num(0, 0, 0).amax()
    return float(off.amax() / (size + torch.finfo(y.dtype).tiny))


def _run(
    module: nn.MultiheadAttention, x: Tensor, mask: Tensor | None, padding: Tensor | None
) -> tuple[Tensor, Tensor]:
    x = x.transpose(0, 1)
    weights = (module.in_proj_weight, module.in_proj_bias, module.out_proj.weight, module.out_proj.bias)
    in_weight, in_bias, out_weight, out_bias = (None if w is None else w.to(x.dtype) for w in weights)
    with torch.no_grad():
        output, attention = functional.multi_head_attention_forward(
            x, x, x, module.embed_dim, module.num_heads, in_weight, in_bias,
            None, None, False, 0.0, out_weight, out_bias, training=False,
            key_padding_mask=padding, attn_mask=mask, need_weights=True, average_attn_weights=False,
        )  # fmt: skip
    return output.transpose(0, 1), attention
