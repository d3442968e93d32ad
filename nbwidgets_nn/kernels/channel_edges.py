"""The edges between channels: those of their positions, summed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nbwidgets_nn._arrays import as_numpy, expected
from nbwidgets_nn.kernels.computed_tensor import check_memory
from nbwidgets_nn.kernels.edge_blocks import EdgeBlock
from nbwidgets_nn.kernels.window_reach import OUTSIDE


@dataclass(frozen=True, eq=False)
class ChannelEdges:
    """Edges from input channels to output channels, summed over positions; all float32, in the layer's own order.

    For every row and output channel, the contributions of all input channels and the bias sum to the target.
    """

    source: NDArray[np.float32] = field(repr=False)
    """(rows, in_channels): what the layer received, summed over the positions of the channel."""

    weight: NDArray[np.float32] = field(repr=False)
    """(out_channels, in_channels): the sum of the kernel; of a Linear fed by feature maps, of the channel's weights.
    The mean over samples and places, where those have weights of their own (attention)."""

    target: NDArray[np.float32] = field(repr=False)
    """(rows, out_channels): what the layer returned, summed over positions."""

    bias: NDArray[np.float32] | None = field(repr=False)
    """(out_channels,): the bias times the positions that it was added at; None without one."""

    summed: NDArray[np.float32] | None = field(repr=False)
    """(rows, out_channels, in_channels), or None where a channel is one unit: then it is weight x source."""

    weight_is: str = "weight"
    """What `weight` is: "weight", "kernel sum", "sum of weights", "mean attention", ..."""

    @property
    def contribution(self) -> NDArray[np.float32]:
        """(rows, out_channels, in_channels): what each channel adds to the target; made anew where `summed` is None."""
        if self.summed is not None:
            return self.summed
        check_memory(
            (len(self.source), *self.weight.shape), torch.float32, "one row: edges.weight * edges.source[0]"
        )
        return self.weight * self.source[:, None]

    def __str__(self) -> str:
        rows, (outputs, inputs) = len(self.source), self.weight.shape
        return f"edges of {inputs:,} x {outputs:,} channels, {rows:,} row{'s' * (rows != 1)}, by {self.weight_is}"


def channel_edges(
    x: Tensor, y: Tensor, block: EdgeBlock, in_groups: Any = None, weight_is: str = ""
) -> ChannelEdges:
    """Sum a block's edges over positions.

    Args:
        x, y: (rows, n_in) and (rows, n_out), the values at the ends.
        block: the edges.
        in_groups: for a dense block (one position) which input channel each input unit is part of: (n_in,) numbers from
            0; or how many channels there are, of equally many units one after the other. None: each unit is its own.
        weight_is: what to call the weights.

    Raises:
        ValueError: ``in_groups`` does not fit.
        MemoryError: (rows, out_channels, in_channels) do not fit.
    """
    exact = torch.promote_types(torch.float32, torch.promote_types(x.dtype, block.kernel.dtype))
    x, y = x.to(exact), y.to(exact)
    block = replace(block, kernel=block.kernel.to(exact))
    if block.is_dense and not block.per_sample:
        return _of_dense(x, y, block, _groups(in_groups, block.n_in), weight_is)
    if in_groups is not None:
        came = f"{in_groups!r} for a layer that has {block.in_channels} channels itself"
        raise ValueError(expected("in_groups", "None", came))
    check_memory((len(x), block.out_channels, block.in_channels), exact, "record fewer samples")
    seen = _sums_of_taps(x, block)
    kernel = block.kernel_of_groups
    contribution = _between_groups(torch.einsum("bgcrt,bgocrt->bgoc", seen, kernel))
    weight = _between_groups(kernel.sum(dim=5).mean(dim=(0, 4))[None])[0]
    bias = None if block.bias is None else block.bias * block.positions
    source = x.reshape(len(x), block.in_channels, -1).sum(dim=2)
    target = y.reshape(len(y), block.out_channels, -1).sum(dim=2)
    return ChannelEdges(
        *map(_single, (source, weight, target, bias, contribution)), weight_is or "kernel sum"
    )


def joined_in_groups(edges: ChannelEdges, groups: int) -> tuple[ChannelEdges, NDArray[np.int64]]:
    """Return the edges that a grouped layer has, without the pairs of channels that nothing joins.

    >>> edges = ChannelEdges(np.ones((1, 4)), np.eye(4), np.ones((1, 4)), None, np.eye(4)[None])
    >>> own, ends = joined_in_groups(edges, 4)
    >>> own.weight.tolist(), ends.tolist()
    ([1.0, 1.0, 1.0, 1.0], [[0, 0], [1, 1], [2, 2], [3, 3]])

    Args:
        edges: between all channels, out_channels x in_channels.
        groups: how many groups of input channels feed as many groups of output channels, each its own.

    Returns:
        ``weight`` (edges,) and ``summed`` (rows, edges), the rest as it is; and (edges, 2) the input and output of each.
    """
    outputs, inputs = (np.arange(size) // (size // groups) for size in edges.weight.shape)
    output, input = np.nonzero(outputs[:, None] == inputs)  # noqa: A001 - as in `EdgeBlock`
    summed = None if edges.summed is None else edges.summed[:, output, input]
    own = replace(edges, weight=edges.weight[output, input], summed=summed)
    return own, np.stack([input, output], axis=1)


def _of_dense(x: Tensor, y: Tensor, block: EdgeBlock, groups: Tensor | None, weight_is: str) -> ChannelEdges:
    W = block.matrix
    if groups is None:
        return ChannelEdges(*map(_single, (x, W, y, block.bias, None)), weight_is or "weight")
    channels = int(groups.max()) + 1
    groups = groups.to(x.device)
    check_memory((len(x), len(W), channels), x.dtype, "record fewer samples")
    source = x.new_zeros(len(x), channels).index_add_(1, groups, x)
    weight = W.new_zeros(len(W), channels).index_add_(1, groups, W)
    contribution = x.new_empty(len(x), len(W), channels)
    for channel in range(channels):
        units = (groups == channel).nonzero()[:, 0]
        contribution[:, :, channel] = x[:, units] @ W[:, units].T
    return ChannelEdges(
        *map(_single, (source, weight, y, block.bias, contribution)), weight_is or "sum of weights"
    )


def _groups(in_groups: Any, n_in: int) -> Tensor | None:
    """Return (n_in,) channel numbers; None where every unit is a channel."""
    if in_groups is None:
        return None
    if isinstance(in_groups, int | np.integer):
        if in_groups < 1 or n_in % in_groups:
            raise ValueError(expected("in_groups", f"a divisor of the {n_in:,} inputs", f"{in_groups}"))
        return torch.arange(n_in) // (n_in // int(in_groups))
    groups = torch.as_tensor(as_numpy(in_groups) if isinstance(in_groups, Tensor) else np.asarray(in_groups))
    if groups.shape != (n_in,) or groups.is_floating_point() or int(groups.min()) < 0:
        came = f"shape {tuple(groups.shape)} of {groups.dtype}"
        raise ValueError(
            expected("in_groups", f"a channel number, from 0, for each of {n_in:,} inputs", came)
        )
    return groups.long()


def _sums_of_taps(x: Tensor, block: EdgeBlock) -> Tensor:
    """Return what each tap reads, summed over the positions of a run: (rows, groups, in_channels / groups, runs, taps)."""
    if block.runs > 1 or block.reach.shape[:2] != (1, 1):
        pieces = [part.gather(x).sum(dim=4) for _, part in block.parts(len(x))]
        return torch.cat(pieces, dim=3) if block.runs > 1 else sum(pieces)
    # How often a tap reads each input is quickly counted; gathering would copy the input for every tap.
    reach = block.reach[0, 0]
    taps = torch.arange(block.taps, device=x.device).expand_as(reach)
    there = reach != OUTSIDE
    read = x.new_zeros(block.in_positions, block.taps)
    read.index_put_((reach[there], taps[there]), x.new_ones(()), accumulate=True)
    seen = x.reshape(-1, block.in_positions) @ read
    return seen.reshape(len(x), block.groups, -1, 1, block.taps)


def _between_groups(values: Tensor) -> Tensor:
    """Return (rows, out_channels, in_channels) from (rows, groups, out_channels / groups, in_channels / groups)."""
    rows, groups, outputs, inputs = values.shape
    whole = values.new_zeros(rows, groups, outputs, groups, inputs)
    each = torch.arange(groups, device=values.device)
    whole[:, each, :, each] = values.transpose(0, 1)
    return whole.reshape(rows, groups * outputs, groups * inputs)


def _single(values: Tensor | None) -> NDArray[np.float32] | None:
    return None if values is None else as_numpy(values.float())
