"""Which input positions each place of a sliding window reads: a table of numbers, for every padding there is.

One axis at a time, because padding, stride and dilation of the axes do not know each other; `combined` makes the
table over all axes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

OUTSIDE = -1


def sliding(
    size: int, places: int, window: int, stride: int, before: int, dilation: int, padding: str = "zeros"
) -> Tensor:
    """Return (places, window) positions on an axis of `size`; `OUTSIDE` where the window reaches into zeros.

    Args:
        size: positions of the input.
        places: positions of the output.
        window: taps of the kernel.
        stride, before, dilation: as in torch; `before` is the padding in front of the first position.
        padding: "zeros", "reflect", "replicate" or "circular".

    >>> sliding(4, 4, 3, stride=1, before=1, dilation=1).tolist()
    [[-1, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, -1]]
    >>> sliding(4, 4, 3, stride=1, before=1, dilation=1, padding="reflect").tolist()
    [[1, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 2]]
    """
    at = torch.arange(places)[:, None] * stride - before + torch.arange(window) * dilation
    if padding == "circular":
        return at % size
    if padding == "replicate":
        return at.clamp(0, size - 1)
    if padding == "reflect":
        back = at % max(2 * (size - 1), 1)
        return torch.minimum(back, 2 * (size - 1) - back)
    return at.masked_fill((at < 0) | (at >= size), OUTSIDE)


def adaptive(size: int, places: int) -> Tensor:
    """Return the positions of torch's adaptive poolings, whose windows differ in length; `OUTSIDE` fills the short ones.

    >>> adaptive(5, 2).tolist()
    [[0, 1, 2], [2, 3, 4]]
    """
    place = torch.arange(places)
    start, stop = place * size // places, -(-(place + 1) * size // places)
    at = start[:, None] + torch.arange(int((stop - start).max()))
    return at.masked_fill(at >= stop[:, None], OUTSIDE)


def combined(axes: Sequence[Tensor], sizes: Sequence[int]) -> Tensor:
    """Return (places, taps) positions in the flattened input, from the tables of its axes, in torch's order.

    >>> combined([torch.tensor([[0, 1]]), torch.tensor([[0], [2]])], (2, 3)).tolist()
    [[0, 3], [2, 5]]
    """
    found = torch.zeros(1, 1, dtype=torch.long)
    for axis, size in zip(axes, sizes, strict=True):
        outer, inner = found[:, None, :, None], axis[None, :, None, :]
        both = (outer * size + inner).masked_fill((outer == OUTSIDE) | (inner == OUTSIDE), OUTSIDE)
        found = both.flatten(0, 1).flatten(1, 2)
    return found
