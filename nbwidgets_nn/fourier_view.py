"""`spectrum_view(model, input)`: the spectrum of a network's activations, computed and shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import traitlets
from numpy.typing import NDArray
from torch import nn

from nbwidgets_nn._arrays import at_least, expected
from nbwidgets_nn.kernels.fourier import check_type
from nbwidgets_nn.kernels.nn_graph import NNGraph
from nbwidgets_nn.kernels.spectrum import values_of, with_values
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.recorded import recorded
from nbwidgets_nn.widgets.spectrum_content import Spectrum, SpectrumContent, SpectrumLayer
from nbwidgets_nn.widgets.spectrum_view import SpectrumView

# Numbers of one kind that are held for all samples together, and samples at most.
_HELD, _MOST_SAMPLES = 2**23, 32
# Units up to which all frequencies are computed, and how many are of a larger graph.
_ALL, _FEW = 6000, 100
_DEFAULT = ("standard", "normalized")

_HOW = {
    "standard": (
        "A unit's value is the sum of its own coefficient and those of all units in front of it that lead to it: "
        "the coefficient is what they do not say yet."
    ),
    "weighted": (
        "A unit's coefficient is its value without the weighted sum of what it reads: "
        "what is left to biases and non-linearities."
    ),
    "normalized": "A unit's coefficient is its value without the mean of the units that it reads.",
    "laplacian": (
        "Patterns of the undirected graph ordered by frequency: at low ones units that are joined have like values, "
        "at high ones they differ."
    ),
}


def spectrum_view(
    model: nn.Module | Activations | NNGraph,
    input: Any = None,  # noqa: A002 - the seeds' name
    *,
    type: str | Sequence[str] | None = None,  # noqa: A002 - the seed's name
    scale: str = "layernorm",
    target: Sequence[Any] | None = None,
    samples: int | Sequence[int] | None = None,
    layer: str | None = None,
    title: str = "",
) -> SpectrumView:
    """Show activations and their Fourier coefficients, layer by layer; pick a coefficient to see what it touches.

    >>> import torch
    >>> view = spectrum_view(nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)), torch.ones(1, 2))
    >>> view.picked = 0
    >>> view.selection.units, view.content.touched(view.pattern)
    (('input:0',), [1, 3, 1])

    Cost: that of `NNGraph.transform` for the samples shown; for 'laplacian' all eigenvectors of up to 6,000 units (minutes), of
    larger graphs the 100 lowest.

    Args:
        model: any module, an `Activations` made before, or an `NNGraph`.
        input: what the model takes; for a graph, a recording of its model (by default the one that it was made from).
        type: one of 'standard', 'laplacian', 'weighted', 'normalized', or several to choose from, see `NNGraph.transform`. By
            default 'standard' and 'normalized', the one first of which digits are left.
        scale: what the colours span, see `Visualizer.visualize_pattern`.
        target: one label a sample, shown with its number.
        samples: how many samples can be chosen, evenly spaced; or their indices. By default at most 32.
        layer: the layer shown first.
        title: shown above.

    Raises:
        TypeError, ValueError, KeyError: bad input, by the argument's name; activations that are not finite.
    """
    types = _DEFAULT if type is None else (type,) if isinstance(type, str) else tuple(type)
    for one in types:
        check_type(one)
    graph, recording = _graph_and_recording(model, input)
    some, names, held = _some_samples(recording, graph, samples, target)
    values = values_of(some, graph.units)
    if np.iscomplexobj(values):
        raise TypeError(expected("input", "real activations", "complex ones", "record their .abs()"))
    touching: dict[str, Callable[[int, int], NDArray]] = {}
    spectra = []
    for one in dict.fromkeys(types):
        make = _laplacian if one == "laplacian" else _causal
        spectrum, touching[one] = make(graph, some, one)
        spectra.append(spectrum)
    if type is None and len(spectra[0].notes) > len(spectra[1].notes):  # it says that digits are lost
        spectra.reverse()
    how = " · ".join(filter(None, (f"{graph.n_edges:,} edges", held)))
    content = SpectrumContent(_layers(graph, recording), values, tuple(spectra), names, how)
    return SpectrumView(
        content,
        touch=lambda type, k, sample: touching[type](k, sample),  # noqa: A006
        layer=layer,
        scale=scale,
        title=title,
    )


def _graph_and_recording(model: Any, input: Any) -> tuple[NNGraph, Activations]:  # noqa: A002
    if isinstance(model, NNGraph):
        if input is not None and not isinstance(input, Activations):
            what = "a recording of the graph's model, or nothing"
            raise TypeError(expected("input", what, input.__class__.__name__, "Activations(model, input)"))
        return model, model.activations if input is None else input
    recording = recorded(model, input, call="spectrum_view")
    return NNGraph(recording), recording


def _some_samples(
    recording: Activations, graph: NNGraph, samples: int | Sequence[int] | None, target: Sequence[Any] | None
) -> tuple[Activations, tuple[str, ...], str]:
    """Return the recording of the samples shown, their names, and what was left out."""
    count = _count(recording, graph)
    if count <= 1:
        return recording, (), ""
    if samples is None:
        samples = max(1, min(_MOST_SAMPLES, _HELD // max(graph.n_nodes, 1)))
    if isinstance(samples, int | np.integer):
        at_least("samples", samples, 1)
        chosen = np.linspace(0, count - 1, min(int(samples), count)).round().astype(np.int64)
    else:
        chosen = np.atleast_1d(np.asarray(samples))
    labels = [""] * count
    if target is not None:
        labels = [f" · class {label}" for label in (target.tolist() if hasattr(target, "tolist") else target)]
        if len(labels) != count:
            raise ValueError(
                expected("target", f"one label for each of {count:,} samples", f"{len(labels):,}")
            )
    names = tuple(f"sample {k}{labels[k]}" for k in (chosen % count).tolist())
    held = "" if len(chosen) == count else f"{len(chosen)} of {count:,} samples"
    return _taken(recording, graph, chosen), names, held


def _count(recording: Activations, graph: NNGraph) -> int:
    """Return how many samples there are; 0 where there are no values, which another check refuses."""
    known = [layer for layer in graph.layers if layer.size and layer.name in recording]
    outputs = [(recording[layer.name].output, layer.size) for layer in known]
    return max((output.numel() // size for output, size in outputs if output is not None), default=0)


def _taken(recording: Activations, graph: NNGraph, chosen: NDArray) -> Activations:
    """Return the recording of some samples; a layer that is the same for all of them, as positions are, stays."""
    some = recording.take(chosen)
    if all(some[layer.name].output is not None for layer in graph.layers if layer.name in recording):
        return some
    values = values_of(recording, graph.units)[chosen]
    return with_values(recording, graph.units, values)


def _layers(graph: NNGraph, recording: Activations) -> tuple[SpectrumLayer, ...]:
    return tuple(
        SpectrumLayer(layer.name, layer.kind, layer.shape, _channel_axis(recording[layer.name], layer.shape))
        for layer in graph.layers
    )


def _channel_axis(layer: Any, shape: tuple[int, ...]) -> int | None:
    """Return which axis of one sample counts the channels: that of the recording, with or without the axis of samples."""
    axis, full = layer.channel_axis, layer.output_shape
    if axis is None or full is None or not shape:
        return None
    own = axis - (len(full) - len(shape))
    return own if 0 <= own < len(shape) and shape[own] == full[axis] else None


def _causal(graph: NNGraph, some: Activations, type: str) -> tuple[Spectrum, Callable]:  # noqa: A002
    found = graph.transform(some, type)
    report = found.report
    notes = tuple(filter(None, (report.warning, *report.notes)))
    spectrum = Spectrum(type, values_of(found, graph.units), _HOW[type], notes)

    def touch(k: int, _sample: int) -> NDArray:
        return values_of(graph.basis(k, type), graph.units)[0]

    return spectrum, touch


def _laplacian(graph: NNGraph, some: Activations, type: str) -> tuple[Spectrum, Callable]:  # noqa: A002
    few = None if graph.n_nodes <= _ALL else _FEW
    found = graph.laplacian_spectrum(some, k=few)
    cut = f"the {few} lowest of {graph.n_nodes:,} frequencies; shares are of their energy" if few else ""
    dimensions = found.eigenspaces.dimensions
    spaces = np.repeat(np.arange(len(dimensions)), dimensions)
    notes = tuple(filter(None, (cut, *found.notes)))
    spectrum = Spectrum(type, found.coefficients, _HOW[type], notes, found.frequencies, spaces)

    def touch(k: int, sample: int) -> NDArray:
        """Return the part of the activations at the frequency of coefficient k."""
        members = spaces == spaces[k]
        return found.basis[:, members] @ found.coefficients[sample, members]

    return spectrum, touch


def follow(view: SpectrumView, explorer: Any) -> list[Any]:
    """Keep layer and selection of the view and of an explorer the same; return what is to be unlinked.

    A layer that the view does not have leaves it where it is.
    """

    def to_view(change: Any) -> None:
        if change.new in [layer.name for layer in view.content.layers]:
            view.layer = change.new

    def to_explorer(change: Any) -> None:
        explorer.layer = change.new

    to_view(SimpleNamespace(new=explorer.layer))
    explorer.observe(to_view, "layer")
    view.observe(to_explorer, "layer")
    return [
        traitlets.link((explorer, "selection"), (view, "selection")),
        SimpleNamespace(unlink=lambda: explorer.unobserve(to_view, "layer")),
        SimpleNamespace(unlink=lambda: view.unobserve(to_explorer, "layer")),
    ]
