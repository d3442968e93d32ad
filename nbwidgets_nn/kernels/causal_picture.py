"""The causal picture of a network: how sensitive its layers are, and how much of that is degenerate.

Definitions: Marrow, Michaud, Hoel, Entropy 22(12):1429, 2020. All in bits, all for one layer L1 -> L2.

* degeneracy = sensitivity - EI_parts: what the outputs would tell about single inputs, but do not when all inputs move.
* Phi_feedforward = EI - EI_parts: what the outputs tell together beyond what pairs tell. It can be negative, because pairs
  count redundant outputs several times.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import networkx as nx
from torch import nn

from nbwidgets_nn._arrays import expected
from nbwidgets_nn._progress import Progress, steps
from nbwidgets_nn.information_results import Bits, EffectiveInformation, EIReport, LayerInformation
from nbwidgets_nn.kernels.effective_information import Layer, ei, ei_parts, sensitivity
from nbwidgets_nn.kernels.layer_question import OUTSIDE, check_bins, check_range
from nbwidgets_nn.kernels.pairs_of_layer import Sampling, UncertainResultWarning
from nbwidgets_nn.kernels.vector_information import HOPELESS
from nbwidgets_nn.record.affine import WEIGHTED
from nbwidgets_nn.record.topology import find_node, topology_of

_AGAINST = ("ei_parts", "ei")
_ROWS_AT_ONCE = 4096
_LEFT_OUT = Bits(float("nan"), float("nan"), "not measured: vector=False")


def degeneracy(
    layer: Layer,
    topology: nx.DiGraph,
    *,
    against: str = "ei_parts",
    return_result: bool = False,
    **settings: Any,
) -> float | Bits:
    """Return sensitivity - EI_parts in bits, or sensitivity - EI with `against="ei"`.

    >>> import torch, nbwidgets_nn as nw
    >>> layer = nn.Linear(4, 4, bias=False)
    >>> layer.weight.data = torch.ones(4, 4)
    >>> print(round(degeneracy(layer, nw.topology_of(nn.Sequential(layer), torch.zeros(1, 4)), in_bins=16, out_bins=16), 3))
    61.123

    `settings` are the further arguments of `ei_parts` (`in_range`, `in_bins`, `activation`, ...), without dynamic ranges.
    0 for a layer with one input; never negative up to the error against EI_parts of exact layers with many bins, but
    nothing forbids it at coarse bins. With `return_result` a `Bits` with its standard error.
    """
    if against not in _AGAINST:
        raise ValueError(expected("against", '"ei_parts" or "ei"', repr(against)))
    measure = ei_parts if against == "ei_parts" else ei
    alone = sensitivity(layer, topology, return_result=True, **settings)
    difference = alone.bits - measure(layer, topology, return_result=True, **settings).bits
    return difference if return_result else difference.value


def phi_feedforward(
    layer: Layer, topology: nx.DiGraph, *, return_result: bool = False, **settings: Any
) -> float | Bits:
    """Return Phi_feedforward = EI - EI_parts in bits: integrated information of a layer, which can be negative.

    >>> import torch, nbwidgets_nn as nw
    >>> copies = nn.Linear(1, 2, bias=False)
    >>> copies.weight.data = torch.ones(2, 1)
    >>> phi_feedforward(copies, nw.topology_of(nn.Sequential(copies), torch.zeros(1, 1)), in_bins=16, out_bins=16)
    -4.0

    `settings` are the further arguments of `ei_parts`. With `return_result` a `Bits` with its standard error.
    """
    whole = ei(layer, topology, return_result=True, **settings)
    difference = whole.bits - ei_parts(layer, topology, return_result=True, **settings).bits
    return difference if return_result else difference.value


def ei_report(
    model: nn.Module | nx.DiGraph,
    input: Any = None,  # noqa: A002 - the seeds' name
    *,
    layers: Sequence[Layer] | None = None,
    vector: bool = True,
    input_range: tuple[float, float] | None = None,
    in_bins: int = 64,
    out_bins: int = 64,
    threshold: float = 0.05,
    outside: str = "clip",
    seed: int = 0,
    progress: Progress = False,
) -> EIReport:
    """Measure every layer of a model: sensitivity, EI, EI_parts, degeneracy, Phi, each with its error. A table in a notebook.

    >>> import torch
    >>> network = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Sigmoid())
    >>> network[0].weight.data = torch.ones(1, 1)
    >>> report = ei_report(network, torch.zeros(1, 1), input_range=(0, 1), in_bins=8, out_bins=8)
    >>> print(report["0"].ei_parts)
    0.9465

    Each row is one layer with the activation behind it and the range of the activation before it, as for `ei_parts`. A
    convolution's row is that of one receptive field.

    Args:
        model: a module, or a graph from `topology_of` (then without `input`).
        input: what the model takes.
        layers: modules or names; by default every Linear and convolution.
        vector: measure the vector EI and Phi too, the only numbers here that need draws; without it they are NaN.
        input_range: (low, high) of the model's own input; by default (-10, 10), as behind any layer without an activation.
        in_bins, out_bins: equal bins of each input and output.
        threshold: relative standard error to reach where something is sampled, the vector EI above all.
        outside: see `ei_parts`.
        seed: of the draws.
        progress: see `ei_parts`.

    A vector EI whose outputs have more cells than draws can ever meet twice is NaN, shown as "–", and so is its Phi. A layer
    that cannot be measured has no row; `skipped` has the reason.
    """
    for name, bins in (("in_bins", in_bins), ("out_bins", out_bins)):
        check_bins(name, bins)
    if input_range is not None:
        input_range = check_range("input_range", input_range)
    Sampling(threshold=threshold, seed=seed)
    if outside not in OUTSIDE:
        raise ValueError(expected("outside", '"clip" or "drop"', repr(outside)))
    if isinstance(model, nx.DiGraph) and input is not None:
        raise ValueError(
            expected("input", "nothing beside a topology, which has its own", type(input).__name__)
        )
    topology = model if isinstance(model, nx.DiGraph) else topology_of(model, input)
    chosen = list(_weighted(topology)) if layers is None else [find_node(topology, layer) for layer in layers]
    settings = {
        "in_bins": in_bins,
        "out_bins": out_bins,
        "threshold": threshold,
        "outside": outside,
        "seed": seed,
        "batch_size": _ROWS_AT_ONCE,
    }
    rows, skipped = [], []
    for node in steps(chosen, len(chosen), progress, "effective information", "layer"):
        name = topology.nodes[node]["name"]
        try:
            own = {"in_range": None if topology.pred[node] else input_range}
            rows.append(_row(node, topology, settings | own, vector=vector))
        except (ValueError, TypeError, RuntimeError) as error:
            if layers is not None:
                raise
            skipped.append((name, str(error)))
    return EIReport(tuple(rows), in_bins, out_bins, seed, tuple(skipped))


def _weighted(topology: nx.DiGraph) -> Iterator[Any]:
    return (node for node, data in topology.nodes(data=True) if isinstance(data["module"], WEIGHTED))


def _row(node: Any, topology: nx.DiGraph, settings: dict[str, Any], *, vector: bool) -> LayerInformation:
    with _doubts_in_the_table():
        alone = sensitivity(node, topology, return_result=True, **settings)
        parts = ei_parts(node, topology, return_result=True, **settings)
        whole = _measurable(ei(node, topology, return_result=True, **settings)) if vector else _LEFT_OUT
    inputs, outputs = parts.matrix.shape
    done = {"clip": "clipped", "drop": "dropped"}[parts.outside]
    beyond = f"{parts.outside_share:.1%} of the outputs beyond their range, {done}" * (
        parts.outside_share >= 5e-4
    )
    return LayerInformation(
        layer=parts.layer,
        inputs=inputs,
        outputs=outputs,
        sensitivity=alone.bits,
        ei=whole,
        ei_parts=parts.bits,
        degeneracy=alone.bits - parts.bits,
        phi=whole - parts.bits,
        note="; ".join(filter(None, (beyond, whole.note, alone.bits.note, parts.bits.note)))
        if vector
        else beyond,
    )


def _measurable(whole: EffectiveInformation) -> Bits:
    if whole.coverage < HOPELESS:
        return Bits(
            float("nan"),
            float("nan"),
            "its outputs have too many cells to be met twice by any number of draws",
        )
    return whole.bits


@contextlib.contextmanager
def _doubts_in_the_table() -> Iterator[None]:
    """Keep warnings back: what they say stands in the numbers' notes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UncertainResultWarning)
        yield
