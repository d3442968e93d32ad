"""What the plan of an edge graph is made of: columns of units and bundles of edges, with their names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray
from torch import nn

from nbwidgets_nn.kernels.channel_edges import ChannelEdges
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.affine import WEIGHTED
from nbwidgets_nn.record.layer import Layer
from nbwidgets_nn.record.topology import DROPOUT

PASSING = (nn.Identity, DROPOUT, nn.Flatten, nn.Unflatten)
"""Layers that do nothing to values that would be worth a word."""


@dataclass(eq=False)
class Column:
    """A place for units: the layer that made them, and the layers behind it that keep them apart."""

    layers: list[Layer] = field(default_factory=list)
    units: int = 0
    """0 until a layer says what it takes for a unit: a number, or a channel."""
    before: str = ""
    """The layer whose input this is, where no single layer made it."""
    step: str = ""
    """The step inside a layer that made these units, where that is no layer of its own: "attn.value"."""
    after: str = ""
    """What the layer does to them after this step."""
    values: NDArray | None = None
    """(samples, units) as they go on, the mean over positions; None where nothing takes them."""
    positions: int = 1
    then: tuple[str, ...] | None = None
    """The functions behind the last layer, where they were followed to the layer that takes the values shown."""
    _between: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def append(self, layer: Layer, functions: tuple[str, ...] = ()) -> None:
        """Add a layer that keeps the units, and what is done to them before it takes them."""
        self.layers.append(layer)
        self._between[layer.name] = functions

    @property
    def aliases(self) -> list[str]:
        """Return the layers whose units are this column's, by the same numbers."""
        return (
            [self.step] if self.step else [layer.name for layer in self.layers if layer.units == self.units]
        )

    @property
    def layer(self) -> str | None:
        """Return the layer to look at for these units: the last that does something to them."""
        if self.step:
            return None
        acting = [layer.name for layer in self.layers if not isinstance(layer.module, PASSING)]
        named = [name for name in self.aliases if name in acting] or self.aliases or acting
        return named[-1] if named else None

    @property
    def name(self) -> str:
        """Name the last layer whose units these are; where a tile stands for many units, the tiles."""
        if self.step:
            return self.step
        if self.layer is None:
            return f"input of {self.before}"
        return self.layer if self.aliases else f"channels of {self.layer}"

    @property
    def kind(self) -> str:
        """Say what the layers are: "Conv2d, relu, MaxPool2d"; of the input, its shape."""
        if self.layers and self.layers[0].module is None:
            shape = self.layers[0].output_shape[1:]
            known = [" × ".join(map(str, shape))] if len(shape) > 1 else []
            return ", ".join([*known, *(self.then or ())])
        return self.kinds_behind("")

    def kinds_behind(self, name: str) -> str:
        """Say what happens to the values after the layer of this name; after any other name, in all layers."""
        if not self.layers:
            return self.after
        names = [layer.name for layer in self.layers]
        behind = self.layers[names.index(name) + 1 :] if name in names else self.layers
        kinds = [self.after] if self.after and name not in names else []
        for layer in behind:
            kinds += self._between.get(layer.name, ())
            kinds += [] if isinstance(layer.module, PASSING) else [layer.kind]
        after = self.layers[-1].activation
        if self.then is not None:
            kinds += self.then
        elif after is not None and not isinstance(after, nn.Module):
            kinds.append(in_words(after))
        return ", ".join(kinds)


@dataclass(frozen=True, eq=False)
class Bundle:
    """The edges of one layer between two columns; arrays as in `ChannelEdges`, or one number an edge with its `ends`."""

    name: str
    kind: str
    source: int
    target: int
    edges: ChannelEdges
    ends: NDArray | None = None
    layer: str = ""
    """The layer that they lead to the output of; "" where that is no layer's."""
    takes: str = ""
    """What they start from, in words."""
    positions: int = 1
    """How many numbers the values of a source unit are the sum of."""
    note: str = ""
    """What else must be known of them."""


def in_words(function: Any) -> str:
    """Name a function."""
    return getattr(getattr(function, "function", function), "__name__", "a function")


def input_axis(recording: Activations, layer: Layer) -> int:
    """Return the axis of a layer's input that counts units."""
    if isinstance(layer.module, nn.Linear):
        return layer.input.ndim - 1
    if isinstance(layer.module, WEIGHTED):
        return 1
    alike = [layer, *(recording[name] for name in layer.fed_by)]
    known = [one.channel_axis for one in alike if one.output_shape == layer.input_shape and one.channel_axis]
    return known[0] if known else min(1, layer.input.ndim - 1)
