"""Which axis of a recorded tensor counts the samples: told by moving the samples, and running the steps again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from nbwidgets_nn.record.layer import Layer
from nbwidgets_nn.record.steps import Origin, Output, outputs_in, replay

NO_AXIS = -1
"""In place of an axis: the tensor was made without the model's input, and has no samples."""

UNKNOWN = None


class SampleAxes(NamedTuple):
    """Which axis counts the samples, of what a call was given and of what it returned; `NO_AXIS` or `UNKNOWN`."""

    input: int | None
    output: int | None


def sample_axes(layers: Mapping[str, Layer], samples: int) -> dict[str, SampleAxes]:
    """Return the sample axes of every call; those of the model's input are 0.

    An input counts samples along an axis if its values move by one place along it when the samples of all outputs behind it
    are moved so. A module is taken to leave the axis where it is.
    """
    axes: dict[str, SampleAxes] = {}
    for name, layer in layers.items():
        if layer.module is None:
            axes[name] = SampleAxes(UNKNOWN, 0)
            continue
        given = [_leaf_axes(origin, axes) for origin in layer.origins]
        has_none = bool(given) and all(leaves is not None and set(leaves) <= {NO_AXIS} for leaves in given)
        axis = _axis_of_input(layer, given[0], layers, axes, samples) if given else UNKNOWN
        axes[name] = SampleAxes(axis, NO_AXIS if has_none else _axis_of_output(layer, axis, samples))
    return axes


def _leaf_axes(origin: Origin | None, axes: dict[str, SampleAxes]) -> list[int] | None:
    """Return the axes of all outputs behind an input; None where one is not known."""
    if origin is None:
        return None
    found = [axes[leaf.layer].output if leaf.index == 0 else UNKNOWN for leaf in outputs_in(origin)]
    return None if UNKNOWN in found else found


def _axis_of_input(
    layer: Layer,
    leaves: list[int] | None,
    layers: Mapping[str, Layer],
    axes: dict[str, SampleAxes],
    samples: int,
) -> int | None:
    if leaves is None or layer.input is None:
        return UNKNOWN
    if set(leaves) <= {NO_AXIS}:
        return NO_AXIS

    def moved(leaf: Output) -> Tensor:
        output, axis = layers[leaf.layer].output, axes[leaf.layer].output
        return output if axis == NO_AXIS else output.roll(1, axis)

    try:
        found = replay(layer.origin, moved)
        candidates = [axis for axis, size in enumerate(layer.input.shape) if size == samples]
        return next((axis for axis in candidates if _close(found, layer.input.roll(1, axis))), UNKNOWN)
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
