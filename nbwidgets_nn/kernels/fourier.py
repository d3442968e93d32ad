"""Causal Fourier transforms on a graph of units, and matrices of any directed acyclic graph.

Seifert, Wendler, Püschel, "Causal Fourier Analysis on Directed Acyclic Graphs and Posets", IEEE TSP 2023, arXiv 2209.07970: a
signal is s = W c, where W is the reflexive transitive closure of the graph; its spectrum is c = W^-1 s, so that a coefficient
is what a unit's value has beyond the coefficients of all its ancestors. Four closures, `TYPES`:

* "standard": Boolean, W[i, j] = 1 where j is i or an ancestor of i.
* "weighted": W = (I - A)^-1 with the weights of the network, so c = s - A s: what the weighted sum leaves to the bias and to the
  non-linearity. Weights of Linear and convolution; pointwise functions 1, batch norm its scale, average pooling 1/k, max
  pooling 1 for the winner in the recorded sample. What has no weights is not subtracted; `SpectrumReport.notes` names it.
* "normalized": W = (I - D^-1 A)^-1 with the Boolean A and the in-degrees D, so c is the value minus the mean of what the unit
  reads: no coefficient is larger than twice the largest value.
* "laplacian": no closure, but the eigenvectors of the undirected graph (`laplacian.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.kernels.graph import weighted_sums
from nbwidgets_nn.kernels.graph.unit_graph import UnitGraph
from nbwidgets_nn.spectrum_results import SpectrumReport

CAUSAL = ("standard", "weighted", "normalized")
TYPES = ("standard", "laplacian", "weighted", "normalized")


def check_type(type: Any, known: tuple[str, ...] = TYPES) -> None:  # noqa: A002 - the seed's name
    """Raise ValueError that lists the known types."""
    if type not in known:
        raise ValueError(expected("type", f"one of {', '.join(map(repr, known))}", repr(type)))


def of_both_parts(transform: Callable[[np.ndarray], np.ndarray], values: np.ndarray) -> np.ndarray:
    """Transform the real and the imaginary part of complex values, each by itself."""
    return transform(values.real.copy()) + 1j * transform(values.imag.copy())


def coefficients(graph: UnitGraph, signal: np.ndarray, type: str) -> np.ndarray:  # noqa: A002
    """Return c = W^-1 s: (samples, nodes) from (samples, nodes)."""
    if np.iscomplexobj(signal):
        return of_both_parts(lambda part: coefficients(graph, part, type), signal)
    if type == "standard":
        return graph.closure.solve(signal)
    if type == "weighted":
        return weighted_sums.weighted_coefficients(graph.stages, signal)
    return signal - _mean_read(graph, signal)


def signal_of(graph: UnitGraph, spectrum: np.ndarray, type: str) -> np.ndarray:  # noqa: A002
    """Return s = W c: (samples, nodes) from (samples, nodes)."""
    if np.iscomplexobj(spectrum):
        return of_both_parts(lambda part: signal_of(graph, part, type), spectrum)
    if type == "standard":
        return graph.closure.apply(spectrum)
    if type == "weighted":
        return weighted_sums.weighted_signal(graph.stages, spectrum)
    found = spectrum.copy()
    for number in graph.recorded:
        nodes = graph.stages[number].nodes
        found[:, nodes] += graph.read_by(number, found) / np.maximum(graph.in_degrees[nodes], 1)
    return found


def _mean_read(graph: UnitGraph, signal: np.ndarray) -> np.ndarray:
    return graph.read(signal) / np.maximum(graph.in_degrees, 1)


def report_on(graph: UnitGraph, type: str, samples: int) -> SpectrumReport:  # noqa: A002
    """Return what is to be known of a transform."""
    if type == "standard":
        return SpectrumReport(type, graph.closure.growth(), graph.notes, samples)
    if type == "normalized":
        return SpectrumReport(type, 2.0, graph.notes, samples)
    names = graph.without_weights
    left = (f"not subtracted: what goes without known weights into {', '.join(names)}",) if names else ()
    if graph.has_winners:
        left += (
            "max pooling has the weight 1 from the unit that is largest in the graph's first recorded sample",
        )
    return SpectrumReport(type, None, (*graph.notes, *left), samples)


def shifted(graph: UnitGraph, signal: np.ndarray, node: int, type: str) -> np.ndarray:  # noqa: A002
    """Return T_q s = W D_q W^-1 s, where D_q keeps the coefficients of q and of its ancestors."""
    kept = ancestors(graph, node)
    return signal_of(graph, coefficients(graph, signal, type) * kept, type)


def ancestors(graph: UnitGraph, node: int) -> np.ndarray:
    """Return which nodes are the node itself or its ancestors: a row of W, (nodes,)."""
    one = np.zeros((1, graph.n_nodes))
    one[0, node] = 1
    return graph.closure.transposed(one)[0] > 0.5


def filtered(graph: UnitGraph, signal: np.ndarray, h: np.ndarray, type: str) -> np.ndarray:  # noqa: A002
    """Return (sum over q of h_q T_q) s = W diag(W^T h) W^-1 s."""
    response = graph.closure.transposed(h[None])[0]
    return signal_of(graph, coefficients(graph, signal, type) * response, type)
