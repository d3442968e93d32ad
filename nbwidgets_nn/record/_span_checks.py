"""What can be wrong with the ends of a span, and what to try instead."""

from __future__ import annotations

import networkx as nx
import torch
from torch import Tensor, nn

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.record._inputs import Arguments
from nbwidgets_nn.record._names import kind_of
from nbwidgets_nn.record.errors import listing
from nbwidgets_nn.record.topology import recording_of

Node = nn.Module | str


def sample_of(topology: nx.DiGraph) -> Arguments:
    """Return the sample that everything outside the span has its values from; raise if the topology has none."""
    if "arguments" not in topology.graph:
        came = "that of a recording, without its first sample"
        raise ValueError(
            expected("topology", "the graph of topology_of", came, "topology = topology_of(model, input)")
        )
    return topology.graph["arguments"]


def check_order(topology: nx.DiGraph, start: Node, end: Node) -> None:
    """Raise if no data flows from `start` to `end`."""
    if nx.has_path(topology, start, end):
        return
    first, last = (topology.nodes[node]["name"] for node in (start, end))
    order = list(recording_of(topology))
    if order.index(first) > order.index(last):
        came = f"{first!r}, which runs after {last!r}"
        raise ValueError(
            expected("in_layer", f"a layer before {last!r}", came, f"in_layer={last!r}, layer={first!r}")
        )
    came = f"{first!r}, from which no data flows to {last!r}"
    upstream = [topology.nodes[node]["name"] for node in nx.ancestors(topology, end)]
    choices = listing(tuple(sorted([*upstream, last], key=order.index)))
    raise ValueError(expected("in_layer", f"a layer that feeds {last!r}", came, f"one of {choices}"))


def check_start(topology: nx.DiGraph, start: Node, read: Tensor | None, argument: str) -> None:
    """Raise if `read`, what the call `start` reads first, cannot be set to other values."""
    came = f"{_shown(topology, start)}, which reads {_describe(read)}"
    if read is None or not _is_settable(read):
        behind = tuple(topology.nodes[node]["name"] for node in topology.successors(start))
        try_ = f"start at a layer behind it: {listing(behind)}" if behind else "another layer"
        raise ValueError(expected(argument, "a layer that reads floating numbers", came, try_))
    if read.is_meta:
        came += " on the meta device"
        raise ValueError(expected(argument, "a layer with values", came, "load the model's weights first"))


def check_end(topology: nx.DiGraph, end: Node, returned: Tensor | None) -> None:
    """Raise if `returned`, what the call `end` returns first, is no tensor of real numbers."""
    if returned is None or not _is_real(returned):
        came = f"{_shown(topology, end)}, which returns {_describe(returned)}"
        raise ValueError(expected("layer", "a layer that returns real numbers", came, "a layer before it"))


def _shown(topology: nx.DiGraph, node: Node) -> str:
    return f"{topology.nodes[node]['name']!r} ({kind_of(topology.nodes[node]['module'])})"


def _is_real(tensor: Tensor) -> bool:
    return not (tensor.is_complex() or tensor.is_nested or tensor.is_quantized)


def _is_settable(tensor: Tensor) -> bool:
    return _is_real(tensor) and tensor.is_floating_point() and tensor.layout is torch.strided


def _describe(tensor: Tensor | None) -> str:
    if tensor is None:
        return "no tensor"
    if tensor.is_nested:
        return "a nested tensor"
    return str(tensor.dtype if tensor.layout is torch.strided else tensor.layout)
