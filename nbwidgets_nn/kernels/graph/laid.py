"""How the samples lie in a recorded tensor, and which shape the units of one have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

from torch import Tensor

from nbwidgets_nn.kernels.graph.stages import Read
from nbwidgets_nn.record.steps import Origin


@dataclass(frozen=True)
class Laid:
    """How the samples lie in a recorded tensor."""

    full: tuple[int, ...]
    """Its shape, with all samples."""

    axis: int | None
    """The axis that counts samples; None where the tensor has no samples, or is the one sample."""

    times: int = 1
    """Places along that axis which one sample takes; those of a sample stand together."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample, with its axis kept."""
        if self.axis is None:
            return self.full
        return (*self.full[: self.axis], self.times, *self.full[self.axis + 1 :])

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """The shape of one sample; without the axis of samples where that has one place for each."""
        if self.axis is None or self.times > 1:
            return self.shape
        return (*self.full[: self.axis], *self.full[self.axis + 1 :])

    @property
    def samples(self) -> int:
        """Number of samples in the tensor."""
        return 1 if self.axis is None else self.full[self.axis] // self.times

    @property
    def size(self) -> int:
        """Units of a sample."""
        return prod(self.shape)


Operands = Sequence[tuple[Origin, Laid]]
"""What a function is given from recorded calls, and how it lies."""

Ways = Read | tuple[Read, ...]
"""What is read of one tensor: in one way, or in several that are no product together."""

Found = tuple[Laid, list[Ways]]
"""How a function's result lies, and what it reads of each operand."""


def ways_of(read: Ways) -> tuple[Read, ...]:
    """Return them as a tuple."""
    return (read,) if isinstance(read, Read) else read


Values = Callable[[Origin], Tensor]
"""Computes what a value was in the recording."""


def of_first_sample(whole: Tensor, laid: Laid) -> Tensor:
    """Cut the first sample out of all."""
    return whole if laid.axis is None else whole.narrow(laid.axis, 0, laid.times)
