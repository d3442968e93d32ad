"""Where the samples are in a tensor, and the way from there to one row for each sample and back."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Layout:
    """The shape of a tensor for one sample, and the axis that grows with the samples; None if none does."""

    whole_shape: tuple[int, ...]
    axis: int | None

    @staticmethod
    def of(one: Tensor, two: Tensor | None) -> Layout:
        """Compare the tensor for one sample with that for two."""
        shape = tuple(one.shape)
        if two is None or two.ndim != one.ndim:
            return Layout(shape, None)
        grown = [axis for axis, size in enumerate(two.shape) if size != shape[axis]]
        doubled = len(grown) == 1 and two.shape[grown[0]] == 2 * shape[grown[0]]
        return Layout(shape, grown[0] if doubled else None)

    @property
    def shape(self) -> tuple[int, ...]:
        """Without the axis of the samples, unless a sample has several places there (tokens, say)."""
        if self.axis is None or self.whole_shape[self.axis] > 1:
            return self.whole_shape
        return self.whole_shape[: self.axis] + self.whole_shape[self.axis + 1 :]

    def whole(self, rows: Tensor) -> Tensor:
        """Turn (n, numbers) into the tensor that the model uses for n samples."""
        if self.axis is None:
            return rows.reshape(self.whole_shape)
        apart = rows.reshape(len(rows), *self.whole_shape).movedim(0, self.axis)
        return apart.flatten(self.axis, self.axis + 1)

    def rows(self, whole: Tensor, samples: int) -> Tensor:
        """Turn the model's tensor for n samples into (n, numbers)."""
        if self.axis is None:
            return whole.reshape(1, -1)
        apart = whole.unflatten(self.axis, (samples, self.whole_shape[self.axis]))
        return apart.movedim(self.axis, 0).flatten(1)
