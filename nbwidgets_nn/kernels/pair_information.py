"""Mutual information of an input bin and an output bin from the probabilities of one given the other."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from nbwidgets_nn.kernels._scratch import scratch

_TINY = 1e-300


def pair_bits(given: Tensor) -> Tensor:
    """Mutual information in bits of equally likely input bins and output bins.

    Args:
        given: (..., bins, cells) P(cell | bin). Rows may sum to less than 1: what is missing was dropped, and the
            information is that of what is left. All dropped gives 0.

    >>> pair_bits(torch.eye(4, dtype=torch.float64))
    tensor(2., dtype=torch.float64)
    """
    given = given.clamp(
        min=_TINY
    )  # so that its logarithm exists; rounding and cut-off series can give less than 0
    bins = given.shape[-2]
    kept = given.sum(dim=-1)
    mass = kept.sum(dim=-1)
    nats = _negative_entropy(given, 2) - _negative_entropy(given.sum(dim=-2), 1) - _negative_entropy(kept, 1)
    # The three entropies are of numbers that sum to `mass`, not to 1.
    bits = (nats / mass + torch.log(mass)) / math.log(2)
    return torch.where(mass > bins * 1e-15, bits, 0.0).clamp_(min=0)


def _negative_entropy(p: Tensor, axes: int) -> Tensor:
    """Sum p ln p over the last axes, p >= 0."""
    # As p lies in memory: its axes may have been turned.
    order = sorted(range(p.ndim), key=p.stride, reverse=True)
    flat = p.permute(order)
    logs = torch.clamp(flat, min=_TINY, out=scratch("logs", tuple(flat.shape), p.device))
    if p.device.type == "cpu":
        # NumPy's logarithm takes half the time of torch's, at least on processors that are not Intel's.
        np.log(logs.numpy(), out=logs.numpy())
    else:
        logs.log_()
    logs *= flat
    back = [order.index(axis) for axis in range(p.ndim)]
    return logs.permute(back).sum(dim=tuple(range(-axes, 0)))


def place_outside(given: Tensor, outside: str) -> Tensor:
    """Put the last two cells, below and above the range, where `outside` wants them: "clip" or "drop".

    (..., bins, cells + 2) becomes (..., bins, cells).
    """
    inside = given[..., :-2]
    if outside == "clip":
        inside = inside.clone()
        inside[..., 0] += given[..., -2]
        inside[..., -1] += given[..., -1]
    return inside


def bits_at_most(error: float, cells: int, kept: float = 1.0) -> float:
    """Bound the bits by which `pair_bits` is off when every probability is off by at most `error`.

    `cells` is the number of probabilities that are summed for an input bin, `kept` a lower bound on the share that was not
    dropped, by which all are divided. Twice the bound on an entropy at a distance T in total variation: T log2(cells - 1) + h(T) (Audenaert 2007,
    J. Phys. A 40:8127), once for the output and once for the output given the input.

    >>> bits_at_most(0.0, 64), bits_at_most(1e-12, 64) < 1e-8
    (0.0, True)
    """
    distance = min(cells * error / max(kept, 1e-300) / (1 if kept < 1 else 2), 1.0)
    if distance == 0:
        return 0.0
    if distance >= 1 - 1 / cells:
        return math.log2(cells)
    mixed = -distance * math.log2(distance) - (1 - distance) * math.log1p(-distance) / math.log(2)
    return min(2 * (distance * math.log2(max(cells - 1, 1)) + mixed), math.log2(cells))
