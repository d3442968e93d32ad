"""The model as it was: what a forward pass can change is saved before and put back after."""

from __future__ import annotations

import contextlib
import random
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


@contextlib.contextmanager
def unchanged(network: nn.Module) -> Iterator[None]:
    """Run the body in eval mode and without gradients; afterwards network and random numbers are as before.

    Saved and put back, also when the body raises or is interrupted: the training flag and every other
    attribute of every submodule (hooks, buffers and parameters that were replaced, what the model stores on
    itself, such as a hidden state), the values of buffers, and the random state of Python, NumPy, torch, if it is in
    use CUDA, and generators that are attributes of submodules. Not saved: values of parameters, as a copy would double the memory; a model that writes
    into its parameters during `forward` is changed, as by any other call.

    Cost: one copy of the buffers.
    """
    modules = list(network.modules())
    flags = [(module, module.training) for module in modules if hasattr(module, "training")]
    attributes = [_Attributes(module) for module in modules]
    buffers = [(buffer, buffer.detach().clone()) for buffer in network.buffers() if not buffer.is_meta]
    generators = [
        (generator, generator.get_state()) for module in modules for generator in _generators(module)
    ]
    randomness = random.getstate(), np.random.get_state()  # noqa: NPY002 - the global state is what a model uses
    fused = torch.backends.mha.get_fastpath_enabled()
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else []
    # inference_mode(False): a recording made inside inference mode gives tensors that can be used anywhere.
    with torch.random.fork_rng(devices=devices), torch.inference_mode(mode=False), torch.no_grad():
        try:
            # The fused transformer layer calls none of its submodules, so there would be nothing to record.
            torch.backends.mha.set_fastpath_enabled(False)
            for module, _ in flags:
                # Not module.eval(): it can be overridden, and some models merge weights there.
                module.training = False
            yield
        finally:
            torch.backends.mha.set_fastpath_enabled(fused)
            for module, training in flags:
                module.training = training
            for saved in attributes:
                saved.put_back()
            for buffer, values in buffers:
                _write_back(buffer, values)
            for generator, state in generators:
                generator.set_state(state)
            random.setstate(randomness[0])
            np.random.set_state(randomness[1])  # noqa: NPY002


class _Attributes:
    """A shallow copy of a module's attributes, and of the dicts and lists among them (hooks, buffers, ...)."""

    def __init__(self, module: nn.Module) -> None:
        self._live = vars(module)
        self._saved: dict[str, Any] = dict(self._live)
        self._contents = {
            name: value.copy() for name, value in self._saved.items() if type(value) in _COPIED_TYPES
        }

    def put_back(self) -> None:
        if self._differs(self._live, self._saved):
            self._live.clear()
            self._live.update(self._saved)
        for name, contents in self._contents.items():
            value = self._saved[name]
            if isinstance(value, list):
                value[:] = contents
            elif self._differs(value, contents):
                value.clear()
                value.update(contents)

    @staticmethod
    def _differs(now: dict, before: dict) -> bool:
        if list(now) != list(before):
            return True
        return any(now[key] is not before[key] for key in before)


_COPIED_TYPES = (dict, list, OrderedDict)


def _generators(module: nn.Module) -> list[torch.Generator]:
    """Return the generators that the module has as attributes, also in lists, tuples and dicts."""
    found = []
    for value in vars(module).values():
        inside = (
            value.values()
            if isinstance(value, dict)
            else value
            if isinstance(value, list | tuple)
            else [value]
        )
        found += [one for one in inside if isinstance(one, torch.Generator)]
    return found


def _write_back(buffer: Tensor, values: Tensor) -> None:
    """Restore the values of a buffer, leaving it untouched when they are the same."""
    if buffer.shape != values.shape:
        buffer.set_(values)
    elif buffer.layout is not torch.strided or not torch.equal(buffer, values):
        buffer.copy_(values)
