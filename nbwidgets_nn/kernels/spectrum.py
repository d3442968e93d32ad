"""A recording with coefficients in the place of values, and recordings as matrices of samples and nodes."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.kernels.graph.laid import Laid
from nbwidgets_nn.kernels.graph.unit_graph import UnitGraph
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.spectrum_results import SpectrumReport


class Spectrum(Activations):
    """What a transform returns: a recording whose layers hold float64 coefficients, with a `report`.

    Layers have the shapes that they were recorded with; one that has no samples (positions, say) gets a first axis of samples
    where there are several.
    """

    report: SpectrumReport

    @classmethod
    def of(
        cls, activations: Activations, graph: UnitGraph, values: np.ndarray, report: SpectrumReport
    ) -> Spectrum:
        """Put (samples, nodes) values in the place of a recording's own."""
        outputs = {}
        for layer, number in zip(graph.layers, graph.recorded, strict=True):
            laid = graph.laid[number]
            piece = torch.from_numpy(np.ascontiguousarray(values[:, layer.start : layer.start + layer.size]))
            if laid.axis is None:
                outputs[layer.name] = piece.reshape(
                    laid.full if len(values) == 1 else (len(values), *laid.full)
                )
            else:
                full = list(laid.full)
                full[laid.axis] = laid.times * len(values)
                apart = piece.reshape(len(values), *laid.shape).movedim(0, laid.axis)
                outputs[layer.name] = apart.reshape(full)
        return cls.with_outputs(activations, outputs, report)

    @classmethod
    def with_outputs(
        cls, activations: Activations, outputs: dict[str, Tensor], report: SpectrumReport
    ) -> Spectrum:
        """Put tensors in the place of a recording's outputs."""
        made = copy.copy(activations)
        made.__class__ = cls
        made.report = report
        made.shapes_only = False
        layers = {}
        for name in activations:
            output = outputs.get(name)
            shape = activations[name].output_shape if output is None else tuple(output.shape)
            layers[name] = replace(activations[name], output=output, input=None, output_shape=shape)
        made._layers = layers  # noqa: SLF001 - another object of this class
        return made

    def __repr__(self) -> str:
        said = super().__repr__().replace("Activations of", f"Spectrum ({self.report.type}) of", 1)
        return "; ".join(filter(None, (said, self.report.warning)))


def with_values(activations: Activations, graph: UnitGraph, values: np.ndarray) -> Activations:
    """Return the recording with (samples, nodes) values in the place of its own, and no spectrum."""
    made = Spectrum.of(activations, graph, values, SpectrumReport("values"))
    made.__class__ = Activations
    del made.report
    return made


def values_of(activations: Any, graph: UnitGraph) -> np.ndarray:
    """Return the values of a recording as (samples, nodes) in float64, or complex128.

    TypeError for what is no recording; ValueError if it is that of another model, holds no values, or values that are not
    finite.
    """
    if not isinstance(activations, Activations):
        raise TypeError(
            expected("activations", "a recording", type(activations).__name__, "Activations(model, input)")
        )
    _check_layers(activations, graph)
    pieces = [_rows(activations[layer.name], graph, k) for k, layer in enumerate(graph.layers)]
    samples = max(len(piece) for piece in pieces)
    kind = np.result_type(np.float64, *pieces)
    values = np.empty((samples, graph.n_nodes), dtype=kind)
    for layer, piece in zip(graph.layers, pieces, strict=True):
        if len(piece) not in (1, samples):
            came = f"{len(piece)} in {layer.name!r} and {samples} elsewhere"
            raise ValueError(expected("activations", "as many samples in every layer", came))
        values[:, layer.start : layer.start + layer.size] = piece
    _check_finite(values, graph)
    return values


def _check_layers(activations: Activations, graph: UnitGraph) -> None:
    if activations.shapes_only:
        raise ValueError(
            expected(
                "activations",
                "recorded values",
                "a recording made with shapes_only=True",
                "record it without",
            )
        )
    ours = [layer.name for layer in graph.layers]
    theirs = [name for name in activations if activations[name].output is not None]
    if ours != theirs:
        other = next((name for name in theirs if name not in ours), None) or next(
            (name for name in ours if name not in theirs), "the same layers in another order"
        )
        raise ValueError(
            expected(
                "activations",
                "a recording of the model that the graph is of",
                f"one that differs in {other!r}",
                "NNGraph(activations).transform(activations)",
            )
        )


def _rows(layer: Any, graph: UnitGraph, k: int) -> np.ndarray:
    """Return a layer's output as (samples, units); (1, units) where it has no samples."""
    laid, units = graph.laid[graph.recorded[k]], graph.layers[k].size
    tensor = layer.output.detach().cpu()
    tensor = tensor if tensor.layout is torch.strided else tensor.to_dense()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    shape = tuple(tensor.shape)
    if laid.axis is None:
        if laid.full in (shape, shape[1:]):
            return _as_numpy(tensor.reshape(1 if shape == laid.full else shape[0], units))
    elif _is_laid_so(shape, laid):
        split = tensor.unflatten(laid.axis, (-1, laid.times)).movedim(laid.axis, 0)
        return _as_numpy(split.reshape(len(split), units))
    raise ValueError(
        expected(
            "activations",
            f"{units:,} values a sample in {layer.name!r}, shape {laid.full} as in the recording of the graph",
            f"shape {shape}",
            "NNGraph(activations) of this recording",
        )
    )


def _is_laid_so(shape: tuple[int, ...], laid: Laid) -> bool:
    """Whether a tensor of this shape is the same for any number of samples."""
    if len(shape) != len(laid.full) or shape[laid.axis] % laid.times:
        return False
    return _others(shape, laid.axis) == _others(laid.full, laid.axis)


def _others(shape: Sequence[int], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], *shape[axis + 1 :])


def _as_numpy(tensor: Tensor) -> np.ndarray:
    return tensor.to(torch.complex128 if tensor.is_complex() else torch.float64).numpy()


def _check_finite(values: np.ndarray, graph: UnitGraph) -> None:
    with np.errstate(over="ignore", invalid="ignore"):  # a sum of large numbers is checked below
        total = values.sum()
    if np.isfinite(total):
        return
    bad = ~np.isfinite(values)
    if not bad.any():
        return
    names = [
        f"{layer.name!r} ({count:,})"
        for layer in graph.layers
        if (count := int(bad[:, layer.start : layer.start + layer.size].sum()))
    ]
    raise ValueError(
        expected(
            "activations",
            "finite values",
            f"NaN or infinity in {', '.join(names[:5])}",
            "record other samples",
        )
    )
