"""Values of units summed over their positions: of a feature map over its places, of tokens over time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


def with_channels_first(tensor: Tensor, axis: int | None) -> Tensor:
    """Move the axis that counts units behind the samples.

    >>> import torch
    >>> with_channels_first(torch.zeros(2, 5, 5, 3), 3).shape
    torch.Size([2, 3, 5, 5])
    """
    return tensor if axis in (None, 0, 1) else tensor.movedim(axis, 1)


def sum_over_positions(tensor: Tensor, axis: int | None, units: int = -1) -> NDArray[np.float32]:
    """Return (samples, units): the sums over all other axes.

    Args:
        tensor: (samples, ...).
        axis: that counts units.
        units: how many, where several numbers along the axis, one after the other, are one unit's.

    >>> import torch
    >>> sum_over_positions(torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]), 2)
    array([[4., 6.]], dtype=float32)
    """
    first = with_channels_first(tensor, axis)
    count = first.shape[1] if units < 0 and first.ndim > 1 else max(units, 1)
    return first.reshape(len(first), count, -1).float().sum(dim=2).cpu().numpy()


def mean_over_positions(tensor: Tensor, axis: int | None, units: int) -> tuple[NDArray[np.float32], int]:
    """Return (samples, units) means, and over how many positions they are."""
    positions = tensor[0].numel() // units
    return sum_over_positions(tensor, axis, units) / positions, positions
