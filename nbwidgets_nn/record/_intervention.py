"""Running a model from the input of one call to the output of another, with the input set to given values."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from nbwidgets_nn.record._do import Events, MovedError, Place, Probe, Setting
from nbwidgets_nn.record._inputs import Arguments
from nbwidgets_nn.record._names import kind_of
from nbwidgets_nn.record._state import unchanged
from nbwidgets_nn.record._trees import first_tensor
from nbwidgets_nn.record.errors import RecordingError


class CallId(NamedTuple):
    """One call of a leaf: the module, and how many of its calls have returned before."""

    module: nn.Module
    earlier: int


@dataclass(frozen=True)
class Look:
    """What a run without intervention shows."""

    read: Tensor | None
    """The first tensor that the first call was given."""

    alone: bool
    """Whether the span is one call, which was given that tensor and nothing else."""

    returned: Tensor | None
    """The first tensor that the last call returned."""

    place: Place


class ReachedEnd(BaseException):
    """Raised when the last call has returned, so that the rest of the model does not run.

    Not an Exception: a model that catches its own errors must not catch this.
    """


class Intervention:
    """Runs `network` on copies of one sample, until the call `end` returns, with the tensor that `start` reads set.

    Run it inside `prepared()`. `name` is that of the span, for messages.
    """

    def __init__(
        self, network: nn.Module, arguments: Arguments, start: CallId, end: CallId, name: str
    ) -> None:
        self._network, self._arguments = network, arguments
        self._start, self._end, self._name = start, end, name
        self._places: dict[int, Place] = {}
        self._returned: Counter[nn.Module] = Counter()
        self._output: Any = None
        self.alone = False
        """Whether to call the one layer, without the rest of the model."""

    @contextlib.contextmanager
    def prepared(self) -> Iterator[None]:
        """Run the body with the model in eval mode; afterwards it is as before."""
        with unchanged(self._network):
            # To be found again: a model may do more in its first run, such as filling a cache of its own, and that run
            # must not write anything there.
            self._places.clear()
            yield

    def look(self, samples: int) -> Look:
        """Run without setting anything."""
        arguments = self._copies(samples)
        probe = Probe(arguments)
        output = self._run(probe, arguments)
        self._places[samples] = probe.place
        return Look(probe.read, probe.alone and self._start == self._end, output, probe.place)

    def run(self, values: Tensor, samples: int) -> Tensor:
        """Return the first tensor that the last call returns for `values`, which are `samples` samples."""
        if self.alone:
            with self._naming_errors():
                return first_tensor(self._start.module(_own(values)))[0]
        for _ in range(3):
            if samples not in self._places:
                self.look(samples)
            arguments = self._copies(samples)
            setting = Setting(self._places[samples], _own(values))
            try:
                setting.set_arguments(arguments)
                output = self._run(setting, arguments)
            except MovedError:
                del self._places[samples]
            else:
                if output is not None and setting.done:
                    return output
        raise ValueError(
            f"{self._name}: expected a model that runs the same calls each time, got one that does not; its input cannot "
            "be set. Try: make the model's forward depend on its input alone"
        )

    def _copies(self, samples: int) -> Arguments:
        if samples == 1:
            return self._arguments.copy()

        def repeated(tensor: Tensor) -> Tensor:
            if not tensor.ndim or len(tensor) != 1:
                return tensor.detach().clone()
            return tensor.detach().repeat(samples, *[1] * (tensor.ndim - 1))

        return self._arguments.map(repeated)

    def _run(self, events: Events, arguments: Arguments) -> Tensor | None:
        self._returned.clear()
        self._output = None
        with (
            self._naming_errors(),
            contextlib.suppress(ReachedEnd),
            self._hooks(events),
            events,
        ):
            self._network(*arguments.args, **arguments.kwargs)
        found = first_tensor(self._output)
        return None if found is None else found[0]

    @contextlib.contextmanager
    def _naming_errors(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            cause = f"{type(error).__name__}: {error}".strip(": ")
            raise RecordingError(
                f"{kind_of(self._network)} raised while {self._name} was run: {cause}"
            ) from error

    @contextlib.contextmanager
    def _hooks(self, events: Events) -> Iterator[None]:
        def before(module: nn.Module, args: tuple, kwargs: dict) -> tuple[tuple, dict] | None:
            if self._returned[module] != self._start.earlier:
                return None
            events.paused = True
            changed = events.first_call(args, kwargs)
            events.paused = False
            return changed

        def after(module: nn.Module, _args: tuple, _kwargs: dict, output: Any) -> Any:
            events.paused = True
            output = events.returned(output)
            events.paused = False
            earlier = self._returned[module]
            self._returned[module] += 1
            if module is self._end.module and earlier == self._end.earlier:
                self._output = output
                raise ReachedEnd
            return output

        handles = []
        try:
            # Through the class: a ScriptModule refuses its own register_forward_hook, though the hook works.
            handles.append(nn.Module.register_forward_pre_hook(self._start.module, before, with_kwargs=True))
            for module in self._network.modules():
                handles += [nn.Module.register_forward_hook(module, after, with_kwargs=True)]
            yield
        finally:
            for handle in handles:
                handle.remove()


def _own(values: Tensor) -> Tensor:
    """Return a copy that the model may write into; contiguous, so that it can take any view of it."""
    return values.clone(memory_format=torch.contiguous_format)
