"""What functions take that ask for "a model and its input, or a recording": the recording."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbwidgets_nn._arrays import expected
from nbwidgets_nn.record.activations import Activations

if TYPE_CHECKING:
    from torch import nn


def recorded(
    model: nn.Module | Activations,
    input: Any = None,  # noqa: A002 - the seeds' name
    *,
    call: str,
    **options: Any,
) -> Activations:
    """Record a model on some input, or return the recording that was made before.

    >>> import torch
    >>> recording = recorded(torch.nn.Linear(2, 3), torch.ones(4, 2), call="triplets")
    >>> recorded(recording, call="triplets") is recording
    True

    Args:
        model: any module, or an `Activations` (then without anything else).
        input: what the model takes.
        call: the name of the function asked, for the errors.
        options: of `Activations`; None stands for its default.

    Raises:
        TypeError: a model without an input.
        ValueError: a recording with one, or with options.
    """
    given = {key: value for key, value in options.items() if value is not None}
    if not isinstance(model, Activations):
        if input is None:
            what = "what the model is run on"
            raise TypeError(expected("input", what, "none", f"{call}(model, input)"))
        return Activations(model, input, **given)
    if input is not None or given:
        name = "input" if input is not None else next(iter(given))
        came = "one, though the recording has its own" if name == "input" else f"{given[name]!r}"
        raise ValueError(expected(name, "none with a recording", came, f"{call}(recording)"))
    return model
