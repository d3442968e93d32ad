"""Neuron, edge, neuron: for every edge of a network the value it starts from, its weight, and the value it leads to."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from torch import Tensor, nn

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.kernels.added_outputs import Additions, added_outputs
from nbwidgets_nn.kernels.attention_edges import attention_edges
from nbwidgets_nn.kernels.edge_statistics import EdgeStatistics, SourceMoments
from nbwidgets_nn.kernels.edges_of_layers import edges_of_layer
from nbwidgets_nn.kernels.layer_triplets import LayerTriplets
from nbwidgets_nn.kernels.source_units import SourceUnits, source_units
from nbwidgets_nn.record._names import did_you_mean, kind_of
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.errors import RecordingError
from nbwidgets_nn.record.layer import Layer
from nbwidgets_nn.record.recorded import recorded
from nbwidgets_nn.record.steps import Output, replay


def triplets(
    model: nn.Module | Activations,
    input: Any = None,  # noqa: A002
    *,
    batch_size: int | None = None,
) -> Triplets:
    """Return (source value, weight, target value) of every edge of a network, layer by layer, without holding them.

    >>> import torch
    >>> net = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> t = triplets(net, torch.ones(5, 1))
    >>> [(name, tuple(layer.shape)) for name, layer in t.items()]
    [('0', (5, 1, 2, 3)), ('2', (5, 2, 3, 3)), ('4', (5, 3, 1, 3))]
    >>> value, weight, result = t["2"][4, 1, 2]          # sample 4, from unit 1 to unit 2
    >>> bool(weight == net[2].weight[2, 1])
    True

    For each layer and output unit, the sum over inputs of value x weight, and the bias, give the result: the value that
    the layer returned, before an activation behind it. The source is what the layer really received, so behind an
    activation its output.

    Layers with edges: Linear; Conv1d, 2d, 3d; max and average pooling, also adaptive; batch norm; Flatten, Unflatten,
    Identity and Dropout, which pass values on; self-attention in three steps, "attn.value" (values of the tokens), "attn"
    (the sample's own attention weights, from token to token) and "attn.out_proj". A layer that is called again has an entry
    for each call: "step", "step:1". Other functions than additions (`F.max_pool2d`, `x.mean()`) are no calls, and have none.
    Activations work on each unit alone, and have none either.

    Additions of computed tensors on the way to a call (skip connections) have entries in front of it, also where other
    functions stand between: "relu:1.add", and of several on the way to one call "fc.add", "fc.add:1", ..., the outermost
    first. Target is the sum itself, sources are the addends as they were added; what is subtracted has weight -1. A sum of
    sums has all their addends; an addend that another call was given before stays one, as that call has its sum. Those on
    the way to what the model returns are "output.add". Each has one entry, named after the first call on whose way it lies:
    `LayerTriplets.calls`, `LayerTriplets.is_output` and `sums_before` say which others there are.

    Cost: that of the recording, and for each layer a few numbers; of convolutions a table of what each place reads.
    Weights are views of the model's own, and move with them when it is trained on: then ask again.

    Args:
        model: the network; or an `Activations` recorded before, whose weights must not have changed since.
        input: as for `Activations`; left out with a recording.
        batch_size: as for `Activations`.

    Raises:
        RecordingError: the network raised.
        TypeError, ValueError: no network, no tensor, no samples, a recording with an input, or without tensors.

    Source: asked for in seed 003 of the project, which repeats and concatenates all three into one tensor.
    """
    recording = recorded(model, input, call="triplets", batch_size=batch_size)
    if recording.shapes_only:
        came = "one made with shapes_only=True"
        raise ValueError(expected("model", "a recording with tensors", came, "record it without"))
    return Triplets(recording, *_layers(recording))


class Triplets(Mapping[str, LayerTriplets]):
    """The triplets of a network: from the name of a call to its `LayerTriplets`, in the order of execution."""

    def __init__(
        self,
        recording: Activations,
        layers: dict[str, LayerTriplets],
        skipped: dict[str, str],
        before: dict[str | None, tuple[str, ...]],
    ) -> None:
        self._layers = layers
        self._before = before
        self.recording = recording
        """The recording that the values are from."""
        self.skipped = skipped
        """Every call that weighs or mixes its inputs and has no entry here, and why; also additions whose values are
        not to be had ("fc.add")."""

    def __getitem__(self, name: str) -> LayerTriplets:
        try:
            return self._layers[name]
        except (KeyError, TypeError):
            raise KeyError(f"no triplets of {name!r}: {self._why_not(name)}") from None

    def statistics(self, loader: Iterable[Any]) -> dict[str, EdgeStatistics]:
        """Return mean and variance of every edge's contribution over a data set, of all layers in one pass.

        Layers whose weights each sample has for itself (max pooling, attention) have none.

        Args:
            loader: as for `LayerTriplets.statistics`.

        Raises:
            ValueError: no batch, or one that is a list of inputs and labels.
            RecordingError: the network raised.
        """
        shared = {name: layer for name, layer in self.items() if not layer.block.per_sample}
        return _statistics(self.recording.network, shared, loader)

    def sums_before(self, call: str | None) -> tuple[LayerTriplets, ...]:
        """Return the additions on the way to a call, the outermost first; for None, to what the model returns.

        >>> import torch
        >>> class Net(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)
        ...     def forward(self, x):
        ...         return self.b(x + self.a(x))
        >>> t = triplets(Net(), torch.ones(3, 2))
        >>> t.sums_before("b"), t.sums_before(None)
        ((LayerTriplets('b.add', Add, shape (3, 4, 2, 3), 4 edges),), ())
        """
        return tuple(self._layers[name] for name in self._before.get(call, ()) if name in self._layers)

    def _why_not(self, name: object) -> str:
        if name in self.skipped:
            return self.skipped[name]
        if name in self.recording and self.recording[name].module is not None:
            return "an activation works on each unit alone and has no edges"
        return did_you_mean(name, self._layers)

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    def __repr__(self) -> str:
        lines = [f"Triplets of {kind_of(self.recording.network)}: {len(self)} layers"]
        lines += [f"  {name}: {layer.describe()}" for name, layer in list(self.items())[:_MOST_LINES]]
        lines += [f"  and {len(self) - _MOST_LINES} more"] * (len(self) > _MOST_LINES)
        lines += [f"  {len(self.skipped)} skipped: {', '.join(list(self.skipped)[:8])}"] * bool(self.skipped)
        return "\n".join(lines)


_MOST_LINES = 24


def _layers(
    recording: Activations, wanted: Iterable[str] | None = None
) -> tuple[dict[str, LayerTriplets], dict[str, str], dict[str | None, tuple[str, ...]]]:
    """Return what there is, or of it what is wanted, why the rest of it is not there, and the additions before each call."""
    layers: dict[str, LayerTriplets] = {}
    skipped: dict[str, str] = {}
    sums = added_outputs(recording, wanted)
    for layer in map(recording.__getitem__, recording):
        if layer.module is None:
            continue
        layers |= _additions(recording, sums, layer.name, layers)
        if wanted is not None and not {layer.name, f"{layer.name}.value", f"{layer.name}.out_proj"} & set(
            wanted
        ):
            continue
        try:
            layers |= _entries(recording, layer)
        except ValueError as error:
            if not _is_pointwise(layer):
                skipped[layer.name] = str(error)
    layers |= _additions(recording, sums, None, layers)
    return layers, skipped | sums.skipped, sums.before


def _additions(
    recording: Activations, sums: Additions, call: str | None, known: Container[str]
) -> dict[str, LayerTriplets]:
    """Return the additions on the way to a call that were on no way before."""
    new = [name for name in sums.before.get(call, ()) if name in sums.by_name and name not in known]
    over_data = partial(_statistics, recording.network)
    return {
        name: LayerTriplets(
            name, "Add", sums.by_name[name], SourceUnits(), over_data, tuple(sums.calls[name])
        )
        for name in new
    }


def _entries(recording: Activations, layer: Layer) -> dict[str, LayerTriplets]:
    if isinstance(layer.module, nn.MultiheadAttention):
        steps = attention_edges(layer, partial(replay, given=partial(_first_output, recording)))
    else:
        steps = {layer.name: edges_of_layer(layer)}
    # What feeds the layer feeds its first step; a further step takes what the one before it gives.
    fed = next(iter(steps))
    return {
        name: LayerTriplets(
            name,
            layer.kind,
            edges,
            source_units(recording, layer) if name == fed else SourceUnits(),
            partial(_statistics, recording.network),
        )
        for name, edges in steps.items()
    }


def _first_output(recording: Activations, output: Output) -> Tensor:
    tensor = None if output.index else recording[output.layer].output
    if tensor is None:
        raise ValueError(f"it takes what is not recorded of {output.layer}")
    return tensor


def _is_pointwise(layer: Layer) -> bool:
    """Whether the layer is an activation that works on each unit alone, and has no weights."""
    mixes = isinstance(layer.module, nn.Softmax | nn.Softmax2d | nn.LogSoftmax | nn.Softmin | nn.GLU)
    return layer.is_activation and not mixes and not layer.parameters


def _statistics(
    network: nn.Module, layers: dict[str, LayerTriplets], loader: Iterable[Any]
) -> dict[str, EdgeStatistics]:
    moments = {name: SourceMoments(layer.shape[1]) for name, layer in layers.items()}
    for batch in loader:
        recording = _of_batch(network, batch)
        found = Triplets(recording, *_layers(recording, layers))
        for name, one in moments.items():
            one.update(found[name].source)
    return {name: one.statistics(layers[name].block) for name, one in moments.items()}


def _of_batch(network: nn.Module, batch: Any) -> Activations:
    """Record a batch; ValueError if it is several tensors, inputs and labels say, that the network does not take."""
    try:
        return Activations(network, batch)
    except RecordingError as error:
        if not isinstance(batch, list | tuple):
            raise
        what, came = "batches that the network takes", f"a {type(batch).__name__} of {len(batch)}"
        raise ValueError(expected("loader", what, came, "(x for x, _ in loader)")) from error
