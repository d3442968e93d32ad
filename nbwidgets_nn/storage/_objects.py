"""What the objects of this package are made of, and how they are made again; the classes that a file may name are listed."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, NamedTuple

from torch import Tensor, nn

from nbwidgets_nn.record._step_maker import OnCopy, UnderAutocast
from nbwidgets_nn.record.activations import Activations
from nbwidgets_nn.record.channel_axis import function_name
from nbwidgets_nn.record.layer import Layer
from nbwidgets_nn.record.steps import Origin, Output, Step, map_arguments, steps_in
from nbwidgets_nn.record.stored_module import StoredFunction
from nbwidgets_nn.storage._archive import WrongFileError
from nbwidgets_nn.storage._functions import function_of, name_of
from nbwidgets_nn.storage._modules import (
    KINDS,
    facts_of_module,
    facts_of_weights,
    same_parts,
    stored_module,
    stored_weights,
)
from nbwidgets_nn.storage._values import Parts, Reader, Writer, is_plain

HOMES = {
    "ActivationProfile": "kernels.activation_profile",
    "AxisReach": "kernels.graph.axis_reach",
    "Bits": "information_results",
    "BoundFunction": "record._activation_functions",
    "ChannelEdges": "kernels.channel_edges",
    "Correlation": "results",
    "Dendrogram": "results",
    "Edge": "kernels.strongest_edges",
    "EdgeBlock": "kernels.edge_blocks",
    "EdgeStatistics": "kernels.edge_statistics",
    "EffectiveInformation": "information_results",
    "EigenspaceEnergies": "spectrum_results",
    "EIReport": "information_results",
    "HiddenLayerSize": "hidden_layer_size",
    "IndependentNeurons": "results",
    "Laid": "kernels.graph.laid",
    "LaplacianSpectrum": "spectrum_results",
    "Layer": "record.layer",
    "LayerEnergies": "spectrum_results",
    "LayerInformation": "information_results",
    "Link": "kernels.graph.stages",
    "Output": "record.steps",
    "Reach": "kernels.graph.product_reach",
    "SpectrumReport": "spectrum_results",
    "Stage": "kernels.graph.stages",
    "Stages": "kernels.graph.stages_of_recording",
    "Step": "record.steps",
    "StrongestEdges": "kernels.strongest_edges",
    "Uniform": "kernels.graph.stages",
    "UnitMeasures": "results",
}
"""Dataclasses and named tuples that a file may hold, and where they live."""

GRAPHS = {
    "Convolution": "kernels.graph.stages",
    "Matrix": "kernels.graph.stages",
    "NNGraph": "kernels.nn_graph",
    "Winners": "kernels.graph.stages",
}
"""Classes that `_graphs` knows, which is imported only when one of them is met."""

RECORDINGS = {"Activations": "record.activations", "Spectrum": "kernels.spectrum"}
RECORDING = ("network", "shapes_only", "never_ran", "origin", "returned", "_layers")
"""The attributes of a recording; a spectrum has a `report` as well."""


class ObjectWriter(Writer):
    """Writes the objects of this package as their parts."""

    def __init__(self) -> None:
        super().__init__()
        # Of the models met so far: a step that uses them refers to them.
        self._weights: dict[int, Tensor] = {}
        self._tensors: dict[tuple, Tensor] = {}

    def further(self, value: Any, where: str) -> Parts | None:
        """Take an object of this package apart."""
        if self._weights.get(id(value)) is value:
            return "weights", facts_of_weights(value)
        if isinstance(value, nn.Module):
            facts = facts_of_module(value)
            self._weights |= {id(w): w for kind in KINDS if kind != "children" for w in facts[kind].values()}
            return "module", facts
        if _is_one_of(RECORDINGS, value):
            return self._recording(value, where)
        if _is_one_of(GRAPHS, value):
            return self._graph(value)
        return _parts_of_named(value) or _parts_of_function(value)

    def _recording(self, recording: Activations, where: str) -> Parts:
        parts = {name: vars(recording)[name] for name in RECORDING}
        parts["network"] = _Model(recording.network)
        self.write(parts["network"], f"{where}.network")
        for node in _steps(recording):  # in order, each after those it is made from: no depth of recursion
            self.write(node, f"{where}.origin")
        if type(recording) is not Activations:
            parts["report"] = recording.report
        return type(recording).__name__, parts

    def _graph(self, value: Any) -> Parts | None:
        from nbwidgets_nn.storage import _graphs  # noqa: PLC0415 - a second of imports that recordings do not need

        return _graphs.parts_of(value, self._one_tensor)

    def _one_tensor(self, tensor: Tensor) -> Tensor:
        """Return the same object for all tensors that are the same numbers in memory; never a parameter of the model."""
        key = tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride()
        return self._tensors.setdefault(key, tensor.detach())


def _parts_of_named(value: Any) -> Parts | None:
    name = type(value).__name__
    if type(value) is _Model:
        return "model", {"module": value.module}
    if not _is_one_of(HOMES, value):
        return None
    return name, {**_fields(value), **(_storable(value.args, value.kwargs) if name == "Step" else {})}


class ObjectReader(Reader):
    """Makes the objects of this package; `network` is the model to use in place of the stored description of it."""

    def __init__(self, array: Callable[[Any], Any], network: nn.Module | None) -> None:
        super().__init__(array)
        self._network = network
        self.used_network = False

    def further(self, name: str, parts: dict[str, Any]) -> Any:
        """Put an object of this package together."""
        if name == "model":
            return self._model(**parts)
        if name in RECORDINGS:
            return _made_recording(name, parts)
        if name in GRAPHS:
            from nbwidgets_nn.storage import _graphs  # noqa: PLC0415

            return _graphs.made_of(name, parts)
        if name in _MAKERS:
            return _MAKERS[name](**parts)
        if name not in HOMES:
            raise WrongFileError(f"an object of the unknown kind {name!r}")
        return _made(class_of(name), parts)

    def _model(self, module: nn.Module) -> nn.Module:
        if self._network is None or module is self._network:
            return module
        own = same_parts(module, self._network)
        self.objects = [own.get(id(made), made) for made in self.objects]
        self.used_network = True
        return self._network


class _Model(NamedTuple):
    """The network of a recording: a module that `load(network=)` gives back."""

    module: nn.Module


def class_of(name: str) -> type:
    """Return one of the listed classes."""
    return getattr(import_module(f"nbwidgets_nn.{(HOMES | GRAPHS | RECORDINGS)[name]}"), name)


def _is_one_of(homes: dict[str, str], value: Any) -> bool:
    name = type(value).__name__
    return name in homes and type(value) is class_of(name)


def _fields(value: Any) -> dict[str, Any]:
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return {**value._asdict(), **getattr(value, "__dict__", {})}


def _made(cls: type, parts: dict[str, Any]) -> Any:
    if any(type(part) is range for part in parts.values()):  # short in a file, and as long as it says
        raise WrongFileError(f"{cls.__name__} with a range")
    if dataclasses.is_dataclass(cls):
        _check_names(cls, parts, {field.name: _has_default(field) for field in dataclasses.fields(cls)})
        return cls(**parts)
    _check_names(cls, parts, {**dict.fromkeys(cls._fields, False), **dict.fromkeys(_beside(cls), True)})
    made = cls(*(parts.pop(name) for name in cls._fields))
    if parts:
        vars(made).update(parts)
    return made


def _beside(cls: type) -> list[str]:
    """Return the attributes that a named tuple declares beside its fields."""
    return [name for name in inspect.get_annotations(cls) if name not in cls._fields]


def _has_default(field: dataclasses.Field) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _check_names(cls: type, parts: dict[str, Any], optional: dict[str, bool]) -> None:
    missing = [name for name, may in optional.items() if not may and name not in parts]
    odd = [name for name in parts if name not in optional]
    if missing or odd:
        raise WrongFileError(f"{cls.__name__} {'without' if missing else 'with'} {(missing or odd)[0]!r}")


def _made_recording(name: str, parts: dict[str, Any]) -> Activations:
    cls = class_of(name)
    optional = dict.fromkeys(RECORDING if cls is Activations else (*RECORDING, "report"), False)
    _check_names(cls, parts, optional | {"returned": True})  # older files have none
    parts.setdefault("returned", None)
    layers = parts["_layers"]
    fits = isinstance(layers, dict) and isinstance(parts["network"], nn.Module) and "input" in layers
    if not fits or any(type(layer) is not Layer or layer.name != name for name, layer in layers.items()):
        raise WrongFileError("a recording whose layers are none")
    made = object.__new__(cls)
    vars(made).update(parts)
    return made


def _steps(recording: Activations) -> Iterator[Origin]:
    for layer in map(recording.__getitem__, recording):
        for origin in (*layer.origins, layer.origin):
            yield from () if origin is None else steps_in(origin)
    yield from () if recording.origin is None else steps_in(recording.origin)


def _storable(args: tuple, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return a step's arguments; an odd one among them (a generator of random numbers, say) as its text."""

    def one(value: Any) -> Any:
        if isinstance(value, Step | Output | Tensor) or callable(value) or is_plain(value):
            return value
        return StoredFunction(repr(value))

    return {"args": map_arguments(args, one), "kwargs": map_arguments(kwargs, one)}


def _parts_of_function(function: Any) -> Parts | None:
    if not callable(function) or isinstance(function, type):
        return None
    if type(function) is OnCopy:
        return "on copy", {"function": function.function}
    if type(function) is UnderAutocast:
        return "under autocast", {
            "function": function.function,
            "device": function.device,
            "dtype": function.dtype,
        }
    name = name_of(function)
    if name is not None:
        return "function", {"name": name}
    return "unknown function", {"name": function_name(function) or repr(function)}


_MAKERS: dict[str, Callable[..., Any]] = {
    "module": stored_module,
    "weights": stored_weights,
    "function": function_of,
    "unknown function": lambda name: StoredFunction(str(name)),
    "on copy": OnCopy,
    "under autocast": UnderAutocast,
}
