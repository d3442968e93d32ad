"""Skip connections: the input of a call that is the sum of two recorded tensors."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from nbwidgets_nn.kernels.edge_blocks import sum_block
from nbwidgets_nn.kernels.edges_of_layers import Edges
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.layer import Layer


def added_outputs(recording: Activations, layer: Layer) -> Edges | None:
    """Return the edges of the addition that made the layer's input; None if no sum of two recorded tensors is that input.

    ValueError if it is one that went through an activation function, ``F.relu(a + b)``, and so is no weighted sum.

    Addends are outputs and inputs of the calls that feed the layer: of ``conv2(h) + h`` the second was the input of
    `conv2`. They are found by their values, which must add up to the last bit. Source units are those of the first
    addend, then those of the second.
    """
    x = layer.input
    if len(layer.fed_by) < 2 or layer.input_of or x is None or x.ndim < 1 or x.layout is not torch.strided:
        return None
    pairs = list(itertools.combinations(_candidates(recording, layer), 2))
    pair = next((pair for pair in pairs if _same(pair[0] + pair[1], x)), None)
    if pair is None:
        function = layer.input_activation
        if function is not None and any(_same(_activated(function, a + b), x) for a, b in pairs):
            raise ValueError(
                f"its input is made by functions of {', '.join(layer.fed_by)}, and is not their sum"
            )
        return None
    units = math.prod(x.shape[1:])
    like = x if x.is_floating_point() else torch.ones((), device=x.device)
    return Edges(
        source=lambda: torch.cat([_as(addend, x).reshape(len(x), -1) for addend in pair], dim=1),
        block=lambda: sum_block(units, 2, like),
        target=x.reshape(len(x), -1),
        source_shape=(2, *x.shape[1:]),
        target_shape=tuple(x.shape[1:]),
        dtype=like.dtype,
        row_shape=(len(x),),
    )


def _candidates(recording: Activations, layer: Layer) -> Iterator[Tensor]:
    seen: set[int] = set()
    for feeding in map(recording.__getitem__, layer.fed_by):
        for tensor in (feeding.output, feeding.input):
            if tensor is not None and id(tensor) not in seen and _fits(tensor, layer.input):
                seen.add(id(tensor))
                yield tensor


def _fits(tensor: Tensor, x: Tensor) -> bool:
    """Whether torch would add the tensor to another of the shape of `x` and get that shape."""
    if tensor.layout is not torch.strided or tensor.is_complex() or tensor.dtype != x.dtype:
        return False
    shape = (1,) * (x.ndim - tensor.ndim) + tuple(tensor.shape)
    return tensor.ndim <= x.ndim and all(
        size in (1, whole) for size, whole in zip(shape, x.shape, strict=True)
    )


def _same(found: Tensor | None, x: Tensor) -> bool:
    if found is None or found.shape != x.shape:
        return False
    return bool(((found == x) | (found.isnan() & x.isnan())).all())


def _activated(function: Callable[[Tensor], Tensor], values: Tensor) -> Tensor | None:
    """Return the values behind an activation function; None where it was made for another shape."""
    try:
        with torch.no_grad():
            return function(values)
    except (RuntimeError, IndexError):
        return None


def _as(tensor: Tensor, x: Tensor) -> Tensor:
    return tensor.broadcast_to(x.shape)
