"""Transforms along planned sums: each coefficient is a value minus what its ancestors' coefficients add up to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from nbwidgets_nn.kernels.graph.causal_plan import Parts, Sum
from nbwidgets_nn.kernels.graph.product_reach import union_sums
from nbwidgets_nn.kernels.graph.stages import Stage


def coefficients(stages: Sequence[Stage], plan: Sequence[Sum], signal: np.ndarray) -> np.ndarray:
    """Return c = W^-1 s for the Boolean closure W: (samples, nodes) from (samples, nodes)."""
    spectrum = np.empty_like(signal)
    for nodes, added in _sums(stages, plan, signal, spectrum):
        spectrum[:, nodes] = signal[:, nodes] - added
    return spectrum


def signal_of(stages: Sequence[Stage], plan: Sequence[Sum], spectrum: np.ndarray) -> np.ndarray:
    """Return s = W c."""
    signal = np.empty_like(spectrum)
    for nodes, added in _sums(stages, plan, signal, spectrum):
        signal[:, nodes] = spectrum[:, nodes] + added
    return signal


def _sums(
    stages: Sequence[Stage], plan: Sequence[Sum], signal: np.ndarray, spectrum: np.ndarray
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield stage by stage its nodes and what its ancestors' coefficients add up to; the caller fills in the stage."""
    totals: dict[int, np.ndarray] = {}
    for step in plan:
        added = _added(stages, step.parts, signal if step.of_signal else spectrum, totals, len(signal))
        if step.target < 0:
            totals[step.target] = added
        else:
            yield stages[step.target].nodes, added


def direct_sums(stages: Sequence[Stage], parts: Parts, values: np.ndarray) -> np.ndarray:
    """Sum what the units of a stage reach: (samples, units), or (samples, 1) zeros if they reach nothing."""
    return _added(stages, parts, values, {}, len(values))


def _added(
    stages: Sequence[Stage], parts: Parts, values: np.ndarray, totals: dict[int, np.ndarray], samples: int
) -> np.ndarray:
    added: np.ndarray | float = 0.0
    for part in parts:
        read = sum(
            totals[source] if source < 0 else values[:, stages[source].nodes] for source in part.sources
        )
        added = added + union_sums(part.terms, np.ascontiguousarray(read))
    return np.zeros((samples, 1)) if isinstance(added, float) else added
