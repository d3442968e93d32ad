"""What one layer gave for one sample: an array with the names that a picture of it needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nbwidgets_nn._arrays import as_array, as_numpy, expected


@dataclass(frozen=True, eq=False)
class LayerPattern:
    """The numbers of one layer for one sample, in the layer's own shape."""

    name: str
    kind: str
    """Class name of the module, "Conv2d"; "input" for the input."""

    values: NDArray
    channel_axis: int | None = None
    """Which axis of `values` counts the channels; None if that is not known."""

    of_samples: str = ""
    """Which sample this is, if there are several."""

    note: str = ""
    missing: str = ""
    """Why there are no values."""

    title: str = ""
    """What stands above them, if that is not the layer's name."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the layer's output for one sample."""
        return self.values.shape


def patterns_of(recording: Any, sample: int = 0) -> list[LayerPattern]:
    """Return the pattern of one sample, layer by layer.

    A layer whose first dimension does not count the samples is shown whole, and its note says so.

    Args:
        recording: an `Activations` with values.
        sample: which sample of the batch; negative ones count from the end.

    Raises:
        TypeError: no recording, or a sample that is not a whole number.
        ValueError: a recording without values.
        IndexError: a sample that there is not.
    """
    if not hasattr(recording, "layernames") or not hasattr(recording, "layeractivations"):
        came = type(recording).__name__
        raise TypeError(expected("activations", "a recording", came, "Activations(network, input)"))
    layers = [recording[name] for name in recording.layernames]
    if getattr(recording, "shapes_only", False):
        raise ValueError(
            expected("activations", "a recording with values", "one of shapes_only=True", "record it without")
        )
    count = _samples(layers[0])
    try:
        chosen = sample.__index__()
    except AttributeError:
        came = type(sample).__name__
        raise TypeError(expected("sample", "the number of a sample", came)) from None
    if not -count <= chosen < count:
        raise IndexError(expected("sample", f"a number below {count:,}, the number of samples", f"{sample}"))
    of = _coefficients_in_words(recording)
    patterns = [_pattern(layer, chosen % count, count) for layer in layers]
    if not of:
        return patterns
    patterns = [replace(one, note="; ".join(filter(None, (of, one.note)))) for one in patterns]
    return _by_frequency(patterns) if recording.report.type == "laplacian" else patterns


def _coefficients_in_words(recording: Any) -> str:
    """Return what a spectrum's numbers are, and how far they can be trusted; "" of activations."""
    report = getattr(recording, "report", None)
    if report is None:
        return ""
    of = f"Fourier coefficients, type {report.type!r}"
    if report.type == "laplacian":
        of += ", in the order of frequencies: they stand in the places of units and are not theirs"
    return "; ".join(filter(None, (of, report.warning)))


def _by_frequency(patterns: list[LayerPattern]) -> list[LayerPattern]:
    """Name them for the frequencies that their numbers belong to: the layers only lend their places."""
    ends = np.cumsum([one.values.size for one in patterns])
    titles = [
        f"Coefficients {end - one.values.size:,} to {end - 1:,} in order of frequency"
        if one.values.size
        else one.name
        for one, end in zip(patterns, ends, strict=True)
    ]
    return [
        replace(one, title=title, kind=f"in the places of {one.name}")
        for one, title in zip(patterns, titles, strict=True)
    ]


def _samples(layer: Any) -> int:
    """Return how many samples the input holds: one, if its first axis counts channels."""
    if layer.output is None or not layer.output.ndim or layer.channel_axis == 0:
        return 1
    return len(layer.output)


def _pattern(layer: Any, sample: int, count: int) -> LayerPattern:
    name, kind, note = layer.name, layer.kind, layer.note or ""
    if layer.output is None:
        return LayerPattern(name, kind, np.empty(0), missing=note or "no tensor")
    try:
        dense = layer.output if str(layer.output.layout) == "torch.strided" else layer.output.to_dense()
        values = as_numpy(as_array(dense, name))
    except TypeError as error:
        return LayerPattern(name, kind, np.empty(0), note=note, missing=str(error))
    said = f"sample {sample:,} of {count:,}" if count > 1 else ""
    if not values.ndim or layer.channel_axis == 0:
        return LayerPattern(name, kind, values, layer.channel_axis, note=note)
    if len(values) == count:
        axis = None if layer.channel_axis is None else layer.channel_axis - 1
        return LayerPattern(name, kind, values[sample], axis, said, note)
    whole = "all of the output is shown: its first dimension does not count the samples"
    note = "; ".join(filter(None, (note, whole)))
    return LayerPattern(name, kind, values, layer.channel_axis, note=note)
