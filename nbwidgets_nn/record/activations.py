"""The recording of a model: every call of a layer, its input and output, and who feeds whom."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nbwidgets_nn._arrays import expected
from nbwidgets_nn._progress import bar
from nbwidgets_nn.record._inputs import INPUT, Arguments, check_batch_size, check_network, read_input
from nbwidgets_nn.record._names import can_be_called, did_you_mean, is_plain_leaf, kind_of, module_names
from nbwidgets_nn.record._other_samples import OtherSamples
from nbwidgets_nn.record._pass import Call, Pass
from nbwidgets_nn.record._pieces import join
from nbwidgets_nn.record._samples import UNKNOWN, SampleAxes, axis_of, sample_axes
from nbwidgets_nn.record._state import unchanged
from nbwidgets_nn.record.channel_axis import axis_of_module
from nbwidgets_nn.record.layer import Layer


class Activations:
    """What every layer of `network` received and returned for `input`.

    Cost: one forward pass, about 0.2 ms more for each call and 0.04 ms for each function between calls, and memory for a
    copy of every layer's output (of the network's, of inputs that no layer returned, and constants that functions took);
    `shapes_only=True` keeps no tensors but those constants, `batch_size=` bounds what the pass needs.

    >>> rec = Activations(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), torch.ones(5, 3))
    >>> rec.layernames
    ['input', '0', '1']
    >>> rec["0"].output.shape, rec["0"].activation, rec["0"].feeds
    (torch.Size([5, 4]), ReLU(), ('1',))

    The pass runs in eval mode and without gradients; afterwards mode, hooks, attributes, buffers, random state and
    the tensors given are as before, also when the network raises.

    Recorded are calls of *leaf* modules, those that called no other module of the network, in execution order and by
    qualified name: `features.0`. A module that is called again gives `relu:1`; a module with two names has its first;
    the network itself, if it is the leaf, has its class name. (The seed's layers are the children of the network;
    these are the leaves.) The first name is 'input', that of the first tensor given; further ones have a layer
    of their own, named after the argument: 'input:mask', 'input:batch.image', without samples unless they have as many entries
    along dim 0.

    Args:
        network: any `torch.nn.Module`. A ScriptModule inside it is one call.
        input: a tensor (samples, ...); a tuple of several; a dict, passed as keyword arguments if its keys are parameters
            of ``network.forward``; anything else that holds tensors is passed as the one argument. NumPy arrays become
            tensors, floating ones in the network's dtype.
        shapes_only: keep shapes, names and edges, but no tensors. Works on the meta device too.
        batch_size: run ``input`` in pieces of at most so many samples along dim 0. The result is the same for a network
            that treats its samples one by one, as networks do in eval mode.

    Raises:
        RecordingError: the network raised; it names the calls that had run and the one that failed. Also with
            ``batch_size``, if the pieces cannot be joined.
        TypeError, ValueError: no network, no tensor, no samples.
    """

    def __init__(
        self,
        network: nn.Module,
        input: Any,  # noqa: A002
        *,
        shapes_only: bool = False,
        batch_size: int | None = None,
    ) -> None:
        self.network = network = check_network(network)
        arguments = read_input(network, input)
        check_batch_size(batch_size, arguments)
        calls, ran = _record(network, arguments, batch_size, keep_tensors=not shapes_only)
        end = calls.pop()
        self.shapes_only = shapes_only
        self._layers = _layers(calls)
        self.never_ran = _never_ran(network, ran)
        """Qualified names of the leaf modules that the network did not call, and that no recorded layer contains."""
        self.returned = end.input
        """The first tensor that the network returned; None with `shapes_only`, and where its samples are not known."""
        self.origin = end.origins[0] if end.origins else None
        """How that tensor came about; None where that is not known (`Layer.origins`)."""

    @property
    def layernames(self) -> list[str]:
        """Names of the recorded calls in execution order, 'input' and further inputs first."""
        return list(self._layers)

    @property
    def layerdescriptions(self) -> list[str | nn.Module]:
        """The module of each call; for the input the word 'input'."""
        return [INPUT if layer.module is None else layer.module for layer in self._layers.values()]

    @property
    def layeractivations(self) -> list[Tensor | None]:
        """The input, then each call's output; None for a call that returned no tensor, or with `shapes_only`."""
        return [layer.output for layer in self._layers.values()]

    @property
    def edges(self) -> list[tuple[str, str]]:
        """`(source, target)` for each call whose output is in the input of another, directly or through functions.

        Functions are followed wherever torch reports them: also views, in-place changes, `cat`, arithmetic. Values
        that leave torch (`.numpy()`, `.item()`, TorchScript functions) are lost; `Layer.note` says so where it
        leaves a layer without a source.
        """
        return [(source, layer.name) for layer in self._layers.values() for source in layer.fed_by]

    def to_vector(self) -> list[float]:
        """All of `layeractivations`, the input included, as one flat list; calls without a tensor are left out."""
        return [value for tensor in self._kept() for value in tensor.flatten().tolist()]

    def to_activations(self, signal: Sequence[float] | np.ndarray | Tensor) -> Activations:
        """Return a recording like this one with outputs taken from `signal`, which is ordered as `to_vector`.

        Each layer keeps its dtype, unless that cannot hold the values (fractions in a layer of integers, numbers
        beyond float16): then it has the dtype of the signal. The new recording has no `Layer.input` and nothing `returned`. ValueError if the
        length differs.
        """
        # Through NumPy, whose floats are float64: torch would round a list to float32. The copy keeps apart what is ours.
        values = (
            signal.detach() if isinstance(signal, Tensor) else torch.from_numpy(np.array(signal, order="C"))
        )
        values = values.flatten().clone()
        if not values.is_floating_point() and not values.is_complex():
            values = values.double()
        self._check_length(values)
        layers = {}
        start = 0
        for name, layer in self._layers.items():
            output = layer.output
            if output is not None:
                piece = values[start : start + output.numel()].to(output.device)
                output = _held_in(piece, output.dtype).reshape(output.shape)
                start += output.numel()
            layers[name] = dataclasses.replace(layer, output=output, input=None)
        made = copy.copy(self)
        made._layers = layers  # noqa: SLF001 - another object of this class
        made.returned = None
        return made

    def take(self, samples: Sequence[int] | np.ndarray | Tensor) -> Activations:
        """Return a recording of some of the samples, in the order given.

        Tensors with as many entries along dim 0 as the input are cut there, unless the functions before their call (`origin`)
        show that these are no samples: behind a transposition, or in a table of weights. Any other output is left out,
        and its layer's note says so: which of its numbers belong to a sample is not known.

        >>> recording = Activations(nn.Linear(3, 4), torch.eye(3))
        >>> recording.take([2, 0])["input"].output
        tensor([[0., 0., 1.],
                [1., 0., 0.]])

        Raises:
            IndexError: a sample that there is not.
            ValueError: no samples, or the recording has no values.
        """
        self._kept()
        count = len(self[INPUT].output)
        chosen = np.atleast_1d(np.asarray(samples))
        if not chosen.size or chosen.dtype.kind not in "iu":
            raise ValueError(expected("samples", "indices of at least one sample", repr(samples)))
        if chosen.min() < -count or chosen.max() >= count:
            raise IndexError(
                expected("samples", f"indices below {count}, the number of samples", repr(samples))
            )
        chosen = chosen % count
        made = copy.copy(self)
        axes = sample_axes(self._layers, count)
        others = OtherSamples(count, len(chosen), chosen)
        made._layers = {  # noqa: SLF001
            name: dataclasses.replace(
                _cut(layer, chosen, count, axes[name]), origins=others.origins(layer.origins)
            )
            for name, layer in self._layers.items()
        }
        axis = axis_of(self.origin, self.returned, self._layers, axes, count)
        made.returned = _cut_tensor(self.returned, chosen, count, axis)
        made.origin = None if self.origin is None else others.origin(self.origin)
        return made

    def _kept(self) -> list[Tensor]:
        if self.shapes_only:
            raise ValueError("no values: the model was recorded with shapes_only=True; record it without")
        tensors = [tensor for tensor in self.layeractivations if tensor is not None]
        return [tensor if tensor.layout is torch.strided else tensor.to_dense() for tensor in tensors]

    def _check_length(self, values: Tensor) -> None:
        kept = self._kept()
        expected = sum(tensor.numel() for tensor in kept)
        if len(values) != expected:
            sizes = [
                f"{layer.name} {layer.output.numel()}"
                for layer in self._layers.values()
                if layer.output is not None
            ]
            shown = ", ".join(sizes[:8]) + (", ..." if len(sizes) > 8 else "")
            raise ValueError(f"signal: expected {expected} values ({shown}), got {len(values)}")

    def __getitem__(self, name: str) -> Layer:
        try:
            return self._layers[name]
        except (KeyError, TypeError):
            raise KeyError(f"no layer {name!r} was recorded; {self._help(name)}") from None

    def _help(self, name: object) -> str:
        if name in self.never_ran:
            return "the network has a module of this name, but it did not run"
        return did_you_mean(name, self._layers)

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._layers

    def __repr__(self) -> str:
        calls = sum(layer.module is not None for layer in self._layers.values())
        return f"Activations of {kind_of(self.network)}: input {self[INPUT].output_shape}, {calls} calls"


def _record(
    network: nn.Module, arguments: Arguments, batch_size: int | None, *, keep_tensors: bool
) -> tuple[list[Call], set[nn.Module]]:
    """Return the calls, last the network's end, and the modules that ran."""
    pieces = list(arguments.pieces(batch_size))
    passes: list[list[Call]] = []
    ran: set[nn.Module] = set()
    with unchanged(network):
        for piece in bar(pieces, "recording", "piece") if len(pieces) > 1 else pieces:
            one = Pass(network, keep_tensors=keep_tensors)
            one.run(piece)
            passes.append([*one.calls, one.end])
            ran |= one.ran
        return join(passes, [piece.samples for piece in pieces]), ran


def _layers(calls: list[Call]) -> dict[str, Layer]:
    """Return the recorded calls as layers that know what they feed."""
    feeds: dict[str, list[str]] = {call.name: [] for call in calls}
    for call in calls:
        for source in call.sources:
            feeds[source].append(call.name)
    by_name = {call.name: call for call in calls}
    layers = {}
    for call in calls:
        fed = [by_name[name] for name in feeds[call.name]]
        layers[call.name] = Layer(
            name=call.name,
            module=call.module,
            kind=INPUT if call.module is None else kind_of(call.module),
            output=call.output,
            input=call.input,
            output_shape=call.output_shape,
            input_shape=call.input_shape,
            parameters=0 if call.module is None else sum(p.numel() for p in call.module.parameters()),
            activation=call.activation,
            input_activation=call.input_activation,
            input_of=call.input_of,
            is_activation=call.is_activation,
            origins=call.origins,
            fed_by=tuple(name for name in by_name if name in call.sources),
            feeds=tuple(feeds[call.name]),
            channel_axis=_input_axis(call, fed) if call.module is None else call.channel_axis,
            note="; ".join(call.notes),
        )
    return layers


def _cut(layer: Layer, samples: np.ndarray, count: int, axes: SampleAxes) -> Layer:
    """Return the layer with some of the samples only, and without tensors whose samples are not known."""
    output = _cut_tensor(layer.output, samples, count, axes.output)
    input_ = _cut_tensor(layer.input, samples, count, axes.input)
    lost = "left out: dim 0 does not count the samples" * (output is None and layer.output is not None)
    return dataclasses.replace(
        layer,
        output=output,
        input=input_,
        output_shape=layer.output_shape if output is None else tuple(output.shape),
        input_shape=layer.input_shape if input_ is None else tuple(input_.shape),
        note="; ".join(filter(None, (layer.note, lost))),
    )


def _cut_tensor(tensor: Tensor | None, samples: np.ndarray, count: int, axis: int | None) -> Tensor | None:
    known = tensor is not None and tensor.ndim and len(tensor) == count and axis in (0, UNKNOWN)
    return tensor.index_select(0, torch.from_numpy(samples).to(tensor.device)) if known else None


def _input_axis(call: Call, fed: list[Call]) -> int | None:
    """Return the channel axis of the input: where the first layer that takes it as it is looks for its channels."""
    shape = call.output_shape
    for taker in fed:
        if taker.input_shape == shape and taker.module is not None:
            axis = axis_of_module(taker.module, len(shape))
            if axis is not None:
                return axis
    return call.channel_axis


def _never_ran(network: nn.Module, ran: set[nn.Module]) -> list[str]:
    names = module_names(network)
    return [
        name
        for module, name in names.items()
        if module not in ran and is_plain_leaf(module, names) and can_be_called(module)
    ]


def _held_in(values: Tensor, dtype: torch.dtype) -> Tensor:
    """`values` in `dtype` if that can hold them: rounding is allowed, infinities and lost fractions are not."""
    if dtype.is_complex or (dtype.is_floating_point and not values.is_complex()):
        cast = values.to(dtype)
        held = torch.equal(torch.isfinite(cast), torch.isfinite(values))
    else:
        cast = values.to(dtype) if not values.is_complex() else values.real.to(dtype)
        held = torch.equal(cast.to(values.dtype), values)
    return cast if held else values.clone()
