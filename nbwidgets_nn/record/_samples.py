"""Which axis of a recorded tensor counts the samples: told by moving the samples, and running the steps again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from nbwidgets_nn.record.layer import Layer
from nbwidgets_nn.record.steps import Origin, Step, outputs_in, replay, steps_in

NO_AXIS = -1
"""In place of an axis: the tensor was made without the model's input, and has no samples."""

UNKNOWN = None


class SampleAxes(NamedTuple):
    """Which axis counts the samples, of what a call was given and of what it returned; `NO_AXIS` or `UNKNOWN`."""

    input: int | None
    output: int | None


def sample_axes(layers: Mapping[str, Layer], samples: int) -> dict[str, SampleAxes]:
    """Return the sample axes of every call; those of the model's inputs are 0, where they have as many entries there.

    An input counts samples along an axis if its values move by one place along it when the samples of all outputs behind it
    are moved so. A module is taken to leave the axis where it is.
    """
    axes: dict[str, SampleAxes] = {}
    known: dict[int, str] = {}
    for name, layer in layers.items():
        if layer.module is None:
            axes[name] = SampleAxes(UNKNOWN, 0 if (layer.output_shape or ())[:1] == (samples,) else NO_AXIS)
            continue
        given = [_axes_behind(origin, axes, known) for origin in layer.origins]
        has_none = bool(given) and all(behind is not None and behind <= {NO_AXIS} for behind in given)
        axis = axis_of(layer.origin, layer.input, layers, axes, samples, known)
        axes[name] = SampleAxes(axis, NO_AXIS if has_none else _axis_of_output(layer, axis, samples))
        if isinstance(layer.origin, Step) and layer.input is not None and axis is not UNKNOWN:
            known.setdefault(id(layer.origin), name)
    return axes


def _axes_behind(
    origin: Origin | None, axes: Mapping[str, SampleAxes], known: Mapping[int, str]
) -> set[int] | None:
    """Return the axes of all that a tensor was made from; None where one is not known.

    Args:
        origin: how it came about.
        axes: those of the calls before.
        known: of steps that are the input of one of these calls, the call's name.
    """
    if origin is None:
        return None
    found = {axes[leaf.layer].output if leaf.index == 0 else UNKNOWN for leaf in outputs_in(origin, known)}
    found |= {axes[known[id(node)]].input for node in steps_in(origin, known) if id(node) in known}
    return None if UNKNOWN in found else found


def axis_of(
    origin: Origin | None,
    value: Tensor | None,
    layers: Mapping[str, Layer],
    axes: Mapping[str, SampleAxes],
    samples: int,
    known: Mapping[int, str] | None = None,
) -> int | None:
    """Return the sample axis of a tensor that was made from outputs whose axes are known."""
    known = known or {}
    behind = _axes_behind(origin, axes, known)
    if behind is None or value is None:
        return UNKNOWN
    if behind <= {NO_AXIS}:
        return NO_AXIS

    def moved(node: Origin) -> Tensor:
        name = known[id(node)] if isinstance(node, Step) else node.layer
        tensor = layers[name].input if isinstance(node, Step) else layers[name].output
        axis = axes[name].input if isinstance(node, Step) else axes[name].output
        return tensor if axis == NO_AXIS else tensor.roll(1, axis)

    try:
        found = replay(origin, moved, known)
        candidates = [axis for axis, size in enumerate(value.shape) if size == samples]
        return next((axis for axis in candidates if _close(found, value.roll(1, axis))), UNKNOWN)
    except (RuntimeError, IndexError, ValueError):  # what is recorded is of fewer samples, or sparse
        return UNKNOWN


def _axis_of_output(layer: Layer, axis: int | None, samples: int) -> int | None:
    shape = layer.output_shape
    if axis in (UNKNOWN, NO_AXIS) or shape is None or len(shape) <= axis or shape[axis] != samples:
        return UNKNOWN
    return axis if axis == 0 or len(shape) == len(layer.input_shape) else UNKNOWN


def _close(found: Tensor, wanted: Tensor) -> bool:
    """Whether two are the same but for rounding: a product of matrices can round each row in another way."""
    if found.shape != wanted.shape or found.dtype != wanted.dtype:
        return False
    if not (found.is_floating_point() or found.is_complex()):
        return torch.equal(found, wanted)
    return torch.allclose(found, wanted, rtol=16 * torch.finfo(found.dtype).eps, equal_nan=True)
