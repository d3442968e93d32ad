"""Neuron, edge, neuron: for every edge of a network the value it starts from, its weight, and the value it leads to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nbwidgets_nn._arrays import as_numpy, expected
from nbwidgets_nn.kernels.added_outputs import OUTPUT, Addition, added_outputs
from nbwidgets_nn.kernels.attention_edges import attention_edges
from nbwidgets_nn.kernels.channel_edges import ChannelEdges, channel_edges
from nbwidgets_nn.kernels.computed_tensor import ComputedTensor, check_memory, empty
from nbwidgets_nn.kernels.edge_blocks import EdgeBlock, dense_block
from nbwidgets_nn.kernels.edge_statistics import EdgeStatistics, SourceMoments
from nbwidgets_nn.kernels.edges_of_layers import Edges, edges_of_layer
from nbwidgets_nn.kernels.source_units import SourceUnits, source_units
from nbwidgets_nn.kernels.strongest_edges import StrongestEdges, strongest_edges
from nbwidgets_nn.record._names import did_you_mean, kind_of
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.errors import RecordingError
from nbwidgets_nn.record.layer import Layer


def triplets(
    model: nn.Module | Activations,
    input: Any = None,  # noqa: A002
    *,
    batch_size: int | None = None,
) -> Triplets:
    """Return (source value, weight, target value) of every edge of a network, layer by layer, without holding them.

    >>> net = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> t = triplets(net, torch.ones(5, 1))
    >>> [(name, tuple(layer.shape)) for name, layer in t.items()]
    [('0', (5, 1, 2, 3)), ('2', (5, 2, 3, 3)), ('4', (5, 3, 1, 3))]
    >>> value, weight, result = t["2"][4, 1, 2]          # sample 4, from unit 1 to unit 2
    >>> bool(weight == net[2].weight[2, 1])
    True

    For each layer and output unit, the sum over inputs of value x weight, and the bias, give the result: the value that
    the layer returned, before an activation behind it. The source is what the layer really received, so behind an
    activation its output.

    Layers with edges: Linear; Conv1d, 2d, 3d; max and average pooling, also adaptive; batch norm; Flatten, Unflatten,
    Identity and Dropout, which pass values on; self-attention in three steps, "attn.value" (values of the tokens), "attn"
    (the sample's own attention weights, from token to token) and "attn.out_proj". A layer that is called again has an entry
    for each call: "step", "step:1". Other functions than additions (`F.max_pool2d`, `x.mean()`) are no calls, and have none.
    Activations work on each unit alone, and have none either.

    Additions of computed tensors on the way to a call (skip connections) have entries in front of it, also where other
    functions stand between: "relu:1.add", and of several on the way to one call "fc.add", "fc.add:1", ..., the outermost
    first. Target is the sum itself, sources are the addends as they were added; what is subtracted has weight -1. A sum of
    sums has all their addends; an addend that another call was given before stays one, as that call has its sum. Those on
    the way to what the model returns are "output.add".

    Cost: that of the recording, and for each layer a few numbers; of convolutions a table of what each place reads.
    Weights are views of the model's own, and move with them when it is trained on: then ask again.

    Args:
        model: the network; or an `Activations` recorded before, whose weights must not have changed since.
        input: as for `Activations`; left out with a recording.
        batch_size: as for `Activations`.

    Raises:
        RecordingError: the network raised.
        TypeError, ValueError: no network, no tensor, no samples, a recording with an input, or without tensors.

    Source: asked for in seed 003 of the project, which repeats and concatenates all three into one tensor.
    """
    recording = _recording(model, input, batch_size)
    return Triplets(recording, *_layers(recording))


class Triplets(Mapping[str, "LayerTriplets"]):
    """The triplets of a network: from the name of a call to its `LayerTriplets`, in the order of execution."""

    def __init__(
        self, recording: Activations, layers: dict[str, LayerTriplets], skipped: dict[str, str]
    ) -> None:
        self._layers = layers
        self.recording = recording
        """The recording that the values are from."""
        self.skipped = skipped
        """Every call that weighs or mixes its inputs and has no entry here, and why; also additions whose values are
        not to be had ("fc.add")."""

    def __getitem__(self, name: str) -> LayerTriplets:
        try:
            return self._layers[name]
        except (KeyError, TypeError):
            raise KeyError(f"no triplets of {name!r}: {self._why_not(name)}") from None

    def statistics(self, loader: Iterable[Any]) -> dict[str, EdgeStatistics]:
        """Return mean and variance of every edge's contribution over a data set, of all layers in one pass.

        Layers whose weights each sample has for itself (max pooling, attention) have none.

        Args:
            loader: as for `LayerTriplets.statistics`.

        Raises:
            ValueError: no batch, or one that is a list of inputs and labels.
            RecordingError: the network raised.
        """
        shared = {name: layer for name, layer in self.items() if not layer.block.per_sample}
        return _statistics(self.recording.network, shared, loader)

    def _why_not(self, name: object) -> str:
        if name in self.skipped:
            return self.skipped[name]
        if name in self.recording and name != "input":
            return "an activation works on each unit alone and has no edges"
        return did_you_mean(name, self._layers)

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    def __repr__(self) -> str:
        lines = [f"Triplets of {kind_of(self.recording.network)}: {len(self)} layers"]
        lines += [f"  {name}: {layer.describe()}" for name, layer in list(self.items())[:_MOST_LINES]]
        lines += [f"  and {len(self) - _MOST_LINES} more"] * (len(self) > _MOST_LINES)
        lines += [f"  {len(self.skipped)} skipped: {', '.join(list(self.skipped)[:8])}"] * bool(self.skipped)
        return "\n".join(lines)


class LayerTriplets(ComputedTensor):
    """One layer's triplets: reads as the tensor (rows, n_in, n_out, 3), and holds none of it.

    ``t[b, i, j]`` is (source value, weight, target value) of the edge from input i to output j in row b; see
    `ComputedTensor` for all that it can do. Rows are samples; of a Linear that acts on the last of several axes every
    position is a row (`row_shape`). Units are numbered as in the flattened tensor (`source_shape`, `target_shape`): of an
    image (channel, height, width). A pair that no edge joins has weight 0.

    >>> t = triplets(nn.Linear(3, 2), torch.ones(4, 3))["Linear"]
    >>> t, t[0][2][1].shape
    (LayerTriplets('Linear', Linear, shape (4, 3, 2, 3), 6 edges), torch.Size([3]))
    >>> full = torch.as_tensor(t)                      # takes the memory: here 4 * 3 * 2 * 3 numbers
    >>> sums = (full[..., 0] * full[..., 1]).sum(1) + t.bias
    >>> torch.testing.assert_close(sums, t.target)
    """

    def __init__(
        self, name: str, kind: str, edges: Edges | Addition, units: SourceUnits, recording: Activations
    ) -> None:
        self.name = name
        self.kind = kind
        self.row_shape = edges.row_shape
        """How the rows lie: (samples,), or (samples, positions)."""
        self.source_shape = edges.source_shape
        """How the input units of a row lie, (channels, height, width)."""
        self.target_shape = edges.target_shape
        """How the output units of a row lie."""
        self._edges = edges
        self._units = units
        self._recording = recording
        is_sum = isinstance(edges, Addition)
        self.addends = edges.addends if is_sum else ()
        """Of an addition, whose units each of the addends has (`SourceUnits`); the sources are as many parts."""
        device = edges.device if is_sum else edges.target.device
        shape = (math.prod(self.row_shape), math.prod(self.source_shape), math.prod(self.target_shape), 3)
        super().__init__(shape, edges.dtype, device, self._triplets_at, _INSTEAD, self._fill_planes)

    @cached_property
    def target(self) -> Tensor:
        """(rows, n_out): what the layer returned."""
        return self._edges.target

    @cached_property
    def source(self) -> Tensor:
        """(rows, n_in): what the layer received."""
        return self._edges.source()

    @cached_property
    def block(self) -> EdgeBlock:
        """The edges without values: which there are and what they weigh."""
        return self._edges.block()

    @property
    def weight(self) -> Tensor:
        """(n_out, n_in), of Linear the model's own, of others made anew; (rows, n_out, n_in) if each sample has its own.

        MemoryError where that does not fit: use `block` (`incoming`, `outgoing`, `edge_at`) instead.
        """
        return self._weight()

    @property
    def bias(self) -> Tensor | None:
        """(n_out,); None without one."""
        bias = self.block.bias
        return None if bias is None else bias.repeat_interleave(self.block.positions)

    @property
    def edges(self) -> int:
        """Number of edges in each row."""
        return self.block.edges

    @property
    def contribution(self) -> ComputedTensor:
        """(rows, n_in, n_out), computed where it is read: weight x source value, and 0 where there is no edge.

        In float32 at least: the products of coarser types can be too large for them.
        """
        return ComputedTensor(
            self.shape[:3], self._exact, self.device, self._contribution_at, _INSTEAD, self._fill_contribution
        )

    def top(
        self, k: int, by: str = "contribution", batch: int | None = None, *, target: int | None = None
    ) -> StrongestEdges:
        """Return the `k` edges that are largest in magnitude, the largest first; see `StrongestEdges`.

        >>> t = triplets(nn.Linear(5, 3), torch.ones(2, 5))["Linear"]
        >>> t.top(2, batch=1, target=0).target
        array([0, 0])

        Args:
            k: how many.
            by: "contribution", "weight" or "source". Weights that all rows share are ranked once, and shown for the first row.
            batch: rank the edges of this row alone.
            target: rank the edges into this unit alone; of weights that each sample has for itself only with ``batch``.

        Raises:
            ValueError: ``k`` is larger than the number of edges; ``by`` is none of the three; no such row or unit.
            TypeError: ``k``, ``batch`` or ``target`` is no whole number.
        """
        x, block, first = self.source, self.block, 0
        if target is not None:
            target = _checked_place(target, self.shape[2], "target", "unit")
        if batch is not None:
            first = _checked_place(batch, len(x), "batch", "row")
            x, block = x[first : first + 1], block.of_sample(first)
        y = self.target[first : first + len(x)]
        if target is None:
            return strongest_edges(x, block, y, k, by, first_row=first)
        if block.per_sample and len(x) > 1:
            raise ValueError(expected("batch", "a row, as each has weights of its own", "None", "batch=0"))
        inputs, weights = block.incoming(target)
        found = strongest_edges(
            x[:, inputs], dense_block(weights[None]), y[:, target, None], k, by, first_row=first
        )
        return replace(found, source=as_numpy(inputs)[found.source], target=np.full(len(found), target))

    def statistics(self, loader: Iterable[Any]) -> EdgeStatistics:
        """Return mean and variance of every edge's contribution over a data set, in one pass.

        With weights that all samples share, the mean is ``w * mean(x)`` and the variance ``w**2 * var(x)``, so that two
        numbers for each input are all that is kept.

        Args:
            loader: inputs of the network, batch by batch, each as for `Activations`; of (input, label) pairs give
                ``(x for x, _ in loader)``.

        Raises:
            ValueError: no batch, one that is a list of inputs and labels, or weights that each sample has for itself (attention, max pooling).
            RecordingError: the network raised.
        """
        if self.block.per_sample:
            hint = "t.contribution of one batch"
            came = f"those of {self.kind}, which each sample has for itself"
            raise ValueError(expected("weights", "ones that all samples share", came, hint))
        return _statistics(self._recording.network, {self.name: self}, loader)[self.name]

    def by_channel(self, in_groups: Any = None) -> ChannelEdges:
        """Return the edges from channel to channel, summed over positions, without forming those between positions.

        Of a Linear that takes flattened feature maps, the input channels are those of the maps; the recording knows
        them. A Linear that takes single units is returned as it is.

        Args:
            in_groups: for a Linear, which input channel each input is part of: (n_in,) numbers from 0, or how many
                channels of equal size lie one after the other. None: as the recording has it.

        Raises:
            ValueError: ``in_groups`` does not fit.
            MemoryError: (rows, out_channels, in_channels) do not fit.
        """
        if in_groups is None and self.block.is_dense:
            in_groups = self._units.groups
        weight_is = "mean attention" if self.kind == "MultiheadAttention" and self.block.per_sample else ""
        return channel_edges(self.source, self.target, self.block, in_groups, weight_is)

    def source_name(self, unit: int) -> str:
        """Name an input unit after the layer that it is of, as selections do: "relu2:4".

        In feature maps, "conv1[2, 4, 5]" is channel 2 at row 4, column 5.
        """
        number = _checked_unit(unit, self.shape[1])
        parts = self.addends or (self._units,)
        part, place = divmod(number, self.shape[1] // len(parts))
        units = parts[part]
        if units.order is None:
            return _unit_name(f"input of {self.name}", self.source_shape, number)
        return _unit_name(units.layer, units.shape, int(units.order[place]))

    def target_name(self, unit: int) -> str:
        """Name an output unit: "fc1:3"."""
        return _unit_name(self.name, self.target_shape, unit)

    def describe(self) -> str:
        """Say in a few words what this is."""
        return f"{self.kind}, shape {tuple(self.shape)}, {self.edges:,} edge{'' if self.edges == 1 else 's'}"

    def __repr__(self) -> str:
        return f"LayerTriplets({self.name!r}, {self.describe()})"

    @property
    def _exact(self) -> torch.dtype:
        return torch.promote_types(self.dtype, torch.float32)

    def _weight(self) -> Tensor:
        if not self.block.is_dense:
            samples = len(self.source) if self.block.per_sample else 1
            check_memory((samples, self.shape[2], self.shape[1]), self.dtype, _INSTEAD, self.device)
        return self.block.matrix

    def _triplets_at(self, row: Tensor, source: Tensor, target: Tensor, which: Tensor) -> Tensor:
        planes = (
            lambda: self.source[row, source],
            lambda: self.block.edge_at(row, source, target)[0],
            lambda: self.target[row, target],
        )
        first, *rest = which.unique().tolist() or [0]
        values = planes[first]().to(self.dtype)
        for plane in rest:
            values = torch.where(which == plane, planes[plane]().to(self.dtype), values)
        return values.expand(torch.broadcast_shapes(values.shape, which.shape))

    def _contribution_at(self, row: Tensor, source: Tensor, target: Tensor) -> Tensor:
        weights, there = self.block.edge_at(row, source, target)
        return (weights.to(self._exact) * self.source[row, source]).where(there, 0)

    def _empty(self, dtype: torch.dtype) -> Tensor:
        # Plane by plane: each of the three is written in one stream.
        return empty((3, *self.shape[:3]), dtype, self.device).movedim(0, -1)

    def _fill_planes(self, out: Tensor) -> None:
        source, weight, target = out.unbind(-1)
        source.copy_(self.source[:, :, None].expand_as(source))
        weight.copy_(self._weight().mT.contiguous().expand_as(weight))
        target.copy_(self.target[:, None].expand_as(target))

    def _fill_contribution(self, out: Tensor) -> None:
        if self.block.is_dense:
            torch.mul(self.source[:, :, None].to(self._exact), self._weight().mT.contiguous(), out=out)
        else:
            out.copy_(self.contribution[:])


_INSTEAD = "read what you need: t[b, i, j], t.top(k), t.block.incoming(j)"
_MOST_LINES = 24


def _recording(model: Any, value: Any, batch_size: int | None) -> Activations:
    if not isinstance(model, Activations):
        return Activations(model, value, batch_size=batch_size)
    if value is not None or batch_size is not None:
        came = "one, though the recording has its own"
        raise ValueError(expected("input", "none with a recording", came, "triplets(recording)"))
    if model.shapes_only:
        raise ValueError(
            expected(
                "model", "a recording with tensors", "one made with shapes_only=True", "record it without"
            )
        )
    return model


def _layers(
    recording: Activations, wanted: Iterable[str] | None = None
) -> tuple[dict[str, LayerTriplets], dict[str, str]]:
    """Return what there is, or of it what is wanted, and why the rest of it is not there."""
    layers: dict[str, LayerTriplets] = {}
    skipped: dict[str, str] = {}
    sums, without = added_outputs(recording, wanted)
    for layer in map(recording.__getitem__, recording):
        if layer.module is None:
            continue
        layers |= _additions(recording, sums, layer.name)
        if wanted is not None and not {layer.name, f"{layer.name}.value", f"{layer.name}.out_proj"} & set(
            wanted
        ):
            continue
        try:
            layers |= _entries(recording, layer)
        except ValueError as error:
            if not _is_pointwise(layer):
                skipped[layer.name] = str(error)
    layers |= _additions(recording, sums, OUTPUT)
    return layers, skipped | without


def _additions(
    recording: Activations, sums: Mapping[str, Mapping[str, Addition]], call: str
) -> dict[str, LayerTriplets]:
    return {
        name: LayerTriplets(name, "Add", addition, SourceUnits(), recording)
        for name, addition in sums.get(call, {}).items()
    }


def _entries(recording: Activations, layer: Layer) -> dict[str, LayerTriplets]:
    if isinstance(layer.module, nn.MultiheadAttention):
        steps = attention_edges(layer)
    else:
        steps = {layer.name: edges_of_layer(layer)}
    # What feeds the layer feeds its first step; a further step takes what the one before it gives.
    fed = next(iter(steps))
    return {
        name: LayerTriplets(
            name,
            layer.kind,
            edges,
            source_units(recording, layer) if name == fed else SourceUnits(),
            recording,
        )
        for name, edges in steps.items()
    }


def _is_pointwise(layer: Layer) -> bool:
    """Whether the layer is an activation that works on each unit alone, and has no weights."""
    mixes = isinstance(layer.module, nn.Softmax | nn.Softmax2d | nn.LogSoftmax | nn.Softmin | nn.GLU)
    return layer.is_activation and not mixes and not layer.parameters


def _statistics(
    network: nn.Module, layers: dict[str, LayerTriplets], loader: Iterable[Any]
) -> dict[str, EdgeStatistics]:
    moments = {name: SourceMoments(layer.shape[1]) for name, layer in layers.items()}
    for batch in loader:
        recording = _of_batch(network, batch)
        found = Triplets(recording, *_layers(recording, layers))
        for name, one in moments.items():
            one.update(found[name].source)
    return {name: one.statistics(layers[name].block) for name, one in moments.items()}


def _of_batch(network: nn.Module, batch: Any) -> Activations:
    """Record a batch; ValueError if it is several tensors, inputs and labels say, that the network does not take."""
    try:
        return Activations(network, batch)
    except RecordingError as error:
        if not isinstance(batch, list | tuple):
            raise
        what, came = "batches that the network takes", f"a {type(batch).__name__} of {len(batch)}"
        raise ValueError(expected("loader", what, came, "(x for x, _ in loader)")) from error


def _unit_name(layer: str, shape: tuple[int, ...], unit: int) -> str:
    unit = _checked_unit(unit, math.prod(shape))
    if len(shape) < 2:
        return f"{layer}:{unit}"
    return f"{layer}[{', '.join(map(str, np.unravel_index(unit, shape)))}]"


def _checked_unit(unit: int, units: int) -> int:
    if not -units <= unit < units:
        raise IndexError(expected("unit", f"a number from 0 to {units - 1:,}", f"{unit:,}"))
    return unit % units


def _checked_place(place: int, count: int, name: str, noun: str) -> int:
    """Return the number of a row or unit, from 0."""
    what = f"a {noun} from 0 to {count - 1:,}, or None for all"
    if isinstance(place, bool) or not isinstance(place, int | np.integer):
        raise TypeError(expected(name, what, repr(place)))
    if not -count <= place < count:
        raise ValueError(expected(name, what, f"{place:,}"))
    return int(place) % count
