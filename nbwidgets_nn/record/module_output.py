"""The output of one submodule, containers included, in one pass of the whole network."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from nbwidgets_nn.record._inputs import check_network, read_input
from nbwidgets_nn.record._names import kind_of
from nbwidgets_nn.record._state import unchanged
from nbwidgets_nn.record._trees import first_tensor
from nbwidgets_nn.record.errors import RecordingError


def module_output(model: nn.Module, input: Any, module: nn.Module, *, call: int = 0) -> Tensor:  # noqa: A002
    """Return what `module` returns while `model(input)` runs: a detached copy, of the first tensor if it returns several.

    Cost: one forward pass and one copy of that output.

    >>> import torch
    >>> model = nn.Sequential(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), nn.Linear(4, 1))
    >>> module_output(model, torch.ones(5, 3), model[0]).shape
    torch.Size([5, 4])

    Unlike `Activations`, which records leaves, this serves any submodule, also a container and ``model`` itself. The
    real model runs, in eval mode and without gradients, and is as before afterwards.

    Args:
        model: any `torch.nn.Module`.
        input: as for `Activations`.
        module: a submodule of ``model``, or ``model``.
        call: which of its calls, for a module that runs several times; counts from 0.

    Raises:
        RecordingError: the model raised.
        ValueError: ``module`` is not part of ``model``, did not run so often, or returned no tensor.
    """
    model = check_network(model)
    name = next((name for name, other in model.named_modules() if other is module), None)
    if name is None:
        described = kind_of(module) if isinstance(module, nn.Module) else type(module).__name__
        raise ValueError(
            f"module: expected a submodule of model, got a {described} that is not in model.modules()"
        )
    shown = f"{name!r} ({kind_of(module)})" if name else f"the model itself ({kind_of(module)})"
    outputs = _outputs(model, input, module, call, shown)
    if len(outputs) <= call:
        raise ValueError(
            f"module: {shown} ran {len(outputs)} times for this input, so there is no call {call}"
        )
    if outputs[call] is None:
        raise ValueError(f"module: {shown} returned no tensor")
    return outputs[call]


def _outputs(model: nn.Module, value: Any, module: nn.Module, call: int, shown: str) -> list[Tensor | None]:
    """Return copies of what each call of `module` returned; only the wanted one is kept."""
    arguments = read_input(model, value).copy()
    outputs: list[Tensor | None] = []

    def keep(_module: nn.Module, _args: tuple, output: Any) -> None:
        found = first_tensor(output) if len(outputs) == call else None
        # A copy at once: the next layer may work in place.
        outputs.append(None if found is None else found[0].detach().clone())

    with unchanged(model):
        # Through the class: a ScriptModule refuses its own register_forward_hook, though the hook works.
        handle = nn.Module.register_forward_hook(module, keep)
        try:
            model(*arguments.args, **arguments.kwargs)
        except Exception as error:
            message = f"{kind_of(model)} raised while {shown} was recorded: {type(error).__name__}: {error}"
            raise RecordingError(message) from error
        finally:
            handle.remove()
    return outputs
