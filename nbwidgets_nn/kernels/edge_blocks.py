"""The edges of one layer without their matrix: a kernel, and a table of what each place reads.

A convolution from 64 to 64 channels on 224 x 224 pixels has 1.8 billion edges, and its matrix would have ten million
million entries; kernel and table are 4 MB. The same two describe every layer that sums its inputs with weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.kernels.window_reach import OUTSIDE

TILE = 2**22
"""Numbers held at once: 16 MB of float32."""


@dataclass(frozen=True, eq=False, repr=False)
class EdgeBlock:
    """All edges of one layer: ``y = W x + bias``, where W is known by its parts.

    Units are numbered as a flattened (channels, positions) tensor: input ``i = channel * in_positions + position``, and
    outputs likewise. Output channel o at place p is ``sum over c, t of kernel[o, c, t] x[c, reach[p, t]] + bias[o]``.

    * Linear: one position, one tap. Convolution: taps are the cells of the kernel. Pooling: as many groups as channels.
    * Batch norm, Flatten: one tap, as many groups as channels, and every place reads itself.
    * Max pooling: every sample has a table of its own. Attention: every sample has weights of its own, tokens are the
      channels, and the positions of one head are a run.

    An edge is there where a kernel reaches, also with weight 0; two taps that read the same input (circular padding of a
    small image) are one edge with the sum of their weights. Treat the tensors as read-only: they can be the model's own.

    >>> block = dense_block(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    >>> block, block.apply(torch.tensor([[10.0, 1.0]])), block.incoming(1)
    (EdgeBlock(2 inputs, 2 outputs, 4 edges), tensor([[12., 34.]]), (tensor([0, 1]), tensor([3., 4.])))
    """

    kernel: Tensor
    """(samples or 1, out_channels, in_channels / groups, runs, taps). The positions divide into `runs` equal runs that
    share a kernel: one run in a convolution."""

    reach: Tensor
    """(samples or 1, groups or 1, positions, taps) int64: the input position of each tap, or `OUTSIDE`."""

    in_positions: int
    groups: int = 1
    bias: Tensor | None = None
    """(out_channels,)"""

    per_sample: bool = False
    """Whether each sample has edges or weights of its own."""

    @property
    def positions(self) -> int:
        """Places of an output channel."""
        return self.reach.shape[2]

    @property
    def in_channels(self) -> int:
        """Channels of the input."""
        return self.groups * self.kernel.shape[2]

    @property
    def out_channels(self) -> int:
        """Channels of the output."""
        return self.kernel.shape[1]

    @property
    def n_in(self) -> int:
        """Number of input units."""
        return self.in_channels * self.in_positions

    @property
    def n_out(self) -> int:
        """Number of output units."""
        return self.out_channels * self.positions

    @property
    def is_dense(self) -> bool:
        """Whether every input feeds every output, as in Linear: the kernel is the matrix."""
        return self.positions == self.in_positions == self.groups == self.taps == 1

    @property
    def taps(self) -> int:
        """How many input positions a place reads in each channel."""
        return self.reach.shape[3]

    @cached_property
    def edges(self) -> int:
        """Number of edges, of one sample if each has its own."""
        there = self.reach[:1].sort(dim=-1).values
        new = torch.ones_like(there, dtype=torch.bool)
        new[..., 1:] = there[..., 1:] != there[..., :-1]
        each = int((new & (there != OUTSIDE)).sum())
        shared = self.groups // self.reach.shape[1]
        return each * shared * self.kernel.shape[2] * (self.out_channels // self.groups)

    def apply(self, x: Tensor) -> Tensor:
        """Return ``W x + bias``: (samples, n_out) from (samples, n_in)."""
        if self.is_dense and not self.per_sample:
            W = self.matrix
            x, W = _alike(x, W)
            return x @ W.T if self.bias is None else torch.addmm(self.bias.to(W.dtype), x, W.T)
        y = torch.cat([part._sums(x) for _, part in self.parts(len(x))], dim=2)  # noqa: SLF001 - the same class
        if self.bias is not None:
            y = y + self.bias[:, None]
        return y.flatten(1)

    def of_samples(self, start: int, stop: int) -> EdgeBlock:
        """Return the edges of some samples."""
        kernel, reach = (t[start:stop] if len(t) > 1 else t for t in (self.kernel, self.reach))
        return replace(self, kernel=kernel, reach=reach)

    def of_sample(self, sample: int) -> EdgeBlock:
        """Return the edges of one sample, as a block that all samples share."""
        kernel, reach = (t[sample][None] if len(t) > 1 else t for t in (self.kernel, self.reach))
        return replace(self, kernel=kernel, reach=reach, per_sample=False)

    def incoming(self, output: int, sample: int = 0) -> tuple[Tensor, Tensor]:
        """Return the inputs that feed an output, in order, and their weights; of one sample if each has its own."""
        channel, place = divmod(_in_range(output, self.n_out, "output"), self.positions)
        within = self.kernel.shape[2]
        group = channel // (self.out_channels // self.groups)
        block = self.of_sample(sample)
        reach = block.reach[0, group if block.reach.shape[1] > 1 else 0, place]
        weights = block.kernel[0, channel, :, self._run(place)]
        at, tap = reach.unique(return_inverse=True)
        summed = weights.new_zeros(within, len(at)).index_add_(1, tap, weights)
        there = at != OUTSIDE
        channels = group * within + torch.arange(within, device=at.device)
        return (channels[:, None] * self.in_positions + at[there]).flatten(), summed[:, there].flatten()

    def outgoing(self, input: int, sample: int = 0) -> tuple[Tensor, Tensor]:  # noqa: A002
        """Return the outputs that an input feeds, in order, and their weights; of one sample if each has its own."""
        channel, position = divmod(_in_range(input, self.n_in, "input"), self.in_positions)
        group, within = divmod(channel, self.kernel.shape[2])
        block = self.of_sample(sample)
        reach = block.reach[0, group if block.reach.shape[1] > 1 else 0]
        place, tap = (reach == position).nonzero(as_tuple=True)
        places, which = place.unique(return_inverse=True)
        weights = block.kernel_of_groups[0, group, :, within][:, self._run(place), tap]
        summed = weights.new_zeros(len(weights), len(places)).index_add_(1, which, weights)
        channels = group * len(weights) + torch.arange(len(weights), device=places.device)
        return (channels[:, None] * self.positions + places).flatten(), summed.flatten()

    def edge_at(self, sample: Tensor, input: Tensor, output: Tensor) -> tuple[Tensor, Tensor]:  # noqa: A002
        """Return the weights of (sample, input, output), 0 where there is no edge, and whether there is one.

        Index tensors that broadcast; so does what is returned.
        """
        if self.is_dense:
            weights = self.kernel[sample if len(self.kernel) > 1 else 0, output, input, 0, 0]
            return weights, torch.ones_like(weights, dtype=torch.bool)
        shape = torch.broadcast_shapes(sample.shape, input.shape, output.shape)
        indices = [index.expand(shape).flatten() for index in (sample, input, output)]
        rows = max(1, TILE // self.taps)
        pieces = [self._edges(*piece) for piece in zip(*(i.split(rows) for i in indices), strict=True)]
        weights, there = (torch.cat(values).reshape(shape) for values in zip(*pieces, strict=True))
        return weights, there

    @property
    def matrix(self) -> Tensor:
        """W as (n_out, n_in), or (samples, n_out, n_in): of a dense block a view of its kernel, of others made anew."""
        W = self.kernel[..., 0, 0] if self.is_dense else self._scattered()
        return W if self.per_sample else W[0]

    def gather(self, x: Tensor) -> Tensor:
        """Return what every tap reads: (samples, groups, in_channels / groups, runs, positions of a run, taps), 0 outside."""
        x = x.reshape(len(x), self.groups, -1, self.in_positions)
        index = self.reach.clamp(min=0)
        if index.shape[:2] == (1, 1):
            read = x.index_select(3, index.flatten()).unflatten(3, index.shape[2:])
        else:
            index = index.flatten(2)[:, :, None].expand(*x.shape[:3], -1)
            read = x.gather(3, index).unflatten(3, self.reach.shape[2:])
        read = read.masked_fill_((self.reach == OUTSIDE)[:, :, None], 0)
        return read.unflatten(3, (self.runs, -1))

    @property
    def kernel_of_groups(self) -> Tensor:
        """The kernel as (samples or 1, groups, out_channels / groups, in_channels / groups, runs, taps)."""
        return self.kernel.unflatten(1, (self.groups, -1))

    @property
    def runs(self) -> int:
        """Into how many runs the positions divide that share a kernel."""
        return self.kernel.shape[3]

    def parts(self, samples: int) -> Iterator[tuple[int, EdgeBlock]]:
        """Yield (first position, part): the block in pieces small enough to gather `samples` samples at once.

        A part has all inputs, and the outputs at its positions: (samples, out_channels, positions of the part).
        """
        steps, length = (self.positions, 1) if self.runs == 1 else (self.runs, self.positions // self.runs)
        cost = samples * self.in_channels * self.taps * length
        if self.runs > 1:
            cost += self.kernel[:, :, :, 0].numel()
        size = max(1, TILE // max(cost, 1))
        for start in range(0, steps, size):
            yield start * length, self.part(start, min(start + size, steps))

    def part(self, start: int, stop: int) -> EdgeBlock:
        """Return the outputs of the runs from `start` to `stop`; of the positions, where there is but one run."""
        if (start, stop) == (0, self.positions if self.runs == 1 else self.runs):
            return self
        if self.runs == 1:
            return replace(self, reach=self.reach[:, :, start:stop])
        length = self.positions // self.runs
        return replace(
            self,
            kernel=self.kernel[:, :, :, start:stop],
            reach=self.reach[:, :, start * length : stop * length],
        )

    def merged(self) -> EdgeBlock:
        """Return the block with one tap for every edge: where two read the same input, the first has both weights.

        The block itself where no place reads an input twice. Otherwise each position gets a kernel of its own, so call
        it on `parts`.
        """
        same = self.reach[..., :, None] == self.reach[..., None, :]
        first = same.int().argmax(dim=-1)
        repeats = (first != torch.arange(self.taps, device=first.device)) & (self.reach != OUTSIDE)
        if not repeats.any():
            return self
        kernel = self.kernel.repeat_interleave(self.positions // self.runs, dim=3)
        index = first[:, 0, None, None].expand_as(kernel)  # only shared tables repeat an input
        merged = torch.zeros_like(kernel).scatter_add_(4, index, kernel)
        return replace(self, kernel=merged, reach=self.reach.masked_fill(repeats, OUTSIDE))

    def _sums(self, x: Tensor) -> Tensor:
        read, kernel = _alike(self.gather(x), self.kernel_of_groups)
        y = torch.einsum("bgcrqt,bgocrt->bgorq", read, kernel)
        return y.flatten(1, 2).flatten(2)

    def _scattered(self) -> Tensor:
        """Form the matrix of what is not dense: (samples or 1, n_out, n_in)."""
        samples, groups = max(len(self.kernel), len(self.reach)), self.groups
        kernel = self.kernel_of_groups.repeat_interleave(self.positions // self.runs, dim=4).transpose(3, 4)
        kernel = kernel.expand(samples, *kernel.shape[1:])
        outside = (self.reach == OUTSIDE)[:, :, None, :, None]
        index = self.reach.clamp(min=0)[:, :, None, :, None].expand_as(kernel)
        of_group = kernel.new_zeros(*kernel.shape[:-1], self.in_positions)
        of_group.scatter_add_(-1, index, kernel.masked_fill(outside, 0))
        if groups > 1:  # no group reads what another one reads
            within, each = of_group, torch.arange(groups, device=kernel.device)
            of_group = kernel.new_zeros(*kernel.shape[:4], groups, *within.shape[4:])
            of_group[:, each, :, :, each] = within.transpose(0, 1)
        return of_group.reshape(samples, self.n_out, self.n_in)

    def _run(self, position: Any) -> Any:
        return position // (self.positions // self.runs)

    def _edges(self, sample: Tensor, input: Tensor, output: Tensor) -> tuple[Tensor, Tensor]:  # noqa: A002
        out_channel, place = output // self.positions, output % self.positions
        in_channel, position = input // self.in_positions, input % self.in_positions
        group = out_channel // (self.out_channels // self.groups)
        within = self.kernel.shape[2]
        reach = self.reach[
            sample if len(self.reach) > 1 else 0, group if self.reach.shape[1] > 1 else 0, place
        ]
        weights = self.kernel[
            sample if len(self.kernel) > 1 else 0, out_channel, in_channel % within, self._run(place)
        ]
        hit = (reach == position[:, None]) & (in_channel // within == group)[:, None]
        return weights.where(hit, 0).sum(dim=1), hit.any(dim=1)

    def __repr__(self) -> str:
        own = ", each sample its own" if self.per_sample else ""
        counts = ((self.n_in, "input"), (self.n_out, "output"), (self.edges, "edge"))
        parts = [f"{count:,} {noun}{'' if count == 1 else 's'}" for count, noun in counts]
        return f"EdgeBlock({', '.join(parts)}{own})"


def dense_block(weight: Tensor, bias: Tensor | None = None) -> EdgeBlock:
    """Every input feeds every output: `weight` (n_out, n_in), as in Linear."""
    here = torch.zeros(1, 1, 1, 1, dtype=torch.long, device=weight.device)
    return EdgeBlock(weight[None, :, :, None, None], here, 1, bias=bias)


def diagonal_block(scale: Tensor, positions: int, bias: Tensor | None = None) -> EdgeBlock:
    """Every input feeds its own output alone, with the weight of its channel: `scale` (channels,)."""
    here = torch.arange(positions, device=scale.device)[None, None, :, None]
    return EdgeBlock(scale[None, :, None, None, None], here, positions, groups=len(scale), bias=bias)


def sum_block(units: int, addends: int, like: Tensor) -> EdgeBlock:
    """Output k is the sum of the k-th units of several addends, which are given one after the other.

    >>> sum_block(2, 2, torch.ones(1)).matrix.tolist()
    [[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]]
    """
    first = torch.arange(units, device=like.device)[:, None]
    reach = first + units * torch.arange(addends, device=like.device)
    return EdgeBlock(like.new_ones(1, 1, 1, 1, addends), reach[None, None], units * addends)


def _alike(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Give both the dtype that holds both: under autocast a layer's input is coarser than its weights."""
    dtype = torch.promote_types(x.dtype, weight.dtype)
    return x.to(dtype), weight.to(dtype)


def _in_range(unit: int, units: int, name: str) -> int:
    if not -units <= unit < units:
        raise IndexError(expected(name, f"a unit from 0 to {units - 1:,}", f"{unit:,}"))
    return unit % units
