"""Which layer feeds which, as a graph: read from a recording, so branches, skips and functions are followed."""

from __future__ import annotations

from collections import Counter
from typing import Any

import networkx as nx
from torch import nn

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.record._inputs import Arguments, read_input
from nbwidgets_nn.record._names import did_you_mean, kind_of, module_names
from nbwidgets_nn.record._pass import Pass
from nbwidgets_nn.record._state import unchanged
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.errors import RecordingError, listing
from nbwidgets_nn.record.layer import Layer

DROPOUT = nn.modules.dropout._DropoutNd  # noqa: SLF001 - the common base of all dropouts
BATCH_NORM = nn.modules.batchnorm._BatchNorm  # noqa: SLF001 - the common base of all batch norms


def topology_of(model: nn.Module, input: Any) -> nx.DiGraph:  # noqa: A002
    """Return the graph of `model`'s layers: which layer's output is in the input of which.

    >>> import torch
    >>> network = nn.Sequential(nn.Linear(42, 20), nn.Sigmoid(), nn.Linear(20, 10))
    >>> topology = topology_of(network, input=torch.zeros(1, 42))
    >>> topology.nodes[network[0]]["output"]
    {'activation': Sigmoid(), 'shape': (1, 20)}
    >>> topology.nodes[network[2]]["input"], list(topology.edges) == [(network[0], network[2])]
    ({'activation': Sigmoid(), 'shape': (1, 20)}, True)

    A node is a call of a module without submodules. Activations, dropout and Identity are no nodes: edges pass through them.
    The node's key is the module; a module that ran several times has a node for every call, whose key is the name of
    the call ("step", "step:1", "step:2"). Edges are the flow of data, also through functions (`+`, `torch.cat`, `view`, ...).

    Each node has

    * "name": the name of the call, "features.0"; "module": the module.
    * "input": {"activation", "shape"}; the activation that made the input's values, also through pooling, and the shape
      with the batch. None where there is no such activation.
    * "output": {"activation", "shape"}; the activation that directly follows, behind the batch norm if there is one.
    * "norm": the batch norm with running statistics that alone takes the output; None otherwise.

    Cost: two passes, the second with one sample. The model is as before afterwards. `topology.graph["recording"]` is
    the recording, without tensors, and `topology.graph["arguments"]` the first sample.

    Args:
        model: any `torch.nn.Module`.
        input: as for `Activations`.

    Raises:
        RecordingError: the model raised.
        TypeError, ValueError: no network, no tensor, no samples.
    """
    recording = Activations(model, input, shapes_only=True)
    arguments = _first_sample(recording, read_input(recording.network, input))
    topology = topology_of_recording(recording)
    topology.graph["arguments"] = arguments
    return topology


def topology_of_recording(recording: Activations) -> nx.DiGraph:
    """Return the graph of a recording made before; without the first sample, so that no span of layers can be run.

    >>> import torch
    >>> list(topology_of_recording(Activations(nn.Linear(3, 4), torch.zeros(1, 3))))
    [Linear(in_features=3, out_features=4, bias=True)]
    """
    topology = nx.DiGraph(recording=recording)
    keys = _keys(recording)
    for name, key in keys.items():
        topology.add_node(key, **_describe(recording, recording[name]))
    for name, key in keys.items():
        topology.add_edges_from((keys[source], key) for source in _sources(recording, name))
    return topology


def find_node(topology: nx.DiGraph, layer: nn.Module | str, argument: str = "layer") -> nn.Module | str:
    """Return the key of the node that `layer` means: a module that ran once, or the name of a call.

    >>> import torch
    >>> network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    >>> topology = topology_of(network, torch.zeros(1, 3))
    >>> find_node(topology, "2") is find_node(topology, network[2]) is network[2]
    True

    Args:
        topology: from `topology_of`.
        layer: a module of the model, or a name.
        argument: what the caller's own caller wrote, for the message.

    Raises:
        TypeError: ``topology`` is not from `topology_of`, or ``layer`` is neither module nor name.
        ValueError: no such layer, it did not run, it ran several times, or it is no node (an activation, a container).
    """
    recording = recording_of(topology)
    names = {data["name"]: key for key, data in topology.nodes(data=True)}
    if isinstance(layer, str):
        if layer in names:
            return names[layer]
        raise ValueError(
            expected(argument, "the name of a layer", repr(layer), _why_not(recording, layer, names))
        )
    if not isinstance(layer, nn.Module):
        came = type(layer).__name__
        raise TypeError(expected(argument, "a module of the model, or the name of a call", came))
    layer = getattr(layer, "_orig_mod", layer)  # what torch.compile wrapped
    if layer in topology:
        return layer
    calls = [name for name, key in names.items() if topology.nodes[key]["module"] is layer]
    if calls:
        choice = f"{', '.join(map(repr, calls[:-1]))} or {calls[-1]!r}"
        raise ValueError(f"{argument}: {calls[0]!r} ran {len(calls)} times: pass {choice}")
    name = module_names(recording.network).get(layer)
    if name is None:
        came = f"a {kind_of(layer)} that is not part of it"
        raise ValueError(expected(argument, "a module of the model", came, f"one of {listing(tuple(names))}"))
    came = f"{name!r} ({kind_of(layer)})"
    raise ValueError(expected(argument, "a layer of the topology", came, _why_not(recording, name, names)))


def recording_of(topology: Any) -> Activations:
    """Return the recording that the topology was read from; TypeError if it is not from `topology_of`."""
    recording = topology.graph.get("recording") if isinstance(topology, nx.Graph) else None
    if isinstance(recording, Activations):
        return recording
    came = "a graph made otherwise" if isinstance(topology, nx.Graph) else type(topology).__name__
    raise TypeError(
        expected("topology", "the graph of topology_of", came, "topology = topology_of(model, input)")
    )


def _why_not(recording: Activations, name: str, names: dict[str, Any]) -> str:
    """Say why the model's module or call `name` is no node, and what to pass instead."""
    if name in recording.never_ran:
        return f"another layer, as this one did not run; those that ran are {listing(tuple(names))}"
    if name in recording and recording[name].module is not None:
        layer = recording[name]
        before = [source for source in layer.input_of if source in names]
        behind = f"{before[0]!r}, whose output it takes" if before else listing(tuple(names))
        return f"{behind}; {layer.kind} is an activation, or does nothing in eval mode, and so no layer of its own"
    inside = [other for other in names if other.startswith(f"{name}.")]
    if inside:
        return f"one of the layers inside: {listing(tuple(inside))}"
    return did_you_mean(name, names)


def _first_sample(recording: Activations, arguments: Arguments) -> Arguments:
    """Return a copy of the arguments cut to one sample; of all, where the model does not run alike on the cut ones."""
    samples = arguments.samples
    if samples > 1:
        first = arguments.map(lambda t: t[:1] if t.ndim and len(t) == samples else t)
        if _runs_alike(recording, first):
            return first.copy()
    return arguments.copy()


def _runs_alike(recording: Activations, arguments: Arguments) -> bool:
    one = Pass(recording.network, keep_tensors=False)
    try:
        with unchanged(recording.network):
            one.run(arguments)
    except RecordingError:  # no batch in the input: a single image cut along its channels
        return False
    return [call.name for call in one.calls] == recording.layernames


def _keys(recording: Activations) -> dict[str, nn.Module | str]:
    """Return the node of each call that is one: its module, or its name if the module ran several times."""
    calls = [layer for layer in (recording[name] for name in recording) if _is_node(layer)]
    runs = Counter(id(layer.module) for layer in calls)
    return {layer.name: layer.module if runs[id(layer.module)] == 1 else layer.name for layer in calls}


def _is_node(layer: Layer) -> bool:
    return layer.module is not None and not layer.is_activation and not _does_nothing(layer)


def _does_nothing(layer: Layer) -> bool:
    return isinstance(layer.module, nn.Identity | DROPOUT)


def _sources(recording: Activations, name: str) -> set[str]:
    """Return the calls that are nodes and feed this one, directly or through calls that are none."""
    found, todo, seen = set(), [name], {name}
    while todo:
        for source in recording[todo.pop()].fed_by:
            if source not in seen:
                seen.add(source)
                (found.add if _is_node(recording[source]) else todo.append)(source)
    return found


def _describe(recording: Activations, layer: Layer) -> dict[str, Any]:
    norm = _norm_behind(recording, layer)
    last = layer if norm is None else norm
    return {
        "name": layer.name,
        "module": layer.module,
        "input": {"activation": layer.input_activation, "shape": layer.input_shape},
        "output": {"activation": last.activation, "shape": layer.output_shape},
        "norm": None if norm is None else norm.module,
    }


def _norm_behind(recording: Activations, layer: Layer) -> Layer | None:
    """Return the batch norm that alone takes the layer's output as it is; it must have running statistics."""
    takers = _takers(recording, layer)
    if len(takers) != 1:
        return None
    (taker,) = takers
    fits = isinstance(taker.module, BATCH_NORM) and taker.module.running_mean is not None
    return taker if fits and layer.name in taker.input_of else None


def _takers(recording: Activations, layer: Layer) -> set[Layer]:
    """Return the calls that the layer feeds, seen through dropout and Identity."""
    takers = set()
    for taker in map(recording.__getitem__, layer.feeds):
        takers |= _takers(recording, taker) if _does_nothing(taker) else {taker}
    return takers
