"""What `SpectrumView` shows: activations and their coefficients as plain arrays, with the names of the layers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn._arrays import expected
from nbwidgets_nn._words import format_number, plural
from nbwidgets_nn.widgets.pattern_layout import PatternLayout
from nbwidgets_nn.widgets.selection import Selection


@dataclass(frozen=True)
class SpectrumLayer:
    """One layer of the graph: the shape of its output for one sample."""

    name: str
    kind: str
    shape: tuple[int, ...]
    channel_axis: int | None = None
    """Which axis of the shape counts the channels; None if that is not known."""

    @cached_property
    def layout(self) -> PatternLayout:
        """Where its units stand in a picture."""
        return PatternLayout(self.shape, self.channel_axis)

    @property
    def size(self) -> int:
        """How many units it has."""
        return self.layout.size

    @property
    def words(self) -> str:
        """Name, kind and shape."""
        shape = " × ".join(map(str, self.shape)) or "a single number"
        return f"{self.name} · {shape}" if self.kind == self.name else f"{self.name} · {self.kind} · {shape}"

    @property
    def has_channels(self) -> bool:
        """Whether a unit, as other views know it, is a channel with several numbers."""
        return self.channel_axis is not None and self.shape[self.channel_axis] not in (1, self.size)

    @property
    def units(self) -> int:
        """How many units other views know: the channels where there are positions, else all numbers."""
        return self.shape[self.channel_axis] if self.has_channels else self.size

    def unit_of(self, index: int) -> int:
        """Return the unit that other views know: the channel where there are positions, else the index itself."""
        return self.layout.index(index)[self.channel_axis] if self.has_channels else index

    def of_units(self, units: tuple[int, ...]) -> NDArray[np.int64]:
        """Return the flat indices that belong to units as other views know them; unknown ones have none."""
        known = np.array([unit for unit in units if unit < self.units], np.int64)
        if not self.has_channels:
            return known
        channels = np.arange(self.size).reshape(self.shape).swapaxes(0, self.channel_axis)
        return np.sort(channels[known].ravel())


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The coefficients of one transform.

    Without ``frequencies`` each belongs to a unit, in the order of the layers. With them each belongs to a frequency.
    """

    type: str
    coefficients: NDArray
    """(samples, units), or (samples, frequencies)."""

    how: str = ""
    """What a coefficient is, in a sentence."""

    notes: tuple[str, ...] = ()
    """What a reader must know before believing the numbers."""

    frequencies: NDArray | None = None
    """(frequencies,), ascending."""

    spaces: NDArray | None = None
    """(frequencies,): which eigenspace each belongs to; by default each is its own."""


@dataclass(frozen=True, eq=False)
class SpectrumContent:
    """Activations and their spectra, checked against each other.

    Args:
        layers: in the order of the values.
        values: (samples, units of all layers), the activations.
        spectra: at least one.
        samples: what the samples are called.
        how: what all of it is about, for the head.

    Raises:
        ValueError: arrays that do not fit each other, no layer, no spectrum, a name twice.
    """

    layers: tuple[SpectrumLayer, ...]
    values: NDArray
    spectra: tuple[Spectrum, ...]
    samples: tuple[str, ...] = ()
    how: str = ""
    _starts: NDArray[np.int64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        sizes = [layer.size for layer in self.layers]
        object.__setattr__(self, "_starts", np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))
        names = [layer.name for layer in self.layers]
        types = [spectrum.type for spectrum in self.spectra]
        if (
            not self.layers
            or not self.spectra
            or len(set(names)) < len(names)
            or len(set(types)) < len(types)
        ):
            came = f"layers {names}, types {types}"
            raise ValueError(expected("content", "layers and spectra with names of their own", came))
        samples = len(self.values)
        if self.values.shape != (samples, self.size) or not samples:
            came = f"shape {self.values.shape}"
            raise ValueError(expected("values", f"(samples, {self.size:,}), one for each unit", came))
        for one in self.spectra:
            width = self.size if one.frequencies is None else len(one.frequencies)
            if one.coefficients.shape != (samples, width):
                came = f"shape {one.coefficients.shape} for {one.type!r}"
                raise ValueError(expected("coefficients", f"({samples}, {width:,})", came))
        if not self.samples:
            object.__setattr__(self, "samples", tuple(f"sample {k}" for k in range(samples)))
        if len(self.samples) != samples:
            raise ValueError(expected("samples", f"{samples} names", f"{len(self.samples)}"))

    @property
    def size(self) -> int:
        """How many units all layers have."""
        return int(self._starts[-1])

    def layer(self, name: str) -> SpectrumLayer:
        """Return the layer of a name; a KeyError names those that there are."""
        return self.layers[self.position(name)]

    def position(self, name: str) -> int:
        """Return which of the layers it is."""
        names = [layer.name for layer in self.layers]
        if name not in names:
            raise KeyError(expected("layer", f"one of {', '.join(names[:12])}", repr(name)))
        return names.index(name)

    def spectrum(self, type_: str) -> Spectrum:
        """Return the spectrum of a type; a ValueError names those that there are."""
        for one in self.spectra:
            if one.type == type_:
                return one
        known = ", ".join(repr(one.type) for one in self.spectra)
        raise ValueError(expected("type", f"one of {known}", repr(type_)))

    def of_layer(self, flat: NDArray, name: str) -> NDArray:
        """Return a layer's part of numbers of all units."""
        k = self.position(name)
        return flat[..., self._starts[k] : self._starts[k + 1]]

    def by_layer(self, flat: NDArray) -> list[NDArray]:
        """Cut numbers of all units into those of each layer."""
        return np.split(flat, self._starts[1:-1], axis=-1)

    def node(self, layer: str, index: int) -> int:
        """Return which of all units stands at a flat index of a layer."""
        return int(self._starts[self.position(layer)]) + index

    def place(self, node: int) -> tuple[SpectrumLayer, int]:
        """Return the layer of one of all units, and its flat index there."""
        k = int(np.searchsorted(self._starts, node, side="right")) - 1
        return self.layers[k], node - int(self._starts[k])

    def name(self, node: int) -> str:
        """Return what a unit is called: its layer and its index in the layer's shape, ``conv1[3, 0, 2]``."""
        layer, index = self.place(node)
        return f"{layer.name}[{', '.join(map(str, layer.layout.index(index)))}]"

    def selection(self, node: int) -> Selection:
        """Return the selection of the unit as other views know it."""
        layer, index = self.place(node)
        return Selection(layer.name, (f"{layer.name}:{layer.unit_of(index)}",))

    def nodes(self, selection: Selection) -> list[int]:
        """Return which of all units are selected; none in a layer that is not here: another view may have more."""
        known = [layer for layer in self.layers if layer.name == selection.layer]
        return [self.node(layer.name, int(k)) for layer in known for k in layer.of_units(selection.indices)]

    def check_selection(self, selection: Selection) -> None:
        """Refuse units that their layer does not have, with a ValueError; a layer that is not here may have any."""
        for layer in self.layers:
            strangers = [
                name
                for name, k in zip(selection.units, selection.indices, strict=True)
                if layer.name == selection.layer and k >= layer.units
            ]
            if strangers:
                what = f"units of layer {layer.name!r}, which has {layer.units:,}"
                raise ValueError(expected("selection", what, f"{strangers[:5]}"))

    def energy(self, flat: NDArray) -> NDArray[np.float64]:
        """Return each layer's share of the sum of squares; NaN where numbers are not finite, 0 where all are 0."""
        scaled = _scaled(flat)
        shares = np.array([float(np.sum(part**2)) for part in self.by_layer(scaled)])
        return shares / (shares.sum() or 1.0)

    def share(self, flat: NDArray, k: int) -> float:
        """Return one number's share of the sum of squares of all."""
        scaled = _scaled(flat)
        return float(scaled[k] ** 2 / (np.sum(scaled**2) or 1.0))

    def spaces(self, spectrum: Spectrum, sample: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the frequency of each eigenspace and its share of the energy."""
        groups = self.groups(spectrum)
        squares = _scaled(spectrum.coefficients[sample]) ** 2
        count = groups[-1] + 1 if len(groups) else 0
        shares = np.bincount(groups, squares, minlength=count)
        frequency = np.bincount(groups, spectrum.frequencies, minlength=count) / np.bincount(groups)
        # What rounding left of 0 would be written as 2.00e−15.
        frequency[np.abs(frequency) < 1e-9 * np.abs(frequency).max(initial=0.0)] = 0.0
        return frequency, shares / (shares.sum() or 1.0)

    @staticmethod
    def groups(spectrum: Spectrum) -> NDArray[np.int64]:
        """Return which eigenspace each coefficient belongs to, counted from 0."""
        spaces = np.arange(len(spectrum.frequencies)) if spectrum.spaces is None else spectrum.spaces
        return np.unique(spaces, return_inverse=True)[1]

    def strongest(self, flat: NDArray, layer: str, count: int) -> list[int]:
        """Return the units of a layer with the largest magnitudes: what is not finite first, of equal ones the first."""
        part = np.abs(self.of_layer(flat, layer).astype(np.float64))
        order = np.argsort(-np.where(np.isnan(part), np.inf, part), kind="stable")[:count]
        return [self.node(layer, int(index)) for index in order]

    def largest(self, spectrum: Spectrum, sample: int, layer: str, count: int) -> list[tuple[str, int]]:
        """Return the largest coefficients, in words and as numbers: of a layer, or the eigenspaces of most energy."""
        flat = spectrum.coefficients[sample]
        if spectrum.frequencies is None:
            nodes = self.strongest(flat, layer, count)
            return [(f"{self.name(node)}  {number(flat[node])}", node) for node in nodes]
        frequency, shares = self.spaces(spectrum, sample)
        first = np.unique(self.groups(spectrum), return_index=True)[1]
        order = np.argsort(-np.nan_to_num(shares), kind="stable")[:count]
        return [(f"frequency {number(frequency[k])}  {shares[k]:.2%}", int(first[k])) for k in order]

    def touched(self, pattern: NDArray) -> list[int]:
        """Return how many units of each layer a pattern is not 0 in."""
        return [int(np.count_nonzero(part)) for part in self.by_layer(pattern)]

    def reading(self, spectrum: Spectrum, sample: int, node: int, pattern: NDArray | None) -> str:
        """Say what there is to know about one coefficient."""
        flat = spectrum.coefficients[sample]
        if spectrum.frequencies is not None:
            return self._reading_of_frequency(spectrum, sample, node)
        said = [
            f"activation {number(self.values[sample, node])}",
            f"coefficient {number(flat[node])}",
            f"{_percent(self.share(flat, node))} of the energy",
        ]
        if pattern is not None:
            touched = self.touched(pattern)
            layers = sum(count > 0 for count in touched)
            said.append(f"touches {plural(sum(touched), 'unit')} in {plural(layers, 'layer')}")
        return f"{self.name(node)}: {' · '.join(said)}"

    def _reading_of_frequency(self, spectrum: Spectrum, sample: int, k: int) -> str:
        groups = self.groups(spectrum)
        frequency, shares = self.spaces(spectrum, sample)
        members = int(np.count_nonzero(groups == groups[k]))
        said = [f"{_percent(shares[groups[k]])} of the energy"]
        if members > 1:
            said.append(f"an eigenspace of {members:,} dimensions")
        else:
            said.append(f"coefficient {number(spectrum.coefficients[sample, k])}")
        return f"frequency {number(frequency[groups[k]])}: {' · '.join(said)}"


def _scaled(flat: NDArray) -> NDArray[np.float64]:
    """Return the numbers divided by the largest, so that their squares stay finite."""
    numbers = flat.astype(np.float64)
    largest = float(np.max(np.abs(numbers), initial=0.0))
    return numbers / largest if largest and np.isfinite(largest) else numbers


def number(value: float) -> str:
    """Give a number as people read it, also one that is not finite."""
    value = float(value)
    if math.isfinite(value):
        return format_number(value)
    return "not defined" if math.isnan(value) else f"{'−' if value < 0 else '+'}∞"


def _percent(share: float) -> str:
    if not np.isfinite(share):
        return "an unknown share"
    return "under 0.01 %" if 0 < share < 1e-4 else f"{100 * share:.3g} %"
