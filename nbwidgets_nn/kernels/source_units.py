"""Which layer's units a layer takes, and in which channel of feature maps each of them lies."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.layer import Layer


@dataclass(frozen=True, eq=False)
class SourceUnits:
    """The input units of a layer, as units of the layer that they are from."""

    layer: str = ""
    """Name of the layer; "" where several feed this one, or it is not known."""

    shape: tuple[int, ...] = ()
    """Of one sample's output of that layer."""

    groups: Tensor | None = None
    """(n_in,) the channel of each input unit; None where every input is a unit of its own."""


def source_units(recording: Activations, layer: Layer, n_in: int) -> SourceUnits:
    """Find the layer behind; through Flatten and activations the one that has feature maps, if the units are theirs."""
    nearest = maps = None
    while True:
        names = layer.input_of or (layer.fed_by if len(layer.fed_by) == 1 else ())
        if not names:
            break
        nearest = nearest or recording[names[0]]
        maps = next((found for found in map(recording.__getitem__, names) if _has_maps(found)), None)
        layer = recording[names[-1]]
        if maps is not None or not layer.is_activation:
            break
    if nearest is None or nearest.output_shape is None:
        return SourceUnits()
    if maps is None:
        return SourceUnits(nearest.name, tuple(nearest.output_shape[1:]))
    return SourceUnits(maps.name, tuple(maps.output_shape[1:]), _channels(maps, n_in))


def _has_maps(layer: Layer) -> bool:
    shape, axis = layer.output_shape, layer.channel_axis
    return shape is not None and len(shape) > 2 and axis in (1, len(shape) - 1) and shape[axis] > 1


def _channels(maps: Layer, n_in: int) -> Tensor | None:
    """Return the channel of each of `n_in` flattened values; there can be fewer positions than in the maps, after a pooling."""
    shape, axis = maps.output_shape, maps.channel_axis
    channels = shape[axis]
    if n_in % channels or n_in == channels:
        return None
    numbers = torch.arange(channels)
    return numbers.repeat_interleave(n_in // channels) if axis == 1 else numbers.repeat(n_in // channels)
