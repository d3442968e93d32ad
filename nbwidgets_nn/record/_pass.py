"""One forward pass with every call of a leaf module written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence
from torch.utils.hooks import RemovableHandle

from nbwidgets_nn.record._activation_functions import ACTIVATION_MODULES, Applied
from nbwidgets_nn.record._copies import Copies, version_of
from nbwidgets_nn.record._flow import Flow, Label
from nbwidgets_nn.record._inputs import Arguments
from nbwidgets_nn.record._names import is_plain_leaf, kind_of, module_names, new_name
from nbwidgets_nn.record._step_maker import outputs_of
from nbwidgets_nn.record._trees import first_tensor, parts, tensors_in
from nbwidgets_nn.record.channel_axis import axis_of_module, usual_axis
from nbwidgets_nn.record.errors import RecordingError, listing
from nbwidgets_nn.record.steps import Origin

END = ""
"""In place of a call's name: what takes the network's output."""

RANGE_KEEPING_POOLS = tuple(
    getattr(nn, f"{kind}Pool{d}d") for kind in ("Max", "Avg", "AdaptiveMax", "AdaptiveAvg") for d in (1, 2, 3)
)


@dataclass(eq=False)
class Call:
    """What is kept of one call of a leaf module."""

    name: str
    module: nn.Module | None
    input: Tensor | None = None
    output: Tensor | None = None
    input_shape: tuple[int, ...] | None = None
    output_shape: tuple[int, ...] | None = None
    channel_axis: int | None = None
    sources: tuple[str, ...] = ()
    sources_unknown: bool = False
    packed: bool = False
    input_sources: frozenset[str | None] = frozenset()
    activation: nn.Module | Applied | None = None
    input_activation: nn.Module | Applied | None = None
    input_of: tuple[str, ...] = ()
    is_activation: bool = False
    origins: tuple[Origin | None, ...] = ()
    notes: list[str] = field(default_factory=list)


@dataclass(eq=False)
class _Running:
    """A module that has been called and has not returned yet."""

    module: nn.Module
    call: Call
    label: Label
    versions: dict[int, int | None]
    is_leaf: bool = True
    applied_activation: bool = False


class Pass:
    """Runs the network once and collects its `calls`, and its `end`; hooks are removed whatever happens."""

    def __init__(self, network: nn.Module, *, keep_tensors: bool) -> None:
        self.calls: list[Call] = []
        self.end = Call(END, None)
        """What is given the first tensor that the network returns."""
        self.activations: dict[str, nn.Module | Applied] = {}
        self.ran: set[nn.Module] = set()
        self._network = network
        self._names = module_names(network)
        self._used: set[str] = set()
        self._running: list[_Running] = []
        self._copies = Copies() if keep_tensors else None
        constants = [*network.parameters(), *network.buffers(), *_attributes(network)]
        self._flow = Flow(constants, self._on_activation_function, self._copies)

    def run(self, arguments: Arguments) -> None:
        """Call the network; an exception of its own becomes a RecordingError."""
        arguments = arguments.copy()
        self._record_input(arguments)
        handles = self._attach()
        try:
            with self._flow:
                returned = self._network(*arguments.args, **arguments.kwargs)
        except Exception as error:
            raise self._error(error) from error
        finally:
            for handle in handles:
                handle.remove()
        for call in self.calls:
            call.activation = self.activations.get(call.name)
        self.end = self._end(returned)
        # It calls back: two objects that hold each other are freed late, and with them all that was recorded.
        self._flow = None

    def _record_input(self, arguments: Arguments) -> None:
        given = arguments.named(self._network)
        for wanted, tensor in given:
            name = new_name(wanted, self._used)
            self._used.add(name)
            ((_, place),) = outputs_of(name, [tensor])
            self._flow.mark(tensor, Label(frozenset({name}), (name,), origin=place))
            call = Call(name, None, output_shape=_shape(tensor), channel_axis=usual_axis(tensor.ndim))
            if self._copies is not None:
                call.output = self._copies.of(tensor)
            self.calls.append(call)
        if len(given) > 1:
            self.calls[0].notes.append(f"{len(given)} tensors were given; this is the first")

    def _end(self, returned: Any) -> Call:
        """Return the end of the network that returned this."""
        end = Call(END, None)
        found = first_tensor(returned)
        if found is not None:
            end.input_shape = _shape(found[0])
            end.input_sources = self._flow.label(found[0]).sources
            end.origins = (self._flow.origin(found[0]),)
            end.input = None if self._copies is None else self._copies.of(found[0])
        return end

    def _attach(self) -> list[RemovableHandle]:
        handles = []
        for module in self._names:
            # Through the class: a ScriptModule refuses its own register_forward_hook, though the hook works.
            before, after = self._unseen(self._before), self._unseen(self._after)
            handles.append(nn.Module.register_forward_pre_hook(module, before, with_kwargs=True))
            handles.append(nn.Module.register_forward_hook(module, after, with_kwargs=True))
        return handles

    def _unseen(self, hook: Callable) -> Callable:
        """Return the hook with its own functions unseen by the flow."""

        def unseen(*args: Any) -> Any:
            with torch._C.DisableTorchFunction():  # noqa: SLF001 - there is no other way to put off a mode
                result = hook(*args)
            running = self._running[-1].module if self._running else None
            self._flow.in_layer = running is not None and is_plain_leaf(running, self._names)
            return result

        return unseen

    def _before(self, module: nn.Module, args: tuple, kwargs: dict) -> None:
        if self._running:
            self._running[-1].is_leaf = False
        inputs = list(tensors_in((args, kwargs)))
        labels = [self._flow.label(tensor) for tensor in inputs]
        sources = frozenset().union(*(label.sources for label in labels))
        label = (labels[0] if labels else Label())._replace(sources=sources)
        call = Call(self._names[module], module, input_activation=label.activation, input_of=label.outputs)
        if inputs:
            call.input_shape = _shape(inputs[0])
            call.input_sources = labels[0].sources
            call.origins = tuple(map(self._flow.origin, inputs))
            # A container's input is copied as well: whether it is a leaf is known only when it returns. The copy
            # is shared with the record of whatever made the tensor, so that usually nothing is copied here.
            if self._copies is not None:
                call.input = self._copies.of(inputs[0])
        running = _Running(module, call, label, {id(t): version_of(t) for t in inputs})
        if isinstance(module, ACTIVATION_MODULES):
            self._found_activation(running)
        self._running.append(running)

    def _after(self, module: nn.Module, args: tuple, kwargs: dict, output: Any) -> Any:
        running = self._running.pop()
        while running.module is not module:  # calls that raised, in a model that caught the exception
            running = self._running.pop()
        self.ran.add(module)
        replaced = self._record(running, output) if running.is_leaf else None
        if running.is_leaf:
            self._lose_written(running, (args, kwargs), output)
        return replaced

    def _record(self, running: _Running, output: Any) -> Tensor | None:
        """Write the call down; returns what the model shall see in place of `output`, if not `output` itself."""
        call = running.call
        call.name = new_name(call.name, self._used)
        self._used.add(call.name)
        self.ran.update(running.module.modules())
        call.sources = tuple(sorted(source for source in running.label.sources if source is not None))
        call.sources_unknown = None in running.label.sources
        if running.label.sources == {None}:
            call.notes.append("its input was made outside torch's functions: what feeds it is not known")
        self.calls.append(call)
        found = first_tensor(output)
        if found is None:
            call.notes.append(f"returned no tensor ({type(output).__name__})")
            return None
        tensor, path = found
        call.packed = any(
            isinstance(part, PackedSequence) for part in (output, *dict(parts(output)).values())
        )
        if path:
            call.notes.append(f"shown is output{path} of the {type(output).__name__} it returned")
        self._describe(running, tensor)
        replaced = self._alias_of_untouched_input(running, output)
        self._mark_outputs(running, output if replaced is None else replaced)
        return replaced

    def _describe(self, running: _Running, tensor: Tensor) -> None:
        call = running.call
        call.output_shape = _shape(tensor)
        if self._copies is not None:
            call.output = self._copies.of(tensor)
        call.channel_axis = axis_of_module(running.module, tensor.ndim)
        if call.channel_axis is None:
            call.channel_axis = self._flow.label(tensor).axis
        if call.channel_axis is None or call.channel_axis >= tensor.ndim:
            call.channel_axis = usual_axis(tensor.ndim)
        if (
            running.applied_activation
            and call.output_shape == call.input_shape
            and not _has_weights(running.module)
        ):
            self._found_activation(running)

    def _found_activation(self, running: _Running) -> None:
        running.call.is_activation = True
        self._set_activation(running.label.outputs, running.module)

    def _alias_of_untouched_input(self, running: _Running, output: Any) -> Tensor | None:
        """Return a second tensor object for a module that returned its input as it is (Identity, Dropout in eval mode).

        With one object for both, what is read from before the module and what is read from behind it could not be
        told apart.
        """
        if not isinstance(output, Tensor) or output.layout is not torch.strided or output.is_nested:
            return None
        if not _is_untouched(running, output):
            return None
        alias = output.view_as(output)
        if self._copies is not None:
            self._copies.share(output, alias)
        return alias

    def _mark_outputs(self, running: _Running, output: Any) -> None:
        call = running.call
        keeps_values = _keeps_values(running.module)
        same = running.label.outputs if keeps_values else ()
        activation = None
        if call.is_activation:
            activation = running.module
        elif keeps_values or isinstance(running.module, RANGE_KEEPING_POOLS):
            activation = running.label.activation
        label = Label(frozenset({call.name}), (call.name, *same), call.channel_axis, activation)
        for tensor, place in outputs_of(call.name, list(tensors_in(output))):
            if id(tensor) not in running.versions:
                self._flow.mark(tensor, label._replace(origin=place))
            elif not _is_untouched(running, tensor):
                self._flow.write(tensor, label._replace(origin=place))

    def _lose_written(self, running: _Running, given: Any, output: Any) -> None:
        """Forget the origin of what a layer wrote to and did not return."""
        returned = {id(tensor) for tensor in tensors_in(output)}
        for tensor in tensors_in(given):
            version = running.versions.get(id(tensor))
            if version is not None and version_of(tensor) != version and id(tensor) not in returned:
                self._flow.lose(tensor)

    def _on_activation_function(self, names: tuple[str, ...], function: Applied) -> None:
        if self._running and is_plain_leaf(self._running[-1].module, self._names):
            # A function inside a layer is the layer's own business, unless the layer is a written-out activation.
            self._running[-1].applied_activation = True
        else:
            self._set_activation(names, function)

    def _set_activation(self, names: tuple[str, ...], activation: nn.Module | Applied) -> None:
        for name in names:
            self.activations.setdefault(name, activation)

    def _error(self, error: Exception) -> RecordingError:
        names = tuple(call.name for call in self.calls if call.module is not None)
        failed = None
        place = "before its first layer"
        if self._running:
            running = self._running[-1]
            failed = self._names[running.module]
            inside = "" if is_plain_leaf(running.module, self._names) else "the forward of "
            place = f"in {inside}{failed!r} ({kind_of(running.module)})"
            if running.call.input_shape is not None:
                place += f", given a tensor of shape {running.call.input_shape}"
        cause = f"{type(error).__name__}: {error}".strip(": ")
        message = f"{kind_of(self._network)} raised {place}: {cause}\nCalls that had run: {listing(names)}"
        if len(self._running) == 1 and isinstance(error, TypeError) and _MISSING in cause:
            message += (
                "\nTry: several inputs as a tuple, (x, y), or by name, {'x': x, 'y': y}; a list is one input"
            )
        return RecordingError(message, names, failed)


_MISSING = "missing "
"""Stands in Python's error where a required argument did not come."""


def _is_untouched(running: _Running, tensor: Tensor) -> bool:
    version = running.versions.get(id(tensor))
    return version is not None and version == version_of(tensor)


def _shape(tensor: Tensor) -> tuple[int, ...] | None:
    return None if tensor.is_nested else tuple(tensor.shape)


def _has_weights(module: nn.Module) -> bool:
    return next(module.parameters(), None) is not None


def _keeps_values(module: nn.Module) -> bool:
    """Whether the output is the input in another shape, in eval mode."""
    dropout = nn.modules.dropout._DropoutNd  # noqa: SLF001 - the common base of all dropouts
    return isinstance(module, nn.Identity | nn.Flatten | nn.Unflatten | dropout)


def _attributes(network: nn.Module) -> list[Tensor]:
    """Return the tensors that the modules have as plain attributes."""
    return [
        value for module in network.modules() for value in vars(module).values() if isinstance(value, Tensor)
    ]
