"""One recorded call of a layer, and its output as a table of samples and units."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nbwidgets_nn.record.steps import Origin

UNITS = ("auto", "channel", "unit")


@dataclass(frozen=True, eq=False, repr=False)
class Layer:
    """One call of a leaf module while the network was recorded; treat its tensors as read-only.

    Tensors are copies made when the call started and returned, detached from the graph; where a layer's output is
    the next one's input unchanged, both show the same copy.
    """

    name: str
    """Qualified name, `features.0`; the second call of the same module is `relu:1`."""

    module: nn.Module | None
    """The module itself; None for the model's inputs."""

    kind: str
    """Class name of the module, `Conv2d`; 'input' for the inputs."""

    output: Tensor | None
    """What the call returned (its first tensor); None without a tensor or with `shapes_only=True`."""

    input: Tensor | None
    """What the call was given (its first tensor)."""

    output_shape: tuple[int, ...] | None
    input_shape: tuple[int, ...] | None

    parameters: int
    """Number of weights in the module, trainable or not."""

    activation: nn.Module | Callable[[Tensor], Tensor] | None
    """The activation that directly follows: the module, or the function (with its arguments, if it had any). Changes
    of shape or dtype, Identity and dropout may stand between. None where anything else follows."""

    fed_by: tuple[str, ...]
    """Names of the calls whose output is in the input of this one, directly or through functions."""

    feeds: tuple[str, ...]
    """Names of the calls that this one feeds."""

    channel_axis: int | None
    """Axis of `output` that counts channels (features, for Linear); None without axes to choose from."""

    note: str = ""
    """What a reader should know: 'returned no tensor (NoneType)', which part of a tuple is shown, ..."""

    input_activation: nn.Module | Callable[[Tensor], Tensor] | None = None
    """The activation that made the input's values, which tells the range they lie in: the module, or the function (with
    its arguments, if it had any). Changes of shape or dtype, Identity, dropout, pooling and a choice of elements may stand between.
    None where anything else does."""

    input_of: tuple[str, ...] = ()
    """Names of the calls whose output the input still is, apart from its shape and dtype; the latest first. Empty where a
    function changed the values."""

    is_activation: bool = False
    """Whether the module is an activation: one of torch's, or one without weights that applies one and keeps the shape."""

    origins: tuple[Origin | None, ...] = ()
    """How each tensor that the call was given came about, from other calls by functions. None where it was made out of sight:
    through NumPy, by a write into a view, by random numbers drawn for it. With `batch_size`, and in a recording of some of the
    samples, it is that of the first piece or of all samples, with sizes and constants that count samples along their first
    axis replaced; anything else that the model worked out from the number of samples is as it was."""

    @property
    def origin(self) -> Origin | None:
        """How `input` came about; None where that is not known, and without an input."""
        return self.origins[0] if self.origins else None

    def matrix(self, units: str = "auto") -> Tensor:
        """Return the output as a matrix `(samples, units)`, of the output's own dtype.

        "channel": a unit is a channel, and every position of every sample counts as a sample. The channels are axis 1
        of convolutions, poolings and batch norms, the last axis of Linear, LayerNorm, Embedding, attention and
        recurrent layers; a pointwise layer has the axis of what feeds it.
        "unit": every number that one sample (dim 0) yields is a unit.
        "auto": channels; every number, if there is only one channel or there are no positions.

        A view of `output` where the memory layout allows. A sparse output is made dense. ValueError if the layer
        returned no tensor or the values were not kept.

        >>> import torch, nbwidgets_nn as nw
        >>> rec = nw.Activations(nn.Conv2d(1, 4, 3), torch.zeros(10, 1, 8, 8))
        >>> rec["Conv2d"].matrix().shape, rec["Conv2d"].matrix("unit").shape
        (torch.Size([360, 4]), torch.Size([10, 144]))
        """
        if units not in UNITS:
            raise ValueError(f"units: expected one of {', '.join(map(repr, UNITS))}, got {units!r}")
        output = self._values()
        if output.layout is not torch.strided:
            output = output.to_dense()
        axis = self.channel_axis
        if axis is None:  # a number per sample, or a single number
            return output.reshape(-1, 1)
        if units == "channel" or (units == "auto" and _has_channels(output.shape, axis)):
            return output.movedim(axis, -1).reshape(-1, output.shape[axis])
        # With the channels first there is no batch: a single sample.
        return output.reshape(1 if axis == 0 else output.shape[0], -1)

    def _values(self) -> Tensor:
        if self.output is not None:
            return self.output
        if self.output_shape is None:
            raise ValueError(f"layer {self.name!r} has no matrix: it {self.note}")
        raise ValueError(
            f"layer {self.name!r} has no values: the model was recorded with shapes_only=True; record it without"
        )

    @property
    def units(self) -> int:
        """How many units `matrix()` has, told from the shape alone; 0 without a tensor."""
        shape, axis = self.output_shape, self.channel_axis
        if shape is None:
            return 0
        if axis is None:
            return 1
        if _has_channels(shape, axis):
            return shape[axis]
        return math.prod(shape) if axis == 0 else math.prod(shape[1:])

    def __repr__(self) -> str:
        parts = [repr(self.name), self.kind, f"output {self.output_shape}", f"{self.parameters:,} parameters"]
        return f"Layer({', '.join(parts + [self.note] * bool(self.note))})"


def _has_channels(shape: tuple[int, ...], axis: int) -> bool:
    positions = shape[1:axis] + shape[axis + 1 :]
    return shape[axis] > 1 and len(positions) > 0
